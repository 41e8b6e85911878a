//! Proposals: what a data scientist asks a datasite to change (wire section 4).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    content::FileContent,
    entries::{Entries, Entry, RefusedReason},
    names::MessageName,
};
use crate::domain::{ContentHash, DatasitePath, Email, Timestamp};

/// A message in an inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProposalMessage {
    /// Its own id.
    pub id: Uuid,
    /// Whom the message says it is from. Never trusted: the sender is the owner of the inbox folder.
    pub sender_email: Email,
    /// What its file is called.
    #[serde(with = "file_name")]
    pub message_filename: MessageName,
    /// What it proposes, in order.
    pub proposed_file_changes: Entries<ProposedChange>,
}

/// One file that is to get another content, or go.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedChange {
    /// Its own id, which becomes the event's when it is accepted.
    pub id: Uuid,
    /// Which file.
    pub path: DatasitePath,
    /// Whose datasite.
    pub datasite: Email,
    /// The file's new content; `None` deletes it.
    pub content: Option<FileContent>,
    /// The content's hash; `None` for a deletion. [`ProposedChange::new`] computes it, and a change
    /// that says another one is refused.
    new_hash: Option<ContentHash>,
    /// What the proposer last saw there; `None` when it saw no file.
    pub old_hash: Option<ContentHash>,
    /// When it was proposed.
    pub submitted_at: Timestamp,
}

impl ProposedChange {
    /// A change of `path` in `datasite` to `content`, or its deletion.
    #[must_use]
    pub fn new(
        id: Uuid,
        datasite: Email,
        path: DatasitePath,
        content: Option<FileContent>,
        old_hash: Option<ContentHash>,
        submitted_at: Timestamp,
    ) -> Self {
        let new_hash = content.as_ref().map(FileContent::hash);
        Self { id, path, datasite, content, new_hash, old_hash, submitted_at }
    }

    /// The hash of the new content; `None` for a deletion.
    #[must_use]
    pub fn new_hash(&self) -> Option<ContentHash> {
        self.new_hash
    }
}

/// A change as JSON has it.
#[derive(Serialize, Deserialize)]
pub(super) struct ChangeShape {
    id: Uuid,
    #[serde(default)]
    old_hash: Option<String>,
    #[serde(default)]
    new_hash: Option<String>,
    submitted_timestamp: f64,
    path_in_datasite: String,
    #[serde(default)]
    content: Option<String>,
    datasite_email: String,
    #[serde(default)]
    is_deleted: bool,
    #[serde(default)]
    content_type: Option<String>,
}

impl Entry for ProposedChange {
    type Shape = ChangeShape;

    fn from_shape(shape: ChangeShape) -> Result<Self, RefusedReason> {
        let path = shape.path_in_datasite.parse()?;
        let content = content_from_wire(shape.content, shape.content_type.as_deref(), shape.is_deleted)?;
        let said: Option<ContentHash> = hash_from_wire(shape.new_hash.as_deref())?;
        let change = Self::new(
            shape.id,
            shape.datasite_email.parse()?,
            path,
            content,
            hash_from_wire(shape.old_hash.as_deref())?,
            Timestamp::from_seconds(shape.submitted_timestamp)?,
        );
        // A Python peer lets the proposer say any hash, and then hands it on to everyone.
        match said {
            Some(said) if change.new_hash.is_some_and(|hash| hash != said) => Err(RefusedReason::OtherHash),
            _ => Ok(change),
        }
    }

    fn to_shape(&self) -> ChangeShape {
        let (content, content_type) = self.content.as_ref().map(FileContent::to_wire).unzip();
        ChangeShape {
            id: self.id,
            old_hash: self.old_hash.map(String::from),
            new_hash: self.new_hash.map(String::from),
            submitted_timestamp: self.submitted_at.seconds(),
            path_in_datasite: self.path.to_string(),
            content,
            datasite_email: self.datasite.to_string(),
            is_deleted: self.content.is_none(),
            content_type: content_type.map(str::to_owned),
        }
    }
}

/// A missing content deletes, also where the Python peers forget to say `is_deleted`.
pub(super) fn content_from_wire(
    content: Option<String>,
    content_type: Option<&str>,
    is_deleted: bool,
) -> Result<Option<FileContent>, RefusedReason> {
    match content {
        Some(content) if !is_deleted => {
            FileContent::from_wire(content, content_type).map(Some).ok_or(RefusedReason::NotBase64)
        }
        _ => Ok(None),
    }
}

pub(super) fn hash_from_wire(hash: Option<&str>) -> Result<Option<ContentHash>, RefusedReason> {
    Ok(hash.map(str::parse).transpose()?)
}

/// `message_filename`: the parts of the file's name.
mod file_name {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use uuid::Uuid;

    use super::super::names::MessageName;
    use crate::domain::Timestamp;

