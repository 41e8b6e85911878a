//! Uploads in one request: `uploadType=media` and `multipart`. `resumable` starts a session.

use axum::{
    body::{Body, BodyDataStream},
    extract::{Path, Request, State},
    response::Response,
};
use futures_util::StreamExt;
use http::{HeaderMap, header};

use super::{
    body::FileBody,
    context::{Caller, Params},
    edit::{self, Move},
    files::{FILE_DEFAULT, file_answer},
    resumable,
};
use crate::{
    LocalDrive,
    errors::ApiError,
    multipart::{Multipart, boundary},
    schema,
    store::NewBody,
};

/// Bytes of a file's description.
pub(crate) const MAX_METADATA: usize = 1024 * 1024;

/// What an upload is for.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    New,
    /// The id of the file whose content is replaced, and where it moves.
    Known(String, Move),
}

/// The value of a header, if it is text.
pub(crate) fn header_text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub(crate) async fn create(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    request: Request,
) -> Result<Response, ApiError> {
    receive(drive, caller, params, Target::New, request).await
}

pub(crate) async fn update(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let moved = Move::parse(&params);
    receive(drive, caller, params, Target::Known(id, moved), request).await
}

async fn receive(
    drive: LocalDrive,
    caller: Caller,
    params: Params,
    target: Target,
    request: Request,
) -> Result<Response, ApiError> {
    params.mask(FILE_DEFAULT, &schema::FILE)?;
    let content_type = header_text(request.headers(), header::CONTENT_TYPE).unwrap_or_default().to_owned();
    let id = match params.required("uploadType")? {
        "media" => {
            let content = receive_body(&drive, request.into_body().into_data_stream()).await?;
            store(&drive, &caller, target, FileBody::default(), content_type, content).await?
        }
        "multipart" => {
            let (body, media_type, content) =
                receive_parts(&drive, &content_type, request.into_body()).await?;
            store(&drive, &caller, target, body, media_type, content).await?
        }
        "resumable" => return resumable::start(drive, caller, params, target, request).await,
        _ => return Err(ApiError::invalid_value("uploadType")),
    };
    file_answer(&drive, &caller, &params, &id)
}

async fn receive_body(drive: &LocalDrive, mut body: BodyDataStream) -> Result<NewBody, ApiError> {
    let mut incoming = drive.store().incoming();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| ApiError::bad_request("The upload ended early."))?;
        incoming = incoming.push(&piece).await?;
    }
    incoming.finish().await
}

/// The description, the media's type and the media of a multipart upload.
async fn receive_parts(
    drive: &LocalDrive,
    content_type: &str,
    body: Body,
) -> Result<(FileBody, String, NewBody), ApiError> {
    let boundary =
        boundary(content_type).ok_or_else(|| ApiError::bad_request("The content type names no boundary."))?;
    let mut parts = Multipart::new(body.into_data_stream(), &boundary);
    let missing = || ApiError::bad_request("A multipart upload has a description and then the media.");
    parts.next_part().await?.ok_or_else(missing)?;
    let described = FileBody::parse(&parts.whole_part(MAX_METADATA).await?)?;
    let headers = parts.next_part().await?.ok_or_else(missing)?;
    let media_type = header_text(&headers, header::CONTENT_TYPE).unwrap_or_default().to_owned();
    let mut incoming = drive.store().incoming();
    while let Some(piece) = parts.next_piece().await? {
        incoming = incoming.push(&piece).await?;
    }
    Ok((described, media_type, incoming.finish().await?))
}

/// Stores what came in, as a new file or as a known one's content.
pub(crate) async fn store(
    drive: &LocalDrive,
    caller: &Caller,
    target: Target,
    body: FileBody,
    media_type: String,
    content: NewBody,
) -> Result<String, ApiError> {
    let caller = caller.clone();
    drive
        .store()
        .write(move |state| {
            let media = Some((media_type.as_str(), content));
            match target {
                Target::New => edit::create(state, &caller, &body, media),
                Target::Known(id, moved) => edit::update(state, &caller, &id, &body, &moved, media),
            }
        })
        .await
}
