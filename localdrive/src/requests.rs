//! A record of the requests that came in, for request budgets and benchmarks.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Lines kept; older ones are only counted.
const LINES_KEPT: usize = 10_000;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// Such as `GET`.
    pub method: String,
    /// The path and the query as they came.
    pub path: String,
    /// Whether it came as a part of a batch: a call of its own, but not a round trip.
    pub batched: bool,
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} {}", if self.batched { "  " } else { "" }, self.method, self.path)
    }
}

/// The requests since the start or the last reset. Clones share one log.
#[derive(Clone, Debug, Default)]
pub struct RequestLog(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    requests: u64,
    calls: u64,
    lines: VecDeque<RequestLine>,
}

impl RequestLog {
    /// HTTP requests; a batch is one.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.log().requests
    }

    /// Calls as they count against a quota: a batch itself is none, each of its parts is one.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.log().calls
    }

    /// The last 10,000 requests, oldest first; the parts of a batch follow it.
    #[must_use]
    pub fn lines(&self) -> Vec<RequestLine> {
        self.log().lines.iter().cloned().collect()
    }

    /// Starts from nothing.
    pub fn reset(&self) {
        *self.log() = Log::default();
    }

    pub(crate) fn note(&self, method: &http::Method, uri: &http::Uri, batched: bool) {
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let mut log = self.log();
        log.requests += u64::from(!batched);
        log.calls += u64::from(!path.starts_with("/batch"));
        if log.lines.len() == LINES_KEPT {
            log.lines.pop_front();
        }
        log.lines.push_back(RequestLine { method: method.to_string(), path, batched });
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
