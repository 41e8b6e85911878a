//! Resumable uploads: a session's address, then the bytes in one or more requests, each of which may
//! break off. Sessions end with the server; a client then gets 404 and starts anew.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::BodyDataStream,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    body::FileBody,
    context::{Caller, Params},
    edit,
    files::file_answer,
    upload::{MAX_METADATA, Target, header_text, store},
};
use crate::{
    LocalDrive,
    errors::ApiError,
    ids,
    store::{Incoming, Millis, now},
};

/// Bytes that every piece but the last is a multiple of.
const UNIT: u64 = 256 * 1024;
/// How long a session lasts, in milliseconds: a week, as on Google's Drive.
const LIFETIME: Millis = 7 * 24 * 60 * 60 * 1000;

/// The uploads under way, by session id.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, (Millis, SharedSession)>>);

type SharedSession = Arc<tokio::sync::Mutex<Session>>;

struct Session {
    caller: Caller,
    params: Params,
    target: Target,
    body: FileBody,
    media_type: String,
    /// Bytes in all, once the client has said it.
    total: Option<u64>,
    progress: Progress,
}

enum Progress {
    Receiving(Box<Incoming>),
    /// The id of the file that it became.
    Done(String),
    /// The bytes are lost; the client must start anew.
    Lost,
}

