//! Keys and bundles of an account: the calls that people make, and what a sync does about them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::{
    Bundle, EncryptionError, Fingerprint, KeyFile, OwnKeys, Sealing,
    trust::{OurBundle, SeenBundle, trusted},
};
use crate::{
    domain::{DatasitePath, Email},
    drive::{BatchCall, DriveError, DriveFile, FileId, Grantee, NewFile, Role},
    manager::{ManagerError, SyftboxManager},
    platform::FileErrorKind,
    state::Document,
    wire::{
        PeerState, PeersFile,
        names::{EncryptionBundleName, EncryptionBundlesFolderName},
    },
};

/// No bundle is longer, in bytes.
const MAX_BUNDLE_BYTES: u64 = 64 * 1024;
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

    async fn make_key_file(&mut self) -> Result<KeyFile, ManagerError> {
        if self.bundles_folder().is_some() {
            return Err(EncryptionError::KeysLost { path: self.key_path()?.to_string() }.into());
        }
        let file = KeyFile::new(OwnKeys::make(self.email(), self.platform.random.as_ref())?);
        self.write_key_file(&file).await?;
        Ok(file)
    }

    /// Reads the bundles of peers where they changed.
    pub(crate) async fn read_bundles(
        &mut self,
        states: &BTreeMap<Email, PeerState>,
    ) -> Result<(), ManagerError> {
        self.sealing = None;
        if !self.sealing().await?.is_on() {
            return Ok(());
        }
        let me = self.email().clone();
        let before = self.bundles.clone();
        for (peer, _) in states.iter().filter(|(_, state)| **state != PeerState::Rejected) {
            let file = self.catalog.bundle(peer, &me).map(|file| (file.id.clone(), file.content_state()));
            let Some((id, seen)) = file else {
                self.bundles.theirs.remove(peer);
                continue;
            };
            if self.bundles.theirs.get(peer).is_some_and(|known| known.seen == seen) {
                continue;
            }
            let document = self.download_bundle(&id).await?.unwrap_or(Value::Null);
            self.bundles.theirs.insert(peer.clone(), SeenBundle { seen, document });
        }
        if self.bundles != before {
            self.save_bundles().await?;
            self.sealing = None;
        }
        Ok(())
    }

    /// The document in a bundle file; `None` when it can't be read.
    async fn download_bundle(&self, id: &FileId) -> Result<Option<Value>, ManagerError> {
        match self.drive.download(id, MAX_BUNDLE_BYTES).await {
            Ok(json) => Ok(Bundle::document_in(&json)),
            Err(error) if error.is_closed_to_us() || matches!(error, DriveError::TooLarge { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes in `file` the keys of those we exchange with that we begin to trust. Another machine of
    /// ours, and a Python peer of our account, go by them.
    pub(crate) async fn note_trust(&mut self, file: &mut PeersFile) -> Result<(), ManagerError> {
        let sealing = self.sealing().await?;
        if !sealing.is_on() {
            return Ok(());
        }
        for (peer, record) in &mut file.peers {
            let exchanges = matches!(record.state, PeerState::Accepted | PeerState::RequestedByMe);
            if exchanges && record.public_encryption_bundle.is_none() {
                record.public_encryption_bundle =
                    sealing.bundle_of(peer).ok().map(|bundle| bundle.document().clone());
            }
        }
        Ok(())
    }

    /// Keeps the trust that the peers file has in the key file too, where Drive can't change it.
    pub(crate) async fn keep_trust(&mut self) -> Result<(), ManagerError> {
        let sealing = self.sealing().await?;
        let Some(key_file) = sealing.key_file().filter(|_| sealing.is_on()) else { return Ok(()) };
        let trusted = self.peers.file.peers.iter();
        let new: Vec<(Email, Value)> = trusted
            .filter(|(peer, _)| !key_file.trusted.contains_key(*peer))
            .filter_map(|(peer, record)| Some((peer.clone(), record.public_encryption_bundle.clone()?)))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        if let Some(mut key_file) = self.read_key_file().await? {
            key_file.trusted.extend(new);
            self.write_key_file(&key_file).await?;
        }
        Ok(())
    }

    /// Publishes our bundle to the peers that don't have it yet.
    pub(crate) async fn publish_bundles(&mut self) -> Result<(), ManagerError> {
        if !self.sealing().await?.is_on() {
            return Ok(());
        }
        self.make_bundles_folder().await?;
        let states = self.peers.states(&self.catalog, self.email());
        let mut shares = Vec::new();
        let share = |peer: &Email, id| BatchCall::Share {
            id,
            grantee: Grantee::User(peer.clone()),
            role: Role::Reader,
        };
        for (peer, state) in states {
            let exchanges = matches!(state, PeerState::Accepted | PeerState::RequestedByMe);
            if exchanges && !self.is_our_bundle_out(&peer).await? {
                shares.extend(self.publish_bundle(&peer).await?.into_iter().map(|id| share(&peer, id)));
            }
        }
        self.all_of(shares).await?;
        Ok(())
    }

    /// Publishes our bundle for `peer` and gives what it has to be able to read for that; nothing when
    /// encryption is off.
    pub(crate) async fn publish_bundle(&mut self, peer: &Email) -> Result<Vec<FileId>, ManagerError> {
        let sealing = self.sealing().await?;
        if !sealing.is_on() {
            return Ok(Vec::new());
        }
        let me = self.email().clone();
        let folder = self.make_bundles_folder().await?;
        let is_out = self.is_our_bundle_out(peer).await?;
        let there = self.catalog.bundle(&me, peer).map(|file| file.id.clone());
        let id = match there {
            Some(id) if is_out => id,
            there => {
                let keys = sealing.keys()?;
                let json = Bytes::from(keys.bundle().to_file());
                let written = if let Some(id) = there {
                    self.drive.replace_content(&id, json.into()).await?
                } else {
                    let name = EncryptionBundleName { owner: me, peer: peer.clone() }.to_string();
                    let new = NewFile::new(self.id_for(&name).await?, name, folder.clone());
                    self.drive.upload(new, json.into()).await?
                };
                let id = written.id.clone();
                self.note_our_bundle(peer, written, keys.fingerprint());
                self.save_catalog().await?;
                self.save_bundles().await?;
                id
            }
        };
        // The folder as the Python peers do, the file so that the peer's changes feed tells of it.
        Ok(vec![folder, id])
    }

    /// Whether our bundle for `peer` is on Drive. It mustn't be that of other keys of ours.
    async fn is_our_bundle_out(&mut self, peer: &Email) -> Result<bool, ManagerError> {
        let Some(folder) = self.bundles_folder() else { return Ok(false) };
        self.catalog.ensure_listed(&self.drive, [folder]).await?;
        let me = self.email().clone();
        let Some(file) = self.catalog.bundle(&me, peer).cloned() else { return Ok(false) };
        let here = self.sealing().await?.keys()?.fingerprint();
        let out = OurBundle { seen: file.content_state(), keys: here.clone() };
        if self.bundles.ours.get(peer) == Some(&out) {
            return Ok(true);
        }
        let document = self.download_bundle(&file.id).await?.unwrap_or(Value::Null);
        // What isn't readable is replaced; what has other keys may be in use on another machine.
        let Ok(on_drive) = Bundle::read(&document, &me).map(|bundle| bundle.fingerprint()) else {
            return Ok(false);
        };
        if on_drive != here {
            return Err(EncryptionError::OtherKeysOnDrive { on_drive, here }.into());
        }
        self.bundles.ours.insert(peer.clone(), out);
        self.save_bundles().await?;
        Ok(true)
    }

    fn note_our_bundle(&mut self, peer: &Email, file: DriveFile, keys: Fingerprint) {
        self.bundles.ours.insert(peer.clone(), OurBundle { seen: file.content_state(), keys });
        self.catalog.note(file);
    }

    fn bundles_folder(&self) -> Option<FileId> {
        let name = EncryptionBundlesFolderName { owner: self.email().clone() }.to_string();
        self.catalog.child(&self.catalog.root()?.id, &name).map(|folder| folder.id.clone())
    }

    async fn make_bundles_folder(&mut self) -> Result<FileId, ManagerError> {
        if let Some(folder) = self.bundles_folder() {
            return Ok(folder);
        }
        let name = EncryptionBundlesFolderName { owner: self.email().clone() }.to_string();
        let new = NewFile::new(self.id_for(&name).await?, name, self.root()?);
        let folder = self.drive.create_folder(new).await?;
        let id = folder.id.clone();
        self.catalog.note_new_folder(folder);
        self.save_catalog().await?;
        Ok(id)
    }

    /// The keys of every peer that shows some, or of whom we know some.
    fn trusted_bundles(
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

    fn key_path(&self) -> Result<DatasitePath, ManagerError> {
        Ok(Self::datasite_folder(self.email())?.join(KEY_FILE)?)
    }

    async fn read_key_file(&self) -> Result<Option<KeyFile>, ManagerError> {
        let path = self.key_path()?;
        match self.files().read(&path, KeyFile::MAX_BYTES).await {
            Ok(json) => Ok(Some(KeyFile::parse(&json, self.email(), path.as_str())?)),
            Err(error) if matches!(error.kind, FileErrorKind::Missing) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn write_key_file(&mut self, file: &KeyFile) -> Result<(), ManagerError> {
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

    async fn save_bundles(&self) -> Result<(), ManagerError> {
        Ok(self.state.save(Document::Bundles, &self.bundles).await?)
    }
}
