//! The keys of an account: the calls that people make, and the key file behind them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Serialize;

use super::{Bundle, EncryptionError, Fingerprint, KeyFile, OwnKeys, Sealing, trust::trusted};
use crate::{
    domain::{DatasitePath, Email},
    drive::FileId,
    manager::{ManagerError, SyftboxManager},
    platform::FileErrorKind,
    wire::{PeerState, names::EncryptionBundleName},
};

/// Where our keys are in our datasite's folder: nothing below `private/` is ever synced.
const KEY_FILE: &str = "private/crypto_keys.json";

/// Our keys and those of our peers, as people see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyReport {
    /// Whether encryption is on.
    pub encryption: bool,
    /// The key file, below the `SyftBox` folder.
    pub path: String,
    /// What tells our keys from others; `None` when we have none.
    pub fingerprint: Option<Fingerprint>,
    /// The keys of peers, by address.
    pub peers: Vec<PeerKeys>,
}

/// The keys of one peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerKeys {
    /// Whose.
    pub email: Email,
    /// The keys that we trust and use.
    pub fingerprint: Option<Fingerprint>,
    /// Why there are none to use, and what to do.
    pub why: Option<String>,
}

impl SyftboxManager {
    /// Our keys and those of our peers, as of the last sync. No request.
    ///
    /// # Errors
    /// When the key file can't be used.
    pub async fn keys(&mut self) -> Result<KeyReport, ManagerError> {
        let key_file = self.read_key_file().await?;
        let is_on = self.is_encryption_on(key_file.is_some());
        let fingerprint = key_file.as_ref().map(|file| file.keys.fingerprint());
        let states = self.peers.states(&self.catalog, self.email());
        let trusted = self.trusted_bundles(key_file.as_ref());
        let peers =
            states.into_iter().filter(|(_, state)| *state != PeerState::Rejected).map(|(email, _)| {
                match trusted.get(&email) {
                    Some(Ok(bundle)) => {
                        PeerKeys { email, fingerprint: Some(bundle.fingerprint()), why: None }
                    }
                    Some(Err(why)) => PeerKeys { email, fingerprint: None, why: Some(why.to_string()) },
                    None => PeerKeys {
                        email,
                        fingerprint: None,
                        why: Some("it shows no encryption keys".to_owned()),
                    },
                }
            });
        let peers = peers.collect();
        Ok(KeyReport { encryption: is_on, path: self.key_path()?.to_string(), fingerprint, peers })
    }

    /// Trusts the keys that `peer` shows now, when they are those with `fingerprint`.
    ///
    /// # Errors
    /// [`EncryptionError::OtherFingerprint`] when they are others, or Drive says no.
    pub async fn trust_keys(&mut self, peer: &Email, fingerprint: &Fingerprint) -> Result<(), ManagerError> {
        self.refresh_catalog(false).await?;
        self.read_peers(&mut crate::sync::SyncReport::default()).await?;
        let shown = self.bundles.theirs.get(peer).ok_or(EncryptionError::NoBundle)?;
        let shown = Bundle::read(&shown.document, peer)?;
        if shown.fingerprint() != *fingerprint {
            let shown = shown.fingerprint();
            return Err(EncryptionError::OtherFingerprint { shown, given: fingerprint.clone() }.into());
        }
        let shown = shown.clone();
        self.read_peers_file().await?;
        let mut file = self.peers.file.clone();
        let record = file.peers.get_mut(peer).ok_or_else(|| ManagerError::UnknownPeer(peer.clone()))?;
        record.public_encryption_bundle = Some(shown.document().clone());
        if file != self.peers.file {
            self.write_peers_file(file).await?;
        }
        if let Some(mut key_file) = self.read_key_file().await? {
            key_file.trusted.insert(peer.clone(), shown.document().clone());
            self.write_key_file(&key_file).await?;
        }
        self.sealing = None;
        Ok(())
    }

