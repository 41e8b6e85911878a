//! `changes`: what changed for an account, across all folders.

use axum::{extract::State, response::Response};
use serde_json::json;

use super::context::{Caller, Params, answer, mask_of};
use crate::{LocalDrive, access, errors::ApiError, resource::time, schema};

const LIST_DEFAULT: &str = "kind,nextPageToken,newStartPageToken,\
    changes(kind,type,changeType,time,removed,fileId,file(kind,id,name,mimeType))";

pub(crate) async fn start_page_token(
    State(drive): State<LocalDrive>,
    _: Caller,
    params: Params,
) -> Result<Response, ApiError> {
    let mask = params.mask("*", &schema::START_PAGE_TOKEN)?;
    let next = drive.store().read().last_change() + 1;
    Ok(answer(json!({"kind": "drive#startPageToken", "startPageToken": next.to_string()}), &mask))
}

pub(crate) async fn list(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
) -> Result<Response, ApiError> {
    let mask = params.mask(LIST_DEFAULT, &schema::CHANGE_LIST)?;
    let token = params.required("pageToken")?;
    let first: u64 = token.parse().map_err(|_| ApiError::invalid_value("pageToken"))?;
    if first == 0 || first > drive.store().read().last_change() + 1 {
        return Err(ApiError::invalid_value("pageToken"));
    }
    let size = drive.faults().page_size(params.number("pageSize", 100, 1..=1000)?);
    let removed_too = params.flag("includeRemoved", true)?;

    let state = drive.store().read_for_search();
    let viewer = caller.viewer(&state);
    let change_mask = mask_of(&mask, "changes");
    let file_mask = change_mask.as_ref().and_then(|mask| mask_of(mask, "file"));
    let feed = state.feed(&caller.account);
    let mut changes = Vec::new();
    let mut next = None;
    let told = if drive.faults().feed_is_silent() { state.last_change() + 1 } else { first };
    for (number, entry) in feed.since(told) {
        let file = state.file(&entry.file).filter(|file| access::is_found(&state, file, &caller.account));
        if file.is_none() && !removed_too {
            continue;
        }
        if changes.len() == size {
            next = Some(number);
            break;
        }
        let mut change = json!({
            "kind": "drive#change",
            "type": "file",
            "changeType": "file",
            "time": time(entry.at),
            "removed": file.is_none(),
            "fileId": entry.file,
        });
        if let (Some(file), Some(file_mask)) = (file, &file_mask) {
            change["file"] = viewer.file(file, file_mask);
        }
        changes.push(change);
    }
    let mut body = json!({"kind": "drive#changeList", "changes": changes});
    match next {
        Some(next) => body["nextPageToken"] = next.to_string().into(),
        None => body["newStartPageToken"] = first.max(state.last_change() + 1).to_string().into(),
    }
    Ok(answer(body, &mask))
}
