//! Searching for files, over all pages of the answer.

use std::collections::BTreeSet;

use http::Method;
use serde::Deserialize;

use super::{Drive, DriveError, DriveFile, FileId, Query, file::FILE_FIELDS, request::Call};

/// The most files that one list gives; more would fill the memory.
const MAX_FILES: usize = 200_000;
/// Pages may be short, but a list that goes on and on without files is no list.
const MAX_PAGES: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    next_page_token: Option<String>,
    files: Vec<serde_json::Value>,
}

/// What a list found so far.
#[derive(Default)]
pub(super) struct Found {
    pub(super) files: Vec<DriveFile>,
    seen: BTreeSet<FileId>,
}

impl Drive {
    /// The files that `query` finds, each once, in no order. Drive's search lags behind writes by
    /// seconds; a file that Drive describes in an odd way is left out.
    pub async fn list(&self, query: &Query) -> Result<Vec<DriveFile>, DriveError> {
        let mut found = Found::default();
        for text in query.texts() {
            self.list_pages(query, &text, None, &mut found).await?;
        }
        Ok(found.files)
    }

    pub(super) fn list_call(&self, text: &str) -> Call {
        Call::new(Method::GET, self.url("/drive/v3/files"), "files")
            .query("q", text)
            .query("fields", &format!("nextPageToken,files({FILE_FIELDS})"))
            .query("pageSize", "1000")
            .query("spaces", "drive")
    }

    /// Adds what `text`, one of the texts of `query`, finds; `first` is the first page if it is there.
    pub(super) async fn list_pages(
        &self,
        query: &Query,
        text: &str,
        mut first: Option<Page>,
        found: &mut Found,
    ) -> Result<(), DriveError> {
        let call = self.list_call(text);
        let mut page_call = call.clone();
        for page_number in 1.. {
            let page = match first.take() {
                Some(page) => page,
                None => self.json(&page_call).await?,
            };
            for file in page.files.into_iter().filter_map(DriveFile::from_json) {
                if query.admits(&file) && found.seen.insert(file.id.clone()) {
                    found.files.push(file);
                }
            }
            if found.files.len() > MAX_FILES || page_number > MAX_PAGES {
                let what = format!("the list of files for {text}");
                return Err(DriveError::TooLarge { what, max: MAX_FILES as u64 });
            }
            let Some(token) = page.next_page_token else { break };
            page_call = call.clone().query("pageToken", &token);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scripted::{Scene, Step, file, id, json as answer};
    use super::*;

    #[tokio::test]
    async fn follows_pages_and_checks_what_comes() {
        let mut trashed = file("5", "inbox");
        trashed["trashed"] = true.into();
        let scene = Scene::new([
            answer(200, &json!({ "files": [file("1", "inbox"), { "odd": true }], "nextPageToken": "a b" })),
            answer(200, &json!({ "files": [], "nextPageToken": "c" })),
            Step::Lost,
            answer(
                200,
                &json!({ "files": [file("1", "inbox"), file("3", "inbox 2"), trashed, file("4", "inbox")] }),
            ),
        ]);
        let found = scene.drive.list(&Query::new().name_is("inbox")).await.unwrap();
        assert_eq!(found.iter().map(|file| file.id.as_str()).collect::<Vec<_>>(), ["1", "4"]);
        assert!(scene.seen()[1].uri().query().unwrap().ends_with("pageToken=a+b"));
    }

    #[tokio::test]
    async fn an_answer_without_files_is_not_an_empty_list() {
        let scene = Scene::new([answer(200, &json!({ "ok": true }))]);
        assert!(matches!(scene.drive.list(&Query::new()).await, Err(DriveError::Malformed { .. })));
        let scene = Scene::new([]);
        assert_eq!(scene.drive.list(&Query::new().in_any_parent(&[])).await.unwrap(), []);
        assert!(scene.drive.list(&Query::new().in_parent(&id("p"))).await.is_err());
    }
}
