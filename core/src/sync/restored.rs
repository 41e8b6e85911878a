//! A datasite as it is put together on a new machine: of each file the latest event counts, in
//! whatever order the events come.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{PARALLEL_WRITES, own_log::put};
use crate::{
    datasite::{self, Datasite, Published},
    domain::{ContentHash, DatasitePath, Email, Timestamp},
    platform::{FileError, FileStore},
    state::path_of,
    wire::{Event, FileContent, MAX_EXPANDED, is_syncable},
};

/// Contents beyond so many bytes wait in local files.
const IN_MEMORY: u64 = 64 * 1024 * 1024;

/// What is known of one file.
struct Latest {
    time: Timestamp,
    /// `None` when it was deleted.
    content: Option<Waiting>,
}

/// A content that isn't in place yet.
struct Waiting {
    hash: ContentHash,
    len: u64,
    /// `None` when it waits in a local file.
    bytes: Option<Bytes>,
}

/// The datasite as far as it is known. Nothing of it is in place before all is known, so that a
/// restore that is cut off begins anew.
pub(super) struct Restored<'a> {
    files: &'a dyn FileStore,
    staging: DatasitePath,
    in_memory: u64,
    latest: BTreeMap<DatasitePath, Latest>,
}

impl<'a> Restored<'a> {
    /// Nothing yet. What an earlier restore left waiting goes.
    pub(super) async fn begin(files: &'a dyn FileStore) -> Result<Self, FileError> {
        let staging = path_of("restoring")?;
        files.remove(&staging).await?;
        Ok(Self { files, staging, in_memory: 0, latest: BTreeMap::new() })
    }

    /// Where the content of `path` waits.
    fn waiting_at(path: &DatasitePath) -> Result<DatasitePath, FileError> {
        path_of(&format!("restoring/{}", ContentHash::of(path.as_str().as_bytes())))
    }

    /// Takes in that `path` has `content` since `time`, unless something later is known.
    pub(super) async fn take(
        &mut self,
        path: DatasitePath,
        time: Timestamp,
        content: Option<FileContent>,
    ) -> Result<(), FileError> {
        if !is_syncable(&path) {
            return Ok(());
        }
        let hash = content.as_ref().map(FileContent::hash);
        let known = self.latest.get(&path).map(|latest| (latest.time, latest.hash()));
        if known.is_some_and(|known| (time, hash) <= known) {
            return Ok(());
        }
        let content = match (content, hash) {
            (Some(content), Some(hash)) => Some(self.keep(&path, content.into_bytes(), hash).await?),
            _ => None,
        };
        if let Some(old) = self.latest.insert(path, Latest { time, content }) {
            self.in_memory -= old.content.and_then(|old| old.bytes).map_or(0, |bytes| bytes.len() as u64);
        }
        Ok(())
    }

    async fn keep(
        &mut self,
        path: &DatasitePath,
        bytes: Bytes,
        hash: ContentHash,
    ) -> Result<Waiting, FileError> {
        let len = bytes.len() as u64;
        if self.in_memory + len <= IN_MEMORY {
            self.in_memory += len;
            return Ok(Waiting { hash, len, bytes: Some(bytes) });
        }
        self.files.write(&Self::waiting_at(path)?, bytes).await?;
        Ok(Waiting { hash, len, bytes: None })
    }

    /// Takes in the events of the datasite of `me`.
    pub(super) async fn take_events(&mut self, events: &[Event], me: &Email) -> Result<(), FileError> {
        for event in events.iter().filter(|event| event.datasite == *me) {
            self.take(event.path.clone(), event.timestamp, event.content.clone()).await?;
        }
        Ok(())
    }

