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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::{decode, encode};

    #[test]
    fn holds_binary_and_empty_files() {
        let file = |path: &str, content: &'static [u8]| CheckpointFile {
            path: path.parse().unwrap(),
            content: FileContent::from_bytes(bytes::Bytes::from_static(content)),
        };
        let files = vec![file("a", b""), file("b", b"\xff\xfe"), file("c", "é".as_bytes())];
        let checkpoint =
            Checkpoint::new("do@test.org".parse().unwrap(), files.clone(), None, Timestamp::EPOCH);
        let payload = encode(&checkpoint).unwrap();
        assert_eq!(decode::<Checkpoint>(&payload).unwrap().files.accepted, files);
        let json: Value = decode(&payload).unwrap();
        assert_eq!(json["files"][0]["content"], json!(""));
        assert_eq!(json["files"][1]["content_type"], json!("binary"));
        assert_eq!(json["files"][2].get("content_type"), None, "text is as the Python peers write it");
    }

    #[test]
    fn incremental_checkpoints_round_trip() {
        let json = json!({"version": 1, "timestamp": 1.5, "email": "do@test.org", "sequence_number": 3, "events": []});
        let checkpoint: IncrementalCheckpoint = serde_json::from_str(&json.to_string()).unwrap();
        let time = Timestamp::from_seconds(1.5).unwrap();
        assert_eq!(
            checkpoint,
            IncrementalCheckpoint::new("do@test.org".parse().unwrap(), 3, Vec::new(), time)
        );
        assert_eq!(serde_json::to_value(&checkpoint).unwrap(), json);
    }
}
