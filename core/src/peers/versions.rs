//! Version files: what peers show us, and which of ours each of them sees (wire section 1).
//!
//! A Python owner talks only to peers that show its very version, and a Python peer takes the first
//! version file of ours that it finds. So there is one file for each version that some peer needs,
//! and each peer may read exactly one.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{SeenVersion, ShownVersion, Skipped, version_to_show};
use crate::{
    catalog::pair_name,
    domain::{Email, Generation, Version},
    drive::{BatchCall, DriveError, DriveFile, FileId, Grantee, NewFile, Permission, Role},
    manager::{ManagerError, SyftboxManager},
    state::Document,
    sync::SyncReport,
    wire::{
        PeerState, VersionFile,
        names::{BoxKind, VERSION_FILE, VersionFolderName},
    },
};

/// No version file is larger.
const MAX_VERSION_BYTES: u64 = 64 * 1024;

/// A call of a batch, and the peer that it is for.
type CallFor = (Email, BatchCall);

impl SyftboxManager {
    /// The generation that the conversation with `peer` is in.
    pub(crate) fn generation_with(&self, peer: &Email) -> Generation {
        self.peers.generation_with(peer, &self.catalog, self.email(), self.generation())
    }

    /// Why nothing is exchanged with `peer`, or not everything.
    pub(crate) fn skip_reason(&self, peer: &Email, state: PeerState) -> Option<Skipped> {
        if !matches!(state, PeerState::Accepted | PeerState::RequestedByPeer) {
            return None;
        }
        match self.peers.check_version(peer, self.generation()) {
            Err(why) => Some(why),
            Ok(generation) => {
                if state == PeerState::Accepted
                    && let Some(why) = self.keys_missing(peer)
                {
                    return Some(why);
                }
                let wants_events = state == PeerState::Accepted && self.roles().owner;
                (wants_events && self.outbox_of(peer).is_none()).then_some(Skipped::NoFolders(generation))
            }
        }
    }

    /// Why nothing can be sealed for `peer`, where that has to be, as of when keys were last read.
    pub(super) fn keys_missing(&self, peer: &Email) -> Option<Skipped> {
        self.sealing.as_ref()?.check(peer).err().map(Skipped::Keys)
    }

    /// Where our events for `peer` go: the outbox that it made.
    pub(crate) fn outbox_of(&self, peer: &Email) -> Option<FileId> {
        self.pair_folder_id(peer, self.email(), BoxKind::Outbox, peer)
    }

    /// Reads the version file of `peer` when it changed since we last did.
    pub(crate) async fn read_version_file(&mut self, peer: &Email, id: &FileId) -> Result<(), ManagerError> {
        let Some(seen) = self.catalog.get(id).map(DriveFile::content_state) else {
            return Ok(());
        };
        if let Some(known) = self.peers.versions.get_mut(peer).filter(|known| known.seen == seen) {
            known.gone = false;
            return Ok(());
        }
        let shown = match self.drive.download(id, MAX_VERSION_BYTES).await {
            Ok(json) => ShownVersion::read(&json),
            Err(error) if error.is_closed_to_us() || matches!(error, DriveError::TooLarge { .. }) => {
                ShownVersion::unreadable(&error)
            }
            Err(error) => return Err(error.into()),
        };
        self.peers.versions.insert(peer.clone(), SeenVersion { seen, shown, gone: false });
        Ok(())
    }

