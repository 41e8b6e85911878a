//! One request to Drive: token, time limits, and what its answer means.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{
    Drive, DriveError,
    retry::{Attempts, retry_after},
};
use crate::{
    platform::{Body, Clock, timeout},
    tokens::AccessToken,
};

/// How long an answer's headers may take, beside the time for sending the body.
const HEADERS: Duration = Duration::from_mins(1);
/// How long each piece of an answer's body may take.
const IDLE: Duration = Duration::from_mins(1);
/// The slowest upload that is waited for, in bytes per second.
const SLOWEST_UPLOAD: u64 = 16 * 1024;
/// The longest JSON answer.
pub(super) const MAX_JSON: u64 = 32 * 1024 * 1024;
/// The longest part of an error's body that is looked at.
const MAX_ERROR_BODY: u64 = 64 * 1024;

/// A request before the token is added.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What the address names, for errors: a file's id, mostly.
    pub(super) subject: String,
}

impl Call {
    pub(super) fn new(method: Method, url: Url, subject: impl Into<String>) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Bytes::new(), subject: subject.into() }
    }

    pub(super) fn query(mut self, key: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(key, value);
        self
    }

    pub(super) fn json(self, json: &serde_json::Value) -> Self {
        let body = Bytes::from(json.to_string());
        self.body(body, HeaderValue::from_static("application/json; charset=UTF-8"))
    }

    pub(super) fn body(mut self, body: Bytes, content_type: HeaderValue) -> Self {
        self.body = body;
        self.header(header::CONTENT_TYPE, content_type)
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// An answer that isn't an error. Its body is still on its way.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Incoming,
}

/// A body on its way, and where it comes from.
pub(super) struct Incoming {
    body: Body,
    pub(super) url: String,
}

impl Incoming {
    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self, clock: &dyn Clock) -> Result<Option<Bytes>, DriveError> {
        match timeout(clock, IDLE, self.body.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(piece))) => Ok(Some(piece)),
            Ok(Some(Err(error))) => {
                Err(DriveError::Interrupted { url: self.url.clone(), cause: error.to_string() })
            }
            Err(error) => Err(DriveError::TimedOut { url: self.url.clone(), after: error.0 }),
        }
    }

    /// The whole body, at most `max` bytes.
    pub(super) async fn read(&mut self, clock: &dyn Clock, max: u64) -> Result<Bytes, DriveError> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.next(clock).await? {
            if (all.len() + piece.len()) as u64 > max {
                let what = format!("the answer from {}, in bytes,", self.url);
                return Err(DriveError::TooLarge { what, max });
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

impl Drive {
    /// The address of `path`, which starts with `/`, below the root.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.root.clone();
        let below = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&below);
        url.set_query(None);
        url.set_fragment(None);
        url
    }

    /// Sends `call` until it is answered with JSON of the shape `T`, or no retry helps.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, DriveError> {
        let bytes = self.bytes(call).await?;
        parse(&bytes, &call.url)
    }

    /// Sends `call` until it is answered, or no retry helps. The answer has at most [`MAX_JSON`] bytes.
    pub(super) async fn bytes(&self, call: &Call) -> Result<Bytes, DriveError> {
        let mut attempts = Attempts::new(&self.platform);
        loop {
            match self.bytes_once(call).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    pub(super) async fn bytes_once(&self, call: &Call) -> Result<Bytes, DriveError> {
        self.send_once(call).await?.body.read(&*self.platform.clock, MAX_JSON).await
    }

    /// Sends `call` once, and once more with a fresh token when the first is refused. Answers 2xx
    /// and 308 (a resumable upload goes on) come back, all others are errors.
    pub(super) async fn send_once(&self, call: &Call) -> Result<Answer, DriveError> {
        let token = self.tokens.token(None).await?;
        match self.send_with(call, &token).await {
            Err(DriveError::Unauthorized) => {
                let fresh = self.tokens.token(Some(&token)).await?;
                self.send_with(call, &fresh).await
            }
            answered => answered,
        }
    }

    async fn send_with(&self, call: &Call, token: &AccessToken) -> Result<Answer, DriveError> {
        let url = shown(&call.url);
        let mut request = http::Request::builder()
            .method(call.method.clone())
            .uri(call.url.as_str())
            .body(call.body.clone())
            .map_err(|error| DriveError::NotDrive { url: url.clone(), why: error.to_string() })?;
        *request.headers_mut() = call.headers.clone();
        request.headers_mut().insert(header::AUTHORIZATION, token.header());

        let clock = &*self.platform.clock;
        let limit = HEADERS + Duration::from_secs(call.body.len() as u64 / SLOWEST_UPLOAD);
        let answer = timeout(clock, limit, self.platform.http.send(request))
            .await
            .map_err(|late| DriveError::TimedOut { url: url.clone(), after: late.0 })?
            .map_err(|error| DriveError::Unreachable { url: url.clone(), cause: error.to_string() })?;
        let (head, body) = answer.into_parts();
        let mut answer =
            Answer { status: head.status, headers: head.headers, body: Incoming { body, url: url.clone() } };
        if head.status.is_success() || head.status == StatusCode::PERMANENT_REDIRECT {
            return Ok(answer);
        }
        // The status tells enough when the body of an error can't be read.
        let body = answer.body.read(clock, MAX_ERROR_BODY).await.unwrap_or_default();
        Err(refusal(head.status, &answer.headers, &body, call, clock))
    }
}

/// Parses a whole answer.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], url: &Url) -> Result<T, DriveError> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            DriveError::Malformed { url: shown(url), why: error.to_string() }
        }
        _ => DriveError::NotDrive { url: shown(url), why: "its answer isn't JSON".to_owned() },
    })
}

