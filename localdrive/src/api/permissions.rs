//! `permissions`: sharing.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use syftbox_core::domain::Email;

use super::context::{Caller, Params, answer, mask_of, parse_json};
use crate::{
    LocalDrive,
    access::{self, Effective},
    errors::ApiError,
    ids, resource, schema,
    store::{FileRecord, Grantee, Millis, PermissionRecord, Role, State as DriveState, now},
};

const DEFAULT: &str = "kind,id,type,role";
const LIST_DEFAULT: &str = "kind,nextPageToken,permissions(kind,id,type,role)";
/// Permissions of one file.
const MAX_PERMISSIONS: usize = 600;

/// A permission as a client describes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PermissionBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    role: Option<String>,
    email_address: Option<String>,
    domain: Option<String>,
    allow_file_discovery: bool,
    expiration_time: Option<String>,
}

impl PermissionBody {
    fn role(&self) -> Result<Role, ApiError> {
        let role = self.role.as_deref().ok_or_else(|| {
            ApiError::new(StatusCode::BAD_REQUEST, "required", "The permission role field is required.")
        })?;
        Role::named(role).ok_or_else(|| {
            ApiError::new(StatusCode::BAD_REQUEST, "invalid", "The specified permission role is not valid.")
        })
    }

    fn grantee(&self) -> Result<(String, Grantee), ApiError> {
        let invalid =
            |message: &str| ApiError::new(StatusCode::BAD_REQUEST, "invalidSharingRequest", message);
        match self.kind.as_deref() {
            Some(kind @ ("user" | "group")) => {
                let email: Email = self
                    .email_address
                    .as_deref()
                    .and_then(|email| email.parse().ok())
                    .ok_or_else(|| invalid("The specified emailAddress is invalid or not applicable for the given permission type."))?;
                Ok((ids::permission(email.as_str()), Grantee::User { email, group: kind == "group" }))
            }
            Some("domain") => {
                let domain = self.domain.clone().filter(|domain| !domain.is_empty());
                let domain = domain.ok_or_else(|| {
                    invalid(
                        "The specified domain is invalid or not applicable for the given permission type.",
                    )
                })?;
                let discoverable = self.allow_file_discovery;
                Ok((format!("{}k", ids::permission(&domain)), Grantee::Domain { domain, discoverable }))
            }
            Some("anyone") => {
                let discoverable = self.allow_file_discovery;
                let id = if discoverable { "anyone" } else { "anyoneWithLink" };
                Ok((id.to_owned(), Grantee::Anyone { discoverable }))
            }
            _ => Err(invalid("The permission type field is required.")),
        }
    }

    fn expires(&self) -> Result<Option<Millis>, ApiError> {
        let Some(text) = &self.expiration_time else { return Ok(None) };
        let time = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
        time.filter(|time| *time > now()).map(Some).ok_or_else(|| {
            ApiError::new(StatusCode::BAD_REQUEST, "invalid", "Expiration dates must be in the future.")
        })
    }
}

/// The file, if the caller may share it.
fn shareable(state: &DriveState, id: &str, caller: &Caller) -> Result<FileRecord, ApiError> {
    let file = access::allowed(state, id, &caller.account, Role::Writer)?;
    let owns = file.owner == caller.account;
    if file.is_root() || !owns && file.details.writers_can_share == Some(false) {
        return Err(ApiError::forbidden("cannotShare", "The user may not share this file."));
    }
    Ok(file.as_ref().clone())
}

fn unknown(permission: &str) -> ApiError {
    let message = format!("Permission not found: {permission}.");
    ApiError::new(StatusCode::NOT_FOUND, "notFound", message)
}

/// The permission as it works on the file, for the answer.
fn found(state: &DriveState, file: &str, permission: &str) -> Result<Effective, ApiError> {
    let file = state.file(file).ok_or_else(|| ApiError::not_found(file))?;
    let all = access::effective(state, file);
    all.into_iter().find(|one| one.permission.id == permission).ok_or_else(|| unknown(permission))
}

pub(crate) async fn list(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let mask = params.mask(LIST_DEFAULT, &schema::PERMISSION_LIST)?;
    let size = drive.faults().page_size(params.number("pageSize", 100, 1..=100)?);
    let state = drive.store().read();
    let file = access::allowed(&state, &id, &caller.account, Role::Writer)?;
    let all = access::effective(&state, file);
    let skip: usize = match params.get("pageToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| ApiError::invalid_value("pageToken"))?,
    };
    let mut body = json!({"kind": "drive#permissionList"});
    if mask_of(&mask, "permissions").is_some() {
        body["permissions"] = all.iter().skip(skip).take(size).map(resource::permission).collect();
    }
    if skip.saturating_add(size) < all.len() {
        body["nextPageToken"] = (skip + size).to_string().into();
    }
    Ok(answer(body, &mask))
}

