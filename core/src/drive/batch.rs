//! Many small calls in one request: `multipart/mixed`, each part a request or an answer of its own
//! (wire section 10).

use std::fmt::Write;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::{
    BatchCall, Drive, DriveError, DriveFile,
    request::{Call, MAX_JSON, refusal, shown},
    retry::Attempts,
};
use crate::platform::uuid;

/// Calls that Drive takes in one request.
const MAX_CALLS: usize = 100;

/// The answer to one call of a batch.
struct Part {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Drive {
    /// Carries out `calls`, in any order, and gives their results in the order of `calls`: the file,
    /// or `None` where the call tells of none. Only calls that may succeed later are retried.
    ///
    /// # Errors
    /// When not even one call could be carried out.
    pub async fn batch(
        &self,
        calls: Vec<BatchCall>,
    ) -> Result<Vec<Result<Option<DriveFile>, DriveError>>, DriveError> {
        let mut results = Vec::with_capacity(calls.len());
        for chunk in calls.chunks(MAX_CALLS) {
            if let [only] = chunk {
                results.push(self.run(only).await);
                continue;
            }
            match self.batch_chunk(chunk).await {
                Ok(settled) => results.extend(settled),
                Err(error) if results.iter().all(Result::is_err) => return Err(error),
                Err(error) => results.extend(chunk.iter().map(|_| Err(error.clone()))),
            }
        }
        Ok(results)
    }

    async fn batch_chunk(
        &self,
        whats: &[BatchCall],
    ) -> Result<Vec<Result<Option<DriveFile>, DriveError>>, DriveError> {
        let calls: Vec<Call> = whats.iter().map(|what| what.call(self)).collect();
        let mut settled: Vec<Option<Result<_, DriveError>>> = whats.iter().map(|_| None).collect();
        let mut attempts = Attempts::new(&self.platform);
        loop {
            let open: Vec<usize> = (0..calls.len())
                .filter(|&n| matches!(&settled[n], None | Some(Err(_)) if may_go_on(settled[n].as_ref())))
                .collect();
            if open.is_empty() {
                return Ok(settled.into_iter().flatten().collect());
            }
            let failure = match self.batch_once(&open, &calls).await {
                Ok(answers) => {
                    for (&n, answer) in open.iter().zip(answers) {
                        let answer = answer.as_ref().map(|body| &body[..]).map_err(Clone::clone);
                        settled[n] = Some(self.settle(&whats[n], &calls[n], answer).await);
                    }
                    worst(&settled)
                }
                Err(error) => Some(error),
            };
            let Some(failure) = failure else { continue };
            if let Err(last) = attempts.after(failure).await {
                if settled.iter().all(Option::is_none) {
                    return Err(last);
                }
                return Ok(settled.into_iter().map(|one| one.unwrap_or_else(|| Err(last.clone()))).collect());
            }
        }
    }

    /// Sends the calls `open` in one request; the answers come in their order.
    pub(super) async fn batch_once(
        &self,
        open: &[usize],
        calls: &[Call],
    ) -> Result<Vec<Result<Bytes, DriveError>>, DriveError> {
        let request = self.batch_request(open, calls);
        let mut answer = self.send_once(&request).await?;
        let body = answer.body.read(&*self.platform.clock, MAX_JSON).await?;
        let odd = |why: &str| DriveError::NotDrive { url: shown(&request.url), why: why.to_owned() };
        let boundary =
            boundary(&answer.headers).ok_or_else(|| odd("its answer to a batch has no boundary"))?;
        let mut parts = split(&body, &boundary, open.len());
        Ok(open
            .iter()
            .enumerate()
            .map(|(place, &n)| match parts.get_mut(place).and_then(Option::take) {
                Some(part) if part.status.is_success() => Ok(part.body),
                Some(part) => {
                    Err(refusal(part.status, &part.headers, &part.body, &calls[n], &*self.platform.clock))
                }
                None => Err(DriveError::Interrupted {
                    url: shown(&request.url),
                    cause: "a call of a batch has no answer".to_owned(),
                }),
            })
            .collect())
    }

