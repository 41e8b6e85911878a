//! Sync: what others proposed and published comes in, what changed here goes out (wire section 4).
//!
//! The order is fixed. What an earlier run left undone comes first ([`journal`]); then, as an owner,
//! a new machine restores the datasite, proposals are received and everything that changed locally is published; then, as a scientist,
//! the datasites of our peers are followed. One bad message, file or peer never stops the others:
//! it is refused in the [`SyncReport`].

mod collections;
mod follow;
mod journal;
mod messages;
mod options;
mod publish;
mod receive;
mod report;
mod restore;
mod rolling;
mod send;

pub use self::{
    follow::Followed,
    journal::JournalError,
    options::SyncOptions,
    report::{Refusal, SkippedPeer, SyncReport},
    rolling::KeptRollingState,
};
pub(crate) use self::{publish::MAX_FILE_BYTES, send::Submission};
use crate::{
    domain::Email,
    manager::{ManagerError, SyftboxManager},
    state::Document,
    wire::{PeerState, names::BoxKind},
};

impl SyftboxManager {
    /// Syncs in the roles of the account. One request when nothing is new.
    ///
    /// # Errors
    /// When Drive or the local folder can't be used at all; what was done until then stays done.
    pub async fn sync(&mut self, options: &SyncOptions) -> Result<SyncReport, ManagerError> {
        let mut report = SyncReport::default();
        self.refresh_catalog(options.full).await?;
        self.load_peers(&mut report).await?;
        self.carry_out_open_postings(&mut report).await?;
        let peers = self.peers_to_talk_to(&mut report);
        if self.roles().owner {
            self.restore_datasite(&peers, &mut report).await?;
            let archive = self.receive_proposals(&peers, &mut report).await?;
            report.jobs_received = self.receive_jobs(&mut report).await?;
            self.publish(&peers, archive, &mut report).await?;
        }
        if self.roles().scientist {
            self.follow(&peers, &mut report).await?;
            self.fetch_collections(&peers, &mut report).await?;
        }
        self.save_catalog().await?;
        Ok(report)
    }

    /// The peers that we exchange with; the others are in the report with the reason.
    fn peers_to_talk_to(&self, report: &mut SyncReport) -> Vec<Email> {
        let mut peers = Vec::new();
        for (email, state) in self.peers.states(&self.catalog, self.email(), self.generation()) {
            if state != PeerState::Accepted {
                continue;
            }
            match self.peers.check_version(&email, self.generation()) {
                Ok(()) => peers.push(email),
                Err(why) => report.skipped_peers.push(SkippedPeer { peer: email, why: why.to_string() }),
            }
        }
        peers
    }

    /// Makes sure that the message folders we read from are known to the catalog.
    async fn list_message_folders(&mut self, peers: &[Email]) -> Result<(), ManagerError> {
        let me = self.email().clone();
        let mut folders = Vec::new();
        for peer in peers {
            if self.roles().owner {
                folders.extend(self.pair_folder_id(peer, &me, BoxKind::Inbox, peer));
            }
            if self.roles().scientist {
                folders.extend(self.pair_folder_id(&me, peer, BoxKind::Outbox, &me));
            }
        }
        Ok(self.catalog.ensure_listed(&self.drive, folders).await?)
    }

    async fn carry_out_open_postings(&mut self, report: &mut SyncReport) -> Result<(), ManagerError> {
        let journal = journal::Journal::new(&self.platform, &self.state);
        let open = journal.open_postings().await?;
        for (record, posting) in open {
            self.carry_out(&record, &posting, report).await?;
        }
        Ok(())
    }

    /// Makes a recorded posting true: first in what we remember of our datasite, then on Drive.
    async fn carry_out(
        &mut self,
        record: &crate::domain::DatasitePath,
        posting: &journal::Posting,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        if !posting.published.is_empty() {
            let mut datasite = self.load_datasite().await?;
            posting.published.clone().apply_to(&mut datasite);
            self.state.save(Document::Datasite, &datasite).await?;
        }
        let journal = journal::Journal::new(&self.platform, &self.state);
        let posted = journal.carry_out(&self.drive, &mut self.catalog, record, posting).await?;
        for what in posted.undeliverable {
            let me = self.email().clone();
            report.refuse(
                &me,
                what,
                "the folder on Drive is gone or closed to us; ask the peer to add you again",
            );
        }
        self.save_catalog().await
    }

    pub(crate) async fn load_datasite(&self) -> Result<crate::datasite::Datasite, ManagerError> {
        Ok(self.state.load(Document::Datasite).await?.unwrap_or_default())
    }
}