pub(crate) async fn get(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    Path((id, permission)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let mask = params.mask(DEFAULT, &schema::PERMISSION)?;
    let state = drive.store().read();
    let file = access::visible(&state, &id, &caller.account)?;
    let own = permission == ids::permission(caller.account.as_str());
    if !own && access::role(&state, file, &caller.account) < Some(Role::Writer) {
        return Err(ApiError::insufficient());
    }
    Ok(answer(resource::permission(&found(&state, &file.id, &permission)?), &mask))
}

pub(crate) async fn create(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let mask = params.mask(DEFAULT, &schema::PERMISSION)?;
    for name in
        ["sendNotificationEmail", "moveToNewOwnersRoot", "useDomainAdminAccess", "enforceSingleParent"]
    {
        params.flag(name, false)?;
    }
    let transfers = params.flag("transferOwnership", false)?;
    let body: PermissionBody = parse_json(&body)?;
    let created = drive
        .store()
        .write(move |state| {
            let mut file = shareable(state, &id, &caller)?;
            let (role, expires, (permission, grantee)) = (body.role()?, body.expires()?, body.grantee()?);
            if role == Role::Owner {
                give_away(&mut file, &caller, &grantee, transfers)?;
            } else if !matches!(&grantee, Grantee::User { email, .. } if *email == file.owner) {
                grant(
                    &mut file,
                    &caller,
                    PermissionRecord {
                        id: permission.clone(),
                        grantee,
                        role,
                        granted: now(),
                        granted_by: caller.account.clone(),
                        expires,
                    },
                )?;
            }
            let id = file.id.clone();
            state.put(file);
            found(state, &id, &permission)
        })
        .await?;
    Ok(answer(resource::permission(&created), &mask))
}

/// Adds a permission, or sets the role of the grantee's present one.
fn grant(file: &mut FileRecord, caller: &Caller, permission: PermissionRecord) -> Result<(), ApiError> {
    let is_full = file.permissions.len() >= MAX_PERMISSIONS;
    match file.permissions.iter_mut().find(|known| known.id == permission.id) {
        Some(known) => {
            (known.role, known.expires) = (permission.role, permission.expires);
            known.granted_by = caller.account.clone();
        }
        None if is_full => {
            let message = "The file has as many permissions as it can have.";
            return Err(ApiError::forbidden("sharingRateLimitExceeded", message));
        }
        None => file.permissions.push(permission),
    }
    Ok(())
}

/// Makes somebody else the owner; the owner before may write from then on.
fn give_away(file: &mut FileRecord, caller: &Caller, to: &Grantee, transfers: bool) -> Result<(), ApiError> {
    if !transfers {
        let message = "The transferOwnership parameter must be enabled when the permission role is 'owner'.";
        return Err(ApiError::forbidden("forbidden", message));
    }
    if file.owner != caller.account {
        return Err(ApiError::insufficient());
    }
    let Grantee::User { email, group: false } = to else {
        return Err(ApiError::forbidden("invalidOwner", "Only a user can be an owner."));
    };
    if *email == file.owner {
        return Ok(());
    }
    file.permissions.retain(|known| known.grantee != *to);
    let before = std::mem::replace(&mut file.owner, email.clone());
    grant(
        file,
        caller,
        PermissionRecord {
            id: ids::permission(before.as_str()),
            grantee: Grantee::User { email: before, group: false },
            role: Role::Writer,
            granted: now(),
            granted_by: caller.account.clone(),
            expires: None,
        },
    )
}

pub(crate) async fn update(
    State(drive): State<LocalDrive>,
    caller: Caller,
    params: Params,
    Path((id, permission)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let mask = params.mask(DEFAULT, &schema::PERMISSION)?;
    let transfers = params.flag("transferOwnership", false)?;
    let body: PermissionBody = parse_json(&body)?;
    let changed = drive
        .store()
        .write(move |state| {
            let mut file = shareable(state, &id, &caller)?;
            let (role, expires) = (body.role()?, body.expires()?);
            let known = own(state, &mut file, &permission)?;
            let grantee = known.grantee.clone();
            if role == Role::Owner {
                give_away(&mut file, &caller, &grantee, transfers)?;
            } else {
                (known.role, known.expires) = (role, expires.or(known.expires));
            }
            let id = file.id.clone();
            state.put(file);
            found(state, &id, &permission)
        })
        .await?;
    Ok(answer(resource::permission(&changed), &mask))
}

/// A permission that the file itself has: neither the owner's nor one from a folder above.
fn own<'a>(
    state: &DriveState,
    file: &'a mut FileRecord,
    permission: &str,
) -> Result<&'a mut PermissionRecord, ApiError> {
    let id = file.id.clone();
    if let Some(known) = file.permissions.iter_mut().find(|known| known.id == permission) {
        return Ok(known);
    }
    let inherited = found(state, &id, permission)?.inherited_from.is_some();
    let (reason, message) = if inherited {
        ("cannotModifyInheritedPermission", "Cannot update or delete an inherited permission.")
    } else {
        ("insufficientFilePermissions", "The owner of a file cannot be removed or changed this way.")
    };
    Err(ApiError::forbidden(reason, message))
}

pub(crate) async fn delete(
    State(drive): State<LocalDrive>,
    caller: Caller,
    Path((id, permission)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    drive
        .store()
        .write(move |state| {
            // Everybody may give up what they were given.
            let mut file = if permission == ids::permission(caller.account.as_str()) {
                access::visible(state, &id, &caller.account)?.as_ref().clone()
            } else {
                shareable(state, &id, &caller)?
            };
            own(state, &mut file, &permission)?;
            file.permissions.retain(|known| known.id != permission);
            state.put(file);
            Ok(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
