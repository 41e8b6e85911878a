//! A payload of a kind that isn't known beforehand, told by its fields.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    Checkpoint, EventsMessage, IncrementalCheckpoint, PayloadError, ProposalMessage, RollingState,
    payload::{parse, unpack},
};

/// A payload of any kind. As JSON it is what it holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum AnyPayload {
    /// A message of an inbox.
    Proposal(ProposalMessage),
    /// A message of an event log or an outbox.
    Events(EventsMessage),
    /// A rolling state.
    RollingState(RollingState),
    /// A full checkpoint.
    Checkpoint(Checkpoint),
    /// An incremental checkpoint.
    IncrementalCheckpoint(IncrementalCheckpoint),
}

/// The fields of which each kind has one of its own.
#[derive(Deserialize)]
struct Marks {
    proposed_file_changes: Option<IgnoredAny>,
    message_filepath: Option<IgnoredAny>,
    base_checkpoint_timestamp: Option<IgnoredAny>,
    sequence_number: Option<IgnoredAny>,
    files: Option<IgnoredAny>,
}

impl AnyPayload {
    /// Reads a payload, with the bounds of [`decode`](super::decode).
    ///
    /// # Errors
    /// See [`PayloadError`]; [`PayloadError::Shape`] also for a kind that there isn't.
    pub fn decode(payload: &[u8]) -> Result<Self, PayloadError> {
        let json = unpack(payload)?;
        let marks: Marks = parse(&json)?;
        if marks.proposed_file_changes.is_some() {
            parse(&json).map(Self::Proposal)
        } else if marks.message_filepath.is_some() {
            parse(&json).map(Self::Events)
        } else if marks.base_checkpoint_timestamp.is_some() {
            parse(&json).map(Self::RollingState)
        } else if marks.sequence_number.is_some() {
            parse(&json).map(Self::IncrementalCheckpoint)
        } else if marks.files.is_some() {
            parse(&json).map(Self::Checkpoint)
        } else {
            Err(PayloadError::Shape("it is no message, checkpoint or rolling state".to_owned()))
        }
    }
}
