//! `files`: list, get, metadata changes, copy, delete.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{
    body::FileBody,
    context::{Caller, Params, answer, mask_of},
    download,
    edit::{self, Move},
};
use crate::{
    LocalDrive, access,
    errors::ApiError,
    ids,
    order::Order,
    query::{self, Search},
    schema,
};

/// What an answer has of a file when nothing is selected.
pub(crate) const FILE_DEFAULT: &str = "kind,id,name,mimeType";
const LIST_DEFAULT: &str = "kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)";

pub(crate) async fn list(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
) -> Result<Response, ApiError> {
    let mask = params.mask(LIST_DEFAULT, &schema::FILE_LIST)?;
    let query_text = params.get("q").unwrap_or_default();
    let query = match query_text.trim() {
        "" => None,
        text => Some(query::parse(text).map_err(|error| {
            tracing::debug!(%error, query = text, "a query was refused");
            ApiError::invalid_value("q")
        })?),
    };
    let order_text = params.get("orderBy").unwrap_or_default();
    let order = if order_text.is_empty() { Order::default() } else { Order::parse(order_text)? };
    let size = drive.faults().page_size(params.number("pageSize", 100, 1..=1000)?);
    for name in
        ["includeItemsFromAllDrives", "supportsAllDrives", "includeTeamDriveItems", "supportsTeamDrives"]
    {
        params.flag(name, false)?;
    }
    let corpora = params.get("corpora").unwrap_or("user");
    if !["user", "domain", "allDrives"].contains(&corpora) {
        return Err(ApiError::invalid_value("corpora"));
    }
    let spaces = params.get("spaces").unwrap_or("drive");
    if !spaces.split(',').all(|space| ["drive", "appDataFolder", "photos"].contains(&space.trim())) {
        return Err(ApiError::invalid_value("spaces"));
    }

    let state = drive.store().read_for_search();
    let search = Search { state: &state, account: &caller.account, query: query.as_ref() };
    let in_drive = spaces.split(',').any(|space| space.trim() == "drive");
    let found = if in_drive { search.results() } else { Vec::new() };
    let same = [caller.account.as_str(), query_text, order_text, spaces];
    let (page, next) = order.page(found, &caller.account, params.get("pageToken"), size, &same)?;
    let mut body = json!({"kind": "drive#fileList", "incompleteSearch": false});
    if let Some(file_mask) = mask_of(&mask, "files") {
        let viewer = caller.viewer(&state);
        body["files"] = page.into_iter().map(|file| viewer.file(file, &file_mask)).collect();
    }
    if let Some(next) = next {
        body["nextPageToken"] = next.into();
    }
    Ok(answer(body, &mask))
}

/// The answer to everything that ends with one file.
pub(crate) fn file_answer(
    drive: &LocalDrive,
    caller: &Caller,
    params: &Params,
    id: &str,
) -> Result<Response, ApiError> {
    let mask = params.mask(FILE_DEFAULT, &schema::FILE)?;
    let state = drive.store().read();
    let file = access::visible(&state, id, &caller.account)?;
    Ok(Json(caller.viewer(&state).file(file, &mask)).into_response())
}

pub(crate) async fn get(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    match params.get("alt") {
        None | Some("json") => file_answer(&drive, &caller, &params, &id),
        Some("media") => download::media(&drive, &caller, &id, &headers).await,
        Some(_) => Err(ApiError::invalid_value("alt")),
    }
}

pub(crate) async fn create(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    body: Bytes,
) -> Result<Response, ApiError> {
    params.mask(FILE_DEFAULT, &schema::FILE)?;
    let body = FileBody::parse(&body)?;
    // A file without an upload has no bytes, but bytes it has.
    let empty = drive.store().incoming().finish().await?;
    let id = {
        let caller = caller.clone();
        let media = body.mime_type.as_deref().is_none_or(edit::has_content).then_some(("", empty));
        drive.store().write(move |state| edit::create(state, &caller, &body, media)).await?
    };
    file_answer(&drive, &caller, &params, &id)
}

pub(crate) async fn update(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ApiError> {
    params.mask(FILE_DEFAULT, &schema::FILE)?;
    let (body, moved) = (FileBody::parse(&body)?, Move::parse(&params));
    let id = {
        let caller = caller.clone();
        drive.store().write(move |state| edit::update(state, &caller, &id, &body, &moved, None)).await?
    };
    file_answer(&drive, &caller, &params, &id)
}

pub(crate) async fn copy(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ApiError> {
    params.mask(FILE_DEFAULT, &schema::FILE)?;
    let body = FileBody::parse(&body)?;
    let source = access::visible(&drive.store().read(), &id, &caller.account)?.clone();
    let content = match &source.content {
        Some(content) => Some(drive.store().duplicate(content)?),
        None => None,
    };
    let id = {
        let caller = caller.clone();
        drive
            .store()
            .write(move |state| {
                let mut record = edit::copied_record(state, &caller, &id, &body)?;
                record.content = content.map(|content| state.adopt(content));
                let id = record.id.clone();
                state.put(record);
                Ok(id)
            })
            .await?
    };
    file_answer(&drive, &caller, &params, &id)
}

pub(crate) async fn delete(
    State(drive): State<LocalDrive>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    drive.store().write(move |state| edit::delete(state, &caller, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn empty_trash(
    State(drive): State<LocalDrive>,
    caller: Caller,
) -> Result<StatusCode, ApiError> {
    drive
        .store()
        .write(move |state| {
            edit::empty_trash(state, &caller);
            Ok(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn generate_ids(_: Caller, params: Params) -> Result<Response, ApiError> {
    let mask = params.mask("*", &schema::GENERATED_IDS)?;
    let count = params.number("count", 10, 1..=1000)?;
    let ids: Result<Vec<String>, _> = (0..count).map(|_| ids::file()).collect();
    let ids = ids.map_err(|error| ApiError::internal(&error))?;
    Ok(answer(json!({"kind": "drive#generatedIds", "space": "drive", "ids": ids}), &mask))
}

/// Only documents made in Google's editors can be exported, and there are none here.
pub(crate) async fn export(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    params.required("mimeType")?;
    access::visible(&drive.store().read(), &id, &caller.account)?;
    Err(ApiError::forbidden("fileNotExportable", "Export only supports Docs Editors files."))
}
