//! What a sync did, and what it refused or passed over: nothing of that may go unseen.

use serde::Serialize;

use crate::domain::Email;

/// What changed in one sync.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// Proposals of peers that were taken from our inbox.
    pub proposals_received: usize,
    /// Changes of those proposals that were applied.
    pub changes_applied: usize,
    /// Jobs seen for the first time.
    pub jobs_received: usize,
    /// Files of our datasite that a new machine took from Drive.
    pub files_restored: usize,
    /// Events written to our event log.
    pub events_published: usize,
    /// Events that another machine of ours published, and that are in our datasite here now.
    pub events_followed: usize,
    /// Messages to peers that were merged with others.
    pub messages_merged: usize,
    /// Checkpoints of our datasite that were made.
    pub checkpoints_made: usize,
    /// Events of other datasites that were applied here.
    pub events_applied: usize,
    /// Collections of other datasites that were fetched.
    pub datasets_fetched: usize,
    /// Collections that are gone, whose local copies were dropped.
    pub datasets_dropped: usize,
    /// Peers whose state changed: requests and acceptances.
    pub peers_changed: usize,
    /// What was refused, one entry for each.
    pub refused: Vec<Refusal>,
    /// Peers that nothing was exchanged with.
    pub skipped_peers: Vec<SkippedPeer>,
}

/// One thing of a peer, or of ours, that was refused; the rest went on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Whose it was.
    pub peer: Email,
    /// What it was: a message, a path, a dataset.
    pub what: String,
    /// Why, and what to do.
    pub why: String,
}

/// A peer that was passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedPeer {
    /// Its address.
    pub peer: Email,
    /// Why, and what to do.
    pub why: String,
}

impl SyncReport {
    #[expect(clippy::needless_pass_by_value, reason = "names and errors are handed over, owned or not")]
    pub(crate) fn refuse(&mut self, peer: &Email, what: impl ToString, why: impl ToString) {
        self.refused.push(Refusal { peer: peer.clone(), what: what.to_string(), why: why.to_string() });
    }
}
