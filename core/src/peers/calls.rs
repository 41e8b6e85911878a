//! Becoming peers (wire section 3).

use bytes::Bytes;

use super::{Peer, Peers};
use crate::{
    catalog::pair_name,
    domain::{Email, Generation},
    drive::{BatchCall, DriveError, FileId, NewFile},
    jobs,
    manager::{ManagerError, SyftboxManager},
    state::Document,
    sync::SyncReport,
    wire::{
        PeerRecord, PeerState, PeersFile, VersionFile,
        names::{BoxKind, PEERS_FILE},
    },
};

/// No file of peers is larger.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

impl SyftboxManager {
    /// All peers and requests, by address. With `refresh` Drive is asked what changed first.
    ///
    /// # Errors
    /// When Drive can't be asked.
    pub async fn known_peers(&mut self, refresh: bool) -> Result<Vec<Peer>, ManagerError> {
        if refresh {
            self.refresh_catalog(false).await?;
            self.read_peers(&mut SyncReport::default()).await?;
        }
        let states = self.peers.states(&self.catalog, self.email());
        let lost = match self.sealing().await {
            Ok(_) => None,
            Err(ManagerError::Encryption(why)) => Some(why.to_string()),
            Err(error) => return Err(error),
        };
        let peers = states.into_iter().map(|(email, state)| {
            let mut peer = self.peer(email, state);
            if state == PeerState::Accepted && peer.skipped.is_none() {
                peer.skipped.clone_from(&lost);
            }
            peer
        });
        Ok(peers.collect())
    }

    fn peer(&self, email: Email, state: PeerState) -> Peer {
        let skipped = self.skip_reason(&email, state).map(|why| why.to_string());
        Peer { version: self.peers.version_of(&email), email, state, skipped }
    }

    /// Asks `peer` to become one: makes our inbox and outbox for its datasite and lets it write
    /// there, in the generation that it is known to speak, else in our own. Asking again changes
    /// nothing, and with `force` repairs what is missing. Both roles.
    ///
    /// # Errors
    /// When `peer` is ourselves, or Drive says no.
    pub async fn add_peer(&mut self, peer: &Email, force: bool) -> Result<Peer, ManagerError> {
        self.prepare_for(peer).await?;
        let known = self.known_peers(false).await?.into_iter().find(|known| known.email == *peer);
        if let Some(known) = known
            && !force
            && matches!(known.state, PeerState::Accepted | PeerState::RequestedByMe)
            && self.has_pair_for(peer)
        {
            return Ok(known);
        }
        self.make_pair(peer, &[]).await?;
        let known = self.peers.states(&self.catalog, self.email()).get(peer).copied();
        let state = match known {
            // With a pair of the peer's for us there already, both want it.
            Some(PeerState::Accepted | PeerState::RequestedByPeer) => PeerState::Accepted,
            _ => PeerState::RequestedByMe,
        };
        self.record_peer(peer, state).await
    }

    /// Accepts the request of `peer`: makes our pair for its datasite, gives it job folders in
    /// ours, and shares the datasets that are for any peer. The owner's role.
    ///
    /// # Errors
    /// [`ManagerError::NoRequest`] when it never asked and `peer_must_exist`, or Drive says no.
    pub async fn approve_peer_request(
        &mut self,
        peer: &Email,
        peer_must_exist: bool,
    ) -> Result<Peer, ManagerError> {
        self.need_owner("approving a peer")?;
        self.prepare_for(peer).await?;
        if peer_must_exist {
            self.need_request(peer)?;
        }
        let datasets = self.datasets_for_anyone();
        self.make_pair(peer, &datasets).await?;
        jobs::make_job_folders(self.files(), self.email(), peer).await?;
        self.publish_key().await?;
        self.record_peer(peer, PeerState::Accepted).await
    }

    /// Refuses the request of `peer`; nothing of it is read any more. The owner's role.
    ///
    /// # Errors
    /// [`ManagerError::NoRequest`] when it never asked, or Drive says no.
    pub async fn reject_peer_request(&mut self, peer: &Email) -> Result<Peer, ManagerError> {
        self.need_owner("rejecting a peer")?;
        self.prepare_for(peer).await?;
        self.need_request(peer)?;
        self.record_peer(peer, PeerState::Rejected).await
    }

    async fn prepare_for(&mut self, peer: &Email) -> Result<(), ManagerError> {
        if peer == self.email() {
            return Err(ManagerError::OwnAccount(peer.clone()));
        }
        self.refresh_catalog(false).await?;
        self.read_peers(&mut SyncReport::default()).await
    }

