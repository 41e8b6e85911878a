//! Sync: what others proposed and published comes in, what changed here goes out (wire section 4).
//!
//! The order is fixed. What an earlier run left undone comes first ([`journal`]); then, as an owner,
//! a new machine restores the datasite, proposals are received and everything that changed locally is published; then, as a scientist,
//! the datasites of our peers are followed. One bad message, file or peer never stops the others:
//! it is refused in the [`SyncReport`].

mod checkpoint;
mod collections;
mod farewell;
mod follow;
mod journal;
mod messages;
mod options;
mod outbox;
mod own_collections;
mod own_log;
mod publish;
mod receive;
mod report;
mod restore;
mod restored;
mod rolling;
mod send;

pub use self::{
    checkpoint::{CheckpointKind, CheckpointStatus, MadeCheckpoint, NoCheckpoint},
    farewell::Farewell,
    follow::Followed,
    journal::JournalError,
    options::SyncOptions,
    own_log::KnownLog,
    report::{Refusal, SkippedPeer, SyncReport},
    rolling::KeptRollingState,
};
pub(crate) use self::{publish::MAX_FILE_BYTES, send::Submission};
use std::collections::BTreeSet;

use crate::{
    domain::Email,
    encryption::MessageError,
    manager::{ManagerError, SyftboxManager},
    peers::Skipped,
    state::Document,
    wire::{
        EventsMessage, PeerState,
        names::{BoxKind, EventLogFolderName},
    },
};

/// What the first half of a sync leaves to the second.
pub(crate) struct Incoming {
    peers: PeersToTalkTo,
    archive: Vec<journal::PlannedMove>,
}

/// The peers of a sync.
struct PeersToTalkTo {
    /// What they proposed is taken, and they are told what is new.
    exchange: Vec<Email>,
    /// Their datasites are followed: those, and peers that ended their part and may have said so.
    follow: Vec<Email>,
}

/// How many files are written at once: each waits for the disk, and they wait together. More of them would wait for
/// each other, since files of one folder are made one by one.
const PARALLEL_WRITES: usize = 4;

impl SyftboxManager {
    /// Syncs in the roles of the account. One request when nothing is new.
    ///
    /// # Errors
    /// When Drive or the local folder can't be used at all; what was done until then stays done.
    pub async fn sync(&mut self, options: &SyncOptions) -> Result<SyncReport, ManagerError> {
        let mut report = SyncReport::default();
        let incoming = self.sync_in(options, &mut report).await?;
        self.sync_out(options, incoming, &mut report).await?;
        Ok(report)
    }

    /// The first half of a sync: what others and other machines of ours did becomes local files.
    /// Without the second half nothing is lost; a later sync finds the same again.
    pub(crate) async fn sync_in(
        &mut self,
        options: &SyncOptions,
        report: &mut SyncReport,
    ) -> Result<Incoming, ManagerError> {
        self.refresh_for_sync(options.full).await?;
        self.read_peers(report).await?;
        self.follow_versions(report).await?;
        self.publish_bundles().await?;
        self.carry_out_open_postings(report).await?;
        // Whom we have keys of is known from here on.
        self.sealing().await?;
        let peers = self.peers_to_talk_to(report);
        self.list_folders(&peers.follow).await?;
        let mut archive = Vec::new();
        if self.roles().owner {
            self.finish_creations(report).await?;
            self.restore_datasite(&peers.exchange, report).await?;
            self.follow_own_log(&peers.exchange, report).await?;
            archive = self.receive_proposals(&peers.exchange, report).await?;
            report.jobs_received += self.receive_jobs(report).await?;
        }
        Ok(Incoming { peers, archive })
    }

    /// The second half of a sync: what is new here goes out; then the datasites of peers are followed.
    pub(crate) async fn sync_out(
        &mut self,
        options: &SyncOptions,
        Incoming { peers, archive }: Incoming,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        if self.roles().owner {
            let written = self.publish(&peers.exchange, archive, report).await?;
            self.merge_outboxes(&written, report).await?;
            if options.auto_checkpoint {
                self.checkpoint_if_due(options.checkpoint_threshold, report).await?;
            }
            self.upload_rolling_state(report).await?;
        }
        if self.roles().scientist {
            self.follow(&peers.follow, report).await?;
            self.note_first_keys(&peers.follow).await?;
            self.fetch_collections(&peers.follow, report).await?;
        }
        self.save_catalog().await?;
        Ok(self.state.save(Document::LastSync, &self.now()).await?)
    }

    /// The peers that we exchange with; the others are in the report with the reason.
    fn peers_to_talk_to(&self, report: &mut SyncReport) -> PeersToTalkTo {
        let mut peers = PeersToTalkTo { exchange: Vec::new(), follow: Vec::new() };
        for (email, state) in self.peers.states(&self.catalog, self.email()) {
            if state != PeerState::Accepted {
                continue;
            }
            let skipped = self.skip_reason(&email, state);
            if let Some(why) = &skipped {
                report.skipped_peers.push(SkippedPeer { peer: email.clone(), why: why.to_string() });
            }
            // Without an outbox it can't be sent events, but it may have sent us something.
            if matches!(skipped, None | Some(Skipped::NoFolders(_))) {
                peers.exchange.push(email.clone());
            }
            if matches!(skipped, None | Some(Skipped::NoFolders(_) | Skipped::NoVersion)) {
                peers.follow.push(email);
            }
        }
        peers
    }

