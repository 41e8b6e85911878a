//! The files that the sandbox shows, as bashkit wants them. What may not be written is refused by the
//! sandbox itself.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use bashkit::{DirEntry, FileType, FsBackend, Metadata, Result, async_trait};

/// Folders that are mounted into others, whose own lists don't name them.
const MOUNTED: [(&str, &str); 2] = [("/job", "outputs"), ("/job/code", "outputs")];

/// The files of the job.
#[derive(Default)]
pub(crate) struct JobFiles {
    /// WASI knows no permissions of files, so those that a script sets are remembered here.
    modes: Mutex<HashMap<PathBuf, u32>>,
}

impl JobFiles {
    fn modes(&self) -> MutexGuard<'_, HashMap<PathBuf, u32>> {
        self.modes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn metadata(&self, path: &Path, found: &fs::Metadata) -> Metadata {
        let kind = found.file_type();
        let (file_type, mode) = if kind.is_dir() {
            (FileType::Directory, 0o755)
        } else if kind.is_symlink() {
            (FileType::Symlink, 0o777)
        } else {
            (FileType::File, 0o644)
        };
        let mode = self.modes().get(path).copied().unwrap_or(mode);
        let modified = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Metadata { file_type, size: found.len(), mode, modified, created: modified }
    }
}

#[async_trait]
impl FsBackend for JobFiles {
    async fn read(&self, path: &Path) -> Result<Vec<u8>> {
        Ok(fs::read(path)?)
    }

    async fn write(&self, path: &Path, content: &[u8]) -> Result<()> {
        Ok(File::create(path)?.write_all(content)?)
    }

    async fn append(&self, path: &Path, content: &[u8]) -> Result<()> {
        Ok(OpenOptions::new().append(true).create(true).open(path)?.write_all(content)?)
    }

    async fn mkdir(&self, path: &Path, recursive: bool) -> Result<()> {
        if recursive {
            fs::create_dir_all(path)?;
        } else {
            fs::create_dir(path)?;
        }
        Ok(())
    }

    async fn remove(&self, path: &Path, recursive: bool) -> Result<()> {
        let is_folder = fs::symlink_metadata(path)?.is_dir();
        match (is_folder, recursive) {
            (false, _) => fs::remove_file(path)?,
            (true, false) => fs::remove_dir(path)?,
            (true, true) => fs::remove_dir_all(path)?,
        }
        self.modes().remove(path);
        Ok(())
    }

    async fn stat(&self, path: &Path) -> Result<Metadata> {
        Ok(self.metadata(path, &fs::symlink_metadata(path)?))
    }

    async fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(DirEntry { metadata: self.metadata(&entry.path(), &entry.metadata()?), name });
        }
        for (folder, name) in MOUNTED {
            if path == Path::new(folder) && entries.iter().all(|entry| entry.name != name) {
                let metadata = self.metadata(&path.join(name), &fs::metadata(path.join(name))?);
                entries.push(DirEntry { name: name.to_owned(), metadata });
            }
        }
        Ok(entries)
    }

    async fn exists(&self, path: &Path) -> Result<bool> {
        Ok(fs::symlink_metadata(path).is_ok())
    }

    async fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        match fs::rename(from, to) {
            // `mv` between two mounts copies, as it does between two disks.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                fs::copy(from, to)?;
                fs::remove_file(from)?;
            }
            done => done?,
        }
        let mode = self.modes().remove(from);
        if let Some(mode) = mode {
            self.modes().insert(to.to_path_buf(), mode);
        }
        Ok(())
    }

    async fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        fs::copy(from, to)?;
        Ok(())
    }

    async fn symlink(&self, _: &Path, _: &Path) -> Result<()> {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "the sandbox has no links").into())
    }

    async fn read_link(&self, path: &Path) -> Result<PathBuf> {
        Ok(fs::read_link(path)?)
    }

    async fn chmod(&self, path: &Path, mode: u32) -> Result<()> {
        fs::symlink_metadata(path)?;
        self.modes().insert(path.to_path_buf(), mode);
        Ok(())
    }

    async fn set_modified_time(&self, path: &Path, time: SystemTime) -> Result<()> {
        Ok(OpenOptions::new().write(true).open(path)?.set_modified(time)?)
    }
}
