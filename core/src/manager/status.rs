//! How things stand, as of the last sync: without a request.

use serde::Serialize;

use super::{ManagerError, SyftboxManager};
use crate::{
    domain::{Email, Timestamp, Version},
    jobs::Job,
    state::Document,
    sync::{CheckpointStatus, SyncOptions},
    wire::{PeerState, job::JobStatus},
};

/// How things stand with an account.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Whose it is.
    pub email: Email,
    /// Whether it is a data owner here.
    pub owner: bool,
    /// Whether it is a data scientist here.
    pub scientist: bool,
    /// The generation that it belongs to.
    pub generation: String,
    /// The local `SyftBox` folder.
    pub folder: String,
    /// The root of Drive.
    pub drive_url: String,
    /// When a sync last came to its end, ISO 8601.
    pub last_sync: Option<String>,
    /// What was written down to be done on Drive and isn't done yet; the next sync goes on with it.
    pub open_intents: usize,
    /// Where our checkpoints stand; `None` without the owner's role.
    pub checkpoints: Option<CheckpointStatus>,
    /// All peers and requests.
    pub peers: Vec<PeerStatus>,
    /// The jobs that somebody has to do something about.
    pub waiting_jobs: Vec<WaitingJob>,
}

/// How things stand with a peer.
#[derive(Clone, Debug, Serialize)]
pub struct PeerStatus {
    /// Its address.
    pub email: Email,
    /// Where the two of us stand.
    pub state: PeerState,
    /// What it advertises.
    pub version: Option<Version>,
    /// Why nothing is exchanged with it, and what to do; `None` when something is.
    pub skipped: Option<String>,
}

/// A job that isn't at its end.
#[derive(Clone, Debug, Serialize)]
pub struct WaitingJob {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// What it waits for.
    pub waits_for: &'static str,
}

impl SyftboxManager {
    /// How things stand, as of the last sync. Both roles. No request.
    ///
    /// # Errors
    /// When the local folder can't be read.
    pub async fn status(&mut self) -> Result<Status, ManagerError> {
        let mut peers = Vec::new();
        for peer in self.known_peers(false).await? {
            let skipped = peer.skipped.or_else(|| why_skipped(peer.state).map(str::to_owned));
            peers.push(PeerStatus { email: peer.email, state: peer.state, version: peer.version, skipped });
        }
        let jobs = self.known_jobs().await?;
        let waiting_jobs = jobs
            .into_iter()
            .filter_map(|job| Some(WaitingJob { waits_for: self.waits_for(&job)?, job }))
            .collect();
        let checkpoints = if self.roles().owner {
            Some(self.checkpoint_status(SyncOptions::CHECKPOINT_THRESHOLD).await?)
        } else {
            None
        };
        let last_sync = self.state.load::<Timestamp>(Document::LastSync).await?;
        Ok(Status {
            email: self.email().clone(),
            owner: self.roles().owner,
            scientist: self.roles().scientist,
            generation: self.generation().to_string(),
            folder: self.settings.folder.clone(),
            drive_url: self.settings.drive_url.to_string(),
            last_sync: last_sync.map(Timestamp::to_iso),
            open_intents: self.open_intents().await?,
            checkpoints,
            peers,
            waiting_jobs,
        })
    }

    fn waits_for(&self, job: &Job) -> Option<&'static str> {
        let ours = job.id.datasite == *self.email();
        match job.status() {
            JobStatus::Received | JobStatus::Pending if ours => Some("your review: `syftbox job show`"),
            JobStatus::Approved if ours => Some("being run: `syftbox job process`"),
            JobStatus::Running if ours => Some("its end"),
            JobStatus::Received | JobStatus::Pending => Some("its owner's review"),
            JobStatus::Approved | JobStatus::Running => Some("its owner to run it"),
            JobStatus::Rejected | JobStatus::Done | JobStatus::Failed => None,
        }
    }
}

/// Why nothing is exchanged with a peer that it could be exchanged with otherwise.
fn why_skipped(state: PeerState) -> Option<&'static str> {
    match state {
        PeerState::Accepted => None,
        PeerState::RequestedByMe => Some("it has not accepted you yet"),
        PeerState::RequestedByPeer => Some("it asked; `syftbox peer approve` or `peer reject` answers"),
        PeerState::Rejected => Some("you rejected it"),
    }
}