    /// Makes sure that the folders of which we need to know what is in them are known to the catalog.
    async fn list_folders(&mut self, peers: &[Email]) -> Result<(), ManagerError> {
        let me = self.email().clone();
        let mut folders = Vec::new();
        for peer in peers {
            if self.roles().owner {
                folders.extend(self.inboxes_of(peer));
                folders.extend(self.outbox_of(peer));
            }
            if self.roles().scientist {
                folders.extend(self.pair_folder_id(&me, peer, BoxKind::Outbox, &me));
            }
        }
        if self.roles().owner {
            folders.extend(self.checkpoint_folders());
            folders.extend(self.rolling_state_folders());
            folders.extend(self.catalog.collections_of(&me).map(|(folder, _)| folder.id.clone()));
        }
        Ok(self.catalog.ensure_listed(&self.drive, folders).await?)
    }

    /// How many intents aren't carried out yet.
    pub(crate) async fn open_intents(&self) -> Result<usize, ManagerError> {
        Ok(journal::Journal::new(&self.platform, &self.state).open_postings().await?.len())
    }

    pub(crate) async fn carry_out_open_postings(
        &mut self,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let journal = journal::Journal::new(&self.platform, &self.state);
        let open = journal.open_postings().await?;
        for (record, posting) in open {
            self.carry_out(&record, posting, report).await?;
        }
        Ok(())
    }

    /// Makes a recorded posting true: first in what we remember of our datasite, then on Drive.
    async fn carry_out(
        &mut self,
        record: &crate::domain::DatasitePath,
        mut posting: journal::Posting,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        self.remember(&posting).await?;
        let me = self.email().clone();
        loop {
            let journal = journal::Journal::new(&self.platform, &self.state);
            let posted = journal.carry_out(&self.drive, &mut self.catalog, record, &posting).await?;
            for what in posted.undeliverable {
                let why = "the folder on Drive is gone or closed to us; ask the peer to add you again";
                report.refuse(&me, what, why);
            }
            if posted.lost_folders.is_empty() {
                return self.save_catalog().await;
            }
            self.replace_lost_folders(&mut posting, &posted.lost_folders).await?;
            journal::Journal::new(&self.platform, &self.state).record_again(record, &posting).await?;
        }
    }

    /// What a posting changes in what we remember. Doing so again changes nothing.
    async fn remember(&mut self, posting: &journal::Posting) -> Result<(), ManagerError> {
        if !posting.published.is_empty() {
            let mut datasite = self.load_datasite().await?;
            posting.published.clone().apply_to(&mut datasite);
            self.state.save(Document::Datasite, &datasite).await?;
        }
        let log = posting.log.as_ref();
        if let Some(upload) = posting.uploads.iter().find(|upload| Some(&upload.id) == log) {
            let payload = journal::Journal::new(&self.platform, &self.state).payload(upload).await?;
            match self.sealing().await?.read_ours::<EventsMessage>(&payload) {
                Ok(message) => self.note_in_rolling_state(&message.events.accepted).await?,
                // It was sealed with keys that are gone.
                Err(MessageError::Encryption(_)) => self.need_full_checkpoint().await?,
                Err(error) => return Err(error.into()),
            }
            let mut known = self.load_known_log().await?;
            known.note(upload.id.clone(), None);
            if !known.folders.contains(&upload.parent) {
                known.folders.push(upload.parent.clone());
            }
            self.state.save(Document::EventLog, &known).await?;
        }
        if let Some(through) = posting.checkpointed {
            let mut kept = self.load_rolling_state().await?;
            kept.state.go_on_from(through, self.now());
            kept.ahead = true;
            kept.gap = false;
            self.save_rolling_state(&kept).await?;
        }
        Ok(())
    }

    /// Folders of ours that somebody deleted on Drive are made anew, and the uploads go there.
    async fn replace_lost_folders(
        &mut self,
        posting: &mut journal::Posting,
        lost: &BTreeSet<String>,
    ) -> Result<(), ManagerError> {
        for upload in &mut posting.uploads {
            if let Some(name) = upload.own_folder.clone()
                && lost.contains(&name)
            {
                upload.parent = if name.parse::<EventLogFolderName>().is_ok() {
                    self.event_log_folder().await?
                } else {
                    self.make_state_folders().await?.1
                };
            }
        }
        Ok(())
    }

    pub(crate) async fn load_datasite(&self) -> Result<crate::datasite::Datasite, ManagerError> {
        Ok(self.state.load(Document::Datasite).await?.unwrap_or_default())
    }
}