    fn batch_request(&self, open: &[usize], calls: &[Call]) -> Call {
        let boundary = uuid(&*self.platform.random).simple().to_string();
        let mut body = String::new();
        for (place, &n) in open.iter().enumerate() {
            let Call { method, url, body: content, .. } = &calls[n];
            let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
            // Writing to a string can't fail.
            let _ = write!(
                body,
                "--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <{place}>\r\n\r\n{method} {target} HTTP/1.1\r\n"
            );
            if content.is_empty() {
                body.push_str("\r\n\r\n");
            } else {
                let content = String::from_utf8_lossy(content);
                let _ = write!(
                    body,
                    "Content-Type: application/json; charset=UTF-8\r\nContent-Length: {}\r\n\r\n{content}\r\n",
                    content.len()
                );
            }
        }
        let _ = write!(body, "--{boundary}--\r\n");
        let content_type = HeaderValue::from_str(&format!("multipart/mixed; boundary={boundary}"))
            .unwrap_or(HeaderValue::from_static("multipart/mixed"));
        Call::new(Method::POST, self.url("/batch/drive/v3"), "batch").body(body.into(), content_type)
    }
}

fn may_go_on(settled: Option<&Result<Option<DriveFile>, DriveError>>) -> bool {
    settled.is_none_or(|result| result.as_ref().is_err_and(DriveError::may_retry))
}

/// The error among those to retry that wants to be left alone the longest.
fn worst(settled: &[Option<Result<Option<DriveFile>, DriveError>>]) -> Option<DriveError> {
    let errors = settled.iter().flatten().filter_map(|result| result.as_ref().err());
    errors.filter(|error| error.may_retry()).max_by_key(|error| error.retry_after()).cloned()
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let boundary = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    (!boundary.is_empty()).then(|| boundary.to_owned())
}

/// The answers by the place of their call. An answer names it as `Content-ID: <response-PLACE>`; one
/// that doesn't is taken for the call at its own place.
fn split(body: &Bytes, boundary: &str, calls: usize) -> Vec<Option<Part>> {
    let mut parts: Vec<Option<Part>> = (0..calls).map(|_| None).collect();
    let delimiter = format!("--{boundary}");
    for (own_place, range) in sections(body, delimiter.as_bytes()).into_iter().enumerate() {
        let Some((outer, inner)) = head(&body.slice(range)) else { continue };
        let id = outer.get("content-id").and_then(|id| id.to_str().ok());
        let named = id.and_then(|id| id.trim_matches(['<', '>']).strip_prefix("response-")?.parse().ok());
        if let Some(slot) = parts.get_mut(named.unwrap_or(own_place)) {
            *slot = part(&inner);
        }
    }
    parts
}

/// Where each part lies between two delimiters. The text after the last is none.
fn sections(body: &[u8], delimiter: &[u8]) -> Vec<std::ops::Range<usize>> {
    let starts: Vec<usize> = (0..body.len().saturating_sub(delimiter.len() - 1))
        .filter(|&at| body[at..].starts_with(delimiter) && (at == 0 || body[at - 1] == b'\n'))
        .collect();
    starts.windows(2).map(|pair| pair[0] + delimiter.len()..pair[1]).collect()
}

/// An answer with its status line.
fn part(inner: &Bytes) -> Option<Part> {
    let end = inner.iter().position(|&byte| byte == b'\n')?;
    let status_line = std::str::from_utf8(&inner[..end]).ok()?;
    let status = status_line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let (headers, body) = head(&inner.slice(end..))?;
    Some(Part { status, headers, body })
}

/// Takes the header lines up to the empty line off, with the rest of the line before them.
fn head(text: &Bytes) -> Option<(HeaderMap, Bytes)> {
    let mut at = text.iter().position(|&byte| byte == b'\n')? + 1;
    let mut headers = HeaderMap::new();
    loop {
        let Some(length) = text[at..].iter().position(|&byte| byte == b'\n') else {
            return Some((headers, Bytes::new()));
        };
        let line = text[at..at + length].trim_ascii();
        at += length + 1;
        if line.is_empty() {
            return Some((headers, text.slice(at..)));
        }
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::scripted::{Scene, Step, file, id, json as answer, response};
    use super::*;

    /// An answer as Google writes it.
    fn batch(parts: &[(usize, u16, serde_json::Value)]) -> Step {
        let mut body = String::new();
        for (place, status, json) in parts {
            let _ = write!(
                body,
                "--batch_x\r\nContent-Type: application/http\r\nContent-ID: <response-{place}>\r\n\r\nHTTP/1.1 {status} Some Words\r\nContent-Type: application/json\r\n\r\n{json}\r\n"
            );
        }
        body.push_str("--batch_x--\r\n");
        Step::Answer(response(200, &[("content-type", "multipart/mixed; boundary=batch_x")], body))
    }

    fn failure(reason: &str) -> serde_json::Value {
        json!({ "error": { "message": "m", "errors": [{ "reason": reason }] } })
    }

    fn calls(ids: &[&str]) -> Vec<BatchCall> {
        ids.iter().map(|one| BatchCall::Get(id(one))).collect()
    }

    #[tokio::test]
    async fn only_what_may_succeed_is_sent_again() {
        let scene = Scene::new([
            batch(&[
                (2, 403, failure("userRateLimitExceeded")),
                (0, 200, file("a", "n")),
                (1, 403, failure("insufficientFilePermissions")),
                (4, 404, failure("notFound")),
            ]),
            batch(&[(1, 200, file("d", "n")), (0, 200, file("c", "n"))]),
        ]);
        let results = scene.drive.batch(calls(&["a", "b", "c", "d", "e"])).await.unwrap();
        let ids: Vec<_> = results
            .iter()
            .map(|one| one.as_ref().map(|file| file.as_ref().map(|file| file.id.to_string())))
            .collect();
        assert_eq!(ids[0].as_ref().unwrap().as_deref(), Some("a"));
        assert!(matches!(ids[1], Err(DriveError::Forbidden { .. })));
        assert_eq!(ids[2].as_ref().unwrap().as_deref(), Some("c"));
        assert_eq!(ids[3].as_ref().unwrap().as_deref(), Some("d"), "a call without an answer is sent again");
        assert_eq!(ids[4].as_ref().unwrap(), &None);

        let again = String::from_utf8(scene.seen()[1].body().to_vec()).unwrap();
        assert_eq!(again.matches("HTTP/1.1").count(), 2);
        assert!(again.contains("GET /below/drive/v3/files/c?fields="), "{again}");
    }

    #[tokio::test]
    async fn a_lost_batch_of_creates_makes_nothing_twice() {
        let new = |one: &str| BatchCall::CreateFolder(super::super::NewFile::new(id(one), one, id("p")));
        let scene = Scene::new([
            Step::Lost,
            batch(&[(0, 409, failure("fileIdInUse")), (1, 200, file("b", "b"))]),
            answer(200, &file("a", "a")),
        ]);
        let results = scene.drive.batch(vec![new("a"), new("b")]).await.unwrap();
        assert!(results.iter().all(|one| one.as_ref().is_ok_and(Option::is_some)), "{results:?}");
    }

    #[tokio::test]
    async fn what_is_no_batch_is_told() {
        for body in ["", "--x--", "hello", "--x\r\n\r\nHTTP/1.1 200\r\n", "--x\n--x\n--x--", "--x\r\nA"] {
            let headers = [("content-type", "multipart/mixed; boundary=x")];
            let scene = Scene::new((0..9).map(|_| Step::Answer(response(200, &headers, body))));
            let results = scene.drive.batch(calls(&["a", "b"])).await.unwrap();
            assert!(results.iter().all(Result::is_err), "{body}: {results:?}");
        }
        let scene = Scene::new([answer(200, &json!({}))]);
        assert!(matches!(scene.drive.batch(calls(&["a", "b"])).await, Err(DriveError::NotDrive { .. })));
    }

    #[tokio::test]
    async fn a_hundred_at_a_time() {
        let ids: Vec<String> = (0..101).map(|n| format!("f{n}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let parts: Vec<_> = (0..100).map(|n| (n, 200, file(ids[n], "n"))).collect();
        let scene = Scene::new([batch(&parts), answer(200, &file("f100", "n"))]);
        let results = scene.drive.batch(calls(&ids)).await.unwrap();
        assert_eq!(results.len(), 101);
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(scene.lines(), ["POST /below/batch/drive/v3", "GET /below/drive/v3/files/f100"]);
    }

    proptest! {
        #[test]
        fn no_answer_breaks_the_reader(
            pieces in prop::collection::vec(
                prop_oneof![Just("--x"), Just("\r\n"), Just("\n"), Just(":"), Just("HTTP/1.1 200 OK"),
                    Just("Content-ID: <response-7>"), Just("--x--"), Just("{}"), Just("é")],
                0..30,
            )
        ) {
            let body = Bytes::from(pieces.concat());
            prop_assert_eq!(split(&body, "x", 3).len(), 3);
        }
    }
}