    /// Puts the files in place below `folder`, and says how many. One that is here already stays: it
    /// is published as a change.
    pub(super) async fn finish(self, folder: &DatasitePath) -> Result<(Datasite, usize), FileError> {
        let mut placed = 0;
        let mut placing = stream::iter(&self.latest)
            .map(|(path, latest)| self.place(folder, path, latest))
            .buffer_unordered(PARALLEL_WRITES);
        while let Some(is_new) = placing.next().await {
            placed += usize::from(is_new?);
        }
        drop(placing);
        let mut datasite = Datasite::default();
        for (path, Latest { time, content }) in &self.latest {
            let entry = content.as_ref().map(|content| Published {
                hash: content.hash,
                len: content.len,
                // The stamp of a file that was here says nothing of this content.
                stamp: String::new(),
                readers: BTreeSet::new(),
                time: *time,
            });
            datasite.note(path.clone(), entry, *time);
        }
        self.files.remove(&self.staging).await?;
        Ok((datasite, placed))
    }

    /// Puts one file in place unless one is here, and says whether it did.
    async fn place(
        &self,
        folder: &DatasitePath,
        path: &DatasitePath,
        latest: &Latest,
    ) -> Result<bool, FileError> {
        let Some(content) = &latest.content else { return Ok(false) };
        let local = datasite::in_folder(folder, path)?;
        if self.files.stat(&local).await?.is_some() {
            return Ok(false);
        }
        let bytes = match &content.bytes {
            Some(bytes) => bytes.clone(),
            None => self.files.read(&Self::waiting_at(path)?, MAX_EXPANDED).await?,
        };
        put(self.files, &local, bytes).await?;
        Ok(true)
    }
}

impl Latest {
    fn hash(&self) -> Option<ContentHash> {
        self.content.as_ref().map(|content| content.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::memory::MemoryFiles;

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_seconds(f64::from(seconds)).unwrap()
    }

    #[tokio::test]
    async fn the_latest_counts_in_any_order() {
        let events = [
            ("a", 1, Some("1")),
            ("a", 3, Some("3")),
            ("b", 1, Some("1")),
            ("b", 2, None),
            ("c", 2, Some("")),
        ];
        for turn in 0..events.len() {
            let files = MemoryFiles::default();
            let mut restored = Restored::begin(&files).await.unwrap();
            let mut events = events;
            events.rotate_left(turn);
            for (path, time, content) in events.into_iter().chain(events.into_iter().rev()) {
                restored.take(path.parse().unwrap(), at(time), content.map(Into::into)).await.unwrap();
            }
            let (datasite, placed) = restored.finish(&"do@x.org".parse().unwrap()).await.unwrap();
            assert_eq!(placed, 2);
            assert_eq!(files.read(&"do@x.org/a".parse().unwrap(), 9).await.unwrap(), "3");
            assert_eq!(files.read(&"do@x.org/c".parse().unwrap(), 9).await.unwrap(), "");
            assert_eq!(datasite.deleted.keys().map(DatasitePath::as_str).collect::<Vec<_>>(), ["b"]);
            assert_eq!(datasite.last_event, Some(at(3)));
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_into_memory_waits_in_files() {
        let files = MemoryFiles::default();
        let mut restored = Restored::begin(&files).await.unwrap();
        let large = |byte: u8| Some(FileContent::Binary(vec![byte; 40 << 20].into()));
        restored.take("a".parse().unwrap(), at(1), large(0xff)).await.unwrap();
        restored.take("b".parse().unwrap(), at(1), large(0xfe)).await.unwrap();
        assert_eq!(restored.in_memory, 40 << 20);
        restored.take("a".parse().unwrap(), at(2), None).await.unwrap();
        assert_eq!(restored.in_memory, 0);
        let (_, placed) = restored.finish(&"do@x.org".parse().unwrap()).await.unwrap();
        assert_eq!(placed, 1);
        assert_eq!(files.read_at(&"do@x.org/b".parse().unwrap(), 0, 2).await.unwrap(), &b"\xfe\xfe"[..]);
        assert!(files.list(Some(&path_of("restoring").unwrap())).await.unwrap().is_empty());
    }
}