    /// Makes new keys and publishes them to every peer. The old key file stays beside the new one.
    /// What was sealed for the old keys can't be opened with the new ones.
    ///
    /// # Errors
    /// When the file can't be written, or Drive says no: then [`publish_keys`](Self::publish_keys)
    /// goes on.
    pub async fn new_keys(&mut self) -> Result<Fingerprint, ManagerError> {
        let trusted = match self.read_key_file().await {
            Ok(file) => file.map(|file| file.trusted).unwrap_or_default(),
            Err(ManagerError::Encryption(_)) => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let keys = OwnKeys::make(self.email(), self.platform.random.as_ref())?;
        self.keep_old_key_file().await?;
        let mut file = KeyFile::new(keys);
        file.trusted = trusted;
        self.write_key_file(&file).await?;
        // Nothing that we keep on Drive can be opened with them until it is written anew.
        self.need_full_checkpoint().await?;
        self.publish_keys().await
    }

    /// Takes over a key file: from another machine, a backup, or a Python peer of the account. A key
    /// file that was here stays beside it.
    ///
    /// # Errors
    /// When it is damaged or somebody else's.
    pub async fn import_keys(&mut self, json: &[u8]) -> Result<Fingerprint, ManagerError> {
        let file = KeyFile::parse(json, self.email(), self.key_path()?.as_str())?;
        self.keep_old_key_file().await?;
        self.write_key_file(&file).await?;
        Ok(file.keys.fingerprint())
    }

    /// Our key file's bytes, for a backup or another machine.
    ///
    /// # Errors
    /// [`EncryptionError::NoKeys`] when there is none.
    pub async fn export_keys(&mut self) -> Result<Vec<u8>, ManagerError> {
        let file = self.read_key_file().await?.ok_or(EncryptionError::NoKeys)?;
        Ok(file.to_json()?)
    }

    /// Puts the public half of our keys into every bundle of ours on Drive, whatever was in them.
    ///
    /// # Errors
    /// [`EncryptionError::NoKeys`] when there are none, or whatever Drive says.
    pub async fn publish_keys(&mut self) -> Result<Fingerprint, ManagerError> {
        let keys = self.read_key_file().await?.ok_or(EncryptionError::NoKeys)?.keys;
        self.refresh_catalog(false).await?;
        if let Some(folder) = self.bundles_folder() {
            self.catalog.ensure_listed(&self.drive, [folder.clone()]).await?;
            let me = self.email().clone();
            let ours: Vec<(Email, FileId)> = self
                .catalog
                .children(&folder)
                .filter(|file| file.owned_by_me)
                .filter_map(|file| Some((file.name.parse::<EncryptionBundleName>().ok()?, file.id.clone())))
                .filter(|(name, _)| name.owner == me)
                .map(|(name, id)| (name.peer, id))
                .collect();
            for (peer, id) in ours {
                let json = Bytes::from(keys.bundle().to_file());
                let written = self.drive.replace_content(&id, json.into()).await?;
                self.note_our_bundle(&peer, written, keys.fingerprint());
            }
            self.save_catalog().await?;
            self.save_bundles().await?;
        }
        self.sealing = None;
        Ok(keys.fingerprint())
    }

    /// Makes our keys when encryption is on and there never were any, and the folder on Drive for
    /// our bundles, by which other machines of ours see that there are keys. The other calls do so
    /// too, at first need.
    ///
    /// # Errors
    /// [`EncryptionError::KeysLost`] when there is such a folder and the keys aren't here, or when
    /// the key file can't be used.
    pub async fn prepare_keys(&mut self) -> Result<(), ManagerError> {
        if self.sealing().await?.is_on() {
            self.make_bundles_folder().await?;
        }
        Ok(())
    }

    /// How payloads are written and read now. Makes our keys when encryption is on and there never
    /// were any. No request.
    pub(crate) async fn sealing(&mut self) -> Result<Sealing, ManagerError> {
        if let Some(sealing) = &self.sealing {
            return Ok(sealing.clone());
        }
        let key_file = match self.read_key_file().await {
            // Who turned it off isn't kept from work by keys that aren't needed.
            Err(ManagerError::Encryption(_)) if self.settings.encrypt == Some(false) => None,
            read => read?,
        };
        let is_on = self.is_encryption_on(key_file.is_some());
        let key_file = match key_file {
            None if is_on => Some(self.make_key_file().await?),
            key_file => key_file,
        };
        let peers = self.trusted_bundles(key_file.as_ref());
        let random = self.platform.random.clone();
        let sealing = Sealing::new(self.email().clone(), is_on, key_file, peers, random);
        self.sealing = Some(sealing.clone());
        Ok(sealing)
    }

    /// Whether encryption is on: as the settings say, else as this account did before.
    fn is_encryption_on(&self, has_keys: bool) -> bool {
        self.settings.encrypt.unwrap_or_else(|| has_keys || self.bundles_folder().is_some())
    }

    pub(super) async fn make_key_file(&mut self) -> Result<KeyFile, ManagerError> {
        if self.bundles_folder().is_some() {
            return Err(EncryptionError::KeysLost { path: self.key_path()?.to_string() }.into());
        }
        let file = KeyFile::new(OwnKeys::make(self.email(), self.platform.random.as_ref())?);
        self.write_key_file(&file).await?;
        Ok(file)
    }

    /// The keys of every peer that shows some, or of whom we know some.
    pub(super) fn trusted_bundles(
        &self,
        key_file: Option<&KeyFile>,
    ) -> BTreeMap<Email, Result<Bundle, EncryptionError>> {
        let records = &self.peers.file.peers;
        let peers: BTreeSet<&Email> = records.keys().chain(self.bundles.theirs.keys()).collect();
        let known = |peer: &Email| {
            let here = key_file.and_then(|file| file.trusted.get(peer));
            here.or_else(|| records.get(peer)?.public_encryption_bundle.as_ref())
        };
        let shown = |peer: &Email| self.bundles.theirs.get(peer).map(|seen| &seen.document);
        peers.into_iter().map(|peer| (peer.clone(), trusted(peer, known(peer), shown(peer)))).collect()
    }

    pub(super) fn key_path(&self) -> Result<DatasitePath, ManagerError> {
        Ok(Self::datasite_folder(self.email())?.join(KEY_FILE)?)
    }

    pub(super) async fn read_key_file(&self) -> Result<Option<KeyFile>, ManagerError> {
        let path = self.key_path()?;
        match self.files().read(&path, KeyFile::MAX_BYTES).await {
            Ok(json) => Ok(Some(KeyFile::parse(&json, self.email(), path.as_str())?)),
            Err(error) if matches!(error.kind, FileErrorKind::Missing) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn write_key_file(&mut self, file: &KeyFile) -> Result<(), ManagerError> {
        self.files().write_private(&self.key_path()?, Bytes::from(file.to_json()?)).await?;
        self.sealing = None;
        Ok(())
    }

    /// Puts the key file aside, so that what it opens isn't lost with it.
    async fn keep_old_key_file(&self) -> Result<(), ManagerError> {
        let path = self.key_path()?;
        if self.files().stat(&path).await?.is_some() {
            let aside = format!("private/crypto_keys.{}.json", self.now());
            self.files().rename(&path, &Self::datasite_folder(self.email())?.join(&aside)?).await?;
        }
        Ok(())
    }
}
