//! What every request passes: the log, planned faults, a method given in a header, and batches.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::{Method, Uri, header};
use tower::ServiceExt;

use super::batch;
use crate::{
    LocalDrive,
    errors::ApiError,
    faults::{Fault, status_answer},
    server::Hangup,
};

/// Bytes of a query that comes in a body.
const MAX_QUERY: usize = 1024 * 1024;

/// The way in.
#[derive(Clone)]
pub(crate) struct Entry {
    drive: LocalDrive,
    routes: Router,
}

impl Entry {
    pub(crate) fn new(drive: LocalDrive, routes: Router) -> Self {
        Self { drive, routes }
    }

    pub(crate) async fn handle(self, request: Request) -> Response {
        self.drive.requests().note(request.method(), request.uri(), false);
        let hangup =
            request.extensions().get::<axum::extract::ConnectInfo<Hangup>>().map(|info| info.0.clone());
        match self.drive.faults().take(request.method(), request.uri()) {
            None => self.work(request).await,
            Some(Fault::Status(code, retry_after)) => status_answer(code, retry_after),
            Some(Fault::DropRequest) => hang_up(hangup),
            Some(Fault::DropAnswer) => {
                let answer = self.work(request).await;
                drop(answer);
                hang_up(hangup)
            }
            Some(Fault::Delay(time)) => {
                let answer = self.work(request).await;
                tokio::time::sleep(time).await;
                answer
            }
        }
    }

    async fn work(&self, request: Request) -> Response {
        let request = match with_overridden_method(request).await {
            Ok(request) => request,
            Err(error) => return error.into_response(),
        };
        let path = request.uri().path();
        if path == "/batch" || path.starts_with("/batch/") {
            if request.method() == Method::POST {
                return batch::run(&self.drive, &self.routes, request).await;
            }
            return ApiError::new(
                http::StatusCode::METHOD_NOT_ALLOWED,
                "httpMethodNotAllowed",
                "Method Not Allowed",
            )
            .into_response();
        }
        self.routes.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
    }
}

/// Google's clients send a GET with a long query as a POST that has the query in its body.
async fn with_overridden_method(request: Request) -> Result<Request, ApiError> {
    let method = request.headers().get("x-http-method-override").and_then(|method| method.to_str().ok());
    let Some(method) = method.filter(|_| request.method() == Method::POST) else { return Ok(request) };
    let method: Method = method.parse().map_err(|_| ApiError::bad_request("Unknown method override."))?;
    let (mut parts, body) = request.into_parts();
    parts.method = method;
    let is_form = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if parts.method != Method::GET || !is_form {
        return Ok(Request::from_parts(parts, body));
    }
    let too_long = |_| ApiError::bad_request("The query in the body is too long.");
    let body = axum::body::to_bytes(body, MAX_QUERY).await.map_err(too_long)?;
    let query: String = String::from_utf8_lossy(&body).into_owned();
    let joined = match parts.uri.query() {
        Some(first) if !query.is_empty() => format!("{}?{first}&{query}", parts.uri.path()),
        Some(first) => format!("{}?{first}", parts.uri.path()),
        None => format!("{}?{query}", parts.uri.path()),
    };
    parts.uri =
        joined.parse::<Uri>().map_err(|_| ApiError::bad_request("The query in the body is malformed."))?;
    Ok(Request::from_parts(parts, Body::empty()))
}

/// Closes the connection without an answer; where the server isn't ours, with a broken one.
fn hang_up(hangup: Option<Hangup>) -> Response {
    if let Some(hangup) = hangup {
        hangup.now();
    }
    let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("dropped on purpose")) });
    Body::from_stream(broken).into_response()
}
