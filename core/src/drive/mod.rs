//! The client of Google Drive v3, or of a server that stands in for it (wire section 10).
//!
//! Every call is retried where that is safe and can help, has time limits, and reads bounded
//! answers. New files get ids that were generated before, so that a lost answer never makes a file
//! twice.

mod batch;
mod changes;
mod download;
mod error;
mod file;
mod listing;
mod opening;
mod operation;
mod permissions;
mod query;
mod request;
mod retry;
#[cfg(test)]
pub(crate) mod scripted;
mod upload;

use std::{collections::BTreeMap, sync::Arc};

use http::Method;
use serde::Deserialize;
use url::Url;

pub use self::{
    changes::{Change, Changes, PageToken},
    error::DriveError,
    file::{Content, DriveFile, FileId, FileIdError, NewFile},
    opening::Opening,
    operation::BatchCall,
    permissions::{Grantee, Permission, Role},
    query::Query,
};
use self::{file::FILE_FIELDS, operation::file_of, request::Call};
use crate::{domain::Email, platform::Platform, tokens::TokenSource};

/// The root of Google's own Drive.
pub const GOOGLE_ROOT: &str = "https://www.googleapis.com/";

/// Ids that Drive generates in one call.
const IDS_PER_CALL: usize = 1000;

/// One account's Drive. Cheap to clone.
#[derive(Clone)]
pub struct Drive {
    platform: Platform,
    root: Url,
    tokens: Arc<dyn TokenSource>,
}

#[derive(Deserialize)]
struct About {
    user: AboutUser,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AboutUser {
    email_address: Email,
}

#[derive(Deserialize)]
struct GeneratedIds {
    ids: Vec<FileId>,
}

impl Drive {
    /// The Drive below `root` ([`GOOGLE_ROOT`], mostly) of the account that `tokens` are for.
    pub fn new(platform: &Platform, root: &Url, tokens: Arc<dyn TokenSource>) -> Self {
        Self { platform: platform.clone(), root: root.clone(), tokens }
    }

    /// The account's address.
    pub async fn about(&self) -> Result<Email, DriveError> {
        let call = self.about_call();
        match self.bytes(&call).await {
            Ok(about) => Self::account_of(&about, &call),
            // Every account has this, so a server without it is another one.
            Err(DriveError::NotFound { .. }) => Err(self.no_drive()),
            Err(error) => Err(error),
        }
    }

    fn about_call(&self) -> Call {
        Call::new(Method::GET, self.url("/drive/v3/about"), "about").query("fields", "user(emailAddress)")
    }

    fn account_of(about: &[u8], call: &Call) -> Result<Email, DriveError> {
        request::parse::<About>(about, &call.url).map(|about| about.user.email_address)
    }

    fn no_drive(&self) -> DriveError {
        let url = self.url("/drive/v3/about").to_string();
        DriveError::NotDrive { url, why: "it knows nothing of the account".to_owned() }
    }

    /// `count` ids for new files.
    pub async fn generate_ids(&self, count: usize) -> Result<Vec<FileId>, DriveError> {
        let mut ids = Vec::new();
        while ids.len() < count {
            let wanted = (count - ids.len()).min(IDS_PER_CALL);
            let call = Call::new(Method::GET, self.url("/drive/v3/files/generateIds"), "generateIds")
                .query("count", &wanted.to_string())
                .query("space", "drive")
                .query("fields", "ids");
            let generated: GeneratedIds = self.json(&call).await?;
            if generated.ids.len() != wanted {
                let why = format!("{} ids instead of {wanted}", generated.ids.len());
                return Err(DriveError::Malformed { url: request::shown(&call.url), why });
            }
            ids.extend(generated.ids);
        }
        Ok(ids)
    }

    /// What is known of a file; `None` when it isn't there or this account may not see it. Unlike a
    /// search, it sees all writes before it.
    pub async fn get(&self, id: &FileId) -> Result<Option<DriveFile>, DriveError> {
        let call = BatchCall::Get(id.clone()).call(self);
        match self.bytes(&call).await {
            Ok(body) => file_of(&body, &call).map(Some),
            Err(DriveError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a folder. Repeating it with the same id gives the folder that is there.
    pub async fn create_folder(&self, new: NewFile) -> Result<DriveFile, DriveError> {
        let id = new.id.clone();
        let made = self.run(&BatchCall::CreateFolder(new)).await?;
        made.ok_or_else(|| DriveError::NotFound { id: id.into() })
    }

    /// Takes a file out of the folder `from` into `to`.
    pub async fn move_to(&self, id: &FileId, from: &FileId, to: &FileId) -> Result<(), DriveError> {
        let call = BatchCall::Move { id: id.clone(), from: from.clone(), to: to.clone() };
        self.run(&call).await.map(drop)
    }

    /// Renames a file and adds to its app properties; `None` and an empty map change nothing.
    pub async fn describe(
        &self,
        id: &FileId,
        name: Option<&str>,
        app_properties: &BTreeMap<String, String>,
    ) -> Result<DriveFile, DriveError> {
        let mut json = serde_json::json!({});
        if let Some(name) = name {
            json["name"] = name.into();
        }
        if !app_properties.is_empty() {
            json["appProperties"] = serde_json::json!(app_properties);
        }
        let call = Call::new(Method::PATCH, self.url(&format!("/drive/v3/files/{id}")), id.as_str())
            .query("fields", FILE_FIELDS)
            .json(&json);
        file_of(&self.bytes(&call).await?, &call)
    }

    /// Moves a file to the trash; nothing happens when it isn't there. Only its owner may.
    pub async fn trash(&self, id: &FileId) -> Result<(), DriveError> {
        self.run(&BatchCall::Trash(id.clone())).await.map(drop)
    }

    /// Deletes a file for good, a folder with all in it; nothing happens when it isn't there. Only
    /// its owner may.
    pub async fn delete(&self, id: &FileId) -> Result<(), DriveError> {
        self.run(&BatchCall::Delete(id.clone())).await.map(drop)
    }
}
