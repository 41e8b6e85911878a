//! One program at a time in a `SyftBox` folder.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The name of the file that is locked. It stays: removing it would let two programs lock two files.
const NAME: &str = ".syftbox.lock";
/// How often a taken lock is tried.
const PAUSE: Duration = Duration::from_millis(50);

/// Holds a folder for this program until it is dropped. The system lets go of it when the program
/// ends in whatever way, so there is no stale lock.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// The folder can't be held.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another program holds it.
    #[error("another syftbox{holder} works in {}; wait until it is done, or end it", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// ` (process N)`, when it is known.
        holder: String,
    },
    /// The folder or the file in it can't be made or locked.
    #[error("{} can't be locked ({source}); check that the folder is yours and on a disk of this machine", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FolderLock {
    /// Takes the lock of `folder`, which is made when it isn't there; waits at most `patience` for
    /// another program to let go of it.
    ///
    /// # Errors
    /// See [`LockError`].
    pub async fn acquire(folder: &Path, patience: Duration) -> Result<Self, LockError> {
        let path = folder.join(NAME);
        let system = |source| LockError::System { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(system)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(system)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Busy { folder: folder.to_owned(), holder: holder(&mut file) });
                }
                Err(TryLockError::Error(source)) => return Err(system(source)),
            }
        }
        // Only for the message above, so a full disk doesn't matter.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(20).read_to_string(&mut text));
    match (read, text.parse::<u32>()) {
        (Ok(_), Ok(process)) => format!(" (process {process})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("made/for/it");
        let first = FolderLock::acquire(&inside, Duration::ZERO).await.unwrap();
        let error = FolderLock::acquire(&inside, Duration::ZERO).await.unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");

        let (_second, ()) = tokio::join!(
            async { FolderLock::acquire(&inside, Duration::from_mins(1)).await.unwrap() },
            async { drop(first) },
        );
    }
}
