//! A machine in memory: for tests, and for browsers that keep nothing.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};

use super::{
    BoxFuture, Clock, Entry, FileError, FileErrorKind, FileKind, FileSink, FileStat, FileStore, Random,
};
use crate::domain::{DatasitePath, Timestamp};

/// Files in memory.
#[derive(Clone, Default)]
pub struct MemoryFiles {
    tree: Arc<Mutex<Tree>>,
}

#[derive(Default)]
struct Tree {
    nodes: BTreeMap<DatasitePath, Node>,
    writes: u64,
}

#[derive(Clone)]
enum Node {
    Folder,
    File { content: Bytes, stamp: u64 },
}

impl MemoryFiles {
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tree {
    fn make_folders_above(&mut self, path: &DatasitePath) -> Result<(), FileError> {
        let Some(parent) = path.parent() else { return Ok(()) };
        self.make_folder(&parent)
    }

    fn make_folder(&mut self, path: &DatasitePath) -> Result<(), FileError> {
        self.make_folders_above(path)?;
        match self.nodes.get(path) {
            Some(Node::File { .. }) => Err(FileError::new(path, FileErrorKind::NotFolder)),
            Some(Node::Folder) => Ok(()),
            None => {
                self.nodes.insert(path.clone(), Node::Folder);
                Ok(())
            }
        }
    }

    fn put(&mut self, path: &DatasitePath, content: Bytes) -> Result<(), FileError> {
        self.make_folders_above(path)?;
        if let Some(Node::Folder) = self.nodes.get(path) {
            return Err(FileError::new(path, FileErrorKind::IsFolder));
        }
        self.writes += 1;
        let stamp = self.writes;
        self.nodes.insert(path.clone(), Node::File { content, stamp });
        Ok(())
    }

    /// Removes `path` and all below it, and gives them.
    fn take(&mut self, path: &DatasitePath) -> Vec<(DatasitePath, Node)> {
        let below: Vec<_> =
            self.nodes.keys().filter(|at| *at == path || at.below(path).is_some()).cloned().collect();
        below.into_iter().filter_map(|at| self.nodes.remove_entry(&at)).collect()
    }
}

fn stat_of(node: &Node) -> FileStat {
    match node {
        Node::Folder => FileStat { kind: FileKind::Folder, len: 0, stamp: String::new() },
        Node::File { content, stamp } => {
            FileStat { kind: FileKind::File, len: content.len() as u64, stamp: stamp.to_string() }
        }
    }
}

impl FileStore for MemoryFiles {
    fn stat<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Option<FileStat>, FileError>> {
        Box::pin(async move { Ok(self.tree().nodes.get(path).map(stat_of)) })
    }

    fn list<'a>(&'a self, folder: Option<&'a DatasitePath>) -> BoxFuture<'a, Result<Vec<Entry>, FileError>> {
        Box::pin(async move {
            let tree = self.tree();
            if let Some(folder) = folder
                && let Some(Node::File { .. }) = tree.nodes.get(folder)
            {
                return Err(FileError::new(folder, FileErrorKind::NotFolder));
            }
            let here = tree.nodes.iter().filter(|(path, _)| path.parent().as_ref() == folder);
            Ok(here
                .map(|(path, node)| Entry { name: path.file_name().to_owned(), stat: stat_of(node) })
                .collect())
        })
    }

    fn read_at<'a>(
        &'a self,
        path: &'a DatasitePath,
        offset: u64,
        len: usize,
    ) -> BoxFuture<'a, Result<Bytes, FileError>> {
        Box::pin(async move {
            match self.tree().nodes.get(path) {
                Some(Node::File { content, .. }) => {
                    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
                    let end = start.saturating_add(len).min(content.len());
                    Ok(content.slice(start..end))
                }
                Some(Node::Folder) => Err(FileError::new(path, FileErrorKind::IsFolder)),
                None => Err(FileError::new(path, FileErrorKind::Missing)),
            }
        })
    }

    fn create<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Box<dyn FileSink>, FileError>> {
        Box::pin(async move {
            let mut tree = self.tree();
            tree.make_folders_above(path)?;
            if let Some(Node::Folder) = tree.nodes.get(path) {
                return Err(FileError::new(path, FileErrorKind::IsFolder));
            }
            let sink = MemorySink { files: self.clone(), path: path.clone(), content: BytesMut::new() };
            Ok(Box::new(sink) as Box<dyn FileSink>)
        })
    }

    fn write_private<'a>(
        &'a self,
        path: &'a DatasitePath,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), FileError>> {
        // Nobody else reads this program's memory.
        self.write(path, content)
    }

    fn create_folder<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>> {
        Box::pin(async move { self.tree().make_folder(path) })
    }

    fn remove<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>> {
        Box::pin(async move {
            self.tree().take(path);
            Ok(())
        })
    }

    fn rename<'a>(
        &'a self,
        from: &'a DatasitePath,
        to: &'a DatasitePath,
    ) -> BoxFuture<'a, Result<(), FileError>> {
        Box::pin(async move {
            let mut tree = self.tree();
            if !tree.nodes.contains_key(from) {
                return Err(FileError::new(from, FileErrorKind::Missing));
            }
            if let Some(Node::Folder) = tree.nodes.get(to) {
                return Err(FileError::new(to, FileErrorKind::IsFolder));
            }
            tree.make_folders_above(to)?;
            for (path, node) in tree.take(from) {
                let target = match path.below(from) {
                    None => to.clone(),
                    Some(rest) => to
                        .join(rest.as_str())
                        .map_err(|error| FileError::new(to, FileErrorKind::System(error.to_string())))?,
                };
                tree.nodes.insert(target, node);
            }
            Ok(())
        })
    }
}

struct MemorySink {
    files: MemoryFiles,
    path: DatasitePath,
    content: BytesMut,
}

impl FileSink for MemorySink {
    fn append(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), FileError>> {
        self.content.extend_from_slice(&piece);
        Box::pin(async { Ok(()) })
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), FileError>> {
        Box::pin(async move { self.files.tree().put(&self.path, self.content.freeze()) })
    }
}

/// A clock that stands still but for its sleeps, which end at once and move it on.
#[derive(Clone)]
pub struct MemoryClock {
    micros: Arc<AtomicU64>,
}

impl Default for MemoryClock {
    /// Starts on 23 November 2026.
    fn default() -> Self {
        Self { micros: Arc::new(AtomicU64::new(1_795_408_000_000_000)) }
    }
}

impl MemoryClock {
    /// Moves the time on.
    pub fn advance(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for MemoryClock {
    fn now(&self) -> Timestamp {
        // Each look is a microsecond later, so that moments are told apart.
        Timestamp::from_duration(Duration::from_micros(self.micros.fetch_add(1, Ordering::Relaxed)))
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move { clock.advance(time) })
    }
}

/// Numbers from a counter through a mixing function: the same in every run, different within one.
#[derive(Default)]
pub struct MemoryRandom {
    state: AtomicU64,
}

impl MemoryRandom {
    /// Other bytes for every seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }
}

impl Random for MemoryRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // splitmix64 (Steele, Lea, Flood 2014)
            let mut z = self
                .state
                .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
                .wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
