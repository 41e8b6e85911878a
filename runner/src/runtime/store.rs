//! The runtimes on this machine: installed once, used by every job.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    RuntimeError,
    snapshot::{Recipe, Snapshot},
    table::{RUNTIMES, RuntimeEntry},
};
use crate::packages::PackageCache;
use crate::sandbox::{
    GuestRuntime, GuestSnapshot,
    engine::{self, Build},
};

/// The compiled module in an installed runtime.
pub(super) const MODULE: &str = "module.cwasm";
/// The file in an installed runtime that says what it is.
pub(super) const RECEIPT: &str = "runtime.json";

/// The folder where installed runtimes are kept.
#[derive(Clone, Debug)]
pub struct RuntimeStore {
    pub(super) folder: PathBuf,
    pub(super) table: &'static [RuntimeEntry],
    pub(super) build: Build,
}

/// A runtime and whether it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuntimeStatus {
    /// What it is called here.
    pub name: String,
    /// The version of what it is made of.
    pub version: String,
    /// The SHA-256 of its wheel or, when it came with this program, of its module, in hex.
    pub digest: String,
    /// Whether it is installed for this version of the program.
    pub installed: bool,
    /// Where it is installed.
    pub path: Option<PathBuf>,
    /// How much it takes on disk, in bytes.
    pub bytes: Option<u64>,
    /// Whether its snapshot is there, so that jobs begin with their packages imported; `None` where there is
    /// no snapshot to be had.
    pub snapshot: Option<bool>,
}

/// A runtime that is ready to run jobs.
#[derive(Clone, Debug)]
pub struct InstalledRuntime {
    pub(super) entry: &'static RuntimeEntry,
    pub(super) folder: PathBuf,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) python3: Option<Box<InstalledRuntime>>,
}

/// What [`RECEIPT`] holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) digest: String,
    /// Of everything but the snapshot.
    pub(super) bytes: u64,
    pub(super) module_bytes: u64,
}

/// Where runtimes are kept: `SYFTBOX_CACHE_DIR`, else `syftbox` in the platform's cache folder.
///
/// # Errors
/// When neither is known.
pub fn default_cache_dir() -> Result<PathBuf, RuntimeError> {
    if let Some(folder) = std::env::var_os("SYFTBOX_CACHE_DIR").filter(|folder| !folder.is_empty()) {
        return Ok(std::path::absolute(&folder).unwrap_or_else(|_| folder.into()));
    }
    let platform = directories::BaseDirs::new().ok_or(RuntimeError::NoCacheFolder)?;
    Ok(platform.cache_dir().join("syftbox"))
}

impl RuntimeStore {
    /// The runtimes kept in a cache folder, which need not exist yet.
    #[must_use]
    pub fn open(cache_dir: &Path) -> Self {
        Self { folder: cache_dir.join("runtimes"), table: RUNTIMES, build: Build::Fast }
    }

    /// The same runtimes for deterministic jobs: compiled to other code, and without snapshots.
    #[must_use]
    pub fn deterministic(self) -> Self {
        Self { build: Build::Counting, ..self }
    }

