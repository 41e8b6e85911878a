//! Searching for files, over all pages of the answer.

use std::collections::BTreeSet;

use http::Method;
use serde::Deserialize;

use super::{Drive, DriveError, DriveFile, Query, file::FILE_FIELDS, request::Call};

/// The most files that one list gives; more would fill the memory.
const MAX_FILES: usize = 200_000;
/// Pages may be short, but a list that goes on and on without files is no list.
const MAX_PAGES: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    next_page_token: Option<String>,
    files: Vec<serde_json::Value>,
}

impl Drive {
    /// The files that `query` finds, each once, in no order. Drive's search lags behind writes by
    /// seconds; a file that Drive describes in an odd way is left out.
    pub async fn list(&self, query: &Query) -> Result<Vec<DriveFile>, DriveError> {
        let mut files = Vec::new();
        let mut seen = BTreeSet::new();
        for text in query.texts() {
            let call = Call::new(Method::GET, self.url("/drive/v3/files"), "files")
                .query("q", &text)
                .query("fields", &format!("nextPageToken,files({FILE_FIELDS})"))
                .query("pageSize", "1000")
                .query("spaces", "drive");
            let mut page_call = call.clone();
            for page_number in 1.. {
                let page: Page = self.json(&page_call).await?;
                for file in page.files.into_iter().filter_map(DriveFile::from_json) {
                    if query.admits(&file) && seen.insert(file.id.clone()) {
                        files.push(file);
                    }
                }
                if files.len() > MAX_FILES || page_number > MAX_PAGES {
                    let what = format!("the list of files for {text}");
                    return Err(DriveError::TooLarge { what, max: MAX_FILES as u64 });
                }
                let Some(token) = page.next_page_token else { break };
                page_call = call.clone().query("pageToken", &token);
            }
        }
        Ok(files)
    }
}
