//! What changed on an account's Drive since a moment, across all folders, in one call.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Drive, DriveError, DriveFile, FileId, file::FILE_FIELDS, request::Call};

/// The most changes taken at once; a caller that is further behind lists anew.
const MAX_CHANGES: usize = 200_000;
/// Pages may be short, but not for ever.
const MAX_PAGES: usize = 10_000;

/// A moment in the history of an account's Drive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageToken(String);

/// What happened to a file since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub id: FileId,
    /// The file as it is now; `None` when it is gone or no longer shared with this account. A file
    /// in the trash is here, and says so.
    pub file: Option<DriveFile>,
}

impl Change {
    /// A file that was seen, as if the feed had told of it.
    #[must_use]
    pub fn seen(file: DriveFile) -> Self {
        Self { id: file.id.clone(), file: Some(file) }
    }
}

/// All that changed since a moment, each file once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The changes, in no order.
    pub changes: Vec<Change>,
    /// The moment up to which they go.
    pub next: PageToken,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartPageToken {
    start_page_token: String,
}

impl From<StartPageToken> for PageToken {
    fn from(token: StartPageToken) -> Self {
        Self(token.start_page_token)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    next_page_token: Option<String>,
    new_start_page_token: Option<String>,
    #[serde(default)]
    changes: Vec<WireChange>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireChange {
    file_id: Option<String>,
    #[serde(default)]
    removed: bool,
    file: Option<serde_json::Value>,
}

impl WireChange {
    /// `None` for changes of shared drives, and for files that Drive describes in an odd way.
    fn checked(self) -> Option<Change> {
        let id: FileId = self.file_id?.parse().ok()?;
        if self.removed {
            return Some(Change { id, file: None });
        }
        let file = DriveFile::from_json(self.file?)?;
        (file.id == id).then_some(Change { id, file: Some(file) })
    }
}

impl Drive {
    /// The present moment.
    pub async fn start_page_token(&self) -> Result<PageToken, DriveError> {
        Ok(self.json::<StartPageToken>(&self.start_page_token_call()).await?.into())
    }

    pub(super) fn start_page_token_call(&self) -> Call {
        Call::new(Method::GET, self.url("/drive/v3/changes/startPageToken"), "startPageToken")
    }

    /// What changed since `from`. It may lag behind writes by seconds, but loses nothing: what isn't
    /// in this answer is in the one from [`Changes::next`].
    ///
    /// # Errors
    /// [`DriveError::Refused`] or [`DriveError::NotFound`] for a moment that Drive no longer knows:
    /// take a new one and list.
    pub async fn changes(&self, from: &PageToken) -> Result<Changes, DriveError> {
        let fields = format!("nextPageToken,newStartPageToken,changes(fileId,removed,file({FILE_FIELDS}))");
        let call = Call::new(Method::GET, self.url("/drive/v3/changes"), "changes")
            .query("fields", &fields)
            .query("pageSize", "1000")
            .query("spaces", "drive")
            .query("includeRemoved", "true");
        let mut latest = BTreeMap::new();
        let mut token = from.0.clone();
        for _ in 0..MAX_PAGES {
            let page_call = call.clone().query("pageToken", &token);
            let page: Page = self.json(&page_call).await?;
            let changes = page.changes.into_iter().filter_map(WireChange::checked);
            latest.extend(changes.map(|change| (change.id, change.file)));
            if latest.len() > MAX_CHANGES {
                break;
            }
            match (page.next_page_token, page.new_start_page_token) {
                (Some(next), _) => token = next,
                (None, Some(next)) => {
                    let changes = latest.into_iter().map(|(id, file)| Change { id, file }).collect();
                    return Ok(Changes { changes, next: PageToken(next) });
                }
                (None, None) => {
                    let why = "the last page names no next moment".to_owned();
                    return Err(DriveError::Malformed { url: super::request::shown(&page_call.url), why });
                }
            }
        }
        Err(DriveError::TooLarge { what: "the list of changes".to_owned(), max: MAX_CHANGES as u64 })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scripted::{Scene, file, id, json as answer};
    use super::*;

    #[tokio::test]
    async fn the_last_word_on_each_file_counts() {
        let scene = Scene::new([
            answer(
                200,
                &json!({ "changes": [
                    { "fileId": "1", "removed": false, "file": file("1", "n") },
                    { "fileId": "2", "removed": false, "file": file("2", "n") },
                    { "changeType": "drive", "driveId": "x" },
                    { "fileId": "../3", "removed": true },
                ], "nextPageToken": "10" }),
            ),
            answer(
                200,
                &json!({ "changes": [{ "fileId": "1", "removed": true }], "newStartPageToken": "11" }),
            ),
        ]);
        let changes = scene.drive.changes(&PageToken("9".to_owned())).await.unwrap();
        assert_eq!(changes.next, PageToken("11".to_owned()));
        let told: Vec<_> = changes.changes.iter().map(|one| (one.id.clone(), one.file.is_some())).collect();
        assert_eq!(told, [(id("1"), false), (id("2"), true)]);
    }

    #[tokio::test]
    async fn an_answer_that_names_no_next_moment_loses_nothing() {
        let scene = Scene::new([answer(200, &json!({ "changes": [] }))]);
        let error = scene.drive.changes(&PageToken("9".to_owned())).await.unwrap_err();
        assert!(matches!(error, DriveError::Malformed { .. }), "{error}");
    }
}
