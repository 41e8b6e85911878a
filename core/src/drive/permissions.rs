//! Who may see and change a file.

use http::Method;
use serde::{Deserialize, Serialize};

use super::{BatchCall, Drive, DriveError, FileId, request::Call};
use crate::domain::Email;

/// More permissions than a file of ours ever has: one per peer.
const MAX_PERMISSIONS: usize = 10_000;

/// What somebody may do with a file, or with all in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// See it.
    Reader,
    /// See and change it, and put files into a folder.
    Writer,
}

/// Who gets a permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grantee {
    /// One account.
    User(Email),
    /// Everyone who knows the id.
    Anyone,
}

/// A permission that a file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    // Drive's id of it; safe in addresses as the ids of files are.
    id: FileId,
    /// Who has it.
    pub grantee: Grantee,
    /// What it allows. Commenters count as readers.
    pub role: Role,
}

impl Permission {
    pub(super) fn id(&self) -> &FileId {
        &self.id
    }
}

impl Grantee {
    pub(super) fn to_json(&self, role: Role) -> serde_json::Value {
        let role = match role {
            Role::Reader => "reader",
            Role::Writer => "writer",
        };
        match self {
            Self::User(email) => serde_json::json!({ "type": "user", "role": role, "emailAddress": email }),
            Self::Anyone => serde_json::json!({ "type": "anyone", "role": role }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PermissionPage {
    next_page_token: Option<String>,
    #[serde(default)]
    permissions: Vec<WirePermission>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePermission {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    role: String,
    email_address: Option<String>,
}

impl WirePermission {
    fn checked(self) -> Option<Permission> {
        let grantee = match self.kind.as_str() {
            "user" => Grantee::User(self.email_address?.parse().ok()?),
            "anyone" => Grantee::Anyone,
            _ => return None,
        };
        let role = match self.role.as_str() {
            "reader" | "commenter" => Role::Reader,
            "writer" => Role::Writer,
            _ => return None,
        };
        Some(Permission { id: self.id.parse().ok()?, grantee, role })
    }
}

impl Drive {
    /// Lets `grantee` read or write a file, or all in a folder. No mail is sent. Somebody who has a
    /// permission already gets this role instead.
    pub async fn share(&self, id: &FileId, grantee: Grantee, role: Role) -> Result<(), DriveError> {
        self.run(&BatchCall::Share { id: id.clone(), grantee, role }).await.map(drop)
    }

    /// Takes `grantee`'s permission on a file away; nothing happens when there is none.
    pub async fn unshare(&self, id: &FileId, grantee: &Grantee) -> Result<(), DriveError> {
        let permissions = self.permissions(id).await?;
        for permission in permissions.into_iter().filter(|permission| permission.grantee == *grantee) {
            self.run(&BatchCall::Unshare { id: id.clone(), permission }).await?;
        }
        Ok(())
    }

    /// The permissions of users and of anyone on a file; the owner's, groups' and domains' are left out.
    pub async fn permissions(&self, id: &FileId) -> Result<Vec<Permission>, DriveError> {
        let call =
            Call::new(Method::GET, self.url(&format!("/drive/v3/files/{id}/permissions")), id.as_str())
                .query("fields", "nextPageToken,permissions(id,type,role,emailAddress)")
                .query("pageSize", "100");
        let mut all = Vec::new();
        let mut page_call = call.clone();
        loop {
            let page: PermissionPage = self.json(&page_call).await?;
            all.extend(page.permissions.into_iter().filter_map(WirePermission::checked));
            if all.len() > MAX_PERMISSIONS {
                let what = format!("the list of permissions of {id}");
                return Err(DriveError::TooLarge { what, max: MAX_PERMISSIONS as u64 });
            }
            let Some(token) = page.next_page_token else { return Ok(all) };
            page_call = call.clone().query("pageToken", &token);
        }
    }
}
