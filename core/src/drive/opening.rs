//! What a program asks a Drive first, in one request: whose it is, where its changes go on, and what
//! is there.

use bytes::Bytes;

use super::{
    Drive, DriveError, DriveFile, PageToken, Query,
    changes::StartPageToken,
    listing::{Found, Page},
    request::{Call, parse},
    retry::Attempts,
};
use crate::domain::Email;

/// What Drive said first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The account.
    pub account: Email,
    /// The present moment. What changes while the files are listed may be missing in them, and be
    /// before this.
    pub start: PageToken,
    /// The files that were asked for.
    pub files: Vec<DriveFile>,
}

impl Drive {
    /// Asks for account, moment and the files of `query` in one batch, and for further pages of the
    /// list where there are any.
    ///
    /// # Errors
    /// When Drive answers one of them with an error, after retries.
    pub async fn opening(&self, query: &Query) -> Result<Opening, DriveError> {
        let mut calls = vec![self.about_call(), self.start_page_token_call()];
        let texts = query.texts();
        calls.extend(texts.iter().map(|text| self.list_call(text)));
        let mut answers = self.all_answers(&calls).await?.into_iter().zip(&calls);
        let mut next = || {
            let missing = || DriveError::Malformed {
                url: self.url("/batch/drive/v3").to_string(),
                why: "a call of the batch has no answer".to_owned(),
            };
            answers.next().ok_or_else(missing)
        };
        let (account, call) = next()?;
        let account = Self::account_of(&account, call)?;
        let (start, call) = next()?;
        let start = parse::<StartPageToken>(&start, &call.url)?.into();
        let mut found = Found::default();
        for text in &texts {
            let (page, call) = next()?;
            let page: Page = parse(&page, &call.url)?;
            self.list_pages(query, text, Some(page), &mut found).await?;
        }
        Ok(Opening { account, start, files: found.files })
    }

    /// The answers to calls that only read, all of them, in one request.
    async fn all_answers(&self, calls: &[Call]) -> Result<Vec<Bytes>, DriveError> {
        let all: Vec<usize> = (0..calls.len()).collect();
        let mut attempts = Attempts::new(&self.platform);
        loop {
            let answers = match self.batch_once(&all, calls).await {
                Ok(answers) => answers.into_iter().collect(),
                // Every Drive has batches, so a server without them is none.
                Err(DriveError::NotFound { .. }) => Err(self.no_drive()),
                Err(error) => Err(error),
            };
            match answers {
                Ok(answers) => return Ok(answers),
                Err(error) => attempts.after(error).await?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use serde_json::json;

    use super::super::scripted::{Scene, Step, error, file, json as answer, response};
    use super::*;

    fn batch(parts: &[(u16, serde_json::Value)]) -> Step {
        let mut body = String::new();
        for (place, (status, json)) in parts.iter().enumerate() {
            let _ = write!(
                body,
                "--b\r\nContent-Type: application/http\r\nContent-ID: <response-{place}>\r\n\r\nHTTP/1.1 {status} Word\r\n\r\n{json}\r\n"
            );
        }
        Step::Answer(response(200, &[("content-type", "multipart/mixed; boundary=b")], body + "--b--\r\n"))
    }

    fn about() -> (u16, serde_json::Value) {
        (200, json!({"user": {"emailAddress": "me@x.org"}}))
    }

    #[tokio::test]
    async fn one_request_tells_all_and_is_made_again_when_a_part_fails() {
        let start = (200, json!({"startPageToken": "7"}));
        let scene = Scene::new([
            batch(&[about(), (503, json!({})), (200, json!({"files": []}))]),
            batch(&[
                about(),
                start,
                (200, json!({"files": [file("1", "SyftBox")], "nextPageToken": "more"})),
            ]),
            answer(200, &json!({"files": [file("1", "SyftBox"), file("2", "SyftBox"), file("3", "other")]})),
        ]);
        let opening = scene.drive.opening(&Query::new().name_is("SyftBox")).await.unwrap();
        assert_eq!(opening.account.as_str(), "me@x.org");
        assert_eq!(opening.files.len(), 2);
        assert_eq!(serde_json::to_value(&opening.start).unwrap(), "7");
        assert_eq!(scene.lines()[..2], ["POST /below/batch/drive/v3"; 2]);
        assert!(scene.seen()[2].uri().query().unwrap().ends_with("pageToken=more"));
    }

    #[tokio::test]
    async fn what_is_no_drive_is_told() {
        let scene = Scene::new([error(404, "notFound")]);
        let error = scene.drive.opening(&Query::new()).await.unwrap_err();
        assert!(matches!(error, DriveError::NotDrive { .. }), "{error}");
        let missing = (404, json!({"error": {"message": "m", "errors": [{"reason": "notFound"}]}}));
        let scene = Scene::new([batch(&[missing, (200, json!({})), (200, json!({}))])]);
        assert!(scene.drive.opening(&Query::new()).await.is_err());
    }
}
