//! New content on its way to a file: a hidden file beside it, which takes its name at the end.

use std::{
    fs::File,
    io::Write,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use bytes::Bytes;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, fsync, openat, renameat, unlinkat};
use syftbox_core::{
    domain::DatasitePath,
    platform::{BoxFuture, FileError, FileErrorKind, FileKind, FileSink},
};

use super::{
    ended,
    tree::{Tree, failed, stat_in, temporary_name},
};

/// A file that isn't at its path yet. Dropping it removes it.
pub(super) struct StdSink {
    path: DatasitePath,
    folder: Arc<OwnedFd>,
    file: Arc<File>,
    temporary: Option<String>,
}

impl StdSink {
    /// A file that has `mode` from the start, before a byte is in it.
    pub(super) fn create(tree: &Tree, path: &DatasitePath, mode: u16) -> Result<Self, FileError> {
        let folder = tree.make_parent(path)?;
        let sink = |temporary: String| -> Result<Self, FileError> {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = openat(&folder, &temporary, flags, Mode::from_raw_mode(mode.into()))
                .map_err(|error| failed(path, error))?;
            // Tells those who clean up that somebody still writes; not all file systems have locks.
            let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
            let file = Arc::new(File::from(file));
            let folder = Arc::new(folder.try_clone().map_err(|error| system(path, &error))?);
            Ok(Self { path: path.clone(), folder, file, temporary: Some(temporary) })
        };
        let sink = sink(temporary_name())?;
        sink.refuse_folder()?;
        Ok(sink)
    }

    fn refuse_folder(&self) -> Result<(), FileError> {
        match stat_in(self.folder.as_fd(), self.path.file_name()) {
            Ok(Some(stat)) if stat.kind == FileKind::Folder => {
                Err(FileError::new(&self.path, FileErrorKind::IsFolder))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(failed(&self.path, error)),
        }
    }

    pub(super) fn append_now(&self, piece: &[u8]) -> Result<(), FileError> {
        (&*self.file).write_all(piece).map_err(|error| system(&self.path, &error))
    }

    pub(super) fn commit_now(mut self) -> Result<(), FileError> {
        self.file.sync_all().map_err(|error| system(&self.path, &error))?;
        self.refuse_folder()?;
        if let Some(temporary) = self.temporary.take() {
            let renamed = renameat(&self.folder, &temporary, &self.folder, self.path.file_name());
            if let Err(error) = renamed {
                self.temporary = Some(temporary);
                return Err(failed(&self.path, error));
            }
        }
        fsync(&self.folder).map_err(|error| failed(&self.path, error))
    }
}

impl Drop for StdSink {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // What stays is cleaned up by a later list.
            let _ = unlinkat(&self.folder, temporary, AtFlags::empty());
        }
    }
}

impl FileSink for StdSink {
    fn append(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), FileError>> {
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        Box::pin(async move {
            let shown = path.to_string();
            let write = move || (&*file).write_all(&piece).map_err(|error| system(&path, &error));
            tokio::task::spawn_blocking(write).await.unwrap_or_else(ended(shown))
        })
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), FileError>> {
        Box::pin(async move {
            let shown = self.path.to_string();
            tokio::task::spawn_blocking(move || self.commit_now()).await.unwrap_or_else(ended(shown))
        })
    }
}

fn system(path: &DatasitePath, error: &std::io::Error) -> FileError {
    FileError::new(path, FileErrorKind::System(error.to_string()))
}