/// An address for messages: queries may hold what nobody else should see, such as upload sessions.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<ErrorReason>,
}

#[derive(Deserialize)]
struct ErrorReason {
    #[serde(default)]
    reason: String,
}

/// What an answer with an error's status means.
pub(super) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    call: &Call,
    clock: &dyn Clock,
) -> DriveError {
    let detail = serde_json::from_slice::<ErrorBody>(body).ok().map(|body| body.error);
    let googles = detail.is_some();
    let reason =
        detail.as_ref().and_then(|detail| detail.errors.first()).map_or("", |first| &first.reason).to_owned();
    let message =
        detail.map_or_else(|| status.to_string(), |detail| detail.message.chars().take(300).collect());
    let retry_after = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, clock.now()));
    let not_drive = || DriveError::NotDrive { url: shown(&call.url), why: format!("status {status}") };
    match status.as_u16() {
        401 => DriveError::Unauthorized,
        403 if ["rateLimitExceeded", "userRateLimitExceeded"].contains(&reason.as_str()) => {
            DriveError::RateLimited { message, retry_after }
        }
        429 => DriveError::RateLimited { message, retry_after },
        status @ (500 | 502 | 503 | 504) => DriveError::Server { status, message, retry_after },
        _ if !googles => not_drive(),
        403 if reason == "storageQuotaExceeded" => DriveError::Full { message },
        403 => DriveError::Forbidden { reason, message },
        404 => DriveError::NotFound { id: call.subject.clone() },
        status => DriveError::Refused { status, reason, message },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scripted::{Scene, Step, error, error_with, file, id, json as answer, response};
    use super::*;

    fn found() -> Step {
        answer(200, &file("1", "n"))
    }

    #[tokio::test]
    async fn passing_failures_are_retried() {
        let scene = Scene::new([
            Step::Lost,
            error(500, "backendError"),
            error(429, "rateLimitExceeded"),
            error(403, "userRateLimitExceeded"),
            Step::Silent,
            Step::Broken(response(200, &[], "{\"id\"")),
            found(),
        ]);
        assert_eq!(scene.drive.get(&id("1")).await.unwrap().unwrap().name, "n");
        let seen = scene.seen();
        assert_eq!(seen.len(), 7);
        assert_eq!(seen[0].uri().path(), "/below/drive/v3/files/1");
    }

    #[tokio::test]
    async fn lasting_failures_are_not() {
        for (step, says) in [
            (error(403, "insufficientFilePermissions"), "ask the owner"),
            (error(403, "storageQuotaExceeded"), "free some space"),
            (error(400, "badRequest"), "status 400"),
            (Step::Answer(response(404, &[], "<html>no such page</html>")), "--drive-url"),
            (Step::Answer(response(301, &[("location", "https://x")], "")), "--drive-url"),
            (Step::Answer(response(200, &[], "<html>welcome</html>")), "--drive-url"),
            (answer(200, &json!({ "id": "../1" })), "describes no file"),
            (answer(200, &json!([1])), "describes no file"),
        ] {
            let scene = Scene::new([step]);
            let error = scene.drive.get(&id("1")).await.unwrap_err();
            assert!(error.to_string().contains(says), "{says}: {error}");
            assert_eq!(scene.seen().len(), 1, "{error}");
        }
    }

    #[tokio::test]
    async fn it_gives_up_in_the_end() {
        let scene = Scene::new([]);
        let error = scene.drive.about().await.unwrap_err();
        assert!(error.to_string().contains("http://drive.test/below/drive/v3/about"), "{error}");
        assert_eq!(scene.seen().len(), 5);

        let scene = Scene::new((0..20).map(|_| error_503()));
        assert!(matches!(scene.drive.about().await, Err(DriveError::Server { status: 503, .. })));
        assert_eq!(scene.seen().len(), 8);
    }

    fn error_503() -> Step {
        error(503, "backendError")
    }

    #[tokio::test]
    async fn retry_after_is_obeyed_and_bounded() {
        let scene = Scene::new([error_with(429, "rateLimitExceeded", &[("retry-after", "40")]), found()]);
        scene.drive.get(&id("1")).await.unwrap();
        assert!((40.0..41.0).contains(&scene.waited()), "{}", scene.waited());

        let scene = Scene::new([error_with(503, "backendError", &[("retry-after", "86400")]), found()]);
        assert!(scene.drive.get(&id("1")).await.is_err(), "nobody waits a day");
        assert!(scene.waited() < 1.0);
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_once() {
        let scene = Scene::new([error(401, "authError"), found()]);
        assert!(scene.drive.get(&id("1")).await.unwrap().is_some());
        let tokens: Vec<_> =
            scene.seen().iter().map(|seen| seen.headers()["authorization"].clone()).collect();
        assert_eq!(tokens, ["Bearer first", "Bearer second"]);
        assert!(!format!("{tokens:?}").contains("first"), "the header is marked as secret");

        let scene = Scene::new([error(401, "authError"), error(401, "authError"), found()]);
        assert!(matches!(scene.drive.get(&id("1")).await, Err(DriveError::Unauthorized)));
        assert_eq!(scene.seen().len(), 2);
    }

    #[tokio::test]
    async fn endless_answers_are_cut() {
        let much = Bytes::from(vec![b' '; usize::try_from(MAX_JSON).unwrap() + 1]);
        let scene = Scene::new([Step::Answer(response(200, &[], much))]);
        assert!(matches!(scene.drive.about().await, Err(DriveError::TooLarge { .. })));
    }
}
