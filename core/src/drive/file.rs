//! Files as Drive describes them, and their ids.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{DatasitePath, Email, Timestamp},
    platform::FileStore,
};

/// The MIME type that makes a file a folder.
pub(super) const FOLDER: &str = "application/vnd.google-apps.folder";

/// What is asked for of every file; [`DriveFile`] holds it.
pub(super) const FILE_FIELDS: &str = "id,name,mimeType,parents,owners(emailAddress),ownedByMe,size,modifiedTime,createdTime,md5Checksum,appProperties,trashed,version";

/// The id of a file: 1 to 128 letters, digits, `-` and `_`, so that it is safe in addresses and queries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileId(String);

/// A text that can't be the id of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a Drive file: it needs 1 to 128 letters, digits, - and _")]
pub struct FileIdError(String);

impl FileId {
    /// The longest id, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileId {
    type Err = FileIdError;

    fn from_str(text: &str) -> Result<Self, FileIdError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FileIdError(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for FileId {
    type Error = FileIdError;

    fn try_from(text: String) -> Result<Self, FileIdError> {
        text.parse()
    }
}

impl From<FileId> for String {
    fn from(id: FileId) -> Self {
        id.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file or folder on Drive, as this account sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriveFile {
    /// Its id.
    pub id: FileId,
    /// Its name; chosen by its owner and not unique.
    pub name: String,
    /// Its MIME type; see [`is_folder`](Self::is_folder).
    pub mime_type: String,
    /// The folders it is in, as far as this account may see them.
    pub parents: Vec<FileId>,
    /// Who made it; `None` when Drive doesn't tell or the address isn't one.
    pub owner: Option<Email>,
    /// Whether this account made it.
    pub owned_by_me: bool,
    /// The content's length in bytes; `None` for folders.
    pub size: Option<u64>,
    /// When name, content or place last changed.
    pub modified: Option<Timestamp>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The content's MD5 in hex; `None` for folders.
    pub md5: Option<String>,
    /// Properties that this program's OAuth client set.
    pub app_properties: BTreeMap<String, String>,
    /// Whether it is in the trash.
    pub trashed: bool,
    /// Grows with every change of the file.
    pub version: Option<u64>,
}

impl DriveFile {
    /// Changes whenever the content may have changed: for seeing that something read before is old.
    #[must_use]
    pub fn content_state(&self) -> String {
        match (&self.md5, self.modified) {
            (Some(md5), _) => md5.clone(),
            (None, Some(modified)) => modified.to_string(),
            (None, None) => self.version.map_or_else(String::new, |version| version.to_string()),
        }
    }

    /// Whether it is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.mime_type == FOLDER
    }

    /// Reads what Drive answers; `None` when it has no usable id or isn't an object.
    pub(crate) fn from_json(json: serde_json::Value) -> Option<Self> {
        let wire: WireFile = serde_json::from_value(json).ok()?;
        let id = wire.id.parse().ok()?;
        let owner = wire.owners.into_iter().find_map(|owner| owner.email_address?.parse().ok());
        Some(Self {
            id,
            name: wire.name,
            mime_type: wire.mime_type,
            parents: wire.parents.iter().filter_map(|parent| parent.parse().ok()).collect(),
            owner,
            owned_by_me: wire.owned_by_me,
            size: wire.size.and_then(|size| size.parse().ok()),
            modified: wire.modified_time.and_then(|time| Timestamp::from_iso(&time).ok()),
            created: wire.created_time.and_then(|time| Timestamp::from_iso(&time).ok()),
            md5: wire.md5_checksum,
            app_properties: wire.app_properties,
            trashed: wire.trashed,
            version: wire.version.and_then(|version| version.parse().ok()),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFile {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    owners: Vec<WireOwner>,
    #[serde(default)]
    owned_by_me: bool,
    size: Option<String>,
    modified_time: Option<String>,
    created_time: Option<String>,
    md5_checksum: Option<String>,
    #[serde(default)]
    app_properties: BTreeMap<String, String>,
    #[serde(default)]
    trashed: bool,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOwner {
    email_address: Option<String>,
}

/// A file or folder that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFile {
    /// From [`Drive::generate_ids`](super::Drive::generate_ids). It makes the call safe to repeat, so
    /// use it for this one file only.
    pub id: FileId,
    /// The name.
    pub name: String,
    /// The folder it goes to; `root` is My Drive (see [`my_drive`](Self::my_drive)).
    pub parent: FileId,
    /// Properties that only this program's OAuth client sees.
    #[serde(default)]
    pub app_properties: BTreeMap<String, String>,
}

impl NewFile {
    /// A file without properties.
    pub fn new(id: FileId, name: impl Into<String>, parent: FileId) -> Self {
        Self { id, name: name.into(), parent, app_properties: BTreeMap::new() }
    }

    /// The name under which Drive takes the account's My Drive as a parent.
    #[must_use]
    pub fn my_drive() -> FileId {
        FileId("root".to_owned())
    }

    /// What Drive is told of the file.
    pub(super) fn to_json(&self, mime_type: Option<&str>) -> serde_json::Value {
        let mut json = serde_json::json!({ "id": self.id, "name": self.name, "parents": [self.parent] });
        if let Some(mime_type) = mime_type {
            json["mimeType"] = mime_type.into();
        }
        if !self.app_properties.is_empty() {
            json["appProperties"] = serde_json::json!(self.app_properties);
        }
        json
    }
}

/// The bytes of a file that is to be uploaded.
#[derive(Clone)]
pub enum Content {
    /// In memory.
    Bytes(Bytes),
    /// In a local file, read in pieces.
    File {
        /// Where the file is kept.
        files: Arc<dyn FileStore>,
        /// Its path there.
        path: DatasitePath,
        /// Its length in bytes; a file that became shorter fails the upload, what was added later is not sent.
        len: u64,
    },
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_safe_in_addresses_and_queries() {
        for good in ["root", "1AbC-_9", &"x".repeat(128)] {
            assert!(good.parse::<FileId>().is_ok(), "{good}");
        }
        for bad in ["", "a/b", "a'b", "a b", "a?b", "é", &"x".repeat(129)] {
            assert!(bad.parse::<FileId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn takes_what_it_can_of_an_odd_file() {
        let file = DriveFile::from_json(json!({
            "id": "1a", "name": "n", "mimeType": FOLDER, "parents": ["p/../q", "good"],
            "owners": [{"emailAddress": "not an address"}], "ownedByMe": false, "size": "many",
            "modifiedTime": "2026-11-23T04:29:58.117Z", "version": "7", "unknown": {}
        }))
        .unwrap();
        assert!(file.is_folder());
        assert_eq!(file.parents, ["good".parse().unwrap()]);
        assert_eq!((file.owner.clone(), file.size, file.version), (None, None, Some(7)));
        assert!(file.modified.is_some());
        let kept = serde_json::to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<DriveFile>(&kept).unwrap(), file);

        assert_eq!(DriveFile::from_json(json!({"name": "no id"})), None);
        assert_eq!(DriveFile::from_json(json!({"id": "../x"})), None);
        assert_eq!(DriveFile::from_json(json!(["id"])), None);
    }
}
