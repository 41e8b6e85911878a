//! What the manager remembers between runs: JSON documents in `.syftbox/` of the `SyftBox` folder.
//!
//! No datasite can have that name (it is no e-mail address), so nothing that a peer sends ends up
//! here. Each document is replaced in one durable step.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    domain::DatasitePath,
    platform::{FileError, FileErrorKind, FileStore},
};

/// No document grows past this; a larger file isn't ours.
const MAX_DOCUMENT_BYTES: u64 = 512 * 1024 * 1024;

/// A remembered document, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// Who we are: written by login.
    Account,
    /// [`crate::catalog::Catalog`]
    Catalog,
    /// [`crate::catalog::SpareIds`]
    SpareIds,
    /// [`crate::peers::Peers`]
    Peers,
    /// [`crate::encryption::Bundles`]
    Bundles,
    /// [`crate::datasite::Datasite`]
    Datasite,
    /// [`crate::sync::KeptRollingState`]
    RollingState,
    /// [`crate::sync::KnownLog`]
    EventLog,
    /// [`crate::sync::Followed`]
    Followed,
    /// When a sync last came to its end: a [`crate::domain::Timestamp`].
    LastSync,
    /// [`crate::sync::Farewell`]
    Farewell,
    /// [`crate::identity::Identity`]: our own key, which can't be rebuilt.
    Identity,
    /// [`crate::identity::KnownKeys`], which can't be rebuilt either.
    KnownKeys,
}

/// The folders of state beside the documents.
const FOLDERS: [&str; 5] = ["journal", "creating", "restoring", "incoming", "staged"];

impl Document {
    /// All that was learned from one Drive: everything but the account.
    const LEARNED: [Self; 10] = [
        Self::Catalog,
        Self::SpareIds,
        Self::Peers,
        Self::Bundles,
        Self::Datasite,
        Self::RollingState,
        Self::EventLog,
        Self::Followed,
        Self::LastSync,
        Self::Farewell,
    ];

    fn file_name(self) -> &'static str {
        match self {
            Self::Account => "account.json",
            Self::Catalog => "catalog.json",
            Self::SpareIds => "spare_ids.json",
            Self::Peers => "peers.json",
            Self::Bundles => "bundles.json",
            Self::Datasite => "datasite.json",
            Self::RollingState => "rolling_state.json",
            Self::EventLog => "event_log.json",
            Self::Followed => "followed.json",
            Self::LastSync => "last_sync.json",
            Self::Farewell => "farewell.json",
            Self::Identity => "identity.json",
            Self::KnownKeys => "known_keys.json",
        }
    }
}

/// A document that can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system said no.
    #[error("the manager's own state in the SyftBox folder can't be kept: {0}")]
    File(#[from] FileError),
    /// The file is damaged, or another program's.
    #[error(
        "{path} in the SyftBox folder is damaged ({reason}); move it away and run `syftbox sync --full` to rebuild it"
    )]
    Damaged {
        /// Which file, relative to the `SyftBox` folder.
        path: DatasitePath,
        /// What the parser said.
        reason: String,
    },
}

/// Reads and writes the documents of one `SyftBox` folder.
#[derive(Clone)]
pub struct State {
    files: Arc<dyn FileStore>,
}

impl State {
    /// The state in the folder that `files` is rooted at.
    #[must_use]
    pub fn new(files: Arc<dyn FileStore>) -> Self {
        Self { files }
    }

    /// The remembered document; `None` when there is none yet.
    ///
    /// # Errors
    /// When it can't be read or is damaged.
    pub async fn load<T: DeserializeOwned>(&self, document: Document) -> Result<Option<T>, StateError> {
        self.load_at(&path_of(document.file_name())?).await
    }

    /// Remembers `value`; nothing is written when the same is remembered already.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn save<T: Serialize>(&self, document: Document, value: &T) -> Result<(), StateError> {
        self.save_at(&path_of(document.file_name())?, value).await
    }

    /// Forgets all that was learned from a Drive, and what was begun on it: the folder turns to
    /// another one. What the people of the folder have stays.
    ///
    /// # Errors
    /// When something can't be deleted.
    pub async fn forget(&self) -> Result<(), StateError> {
        let documents = Document::LEARNED.into_iter().map(Document::file_name);
        for name in FOLDERS.into_iter().chain(documents) {
            self.files.remove(&path_of(name)?).await?;
        }
        Ok(())
    }

    pub(crate) async fn load_at<T: DeserializeOwned>(
        &self,
        path: &DatasitePath,
    ) -> Result<Option<T>, StateError> {
        match self.files.read(path, MAX_DOCUMENT_BYTES).await {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| StateError::Damaged { path: path.clone(), reason: error.to_string() }),
            Err(FileError { kind: FileErrorKind::Missing, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn save_at<T: Serialize>(
        &self,
        path: &DatasitePath,
        value: &T,
    ) -> Result<(), StateError> {
        let bytes = serde_json::to_vec(value)
            .map_err(|error| StateError::Damaged { path: path.clone(), reason: error.to_string() })?;
        let same = match self.files.stat(path).await? {
            Some(stat) if stat.len == bytes.len() as u64 => {
                self.files.read(path, MAX_DOCUMENT_BYTES).await?.as_ref() == bytes.as_slice()
            }
            _ => false,
        };
        if !same {
            self.files.write(path, bytes.into()).await?;
        }
        Ok(())
    }
}

/// A path in the state folder.
pub(crate) fn path_of(name: &str) -> Result<DatasitePath, FileError> {
    let path = format!(".syftbox/{name}");
    path.parse().map_err(|error: crate::domain::PathError| FileError {
        path,
        kind: FileErrorKind::System(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::platform::memory::MemoryFiles;

    #[tokio::test]
    async fn remembers_and_tells_damage() {
        let files = Arc::new(MemoryFiles::default());
        let state = State::new(files.clone());
        assert_eq!(state.load::<u32>(Document::Peers).await.unwrap(), None);
        state.save(Document::Peers, &7).await.unwrap();
        assert_eq!(state.load::<u32>(Document::Peers).await.unwrap(), Some(7));
        let path = ".syftbox/peers.json".parse().unwrap();
        let stamp = files.stat(&path).await.unwrap().unwrap().stamp;
        state.save(Document::Peers, &7).await.unwrap();
        assert_eq!(files.stat(&path).await.unwrap().unwrap().stamp, stamp, "the same isn't written again");
        files.write(&path, Bytes::from_static(b"{")).await.unwrap();
        let error = state.load::<u32>(Document::Peers).await.unwrap_err().to_string();
        assert!(error.contains(".syftbox/peers.json") && error.contains("sync --full"), "{error}");
    }
}
