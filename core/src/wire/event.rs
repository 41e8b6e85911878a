//! Events: what changed in a datasite, told to everyone who may read it (wire section 4).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    content::FileContent,
    entries::{Entries, Entry, RefusedReason},
    names::MessageName,
    proposal::{ProposedChange, content_from_wire, hash_from_wire},
};
use crate::domain::{ContentHash, DatasitePath, Email, Timestamp};

/// A message in an event log or an outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventsMessage {
    /// What happened, in order.
    pub events: Entries<Event>,
    /// What its file is called.
    #[serde(with = "file_path")]
    pub message_filepath: MessageName,
}

/// One file that got another content, or went.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its own id: that of the accepted change, if there was one.
    pub id: Uuid,
    /// Which file.
    pub path: DatasitePath,
    /// Whose datasite.
    pub datasite: Email,
    /// The file's content from now on; `None` when it was deleted.
    pub content: Option<FileContent>,
    /// The content's hash; `None` for a deletion. Always computed, never taken from the peer.
    new_hash: Option<ContentHash>,
    /// What was there before; `None` when no file was.
    pub old_hash: Option<ContentHash>,
    /// When the change was proposed or made.
    pub submitted_at: Timestamp,
    /// When it took effect.
    pub timestamp: Timestamp,
}

impl Event {
    /// The event that `change` becomes when it takes effect at `timestamp`.
    #[must_use]
    pub fn from_change(change: ProposedChange, timestamp: Timestamp) -> Self {
        Self {
            id: change.id,
            new_hash: change.new_hash(),
            path: change.path,
            datasite: change.datasite,
            content: change.content,
            old_hash: change.old_hash,
            submitted_at: change.submitted_at,
            timestamp,
        }
    }

    /// The hash of the content; `None` for a deletion.
    #[must_use]
    pub fn new_hash(&self) -> Option<ContentHash> {
        self.new_hash
    }
}

/// An event as JSON has it.
#[derive(Serialize, Deserialize)]
pub(super) struct EventShape {
    id: Uuid,
    path_in_datasite: String,
    datasite_email: String,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    old_hash: Option<String>,
    #[serde(default)]
    new_hash: Option<String>,
    #[serde(default)]
    is_deleted: bool,
    submitted_timestamp: f64,
    timestamp: f64,
    #[serde(default)]
    content_type: Option<String>,
}

impl Entry for Event {
    type Shape = EventShape;

    fn from_shape(shape: EventShape) -> Result<Self, RefusedReason> {
        let path = shape.path_in_datasite.parse()?;
        let content = content_from_wire(shape.content, shape.content_type.as_deref(), shape.is_deleted)?;
        // A Python peer may have handed on a wrong hash; the content counts. But it must be a hash.
        hash_from_wire(shape.new_hash.as_deref())?;
        Ok(Self {
            id: shape.id,
            path,
            datasite: shape.datasite_email.parse()?,
            new_hash: content.as_ref().map(FileContent::hash),
            content,
            old_hash: hash_from_wire(shape.old_hash.as_deref())?,
            submitted_at: Timestamp::from_seconds(shape.submitted_timestamp)?,
            timestamp: Timestamp::from_seconds(shape.timestamp)?,
        })
    }

    fn to_shape(&self) -> EventShape {
        let (content, content_type) = self.content.as_ref().map(FileContent::to_wire).unzip();
        EventShape {
            id: self.id,
            path_in_datasite: self.path.to_string(),
            datasite_email: self.datasite.to_string(),
            content,
            old_hash: self.old_hash.map(String::from),
            new_hash: self.new_hash.map(String::from),
            is_deleted: self.content.is_none(),
            submitted_timestamp: self.submitted_at.seconds(),
            timestamp: self.timestamp.seconds(),
            content_type: content_type.map(str::to_owned),
        }
    }
}

/// `message_filepath`: the parts of the file's name.
mod file_path {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use uuid::Uuid;

    use super::super::names::{MessageName, PAYLOAD_EXTENSION};
    use crate::domain::Timestamp;

    #[derive(Serialize)]
    struct Written {
        id: Uuid,
        timestamp: Timestamp,
        extension: &'static str,
    }

    #[derive(Deserialize)]
    struct Read {
        id: Uuid,
        timestamp: Timestamp,
    }

    pub(super) fn serialize<S: Serializer>(name: &MessageName, serializer: S) -> Result<S::Ok, S::Error> {
        Written { id: name.uuid, timestamp: name.timestamp, extension: PAYLOAD_EXTENSION }
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MessageName, D::Error> {
        let read = Read::deserialize(deserializer)?;
        Ok(MessageName { timestamp: read.timestamp, uuid: read.id })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_content_counts_not_the_hash_that_came_with_it() {
        let event = |new_hash: &str| {
            let json = json!([{
                "id": "4f720d34-e156-4374-b564-bde570a4ce60",
                "path_in_datasite": "a",
                "datasite_email": "do@test.org",
                "content": "/wA=",
                "content_type": "binary",
                "new_hash": new_hash,
                "submitted_timestamp": 1.0,
                "timestamp": 2.0,
            }]);
            serde_json::from_str::<Entries<Event>>(&json.to_string()).unwrap()
        };
        let events = event(&"0".repeat(64));
        assert_eq!(events.accepted[0].new_hash(), Some(ContentHash::of(b"\xff\x00")));
        assert_eq!(event("none").refused.len(), 1);
    }

    #[test]
    fn an_accepted_change_becomes_an_event() {
        let time = Timestamp::from_seconds(1.0).unwrap();
        let later = Timestamp::from_seconds(2.0).unwrap();
        let change = ProposedChange::new(
            Uuid::nil(),
            "do@test.org".parse().unwrap(),
            "a".parse().unwrap(),
            Some("x".into()),
            Some(ContentHash::of(b"old")),
            time,
        );
        let event = Event::from_change(change.clone(), later);
        assert_eq!((event.new_hash(), event.old_hash), (change.new_hash(), change.old_hash));
        assert_eq!((event.submitted_at, event.timestamp), (time, later));
    }
}