    /// Whether these are for deterministic jobs.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        self.build == Build::Counting
    }

    /// How the snapshot of a runtime is made, where there is one.
    pub(super) fn recipe(&self, entry: &RuntimeEntry) -> Option<Recipe> {
        entry.snapshot().filter(|_| self.build == Build::Fast)
    }

    /// The Python packages that are kept beside the runtimes.
    #[must_use]
    pub fn packages(&self) -> PackageCache {
        PackageCache::in_folder(self.folder.with_file_name("packages"))
    }

    /// The names of the runtimes there are.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.table.iter().map(|entry| entry.name)
    }

    /// Every runtime there is and whether it is installed.
    ///
    /// # Errors
    /// When wasmtime can't work on this machine.
    pub fn list(&self) -> Result<Vec<RuntimeStatus>, RuntimeError> {
        self.table.iter().map(|entry| self.status(entry)).collect()
    }

    /// The installed runtime of this name, if it is there with the one that its scripts may start.
    ///
    /// # Errors
    /// When no runtime has this name.
    pub fn installed(&self, name: &str) -> Result<Option<InstalledRuntime>, RuntimeError> {
        let entry = self.entry(name)?;
        let python3 = match entry.python3.map(|name| self.installed(name)).transpose()? {
            Some(None) => return Ok(None),
            Some(Some(python)) => Some(Box::new(python)),
            None => None,
        };
        let folder = self.folder_of(entry)?;
        Ok(receipt_of(&folder).map(|_| InstalledRuntime {
            entry,
            snapshot: self.recipe(entry).and_then(|recipe| recipe.installed(&folder)),
            folder,
            python3,
        }))
    }

    pub(super) fn entry(&self, name: &str) -> Result<&'static RuntimeEntry, RuntimeError> {
        self.table
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| RuntimeError::Unknown { name: name.to_owned() })
    }

    /// A folder of its own for each wheel, each engine that compiles it, and whether a snapshot can be taken
    /// of what was compiled.
    pub(super) fn folder_of(&self, entry: &RuntimeEntry) -> Result<PathBuf, RuntimeError> {
        let engine = engine::engine(self.build).map_err(compile_error(entry))?;
        let compatibility = engine::compatibility(&engine);
        let digest = &entry.digest()[..16];
        let kind = if self.recipe(entry).is_some() { "-s" } else { "" };
        Ok(self.folder.join(format!("{}-{digest}-{compatibility}{kind}", entry.name)))
    }

    fn status(&self, entry: &RuntimeEntry) -> Result<RuntimeStatus, RuntimeError> {
        let folder = self.folder_of(entry)?;
        let receipt = receipt_of(&folder);
        let snapshot = self.recipe(entry).map(|recipe| recipe.installed(&folder));
        let snapshot_bytes =
            snapshot.iter().flatten().map(|snapshot| snapshot.about.module_bytes).sum::<u64>();
        Ok(RuntimeStatus {
            name: entry.name.to_owned(),
            version: entry.version.to_owned(),
            digest: entry.digest().to_owned(),
            installed: receipt.is_some(),
            path: receipt.is_some().then_some(folder),
            bytes: receipt.map(|receipt| receipt.bytes + snapshot_bytes),
            snapshot: snapshot.map(|snapshot| snapshot.is_some()),
        })
    }
}

impl InstalledRuntime {
    /// What it is called here.
    #[must_use]
    pub fn name(&self) -> &str {
        self.entry.name
    }

    /// The version of its package.
    #[must_use]
    pub fn version(&self) -> &str {
        self.entry.version
    }

    /// Where it is installed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The runtime as the sandbox takes it.
    #[must_use]
    pub fn guest(&self) -> GuestRuntime {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mounts = self.entry.mounts.iter();
        GuestRuntime {
            name: self.entry.name.to_owned(),
            version: self.entry.version.to_owned(),
            digest: self.entry.digest().to_owned(),
            module: self.folder.join(MODULE),
            snapshot: self.snapshot.as_ref().map(|snapshot| GuestSnapshot {
                module: snapshot.module.clone(),
                memory: snapshot.about.memory,
            }),
            mounts: mounts.map(|(folder, guest)| (self.folder.join(folder), (*guest).to_owned())).collect(),
            environment: self.entry.environment.iter().map(owned).collect(),
            arguments: (self.entry.arguments)(),
            calling: self.entry.calling,
            packages: self.entry.packages,
            python3: self.python3.as_ref().map(|python| Box::new(python.guest())),
        }
    }
}

/// What an installed runtime says of itself, if its folder is whole.
pub(super) fn receipt_of(folder: &Path) -> Option<Receipt> {
    let receipt: Receipt = serde_json::from_slice(&fs::read(folder.join(RECEIPT)).ok()?).ok()?;
    let module = fs::metadata(folder.join(MODULE)).ok()?;
    (module.len() == receipt.module_bytes).then_some(receipt)
}

pub(super) fn cache_error(path: &Path) -> impl FnOnce(std::io::Error) -> RuntimeError {
    let path = path.to_path_buf();
    move |source| RuntimeError::Cache { path, source }
}

pub(super) fn compile_error(entry: &RuntimeEntry) -> impl FnOnce(wasmtime::Error) -> RuntimeError {
    let name = entry.name;
    move |error| RuntimeError::Compile { name, why: format!("{error:#}") }
}

#[cfg(test)]
mod tests;
