//! Files of the system below one root (see [`FileStore`]).

mod sink;
mod tree;

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use syftbox_core::{
    domain::DatasitePath,
    platform::{BoxFuture, Entry, FileError, FileErrorKind, FileSink, FileStat, FileStore},
};

use self::tree::Tree;

/// Who may read what is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only the user who runs the program: files get mode 0600, folders 0700.
    Owner,
    /// Whom the user's umask lets.
    Umask,
}

/// The files below a folder of the system, which is made at the first write. The folder itself may
/// be a link; below it no link is followed.
#[derive(Clone, Debug)]
pub struct StdFiles {
    tree: Arc<Tree>,
}

impl StdFiles {
    /// The files below `root`.
    pub fn new(root: impl Into<PathBuf>, access: Access) -> Self {
        Self { tree: Arc::new(Tree::new(root.into(), access)) }
    }

    /// Runs `work` where it may block.
    fn blocking<T: Send + 'static>(
        &self,
        path: Option<&DatasitePath>,
        work: impl FnOnce(&Tree) -> Result<T, FileError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, FileError>> {
        let tree = Arc::clone(&self.tree);
        let shown = path.map_or_else(|| ".".to_owned(), ToString::to_string);
        Box::pin(async move {
            tokio::task::spawn_blocking(move || work(&tree)).await.unwrap_or_else(ended(shown))
        })
    }
}

/// The runtime ends while the work is under way.
fn ended<T>(path: String) -> impl FnOnce(tokio::task::JoinError) -> Result<T, FileError> {
    move |error| Err(FileError { path, kind: FileErrorKind::System(error.to_string()) })
}

impl FileStore for StdFiles {
    fn stat<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Option<FileStat>, FileError>> {
        let at = path.clone();
        self.blocking(Some(path), move |tree| tree.stat(&at))
    }

    fn list<'a>(&'a self, folder: Option<&'a DatasitePath>) -> BoxFuture<'a, Result<Vec<Entry>, FileError>> {
        let at = folder.cloned();
        self.blocking(folder, move |tree| tree.list(at.as_ref()))
    }

    fn read_at<'a>(
        &'a self,
        path: &'a DatasitePath,
        offset: u64,
        len: usize,
    ) -> BoxFuture<'a, Result<Bytes, FileError>> {
        let at = path.clone();
        self.blocking(Some(path), move |tree| tree.read_at(&at, offset, len))
    }

    fn create<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Box<dyn FileSink>, FileError>> {
        let at = path.clone();
        self.blocking(Some(path), move |tree| {
            let sink = sink::StdSink::create(tree, &at, tree.file_mode())?;
            Ok(Box::new(sink) as Box<dyn FileSink>)
        })
    }

    fn write<'a>(&'a self, path: &'a DatasitePath, content: Bytes) -> BoxFuture<'a, Result<(), FileError>> {
        let at = path.clone();
        // One step for the other threads instead of three.
        self.blocking(Some(path), move |tree| {
            let sink = sink::StdSink::create(tree, &at, tree.file_mode())?;
            sink.append_now(&content)?;
            sink.commit_now()
        })
    }

    fn write_private<'a>(
        &'a self,
        path: &'a DatasitePath,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), FileError>> {
        let at = path.clone();
        self.blocking(Some(path), move |tree| {
            let sink = sink::StdSink::create(tree, &at, tree::PRIVATE_FILE)?;
            sink.append_now(&content)?;
            sink.commit_now()
        })
    }

    fn create_folder<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>> {
        let at = path.clone();
        self.blocking(Some(path), move |tree| tree.make_folder(&at).map(drop))
    }

    fn remove<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>> {
        let at = path.clone();
        self.blocking(Some(path), move |tree| tree.remove(&at))
    }

    fn rename<'a>(
        &'a self,
        from: &'a DatasitePath,
        to: &'a DatasitePath,
    ) -> BoxFuture<'a, Result<(), FileError>> {
        let (source, target) = (from.clone(), to.clone());
        self.blocking(Some(from), move |tree| tree.rename(&source, &target))
    }
}

#[cfg(test)]
mod tests;
