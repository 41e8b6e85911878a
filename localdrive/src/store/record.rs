//! What is remembered of a file, a permission and a token.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use syftbox_core::domain::Email;

/// The media type of a folder.
pub(crate) const FOLDER: &str = "application/vnd.google-apps.folder";

/// Milliseconds since 1970, UTC: the precision of Drive's times.
pub(crate) type Millis = i64;

/// A file or folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) mime_type: String,
    pub(crate) owner: Email,
    /// The folder it is in. Only a My Drive has none.
    pub(crate) parent: Option<String>,
    /// Who has access besides the owner; what comes from the folders above isn't repeated here.
    pub(crate) permissions: Vec<PermissionRecord>,
    /// Set when it was put into the trash itself, not with a folder above it.
    pub(crate) trashed: Option<Trashed>,
    pub(crate) content: Option<Content>,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    pub(crate) modified_by: Email,
    /// When each account last changed it.
    pub(crate) modified_times: BTreeMap<Email, Millis>,
    pub(crate) viewed_times: BTreeMap<Email, Millis>,
    pub(crate) starred_by: BTreeSet<Email>,
    /// Grows with every change.
    pub(crate) version: u64,
    pub(crate) details: Details,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) app_properties: BTreeMap<String, String>,
}

/// What a client sets and gets back, without meaning for the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) original_filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder_color_rgb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) writers_can_share: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy_requires_writer_permission: Option<bool>,
}

/// When something was put into the trash, and by whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trashed {
    pub(crate) at: Millis,
    pub(crate) by: Email,
}

/// The bytes of a file: where they are and what they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// The stored body's id; a new one with every upload, so it is the revision too.
    pub(crate) body: String,
    /// Bytes.
    pub(crate) size: u64,
    /// Lower-case hex.
    pub(crate) md5: String,
    /// Lower-case hex.
    pub(crate) sha256: String,
    /// Whether the body lies in the metadata file rather than in a file of its own.
    pub(crate) inline: bool,
}

/// What a grant allows, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Role {
    Reader,
    Commenter,
    Writer,
    Owner,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Commenter => "commenter",
            Self::Writer => "writer",
            Self::Owner => "owner",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Reader, Self::Commenter, Self::Writer, Self::Owner]
            .into_iter()
            .find(|role| role.name() == name)
    }
}

/// Whom a permission is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Grantee {
    /// A person, or a group, which here is an address like any other.
    User {
        email: Email,
        group: bool,
    },
    Domain {
        domain: String,
        discoverable: bool,
    },
    Anyone {
        discoverable: bool,
    },
}

/// Access of somebody to a file and all below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PermissionRecord {
    pub(crate) id: String,
    pub(crate) grantee: Grantee,
    pub(crate) role: Role,
    pub(crate) granted: Millis,
    pub(crate) granted_by: Email,
    /// When it ends by itself.
    pub(crate) expires: Option<Millis>,
}

/// A token that the server gave out, for which the accounts file has no line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IssuedToken {
    pub(crate) account: Email,
    pub(crate) kind: TokenKind,
    /// A refresh token has no end.
    pub(crate) expires: Option<Millis>,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TokenKind {
    Access,
    Refresh,
}

impl FileRecord {
    pub(crate) fn is_folder(&self) -> bool {
        self.mime_type == FOLDER
    }

    pub(crate) fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    /// Bytes; nothing for folders.
    pub(crate) fn size(&self) -> u64 {
        self.content.as_ref().map_or(0, |content| content.size)
    }
}
