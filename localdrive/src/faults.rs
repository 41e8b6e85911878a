//! Faults on purpose, for tests of clients: what Google's Drive does on a bad day (wire section 10).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderValue, StatusCode, header};

use crate::errors::ApiError;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done and this status answered, with `Retry-After` in whole seconds when given.
    /// 403 and 429 say `rateLimitExceeded`, others `backendError`.
    Status(u16, Option<Duration>),
    /// The work is done, and the connection closed without an answer.
    DropAnswer,
    /// Nothing is done, and the connection closed without an answer.
    DropRequest,
    /// The work is done and the answer held back for this long.
    Delay(Duration),
}

/// Which requests a fault is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    method: Option<String>,
    path: Option<String>,
}

impl When {
    /// Any request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with this method, such as `POST`.
    #[must_use]
    pub fn method(method: &str) -> Self {
        Self { method: Some(method.to_ascii_uppercase()), path: None }
    }

    /// Of these, the ones whose path and query contain `part`.
    #[must_use]
    pub fn path(self, part: &str) -> Self {
        Self { path: Some(part.to_owned()), ..self }
    }

    fn matches(&self, method: &http::Method, uri: &http::Uri) -> bool {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        self.method.as_ref().is_none_or(|wanted| wanted == method.as_str())
            && self.path.as_ref().is_none_or(|part| path.contains(part))
    }
}

/// The faults that are planned. Clones share one plan.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    coming: Vec<(usize, When, Fault)>,
    search_lag: Duration,
    feed_is_silent: bool,
    page_limit: Option<usize>,
}

impl Faults {
    /// The next `count` requests that match meet `fault`. Plans are tried in the order they were made.
    /// The parts of a batch are requests of their own here, but can only meet a status.
    pub fn next(&self, count: usize, when: When, fault: Fault) {
        self.plan().coming.push((count, when, fault));
    }

    /// From now on, searches and changes tell of the drive as it was `lag` ago.
    pub fn lag_search(&self, lag: Duration) {
        self.plan().search_lag = lag;
    }

    /// From now on, or no longer, changes tell of nothing, and what they left out is lost for good.
    /// Searches find everything.
    pub fn silence_feed(&self, is_silent: bool) {
        self.plan().feed_is_silent = is_silent;
    }

    /// Pages hold at most `items`, whatever size is asked for.
    pub fn limit_pages(&self, items: usize) {
        self.plan().page_limit = Some(items.max(1));
    }

    /// No more faults.
    pub fn clear(&self) {
        *self.plan() = Plan::default();
    }

    pub(crate) fn search_lag(&self) -> Duration {
        self.plan().search_lag
    }

    pub(crate) fn feed_is_silent(&self) -> bool {
        self.plan().feed_is_silent
    }

    pub(crate) fn page_size(&self, asked: usize) -> usize {
        self.plan().page_limit.map_or(asked, |limit| limit.min(asked))
    }

    pub(crate) fn take(&self, method: &http::Method, uri: &http::Uri) -> Option<Fault> {
        let mut plan = self.plan();
        let (left, _, fault) = plan.coming.iter_mut().find(|(_, when, _)| when.matches(method, uri))?;
        *left = left.saturating_sub(1);
        let fault = fault.clone();
        plan.coming.retain(|(left, _, _)| *left > 0);
        Some(fault)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer of [`Fault::Status`].
pub(crate) fn status_answer(code: u16, retry_after: Option<Duration>) -> axum::response::Response {
    use axum::response::IntoResponse;
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let error = match code {
        403 | 429 => ApiError::new(status, "rateLimitExceeded", "Rate Limit Exceeded"),
        _ => ApiError::new(status, "backendError", "Backend Error"),
    };
    let mut response = error.into_response();
    if let Some(wait) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    response
}