    /// Whether our own inbox and outbox for the datasite of `peer` are there.
    fn has_pair_for(&self, peer: &Email) -> bool {
        let me = self.email();
        [BoxKind::Inbox, BoxKind::Outbox]
            .into_iter()
            .all(|kind| self.pair_folder_id(me, peer, kind, me).is_some())
    }

    /// A request is a pair that the peer made for our datasite, whatever we said of it before.
    fn need_request(&self, peer: &Email) -> Result<(), ManagerError> {
        if self.inboxes_of(peer).is_empty() { Err(ManagerError::NoRequest(peer.clone())) } else { Ok(()) }
    }

    /// Our inbox and outbox for the datasite of `peer`, shared with it together with the version
    /// file that it needs and the folders in `shared`.
    async fn make_pair(&mut self, peer: &Email, shared: &[FileId]) -> Result<(), ManagerError> {
        if !self.peers.file.peers.contains_key(peer) {
            // Nothing was ever shared with it.
            self.peers.shown_to.entry(peer.clone()).or_default();
        }
        let shared = [shared, &self.publish_bundle(peer).await?].concat();
        match self.set_up(std::slice::from_ref(peer), &shared).await?.into_values().next() {
            None => Ok(()),
            Some(error) => Err(error.into()),
        }
    }