impl Sessions {
    fn add(&self, session: Session) -> Result<String, ApiError> {
        let id = ids::token("u").map_err(|error| ApiError::internal(&error))?;
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, (started, _)| now() - *started < LIFETIME);
        sessions.insert(id.clone(), (now(), Arc::new(tokio::sync::Mutex::new(session))));
        Ok(id)
    }

    fn get(&self, id: &str) -> Result<SharedSession, ApiError> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(id).map(|(_, session)| Arc::clone(session));
        session.ok_or_else(|| ApiError::not_found(id))
    }

    fn remove(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Starts a session and answers with its address.
pub(crate) async fn start(
    drive: LocalDrive,
    caller: Caller,
    params: Params,
    target: Target,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let described = axum::body::to_bytes(body, MAX_METADATA).await;
    let body =
        FileBody::parse(&described.map_err(|_| ApiError::bad_request("The description is too large."))?)?;
    let media_type = header_text(&parts.headers, "x-upload-content-type").unwrap_or_default().to_owned();
    let total = header_text(&parts.headers, "x-upload-content-length").and_then(|total| total.parse().ok());
    // What can't be stored in the end is better refused before the bytes are sent.
    let state = drive.store().read();
    match &target {
        Target::New => drop(edit::new_record(
            &state,
            &caller,
            &body,
            Some(&media_type).filter(|t| !t.is_empty()).map(String::as_str),
        )?),
        Target::Known(id, moved) => drop(edit::changed_record(&state, &caller, id, &body, moved, true)?),
    }
    let address = format!("{}{}", caller.base, parts.uri.path());
    let progress = Progress::Receiving(Box::new(drive.store().incoming()));
    let session = Session { caller, params, target, body, media_type, total, progress };
    let id = drive.uploads().add(session)?;
    let location = format!("{address}?uploadType=resumable&upload_id={id}");
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    let values = [("location", &location), ("x-guploader-uploadid", &id)];
    for (name, value) in values {
        headers.insert(name, HeaderValue::from_str(value).map_err(|error| ApiError::internal(&error))?);
    }
    Ok(response)
}

/// What a request to a session brings.
#[derive(Debug, PartialEq)]
struct Piece {
    /// The place of its first byte; none when it only asks how far the upload is.
    first: Option<u64>,
    /// Bytes of this piece, when the client says it.
    length: Option<u64>,
    total: Option<u64>,
    /// Whether the upload is complete with it.
    last: bool,
}

impl Piece {
    fn parse(headers: &HeaderMap) -> Option<Self> {
        let Some(range) = header_text(headers, header::CONTENT_RANGE) else {
            let length = header_text(headers, header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
            return Some(Self { first: Some(0), length, total: length, last: true });
        };
        let (place, total) = range.strip_prefix("bytes ")?.trim().split_once('/')?;
        let total = if total == "*" { None } else { Some(total.parse::<u64>().ok()?) };
        if place == "*" {
            return Some(Self { first: None, length: None, total, last: total == Some(0) });
        }
        let (first, last) = place.split_once('-')?;
        let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
        if first > last || total.is_some_and(|total| last >= total) {
            return None;
        }
        let length = Some(last - first + 1);
        Some(Self { first: Some(first), length, total, last: total == Some(last + 1) })
    }
}

/// Takes the next bytes, or tells how many there are.
pub(crate) async fn proceed(
    State(drive): State<LocalDrive>,
    params: Params,
    request: Request,
) -> Result<Response, ApiError> {
    let session = drive.uploads().get(params.required("upload_id")?)?;
    let invalid = || ApiError::bad_request("Invalid Content-Range.");
    let piece = Piece::parse(request.headers()).ok_or_else(invalid)?;
    let body = request.into_body().into_data_stream();
    // On a task of its own, so that a connection that breaks leaves the session with what has come.
    let work = async move { session.lock().await.take(&drive, piece, body).await };
    tokio::spawn(work).await.map_err(|error| ApiError::internal(&error))?
}

/// Ends a session for good.
pub(crate) async fn cancel(State(drive): State<LocalDrive>, params: Params) -> Result<StatusCode, ApiError> {
    let id = params.required("upload_id")?;
    drive.uploads().get(id)?;
    drive.uploads().remove(id);
    StatusCode::from_u16(499).map_err(|error| ApiError::internal(&error))
}

impl Session {
    async fn take(
        &mut self,
        drive: &LocalDrive,
        piece: Piece,
        body: BodyDataStream,
    ) -> Result<Response, ApiError> {
        let mut incoming = match std::mem::replace(&mut self.progress, Progress::Lost) {
            Progress::Receiving(incoming) => *incoming,
            Progress::Done(id) => {
                self.progress = Progress::Done(id.clone());
                return file_answer(drive, &self.caller, &self.params, &id);
            }
            Progress::Lost => return Err(ApiError::not_found("upload session")),
        };
        let refused = self.check(&piece, incoming.size());
        if let Err(error) = refused {
            self.progress = Progress::Receiving(Box::new(incoming));
            return Err(error);
        }
        let mut whole = true;
        if let Some(first) = piece.first {
            (incoming, whole) = receive(incoming, first, piece.length, body).await?;
        }
        let complete = whole
            && match self.total.filter(|_| piece.first.is_some() || piece.last) {
                Some(total) => incoming.size() == total,
                None => piece.last && piece.length.is_none(),
            };
        if !complete {
            let received = incoming.size();
            self.progress = Progress::Receiving(Box::new(incoming));
            return Ok(incomplete(received));
        }
        let content = incoming.finish().await?;
        let (target, body) = (self.target.clone(), self.body.clone());
        let id = store(drive, &self.caller, target, body, self.media_type.clone(), content).await?;
        self.progress = Progress::Done(id.clone());
        file_answer(drive, &self.caller, &self.params, &id)
    }

    /// Refuses a piece that doesn't fit to what has come so far.
    fn check(&mut self, piece: &Piece, received: u64) -> Result<(), ApiError> {
        if let (Some(known), Some(said)) = (self.total, piece.total)
            && known != said
        {
            return Err(ApiError::bad_request(format!("The upload has {known} bytes, not {said}.")));
        }
        if piece.first.is_some_and(|first| first > received) {
            return Err(ApiError::bad_request(format!("The next byte to send is {received}.")));
        }
        if !piece.last && piece.length.is_some_and(|length| length % UNIT != 0) {
            let message = format!("Every piece but the last must be a multiple of {UNIT} bytes.");
            return Err(ApiError::bad_request(message));
        }
        self.total = self.total.or(piece.total);
        Ok(())
    }
}

/// Adds what is new in a piece that begins at `first`, and tells whether the request's body came whole. What
/// comes before an error of the connection stays.
async fn receive(
    mut incoming: Incoming,
    first: u64,
    length: Option<u64>,
    mut body: BodyDataStream,
) -> Result<(Incoming, bool), ApiError> {
    let mut known = incoming.size() - first;
    let mut left = length.unwrap_or(u64::MAX);
    while let Some(bytes) = body.next().await {
        let Ok(bytes) = bytes else { return Ok((incoming, false)) };
        let usable = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        left -= usable as u64;
        let skipped = usize::try_from(known).unwrap_or(usize::MAX).min(usable);
        known -= skipped as u64;
        incoming = incoming.push(&bytes[skipped..usable]).await?;
    }
    Ok((incoming, true))
}

/// The answer that more bytes are wanted. Clients know 308 here as "resume incomplete".
fn incomplete(received: u64) -> Response {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    if received > 0
        && let Ok(range) = HeaderValue::from_str(&format!("bytes=0-{}", received - 1))
    {
        response.headers_mut().insert(header::RANGE, range);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(range: &str) -> Option<Piece> {
        let headers = HeaderMap::from_iter([(header::CONTENT_RANGE, HeaderValue::from_str(range).unwrap())]);
        Piece::parse(&headers)
    }

    #[test]
    fn reads_content_ranges() {
        let piece = |first, length, total, last| Some(Piece { first, length, total, last });
        assert_eq!(parsed("bytes 0-9/20"), piece(Some(0), Some(10), Some(20), false));
        assert_eq!(parsed("bytes 10-19/20"), piece(Some(10), Some(10), Some(20), true));
        assert_eq!(parsed("bytes 0-9/*"), piece(Some(0), Some(10), None, false));
        assert_eq!(parsed("bytes */20"), piece(None, None, Some(20), false));
        assert_eq!(parsed("bytes */0"), piece(None, None, Some(0), true));
        for bad in ["", "bytes", "bytes 5-4/9", "bytes 0-9/9", "bytes a-b/c", "items 0-1/2", "bytes 0-/5"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }
}
