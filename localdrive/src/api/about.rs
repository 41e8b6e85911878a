//! `about`: the account and what it stores.

use axum::{extract::State, response::Response};
use serde_json::json;

use super::context::{Caller, Params, answer};
use crate::{LocalDrive, access, errors::ApiError, resource::user, schema};

pub(crate) async fn get(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
) -> Result<Response, ApiError> {
    params.required("fields").map_err(|mut error| {
        "The 'fields' parameter is required for this method.".clone_into(&mut error.message);
        error
    })?;
    let mask = params.mask("*", &schema::ABOUT)?;
    let state = drive.store().read();
    let (mut usage, mut in_trash) = (0, 0);
    for file in state.files().filter(|file| file.owner == caller.account) {
        usage += file.size();
        if access::is_trashed(&state, file) {
            in_trash += file.size();
        }
    }
    let body = json!({
        "kind": "drive#about",
        "user": user(&caller.account, &caller.account),
        "storageQuota": {
            "usage": usage.to_string(),
            "usageInDrive": usage.to_string(),
            "usageInDriveTrash": in_trash.to_string(),
        },
        "importFormats": {},
        "exportFormats": {},
        "maxImportSizes": {},
        "maxUploadSize": "5242880000000",
        "appInstalled": false,
        "canCreateDrives": false,
        "folderColorPalette": [],
    });
    Ok(answer(body, &mask))
}
