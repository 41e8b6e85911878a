//! The account's own key, and the keys of peers (wire section 5).

use super::{ManagerError, SyftboxManager};
use crate::{
    domain::{DatasitePath, Email},
    identity::{Identity, KeyFile, KnownKeys, PublicKey},
    permissions::{Access, PERMISSION_FILE, Pattern, PermissionFile},
    platform::{FileError, FileErrorKind},
    state::Document,
};

impl SyftboxManager {
    /// Our key on this machine; made when there is none.
    pub(crate) async fn identity(&self) -> Result<Identity, ManagerError> {
        if let Some(identity) = self.state.load(Document::Identity).await? {
            return Ok(identity);
        }
        let identity = Identity::new(self.platform.random.as_ref());
        self.state.save(Document::Identity, &identity).await?;
        Ok(identity)
    }

    /// Adds our key to those that we publish, for everybody who follows our datasite. Keys of other machines
    /// of ours stay. No request: the next sync sends it.
    pub(crate) async fn publish_key(&self) -> Result<(), ManagerError> {
        let key = self.identity().await?.public_key();
        let me = self.email().clone();
        let mut file = self.published_keys(&me).await?.unwrap_or_default();
        if file.keys.contains(&key) {
            return Ok(());
        }
        file.keys.push(key);
        let datasite = Self::datasite_folder(&me)?;
        let name: DatasitePath = KeyFile::PATH.parse()?;
        let rules = datasite.join(KeyFile::FOLDER)?.join(PERMISSION_FILE)?;
        if self.files().stat(&rules).await?.is_none() {
            let pattern = Pattern::literal(&name.file_name().parse()?);
            let yaml = PermissionFile::single(pattern, Access::read_by_anyone()).to_yaml()?;
            self.files().write(&rules, yaml.into()).await?;
        }
        let unwritable =
            |error: serde_json::Error| ManagerError::KeyFile { peer: me, why: error.to_string() };
        let json = file.to_json().map_err(unwritable)?;
        Ok(self.files().write(&datasite.join(KeyFile::PATH)?, json.into()).await?)
    }

    /// The keys that `peer` publishes, as they are here.
    pub(crate) async fn published_keys(&self, peer: &Email) -> Result<Option<KeyFile>, ManagerError> {
        let path = Self::datasite_folder(peer)?.join(KeyFile::PATH)?;
        match self.files().read(&path, KeyFile::MAX_BYTES).await {
            Ok(json) => KeyFile::parse(&json)
                .map(Some)
                .map_err(|error| ManagerError::KeyFile { peer: peer.clone(), why: error.to_string() }),
            Err(FileError { kind: FileErrorKind::Missing, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers the keys of peers that publish some and of whom none was known.
    pub(crate) async fn note_first_keys(&self, peers: &[Email]) -> Result<(), ManagerError> {
        let mut known: KnownKeys = self.state.load(Document::KnownKeys).await?.unwrap_or_default();
        let mut is_new = false;
        for peer in peers {
            if known.of(peer).is_empty() {
                // A file that can't be read is said when it is needed.
                let file = self.published_keys(peer).await.ok().flatten().unwrap_or_default();
                is_new |= known.first_seen(peer, &file);
            }
        }
        if is_new {
            self.state.save(Document::KnownKeys, &known).await?;
        }
        Ok(())
    }

    /// The keys by which something of `peer` is checked: those first seen of it, and our own for ourselves.
    pub(crate) async fn keys_of(&self, peer: &Email) -> Result<Vec<PublicKey>, ManagerError> {
        if peer == self.email() {
            let mut keys = self.published_keys(peer).await?.unwrap_or_default().keys;
            keys.push(self.identity().await?.public_key());
            return Ok(keys);
        }
        self.note_first_keys(std::slice::from_ref(peer)).await?;
        let known: KnownKeys = self.state.load(Document::KnownKeys).await?.unwrap_or_default();
        Ok(known.of(peer).to_vec())
    }

    /// From now on takes the keys that `peer` publishes for its own, whatever was first seen of it; gives
    /// them. No request: a sync before fetches them.
    ///
    /// # Errors
    /// [`ManagerError::KeyFile`] when it publishes none.
    pub async fn trust_signing_keys(&mut self, peer: &Email) -> Result<Vec<PublicKey>, ManagerError> {
        let file = self.published_keys(peer).await?.filter(|file| !file.keys.is_empty());
        let file = file.ok_or_else(|| ManagerError::KeyFile {
            peer: peer.clone(),
            why: "it publishes none, as far as is known here".to_owned(),
        })?;
        let mut known: KnownKeys = self.state.load(Document::KnownKeys).await?.unwrap_or_default();
        known.trust(peer, &file);
        self.state.save(Document::KnownKeys, &known).await?;
        Ok(file.keys)
    }
}
