//! A server that plays a script, for what a real one does only by accident: lost, late, broken and
//! odd answers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use serde_json::Value;

use super::{Drive, FileId};
use crate::{
    domain::Timestamp,
    platform::{
        Body, BoxFuture, Clock, HttpClient, HttpError, Platform,
        memory::{MemoryClock, MemoryFiles, MemoryRandom},
    },
    tokens::{AccessToken, TokenError, TokenSource},
};

/// What happens to one request.
pub(crate) enum Step {
    /// It is answered.
    Answer(Response<Bytes>),
    /// It is answered, and the answer breaks off after its body.
    Broken(Response<Bytes>),
    /// No answer comes.
    Lost,
    /// No answer comes, ever.
    Silent,
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: &Value) -> Step {
    Step::Answer(response(status, &[], body.to_string()))
}

/// Google's error body.
pub(crate) fn error(status: u16, reason: &str) -> Step {
    error_with(status, reason, &[])
}

pub(crate) fn error_with(status: u16, reason: &str, headers: &[(&str, &str)]) -> Step {
    let body = serde_json::json!({
        "error": { "code": status, "message": "the message", "errors": [{ "domain": "global", "reason": reason }] }
    });
    Step::Answer(response(status, headers, body.to_string()))
}

/// An answer with `headers`.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Bytes> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.into()).unwrap()
}

/// Plays its steps, one a request; afterwards no answer comes. Remembers the requests.
#[derive(Clone, Default)]
pub(crate) struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    seen: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl HttpClient for Script {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        self.seen.lock().unwrap().push(request);
        let step = self.steps.lock().unwrap().pop_front();
        Box::pin(async move {
            let (answer, broken) = match step {
                Some(Step::Answer(answer)) => (answer, false),
                Some(Step::Broken(answer)) => (answer, true),
                Some(Step::Silent) => std::future::pending().await,
                Some(Step::Lost) => return Err(HttpError::new("the connection was reset")),
                None => return Err(HttpError::new("the script is over")),
            };
            let broken = broken.then(|| Err(HttpError::new("the connection was reset")));
            Ok(answer.map(|body| stream::iter([Ok(body)].into_iter().chain(broken)).boxed()))
        })
    }
}

/// Gives `first` until it is refused, then `second`.
struct TwoTokens;

impl TokenSource for TwoTokens {
    fn token<'a>(
        &'a self,
        refused: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        let token = if refused.is_some() { "second" } else { "first" };
        Box::pin(async move { AccessToken::try_from(token.to_owned()) })
    }
}

/// A Drive with a script instead of a server.
pub(crate) struct Scene {
    pub(crate) drive: Drive,
    pub(crate) platform: Platform,
    script: Script,
    started: Timestamp,
}

impl Scene {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let script = Script::default();
        script.steps.lock().unwrap().extend(steps);
        let clock = MemoryClock::default();
        let started = clock.now();
        let platform = Platform {
            http: Arc::new(script.clone()),
            clock: Arc::new(clock),
            random: Arc::new(MemoryRandom::default()),
            files: Arc::new(MemoryFiles::default()),
        };
        let root = "http://drive.test/below/".parse().unwrap();
        Self { drive: Drive::new(&platform, &root, Arc::new(TwoTokens)), platform, script, started }
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request<Bytes>> {
        self.script.seen.lock().unwrap().iter().cloned().collect()
    }

    /// `METHOD path` of the requests so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|request| format!("{} {}", request.method(), request.uri().path())).collect()
    }

    /// Seconds of waiting so far.
    pub(crate) fn waited(&self) -> f64 {
        self.platform.clock.now().since(self.started).as_secs_f64()
    }
}

/// An id.
pub(crate) fn id(text: &str) -> FileId {
    text.parse().unwrap()
}

/// What a server says of a file.
pub(crate) fn file(id: &str, name: &str) -> Value {
    serde_json::json!({ "id": id, "name": name, "mimeType": "text/plain", "ownedByMe": true, "parents": ["p"] })
}