    #[derive(Serialize, Deserialize)]
    struct Shape {
        submitted_timestamp: Timestamp,
        uid: Uuid,
    }

    pub(super) fn serialize<S: Serializer>(name: &MessageName, serializer: S) -> Result<S::Ok, S::Error> {
        Shape { submitted_timestamp: name.timestamp, uid: name.uuid }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MessageName, D::Error> {
        let shape = Shape::deserialize(deserializer)?;
        Ok(MessageName { timestamp: shape.submitted_timestamp, uuid: shape.uid })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::Refused;

    fn change(path: &str, other: &Value) -> Value {
        let mut change = json!({
            "id": "4f720d34-e156-4374-b564-bde570a4ce60",
            "old_hash": null,
            "new_hash": ContentHash::of(b"hello").to_string(),
            "submitted_timestamp": 1_795_408_191.923_859_4,
            "path_in_datasite": path,
            "content": "hello",
            "datasite_email": "do@test.org",
            "is_deleted": false,
            "content_type": "text",
        });
        for (key, value) in other.as_object().unwrap() {
            change[key] = value.clone();
        }
        change
    }

    fn message(changes: &[Value]) -> ProposalMessage {
        let json = json!({
            "id": "4aa345d5-e627-494d-b178-0f59ab27a395",
            "sender_email": "ds@test.org",
            "message_filename": {"submitted_timestamp": 1.5, "uid": "235c0c7f-382e-494a-ae14-22335c8a3e66"},
            "proposed_file_changes": changes,
            "of_a_later_version": {"x": 1},
        });
        serde_json::from_str(&json.to_string()).unwrap()
    }

    fn refused(change: Value) -> Refused {
        let changes = message(&[self::change("good", &json!({})), change]).proposed_file_changes;
        assert_eq!(changes.accepted.len(), 1, "the others go on");
        assert_eq!(changes.accepted[0].path.as_str(), "good");
        changes.refused.into_iter().next().unwrap()
    }

    #[test]
    fn one_bad_change_is_refused_and_the_others_go_on() {
        for path in ["../x", "/x", "a/../../x", "a\\b", "", "a//b"] {
            let refused = refused(change(path, &json!({})));
            assert!(matches!(refused.reason, RefusedReason::Path(_)), "{refused}");
            assert_eq!(refused.path.as_deref(), Some(path));
            assert!(refused.to_string().contains(&format!("{path:?} is refused")), "{refused}");
        }
        let reason = |other: Value| refused(change("x", &other)).reason;
        assert!(matches!(reason(json!({"old_hash": "beef"})), RefusedReason::Hash(_)));
        assert!(matches!(reason(json!({"new_hash": "beef"})), RefusedReason::Hash(_)));
        assert_eq!(reason(json!({"new_hash": "0".repeat(64)})), RefusedReason::OtherHash);
        assert_eq!(reason(json!({"content_type": "binary"})), RefusedReason::NotBase64);
        assert!(matches!(reason(json!({"datasite_email": "nobody"})), RefusedReason::Datasite(_)));
        assert!(matches!(reason(json!({"submitted_timestamp": -1})), RefusedReason::Time(_)));
        assert!(matches!(reason(json!({"id": 7})), RefusedReason::Shape(_)));
        assert!(matches!(reason(json!({"content": ["x"]})), RefusedReason::Shape(_)));
        assert_eq!(refused(json!([1])).path, None);
        assert!(refused(json!(null)).to_string().contains("without a path"));
        let long = refused(change(&"../".repeat(10_000), &json!({}))).to_string();
        assert!(long.len() < 500, "{long}");
    }

    #[test]
    fn no_content_is_a_deletion() {
        for deletion in [
            json!({"content": null, "content_type": null, "new_hash": null, "is_deleted": true}),
            json!({"content": null, "content_type": null, "new_hash": null}),
            json!({"is_deleted": true}),
        ] {
            let changes = message(&[change("x", &deletion)]).proposed_file_changes;
            assert_eq!((&changes.accepted[0].content, changes.accepted[0].new_hash()), (&None, None));
            let written = serde_json::to_value(&changes).unwrap();
            assert_eq!((&written[0]["is_deleted"], &written[0]["content"]), (&json!(true), &json!(null)));
        }
    }

    #[test]
    fn a_hash_that_is_not_said_is_computed() {
        let changes = message(&[change("x", &json!({"new_hash": null}))]).proposed_file_changes;
        assert_eq!(changes.accepted[0].new_hash(), Some(ContentHash::of(b"hello")));
    }

    #[test]
    fn a_list_is_bounded() {
        let json = format!("[{}null]", "null,".repeat(crate::wire::MAX_ENTRIES));
        let error = serde_json::from_str::<Entries<ProposedChange>>(&json).unwrap_err();
        assert!(error.to_string().contains("more than 100000 entries"), "{error}");
    }
}
