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
    async fn batch_once(
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
