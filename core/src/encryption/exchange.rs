//! The bundles of an account: what a sync does so that peers have ours, and we theirs (wire section 9).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::{
    Bundle, EncryptionError, Fingerprint,
    trust::{OurBundle, SeenBundle},
};
use crate::{
    domain::Email,
    drive::{BatchCall, DriveError, DriveFile, FileId, Grantee, NewFile, Role},
    manager::{ManagerError, SyftboxManager},
    state::Document,
    wire::{
        PeerState, PeersFile,
        names::{EncryptionBundleName, EncryptionBundlesFolderName},
    },
};

/// No bundle is longer, in bytes.
const MAX_BUNDLE_BYTES: u64 = 64 * 1024;

impl SyftboxManager {
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
    pub(super) async fn is_our_bundle_out(&mut self, peer: &Email) -> Result<bool, ManagerError> {
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

    pub(super) fn note_our_bundle(&mut self, peer: &Email, file: DriveFile, keys: Fingerprint) {
        self.bundles.ours.insert(peer.clone(), OurBundle { seen: file.content_state(), keys });
        self.catalog.note(file);
    }

    pub(super) fn bundles_folder(&self) -> Option<FileId> {
        let name = EncryptionBundlesFolderName { owner: self.email().clone() }.to_string();
        self.catalog.child(&self.catalog.root()?.id, &name).map(|folder| folder.id.clone())
    }

    pub(super) async fn make_bundles_folder(&mut self) -> Result<FileId, ManagerError> {
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
    pub(super) async fn save_bundles(&self) -> Result<(), ManagerError> {
        Ok(self.state.save(Document::Bundles, &self.bundles).await?)
    }
}
