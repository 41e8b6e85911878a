//! What every handler gets of a request, and how it answers.

use std::{collections::HashMap, convert::Infallible};

use axum::{
    Json,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{Uri, header, request::Parts};
use serde::de::DeserializeOwned;
use serde_json::Value;
use syftbox_core::domain::Email;

use crate::{
    LocalDrive,
    errors::ApiError,
    fields::Mask,
    ids,
    resource::Viewer,
    store::{Details, FOLDER, FileRecord, State, TokenKind, now},
};

/// The account that asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) account: Email,
    /// The address by which it reached the server, such as `http://127.0.0.1:8080`.
    pub(crate) base: String,
}

impl Caller {
    pub(crate) fn viewer<'a>(&'a self, state: &'a State) -> Viewer<'a> {
        Viewer { state, account: &self.account, base: &self.base }
    }
}

/// The server's address as the client wrote it.
pub(crate) fn base_of(parts: &Parts) -> String {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or("127.0.0.1"))
}

impl LocalDrive {
    /// The account that a bearer token stands for.
    pub(crate) fn account_of(&self, token: &str) -> Option<Email> {
        self.accounts().account(token).or_else(|| {
            let state = self.store().read();
            let issued = state.token(token)?;
            let lasts = issued.expires.is_none_or(|end| end > now());
            (issued.kind == TokenKind::Access && lasts).then(|| issued.account.clone())
        })
    }

    /// Makes the account's My Drive when it has none yet.
    pub(crate) async fn ensure_root(&self, account: &Email) -> Result<(), ApiError> {
        if self.store().read().has_account(account) {
            return Ok(());
        }
        let account = account.clone();
        self.store()
            .write(move |state| {
                if !state.has_account(&account) {
                    state.put(my_drive(&account));
                }
                Ok(())
            })
            .await
    }
}

fn my_drive(account: &Email) -> FileRecord {
    let now = now();
    FileRecord {
        id: ids::root(account),
        name: "My Drive".to_owned(),
        mime_type: FOLDER.to_owned(),
        owner: account.clone(),
        parent: None,
        permissions: Vec::new(),
        trashed: None,
        content: None,
        created: now,
        modified: now,
        modified_by: account.clone(),
        modified_times: std::collections::BTreeMap::new(),
        viewed_times: std::collections::BTreeMap::new(),
        starred_by: std::collections::BTreeSet::new(),
        version: 0,
        details: Details::default(),
        properties: std::collections::BTreeMap::new(),
        app_properties: std::collections::BTreeMap::new(),
    }
}

impl FromRequestParts<LocalDrive> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, drive: &LocalDrive) -> Result<Self, ApiError> {
        let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = authorization.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        let token = bearer.or_else(|| Params::of(&parts.uri).get("access_token").map(ToOwned::to_owned));
        let account = token.and_then(|token| drive.account_of(&token)).ok_or_else(ApiError::unauthorized)?;
        drive.ensure_root(&account).await?;
        Ok(Self { account, base: base_of(parts) })
    }
}

/// The query parameters; of a repeated one the last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(HashMap<String, String>);

impl Params {
    pub(crate) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// A parameter's value; an empty one is as good as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| {
            ApiError::new(http::StatusCode::BAD_REQUEST, "required", format!("Required parameter: {name}"))
        })
    }

    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.get(name) {
            None => Ok(default),
            Some("true" | "True" | "1") => Ok(true),
            Some("false" | "False" | "0") => Ok(false),
            Some(_) => Err(ApiError::invalid_value(name)),
        }
    }

    pub(crate) fn number(
        &self,
        name: &str,
        default: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, ApiError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            let (first, last) = range.into_inner();
            let message =
                format!("Invalid value '{text}'. Values must be within the range: [{first}, {last}]");
            ApiError::invalid_parameter(name, message)
        })
    }

    /// The selection asked for, or else `default`; refused when it names what `schema` has not.
    pub(crate) fn mask(&self, default: &str, schema: &Mask) -> Result<Mask, ApiError> {
        let mask = Mask::parse(self.get("fields").unwrap_or(default))?;
        mask.check(schema)?;
        Ok(mask)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri))
    }
}

/// What of a selection is for one member, such as `files` of a list.
pub(crate) fn mask_of(mask: &Mask, member: &str) -> Option<Mask> {
    match mask {
        Mask::All => Some(Mask::All),
        Mask::Members(members) => members.get(member).or_else(|| members.get("*")).cloned(),
    }
}

/// Answers with what the mask leaves of `value`.
pub(crate) fn answer(mut value: Value, mask: &Mask) -> Response {
    mask.apply(&mut value);
    Json(value).into_response()
}

/// Parses a JSON request body; an empty one is an empty object.
pub(crate) fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        ApiError::new(http::StatusCode::BAD_REQUEST, "parseError", format!("Parse Error: {error}"))
    })
}