    /// Follows peers that changed their version: shows each the version that it needs, and makes
    /// our folders for it in the generation of that. No request when nobody did.
    pub(crate) async fn follow_versions(&mut self, report: &mut SyncReport) -> Result<(), ManagerError> {
        let ours = |state| matches!(state, PeerState::Accepted | PeerState::RequestedByMe);
        let states = self.peers.states(&self.catalog, self.email());
        let peers: Vec<Email> =
            states.into_iter().filter(|(_, state)| ours(*state)).map(|(email, _)| email).collect();
        let new_here: BTreeSet<Email> =
            peers.iter().filter(|peer| !self.peers.shown_to.contains_key(*peer)).cloned().collect();
        if !new_here.is_empty() {
            self.learn_who_sees_what(&new_here).await?;
        }
        let me = self.email().clone();
        let mut to_change = peers;
        to_change.retain(|peer| {
            let wanted: BTreeSet<FileId> = self.file_to_show(peer).into_iter().collect();
            let has_pair = [BoxKind::Inbox, BoxKind::Outbox]
                .into_iter()
                .all(|kind| self.pair_folder_id(&me, peer, kind, &me).is_some());
            // What another machine of ours just made may not have been listed here yet.
            let misses_pair = !has_pair && !new_here.contains(peer);
            wanted.is_empty() || self.peers.shown_to.get(peer) != Some(&wanted) || misses_pair
        });
        if to_change.is_empty() {
            return Ok(());
        }
        for (peer, error) in self.set_up(&to_change, &[]).await? {
            report.refuse(&peer, "our folders and version for it", error);
        }
        Ok(())
    }

    /// The version file of ours that `peer` has to see, when there is one already.
    fn file_to_show(&self, peer: &Email) -> Option<FileId> {
        self.version_file_id(version_to_show(self.generation(), self.peers.last_shown_by(peer)))
    }

    fn version_file_id(&self, version: Version) -> Option<FileId> {
        let file = if version == self.generation().version() {
            self.catalog.version_file()
        } else {
            self.catalog.version_file_for(version)
        };
        file.map(|file| file.id.clone())
    }

    /// All version files of ours.
    fn version_file_ids(&self) -> Vec<FileId> {
        let others =
            self.catalog.version_folders().filter_map(|(_, version)| self.catalog.version_file_for(version));
        self.catalog.version_file().into_iter().chain(others).map(|file| file.id.clone()).collect()
    }

    /// Finds out which version files `peers` may read: on a machine that is new to the account.
    /// Without a file but our own one they see that one, and Drive isn't asked.
    async fn learn_who_sees_what(&mut self, peers: &BTreeSet<Email>) -> Result<(), ManagerError> {
        let files = self.version_file_ids();
        for peer in peers {
            self.peers.shown_to.insert(peer.clone(), BTreeSet::new());
        }
        let only = if let [only] = files.as_slice() { Some(only.clone()) } else { None };
        for file in files {
            let readers: Vec<Email> = if only.is_some() {
                peers.iter().cloned().collect()
            } else {
                self.drive.permissions(&file).await?.into_iter().filter_map(user_of).collect()
            };
            for reader in readers {
                if let Some(seen) = self.peers.shown_to.get_mut(&reader) {
                    seen.insert(file.clone());
                }
            }
        }
        Ok(self.state.save(Document::Peers, &self.peers).await?)
    }