    /// Carries out `calls`; the first that failed fails it all. A repetition does what is missing.
    pub(crate) async fn all_of(
        &self,
        calls: Vec<BatchCall>,
    ) -> Result<Vec<Option<crate::drive::DriveFile>>, DriveError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        self.drive.batch(calls).await?.into_iter().collect()
    }

    /// Writes the state of `peer` into our peers file, on what is there this moment.
    async fn record_peer(&mut self, peer: &Email, state: PeerState) -> Result<Peer, ManagerError> {
        self.read_peers_file().await?;
        let mut file = self.peers.file.clone();
        let record = file.peers.entry(peer.clone()).or_insert_with(|| PeerRecord::new(state));
        record.state = state;
        self.note_trust(&mut file).await?;
        if file != self.peers.file || self.catalog.peers_file().is_none() {
            self.write_peers_file(file).await?;
        }
        Ok(self.peer(peer.clone(), state))
    }

    /// Reads our peers file, whatever was remembered of it: another machine of ours may have changed
    /// it, and the changes feed lags.
    pub(crate) async fn read_peers_file(&mut self) -> Result<(), ManagerError> {
        if let Some(id) = self.catalog.peers_file().map(|file| file.id.clone()) {
            self.peers.file = PeersFile::parse(&self.drive.download(&id, MAX_FILE_BYTES).await?)?;
        }
        Ok(())
    }

    /// Where two machines made a peers file at the same time, the oldest gets what is in the others.
    async fn merge_peers_files(&mut self) -> Result<(), ManagerError> {
        let others: Vec<FileId> =
            self.catalog.peers_files().iter().skip(1).map(|file| file.id.clone()).collect();
        if others.is_empty() {
            return Ok(());
        }
        self.read_peers_file().await?;
        let mut file = self.peers.file.clone();
        for other in &others {
            let other = PeersFile::parse(&self.drive.download(other, MAX_FILE_BYTES).await?)?;
            for (peer, record) in other.peers {
                match file.peers.get_mut(&peer) {
                    // What was decided counts more than what was asked.
                    Some(known) if known.state == PeerState::RequestedByMe => *known = record,
                    Some(_) => {}
                    None => _ = file.peers.insert(peer, record),
                }
            }
        }
        self.write_peers_file(file).await?;
        self.all_of(others.iter().cloned().map(BatchCall::Delete).collect()).await?;
        for other in &others {
            self.catalog.take_away(other);
        }
        self.save_catalog().await
    }

    pub(crate) async fn write_peers_file(&mut self, file: PeersFile) -> Result<(), ManagerError> {
        let json = Bytes::from(file.to_json()?);
        let existing = self.catalog.peers_file().map(|file| file.id.clone());
        let written = if let Some(id) = existing {
            self.drive.replace_content(&id, json.into()).await?
        } else {
            let new = NewFile::new(self.id_for(PEERS_FILE).await?, PEERS_FILE, self.root()?);
            self.drive.upload(new, json.into()).await?
        };
        self.peers.seen = Some(written.content_state());
        self.peers.file = file;
        self.catalog.note(written);
        self.save_catalog().await?;
        Ok(self.state.save(Document::Peers, &self.peers).await?)
    }

    /// Reads our peers file and the version files of peers where they changed, and writes down the
    /// requests of ours that were accepted.
    pub(crate) async fn read_peers(&mut self, report: &mut SyncReport) -> Result<(), ManagerError> {
        let file = self.catalog.peers_file().map(|file| (file.id.clone(), file.content_state()));
        if let Some((id, state)) = file
            && self.peers.seen.as_ref() != Some(&state)
        {
            let json = self.drive.download(&id, MAX_FILE_BYTES).await?;
            self.peers.file = PeersFile::parse(&json)?;
            self.peers.seen = Some(state);
        }
        self.merge_peers_files().await?;
        let states = self.peers.states(&self.catalog, self.email());
        self.read_bundles(&states).await?;
        self.accept_answered_requests(&states, report).await?;
        self.keep_trust().await?;
        for (peer, state) in &states {
            let file = self.catalog.version_file_of(peer).map(|file| file.id.clone());
            match file {
                Some(id) if *state != PeerState::Rejected => self.read_version_file(peer, &id).await?,
                Some(_) => {}
                None => {
                    if let Some(seen) = self.peers.versions.get_mut(peer) {
                        seen.gone = true;
                    }
                }
            }
        }
        Ok(self.state.save(Document::Peers, &self.peers).await?)
    }

    async fn accept_answered_requests(
        &mut self,
        states: &std::collections::BTreeMap<Email, PeerState>,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let is_answered = |peer: &Email, record: &PeerRecord| {
            record.state == PeerState::RequestedByMe && states.get(peer) == Some(&PeerState::Accepted)
        };
        if !self.peers.file.peers.iter().any(|(peer, record)| is_answered(peer, record)) {
            return Ok(());
        }
        self.read_peers_file().await?;
        let mut file = self.peers.file.clone();
        for (peer, record) in &mut file.peers {
            if is_answered(peer, record) {
                record.state = PeerState::Accepted;
                report.peers_changed += 1;
            }
        }
        self.note_trust(&mut file).await?;
        if file == self.peers.file { Ok(()) } else { self.write_peers_file(file).await }
    }

    /// The id of an inbox or outbox, in the generation that we and the peer talk in; `owner` is who
    /// made it.
    pub(crate) fn pair_folder_id(
        &self,
        owner: &Email,
        datasite: &Email,
        kind: BoxKind,
        other: &Email,
    ) -> Option<FileId> {
        let peer = if datasite == self.email() { other } else { datasite };
        let wanted = pair_name(self.generation_with(peer), datasite, kind, other);
        self.catalog.pair_folder(owner, &wanted).map(|folder| folder.id.clone())
    }

    /// The inboxes that `peer` made for our datasite. It writes to one; what it left in the other
    /// before it changed its generation is still for us.
    pub(crate) fn inboxes_of(&self, peer: &Email) -> Vec<FileId> {
        let inbox = |generation| {
            let wanted = pair_name(generation, self.email(), BoxKind::Inbox, peer);
            self.catalog.pair_folder(peer, &wanted).map(|folder| folder.id.clone())
        };
        Generation::ALL.into_iter().filter_map(inbox).collect()
    }

    /// The peer's version file, or the reason why it can't be talked to.
    pub(crate) fn need_accepted_peer(&self, peer: &Email) -> Result<VersionFile, ManagerError> {
        match self.peers.states(&self.catalog, self.email()).get(peer) {
            None | Some(PeerState::RequestedByPeer | PeerState::Rejected) => {
                return Err(ManagerError::UnknownPeer(peer.clone()));
            }
            Some(PeerState::RequestedByMe) => return Err(ManagerError::NotAccepted(peer.clone())),
            Some(PeerState::Accepted) => {}
        }
        let incompatible = |why| ManagerError::Incompatible { peer: peer.clone(), why };
        self.peers.check_version(peer, self.generation()).map_err(incompatible)?;
        if let Some(why) = self.keys_missing(peer) {
            return Err(incompatible(why));
        }
        self.peers.version_file_of(peer).cloned().ok_or_else(|| incompatible(super::Skipped::NoVersion))
    }
}

impl Peers {
    /// The peers that accepted us, or that we accepted.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = &Email> {
        let accepted = |record: &PeerRecord| record.state == PeerState::Accepted;
        self.file.peers.iter().filter(move |(_, record)| accepted(record)).map(|(email, _)| email)
    }
}
