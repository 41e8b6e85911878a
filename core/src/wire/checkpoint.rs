//! Checkpoints: what a new machine of a data owner starts from (wire section 6).

use serde::{Deserialize, Serialize};

use super::{
    content::{BINARY, FileContent},
    entries::{Entries, Entry, RefusedReason},
    event::Event,
    rolling_state::SHAPE_VERSION,
};
use crate::domain::{ContentHash, DatasitePath, Email, Timestamp};

/// All files of a datasite at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    version: u32,
    /// When it was made.
    pub timestamp: Timestamp,
    /// Whose datasite.
    pub email: Email,
    /// The time of the newest event in it; `None` when there was none.
    #[serde(default)]
    pub last_event_timestamp: Option<Timestamp>,
    /// The files.
    #[serde(default)]
    pub files: Entries<CheckpointFile>,
}

impl Checkpoint {
    /// A checkpoint of `files`.
    #[must_use]
    pub fn new(
        email: Email,
        files: Vec<CheckpointFile>,
        last_event_timestamp: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        Self { version: SHAPE_VERSION, timestamp: now, email, last_event_timestamp, files: files.into() }
    }
}

/// A run of events between two checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncrementalCheckpoint {
    version: u32,
    /// When it was made.
    pub timestamp: Timestamp,
    /// Whose datasite.
    pub email: Email,
    /// Its place in the order, from 1.
    pub sequence_number: u32,
    /// The events.
    #[serde(default)]
    pub events: Entries<Event>,
}

impl IncrementalCheckpoint {
    /// The incremental checkpoint number `sequence_number`.
    #[must_use]
    pub fn new(email: Email, sequence_number: u32, events: Vec<Event>, now: Timestamp) -> Self {
        Self { version: SHAPE_VERSION, timestamp: now, email, sequence_number, events: events.into() }
    }
}

/// A file in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFile {
    /// Where it is.
    pub path: DatasitePath,
    /// What it holds.
    pub content: FileContent,
}

/// A file as JSON has it. `content_type` is ours: the Python peers know text only and ignore it.
#[derive(Serialize, Deserialize)]
pub(super) struct FileShape {
    path: String,
    hash: String,
    content: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
}

impl Entry for CheckpointFile {
    type Shape = FileShape;

    fn from_shape(shape: FileShape) -> Result<Self, RefusedReason> {
        let path = shape.path.parse()?;
        // As with events: it must be a hash, but the content counts.
        shape.hash.parse::<ContentHash>()?;
        let content = FileContent::from_wire(shape.content, shape.content_type.as_deref())
            .ok_or(RefusedReason::NotBase64)?;
        Ok(Self { path, content })
    }

    fn to_shape(&self) -> FileShape {
        let (content, content_type) = self.content.to_wire();
        FileShape {
            path: self.path.to_string(),
            hash: self.content.hash().to_string(),
            content,
            content_type: (content_type == BINARY).then(|| content_type.to_owned()),
        }
    }
}
