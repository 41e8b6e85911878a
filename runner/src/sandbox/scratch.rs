//! The private folders of a running job, gone when it is over; and of those whose runner was killed,
//! gone when the next job starts.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::tree;

const PREFIX: &str = "job-";
const LOCK: &str = "lock";

/// A job's folders. Dropping it removes them.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    /// Held as long as the job runs: it tells others that the folder is in use.
    _lock: File,
}

impl Scratch {
    /// Makes the folders below `base`, and removes what dead runners left there.
    ///
    /// # Errors
    /// When a folder can't be made.
    pub(super) fn new(base: &Path) -> io::Result<Self> {
        fs::create_dir_all(base)?;
        // Between making a folder and locking it, it looks like a dead runner's.
        let everybody = File::create(base.join(LOCK))?;
        everybody.lock()?;
        sweep(base);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(base)?.keep();
        let lock = File::create(folder.join(LOCK))?;
        lock.lock()?;
        let scratch = Self { folder, _lock: lock };
        for made in [scratch.root(), scratch.work(), scratch.outputs(), scratch.tmp(), scratch.packages()] {
            fs::create_dir(made)?;
        }
        Ok(scratch)
    }

    /// The folder that the guest sees as `/`, with nothing in it but empty folders.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// The folder that a job sees as its own when it starts there, around its code.
    pub(super) fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// The folder that the guest sees as `outputs/`.
    pub(super) fn outputs(&self) -> PathBuf {
        self.folder.join("outputs")
    }

    /// The folder that the guest sees as `/tmp`.
    pub(super) fn tmp(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// The folder that holds the guest's own packages.
    pub(super) fn packages(&self) -> PathBuf {
        self.folder.join("packages")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = tree::remove(&self.folder) {
            tracing::warn!(path = %self.folder.display(), %error, "a job's files stay");
        }
    }
}

/// Removes the folders that no living process holds locked.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let held = match File::open(entry.path().join(LOCK)) {
            Ok(lock) => matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        };
        if !held && let Err(error) = tree::remove(&entry.path()) {
            tracing::warn!(path = %entry.path().display(), %error, "a dead job's files stay");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_runner_left_goes_and_what_a_living_one_uses_stays() {
        let base = tempfile::tempdir().unwrap();
        let living = Scratch::new(base.path()).unwrap();
        fs::write(living.tmp().join("x"), "x").unwrap();
        let dead = base.path().join("job-dead");
        fs::create_dir_all(dead.join("tmp")).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();

        let second = Scratch::new(base.path()).unwrap();
        assert!(!dead.exists());
        assert!(living.tmp().join("x").exists());
        let gone = second.root();
        drop(second);
        assert!(!gone.exists());
    }
}
