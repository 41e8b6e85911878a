//! A tree of local files below one root: the `SyftBox` folder, or what a user names as a source.

use bytes::Bytes;

use super::{BoxFuture, MaybeSend};
use crate::domain::DatasitePath;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A file with content.
    File,
    /// A folder.
    Folder,
    /// Anything else: a symbolic link, a socket, a device. Never followed, never read.
    Other,
}

/// What is known of a file without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// What it is.
    pub kind: FileKind,
    /// Its content's length in bytes; 0 for what isn't a file.
    pub len: u64,
    /// Changes whenever the content may have changed (native: modification time and inode). Equal
    /// stamps and lengths mean that a remembered hash still holds.
    pub stamp: String,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the folder.
    pub name: String,
    /// What it stands for.
    pub stat: FileStat,
}

/// A tree of files. Paths are relative to its root and cannot leave it, also not by way of a
/// symbolic link: a path with a link among its folders is refused.
pub trait FileStore: MaybeSend {
    /// What `path` is; `None` when nothing is there.
    fn stat<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Option<FileStat>, FileError>>;

    /// The names in `folder` (the root when `None`), ascending; empty when the folder isn't there.
    /// Names that aren't valid path components are left out.
    fn list<'a>(&'a self, folder: Option<&'a DatasitePath>) -> BoxFuture<'a, Result<Vec<Entry>, FileError>>;

    /// At most `len` bytes of the file from `offset`; fewer only at its end.
    fn read_at<'a>(
        &'a self,
        path: &'a DatasitePath,
        offset: u64,
        len: usize,
    ) -> BoxFuture<'a, Result<Bytes, FileError>>;

    /// The whole file.
    ///
    /// # Errors
    /// [`FileErrorKind::TooLarge`] when it is longer than `max_len` bytes: nothing is read then.
    fn read<'a>(&'a self, path: &'a DatasitePath, max_len: u64) -> BoxFuture<'a, Result<Bytes, FileError>> {
        Box::pin(async move {
            let stat = self.stat(path).await?.ok_or_else(|| FileError::new(path, FileErrorKind::Missing))?;
            let len = usize::try_from(stat.len).unwrap_or(usize::MAX);
            if stat.len > max_len {
                return Err(FileError::new(path, FileErrorKind::TooLarge { len: stat.len, max_len }));
            }
            self.read_at(path, 0, len).await
        })
    }

    /// Starts a new content for `path`. What is at `path` stays until [`FileSink::commit`].
    fn create<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Box<dyn FileSink>, FileError>>;

    /// Replaces the file's content in one step, durably; makes the folders above.
    fn write<'a>(&'a self, path: &'a DatasitePath, content: Bytes) -> BoxFuture<'a, Result<(), FileError>> {
        Box::pin(async move {
            let mut sink = self.create(path).await?;
            sink.append(content).await?;
            sink.commit().await
        })
    }

    /// Like [`write`](Self::write), for a secret: from its first byte on nobody but the user who runs
    /// the program may read it, whatever holds for the store's other files.
    fn write_private<'a>(
        &'a self,
        path: &'a DatasitePath,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), FileError>>;

    /// Makes a folder and those above it; nothing happens when it is there.
    fn create_folder<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>>;

    /// Removes a file, a link, or a folder with all in it (links in it are removed, not followed).
    /// Nothing happens when nothing is there. Folders above that became empty stay.
    fn remove<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>>;

    /// Moves a file or folder; replaces a file at `to`, and makes the folders above it.
    fn rename<'a>(
        &'a self,
        from: &'a DatasitePath,
        to: &'a DatasitePath,
    ) -> BoxFuture<'a, Result<(), FileError>>;
}

/// New content on its way into a file. Dropping it before [`commit`](Self::commit) leaves no trace.
pub trait FileSink: MaybeSend {
    /// Adds `piece` at the end.
    fn append(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), FileError>>;

    /// Puts the content at its path, in one step and durably (temp → fsync → rename → fsync of the folder).
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), FileError>>;
}

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct FileError {
    /// Which file, relative to the root.
    pub path: String,
    /// What went wrong.
    pub kind: FileErrorKind,
}

/// What went wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileErrorKind {
    /// Nothing is at the path.
    #[error("there is no such file")]
    Missing,
    /// A folder is where a file is needed.
    #[error("it is a folder, and a file is needed; move the folder away")]
    IsFolder,
    /// A file is where a folder is needed.
    #[error("a file is where a folder is needed; move the file away")]
    NotFolder,
    /// A symbolic link or a special file.
    #[error("it is, or goes through, a link or a special file, which is never followed")]
    Special,
    /// More content than the caller can take.
    #[error("it has {len} bytes, at most {max_len} are possible here")]
    TooLarge {
        /// The file's length in bytes.
        len: u64,
        /// The most that the caller takes.
        max_len: u64,
    },
    /// The system said no.
    #[error("{0}")]
    System(String),
}

impl FileError {
    /// An error at `path`.
    #[must_use]
    pub fn new(path: &DatasitePath, kind: FileErrorKind) -> Self {
        Self { path: path.to_string(), kind }
    }
}
