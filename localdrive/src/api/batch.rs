//! Batches: up to 100 calls in one `multipart/mixed` request, each answered as if it had come alone.

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use tower::ServiceExt;

use super::upload::header_text;
use crate::{
    LocalDrive,
    errors::ApiError,
    faults::{Fault, status_answer},
    ids,
    multipart::{Multipart, boundary},
};

/// Calls of one batch.
const MAX_CALLS: usize = 100;
/// Bytes of one call, and of one answer in a batch.
const MAX_CALL_BYTES: usize = 10 * 1024 * 1024;

/// One call of a batch.
struct Call {
    content_id: Option<String>,
    request: Request,
}

pub(crate) async fn run(drive: &LocalDrive, routes: &Router, request: Request) -> Response {
    match answers(drive, routes, request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answers(drive: &LocalDrive, routes: &Router, request: Request) -> Result<Response, ApiError> {
    let calls = calls(request).await?;
    let boundary = ids::token("batch_").map_err(|error| ApiError::internal(&error))?;
    let mut body = Vec::new();
    for call in calls {
        drive.requests().note(call.request.method(), call.request.uri(), true);
        let fault = drive.faults().take(call.request.method(), call.request.uri());
        let response = match fault {
            Some(Fault::Status(code, retry_after)) => status_answer(code, retry_after),
            _ => routes.clone().oneshot(call.request).await.unwrap_or_else(|never| match never {}),
        };
        body.extend_from_slice(format!("--{boundary}\r\nContent-Type: application/http\r\n").as_bytes());
        if let Some(id) = call.content_id {
            let bare = id.trim_start_matches('<').trim_end_matches('>');
            body.extend_from_slice(format!("Content-ID: <response-{bare}>\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        write_answer(&mut body, response).await?;
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::from_str(&format!("multipart/mixed; boundary={boundary}"));
    let content_type = content_type.map_err(|error| ApiError::internal(&error))?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, content_type)], body).into_response())
}

async fn write_answer(out: &mut Vec<u8>, response: Response) -> Result<(), ApiError> {
    let (parts, body) = response.into_parts();
    let body =
        axum::body::to_bytes(body, MAX_CALL_BYTES).await.map_err(|error| ApiError::internal(&error))?;
    let reason = parts.status.canonical_reason().unwrap_or_default();
    out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_u16()).as_bytes());
    for (name, value) in parts.headers.iter().filter(|(name, _)| **name != header::CONTENT_LENGTH) {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    out.extend_from_slice(&body);
    Ok(())
}

/// Reads all calls before the first is made: a batch that is malformed does nothing.
async fn calls(request: Request) -> Result<Vec<Call>, ApiError> {
    let (outer, body) = request.into_parts();
    let content_type = header_text(&outer.headers, header::CONTENT_TYPE).unwrap_or_default();
    let boundary = boundary(content_type)
        .filter(|_| content_type.starts_with("multipart/mixed"))
        .ok_or_else(|| ApiError::bad_request("A batch is a multipart/mixed request with a boundary."))?;
    let mut parts = Multipart::new(body.into_data_stream(), &boundary);
    let mut calls = Vec::new();
    while let Some(headers) = parts.next_part().await? {
        if calls.len() == MAX_CALLS {
            let message = format!("The batch request has more than {MAX_CALLS} calls.");
            return Err(ApiError::bad_request(message));
        }
        let content_id = header_text(&headers, "content-id").map(ToOwned::to_owned);
        let bytes = parts.whole_part(MAX_CALL_BYTES).await?;
        let request = call(&bytes, &outer.headers)
            .ok_or_else(|| ApiError::bad_request("A part of the batch is not an HTTP request."))?;
        calls.push(Call { content_id, request });
    }
    if calls.is_empty() {
        return Err(ApiError::bad_request("The batch request has no calls."));
    }
    Ok(calls)
}

/// Parses `METHOD PATH HTTP/1.1`, headers, an empty line and a body.
fn call(bytes: &[u8], outer: &HeaderMap) -> Option<Request> {
    let end_of = |blank: &[u8]| memchr::memmem::find(bytes, blank).map(|at| (at, at + blank.len()));
    let ends = [end_of(b"\r\n\r\n"), end_of(b"\n\n")];
    let (head_end, body_start) = ends.into_iter().flatten().min().unwrap_or((bytes.len(), bytes.len()));
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split_whitespace();
    let method: Method = first.next()?.parse().ok()?;
    let target: Uri = first.next()?.parse().ok()?;
    let path = target.path_and_query()?.as_str();
    if path.starts_with("/upload/") || path.starts_with("/batch") || path.contains("alt=media") {
        return None;
    }
    let mut request = Request::builder().method(method).uri(path);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        request = request.header(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    let headers = request.headers_mut()?;
    for name in [header::AUTHORIZATION, header::HOST] {
        if let (None, Some(value)) = (headers.get(&name), outer.get(&name)) {
            headers.insert(name, value.clone());
        }
    }
    request.body(Body::from(bytes[body_start..].to_vec())).ok()
}