    /// Makes our side of the conversations with `peers`: inbox and outbox for each in the right
    /// generation, shared with it, and of our version files the one that it needs, instead of any
    /// other. `extra` are folders to let them read too. What is there stays.
    ///
    /// The result names the peers that something couldn't be shared with; a repetition tries again.
    pub(super) async fn set_up(
        &mut self,
        peers: &[Email],
        extra: &[FileId],
    ) -> Result<BTreeMap<Email, DriveError>, ManagerError> {
        self.make_missing_folders(peers).await?;
        self.make_missing_version_files(peers).await?;
        let me = self.email().clone();
        let mut calls: Vec<CallFor> = Vec::new();
        let share = |peer: &Email, id: FileId, role| {
            (peer.clone(), BatchCall::Share { id, grantee: Grantee::User(peer.clone()), role })
        };
        let mut wanted: BTreeMap<Email, FileId> = BTreeMap::new();
        for peer in peers {
            for kind in [BoxKind::Inbox, BoxKind::Outbox] {
                let folder = self.pair_folder_id(&me, peer, kind, &me);
                calls.extend(folder.map(|id| share(peer, id, Role::Writer)));
            }
            if let Some(file) = self.file_to_show(peer) {
                wanted.insert(peer.clone(), file.clone());
                calls.push(share(peer, file, Role::Reader));
            }
            calls.extend(extra.iter().map(|id| share(peer, id.clone(), Role::Reader)));
        }
        calls.extend(self.calls_that_hide(&wanted).await?);
        // Until all of it is done, both files count as shown.
        for (peer, file) in &wanted {
            self.peers.shown_to.entry(peer.clone()).or_default().insert(file.clone());
        }
        self.state.save(Document::Peers, &self.peers).await?;

        let (whose, calls): (Vec<Email>, Vec<BatchCall>) = calls.into_iter().unzip();
        let deleted: Vec<FileId> = calls
            .iter()
            .filter_map(|call| match call {
                BatchCall::Delete(id) => Some(id.clone()),
                _ => None,
            })
            .collect();
        let results = self.drive.batch(calls).await?;
        let mut failed = BTreeMap::new();
        for (peer, result) in whose.into_iter().zip(results) {
            if let Err(error) = result {
                failed.insert(peer, error);
            }
        }
        for folder in deleted {
            let inside: Vec<FileId> = self.catalog.children(&folder).map(|file| file.id.clone()).collect();
            for id in inside.iter().chain([&folder]) {
                self.catalog.take_away(id);
            }
        }
        self.save_catalog().await?;
        for (peer, file) in wanted.into_iter().filter(|(peer, _)| !failed.contains_key(peer)) {
            self.peers.shown_to.insert(peer, [file].into());
        }
        self.state.save(Document::Peers, &self.peers).await?;
        Ok(failed)
    }

    /// Makes the inboxes, outboxes and version folders that `peers` need and that aren't there.
    async fn make_missing_folders(&mut self, peers: &[Email]) -> Result<(), ManagerError> {
        let me = self.email().clone();
        let mut missing = BTreeSet::new();
        for peer in peers {
            for kind in [BoxKind::Inbox, BoxKind::Outbox] {
                if self.pair_folder_id(&me, peer, kind, &me).is_none() {
                    missing.insert(pair_name(self.generation_with(peer), peer, kind, &me).to_string());
                }
            }
        }
        for version in self.missing_versions(peers) {
            if self.catalog.version_folder(version).is_none() {
                missing.insert(VersionFolderName { version }.to_string());
            }
        }
        let root = self.root()?;
        let planned = self.plan(missing).await?;
        let new = |(name, id): &(String, FileId)| {
            BatchCall::CreateFolder(NewFile::new(id.clone(), name.clone(), root.clone()))
        };
        let calls = planned.iter().map(new).collect();
        for made in self.all_of(calls).await?.into_iter().flatten() {
            self.catalog.note_new_folder(made);
        }
        self.save_catalog().await?;
        self.carried_out(&planned).await
    }

    /// The versions that `peers` need and that no file of ours tells.
    fn missing_versions(&self, peers: &[Email]) -> BTreeSet<Version> {
        peers
            .iter()
            .map(|peer| version_to_show(self.generation(), self.peers.last_shown_by(peer)))
            .filter(|version| self.version_file_id(*version).is_none())
            .filter(|version| *version != self.generation().version())
            .collect()
    }

    async fn make_missing_version_files(&mut self, peers: &[Email]) -> Result<(), ManagerError> {
        for version in self.missing_versions(peers) {
            let Some(folder) = self.catalog.version_folder(version).map(|folder| folder.id.clone()) else {
                continue;
            };
            let name = format!("{}/{VERSION_FILE}", VersionFolderName { version });
            let planned = self.plan([name].into()).await?;
            for (_, id) in &planned {
                let json = Bytes::from(self.version_file_of_ours(version).to_json()?);
                let new = NewFile::new(id.clone(), VERSION_FILE, folder.clone());
                let written = self.drive.upload(new, json.into()).await?;
                self.catalog.note(written);
            }
            self.save_catalog().await?;
            self.carried_out(&planned).await?;
        }
        Ok(())
    }

    /// What we say of ourselves to peers that need `version`.
    pub(crate) fn version_file_of_ours(&self, version: Version) -> VersionFile {
        VersionFile::speaking_all(version, self.generation(), self.now())
    }

