//! The wheels on this machine, each under its hash and unpacked.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use syftbox_core::{
    domain::{ContentHash, ContentHasher},
    wire::job::ApprovedPackage,
};
use tempfile::TempDir;

use super::{
    PackageError, Requirement, Resolution,
    pip::{self, Got, Source},
    provided,
    wheel::{self, About, BadWheel},
};

/// What Python imports of a wheel, in the wheel's folder.
const SITE: &str = "site";
/// The folder of what was found out about sets of requirements.
const RESOLVED: &str = "resolved";

/// The folder where wheels are kept.
#[derive(Clone, Debug)]
pub struct PackageCache {
    folder: PathBuf,
    pub(super) source: Source,
}

impl PackageCache {
    /// The wheels kept in this folder, which need not exist yet.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder, source: Source::Registry }
    }

    /// Takes wheels from this folder alone, without asking a registry.
    #[must_use]
    pub fn taking_from(self, wheels: PathBuf) -> Self {
        Self { source: Source::Folder(wheels), ..self }
    }

    /// The folders for the import path of a job that asks for `dependencies` and was approved with `wheels`.
    /// Gets those that aren't here.
    ///
    /// # Errors
    /// When it asks for more than was approved, or a wheel can't be had as it was approved.
    pub fn for_job<'a>(
        &self,
        wanted: impl Iterator<Item = &'a str>,
        wheels: &[ApprovedPackage],
    ) -> Result<Vec<PathBuf>, PackageError> {
        for text in wanted {
            let requirement: Option<Requirement> = text.parse().ok();
            let is_there = requirement.is_some_and(|requirement| {
                let approved = |wheel: &ApprovedPackage| wheel.name == requirement.name.as_str();
                !requirement.applies(None) || provided::has(&requirement.name) || wheels.iter().any(approved)
            });
            if !is_there {
                return Err(PackageError::NotApproved { what: crate::sandbox::printable(text) });
            }
        }
        self.ensure(wheels)
    }

    fn ensure(&self, wheels: &[ApprovedPackage]) -> Result<Vec<PathBuf>, PackageError> {
        wheels.iter().map(|wheel| self.ensure_one(wheel)).collect()
    }

    fn ensure_one(&self, wanted: &ApprovedPackage) -> Result<PathBuf, PackageError> {
        let site = self.site(wanted.sha256);
        if site.is_dir() {
            return Ok(site);
        }
        let other = || PackageError::OtherWheel { file: wanted.file.clone() };
        let requirement: Requirement =
            format!("{}=={}", wanted.name, wanted.version).parse().map_err(|_| other())?;
        let work = self.work_folder()?;
        let Got::Wheel(wheel) = pip::download(&requirement, &self.source, work.path())? else {
            return Err(other());
        };
        let hash = hash_of(&wheel).map_err(cache_error(&wheel))?;
        if hash != wanted.sha256 {
            return Err(other());
        }
        match self.add(&wheel)? {
            Ok(_) => Ok(site),
            Err(_) => Err(other()),
        }
    }

    /// Unpacks a wheel into the cache; says what it is.
    pub(super) fn add(
        &self,
        wheel: &Path,
    ) -> Result<Result<(ApprovedPackage, About), BadWheel>, PackageError> {
        let about = match wheel::about(wheel) {
            Ok(about) => about,
            Err(bad) => return Ok(Err(bad)),
        };
        let sha256 = hash_of(wheel).map_err(cache_error(wheel))?;
        let kept = ApprovedPackage {
            name: about.name.to_string(),
            version: about.version.to_string(),
            file: wheel.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            sha256,
            bytes: fs::metadata(wheel).map_err(cache_error(wheel))?.len(),
        };
        let folder = self.folder.join(sha256.to_string());
        if folder.is_dir() {
            return Ok(Ok((kept, about)));
        }
        let work = self.work_folder()?;
        if let Err(bad) = wheel::unpack(wheel, &work.path().join(SITE)) {
            return Ok(Err(bad));
        }
        let made = work.keep();
        if let Err(error) = fs::rename(&made, &folder) {
            let _ = fs::remove_dir_all(&made);
            // Another process may have been faster; then it is there.
            if !folder.is_dir() {
                return Err(PackageError::Cache { path: folder, source: error });
            }
        }
        Ok(Ok((kept, about)))
    }

    fn site(&self, hash: ContentHash) -> PathBuf {
        self.folder.join(hash.to_string()).join(SITE)
    }

    /// A folder that only this user can use, for files that are gone when it is dropped.
    pub(super) fn work_folder(&self) -> Result<TempDir, PackageError> {
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(&self.folder).map_err(cache_error(&self.folder))?;
        let work = tempfile::Builder::new().prefix(".unfinished-").tempdir_in(&self.folder);
        work.map_err(cache_error(&self.folder))
    }

    /// What was found out about a set of requirements, if its wheels are still here.
    pub(super) fn resolved(&self, key: ContentHash) -> Option<Resolution> {
        let resolution: Resolution = serde_json::from_slice(&fs::read(self.resolved_file(key)).ok()?).ok()?;
        resolution.wheels.iter().all(|wheel| self.site(wheel.sha256).is_dir()).then_some(resolution)
    }

    /// Remembers what was found out, so that what is approved is what was shown.
    pub(super) fn remember(&self, key: ContentHash, resolution: &Resolution) -> Result<(), PackageError> {
        let path = self.resolved_file(key);
        let write = || -> io::Result<()> {
            let folder = self.folder.join(RESOLVED);
            fs::create_dir_all(&folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            file.write_all(&serde_json::to_vec_pretty(resolution)?)?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(cache_error(&path))
    }

    fn resolved_file(&self, key: ContentHash) -> PathBuf {
        self.folder.join(RESOLVED).join(format!("{key}.json"))
    }
}

fn hash_of(path: &Path) -> io::Result<ContentHash> {
    struct Hashing(ContentHasher);
    impl Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = Hashing(ContentHasher::default());
    io::copy(&mut File::open(path)?, &mut hashing)?;
    Ok(hashing.0.finish())
}

fn cache_error(path: &Path) -> impl FnOnce(io::Error) -> PackageError {
    let path = path.to_path_buf();
    move |source| PackageError::Cache { path, source }
}