    /// Writes our version files again, all of them, after our own generation changed.
    pub(crate) async fn rewrite_version_files(&mut self) -> Result<(), ManagerError> {
        let own = self.catalog.version_file().map(|file| (file.id.clone(), self.generation().version()));
        let others: Vec<_> = self
            .catalog
            .version_folders()
            .filter_map(|(_, version)| Some((self.catalog.version_file_for(version)?.id.clone(), version)))
            .collect();
        for (id, version) in own.into_iter().chain(others) {
            let json = Bytes::from(self.version_file_of_ours(version).to_json()?);
            let written = self.drive.replace_content(&id, json.into()).await?;
            self.catalog.note(written);
        }
        self.save_catalog().await
    }

    /// The calls that take away from the peers in `wanted` what they may read besides the file they
    /// are to see. A file that nobody is left to see goes altogether, with its folder.
    async fn calls_that_hide(&self, wanted: &BTreeMap<Email, FileId>) -> Result<Vec<CallFor>, ManagerError> {
        let mut calls = Vec::new();
        for file in self.version_file_ids() {
            let may_see: Vec<&Email> = wanted
                .iter()
                .filter(|(peer, wanted)| {
                    **wanted != file && self.peers.shown_to.get(*peer).is_none_or(|seen| seen.contains(&file))
                })
                .map(|(peer, _)| peer)
                .collect();
            let Some(first) = may_see.first() else { continue };
            if let Some(folder) = self.folder_without_readers(&file, wanted) {
                calls.push(((*first).clone(), BatchCall::Delete(folder)));
                continue;
            }
            for permission in self.drive.permissions(&file).await? {
                if let Grantee::User(user) = &permission.grantee
                    && may_see.contains(&user)
                {
                    calls.push((user.clone(), BatchCall::Unshare { id: file.clone(), permission }));
                }
            }
        }
        Ok(calls)
    }

    /// The folder of `file`, when it is there for other versions than ours and nobody sees it once
    /// the peers in `wanted` see what they are to.
    fn folder_without_readers(&self, file: &FileId, wanted: &BTreeMap<Email, FileId>) -> Option<FileId> {
        let parents = &self.catalog.get(file)?.parents;
        let folder = self.catalog.version_folders().find(|(folder, _)| parents.contains(&folder.id))?.0;
        let stays = |peer: &Email| match (wanted.get(peer), self.peers.shown_to.get(peer)) {
            (Some(wanted), _) => wanted == file,
            (None, Some(seen)) => seen.contains(file),
            (None, None) => true,
        };
        let peers = self.peers.file.peers.keys().chain(wanted.keys()).chain(self.peers.shown_to.keys());
        (!peers.into_iter().any(stays)).then(|| folder.id.clone())
    }

    /// Gives each of `names` the id that it will have on Drive, and writes it down before it is made.
    async fn plan(&mut self, names: BTreeSet<String>) -> Result<Vec<(String, FileId)>, ManagerError> {
        let new: Vec<String> =
            names.iter().filter(|name| !self.peers.planned.contains_key(*name)).cloned().collect();
        if !new.is_empty() {
            let ids = self.ids.take(new.len(), &self.drive, &self.state).await?;
            self.peers.planned.extend(new.into_iter().zip(ids));
            self.state.save(Document::Peers, &self.peers).await?;
        }
        let planned = &self.peers.planned;
        Ok(names.into_iter().filter_map(|name| Some((name.clone(), planned.get(&name)?.clone()))).collect())
    }

    async fn carried_out(&mut self, planned: &[(String, FileId)]) -> Result<(), ManagerError> {
        for (name, _) in planned {
            self.peers.planned.remove(name);
        }
        if planned.is_empty() { Ok(()) } else { Ok(self.state.save(Document::Peers, &self.peers).await?) }
    }
}

fn user_of(permission: Permission) -> Option<Email> {
    match permission.grantee {
        Grantee::User(user) => Some(user),
        Grantee::Anyone => None,
    }
}
