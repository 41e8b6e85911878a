//! What goes wrong: [`LocalDriveError`] for the program that runs the server, [`ApiError`] for the
//! client that asks it, in the shape of Google's error bodies (wire section 10).

use std::path::PathBuf;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Why a local Drive can't be opened or served.
#[derive(Debug, thiserror::Error)]
pub enum LocalDriveError {
    /// A file or folder of the drive can't be read or written.
    #[error("can't use {path}: {source}; check that it exists and is yours to write")]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process serves the same folder.
    #[error("{0} is in use by another local Drive; stop that one or give another folder")]
    InUse(PathBuf),
    /// The metadata can't be read or written.
    #[error("the metadata in {path} can't be used: {source}")]
    Metadata {
        /// The metadata file.
        path: PathBuf,
        /// What the database said.
        source: Box<redb::Error>,
    },
    /// A record of the metadata has another shape than this version writes.
    #[error("the metadata in {path} has a record that this version can't read: {source}")]
    Record {
        /// The metadata file.
        path: PathBuf,
        /// What is wrong with the record.
        source: serde_json::Error,
    },
    /// The accounts file isn't a JSON object of tokens and e-mail addresses.
    #[error("the accounts file {path} is wrong: {reason}; write it like {{\"TOKEN\": \"name@example.org\"}}")]
    Accounts {
        /// The accounts file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An account's e-mail address isn't one.
    #[error(transparent)]
    Email(#[from] syftbox_core::domain::EmailError),
    /// The listener stopped.
    #[error("the local Drive stopped listening: {0}")]
    Listen(std::io::Error),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Why a request is refused, as Google's JSON says it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{status} {reason}: {message}")]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// Google's word for it, such as `notFound`.
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// The parameter or header at fault, and which of the two it is.
    location: Option<(String, &'static str)>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into(), location: None }
    }

    /// A file that isn't there, or that the caller may not know of.
    pub(crate) fn not_found(file: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", format!("File not found: {file}."))
            .at_parameter("fileId")
    }

    pub(crate) fn invalid_parameter(name: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalidParameter", message).at_parameter(name)
    }

    pub(crate) fn invalid_value(name: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", "Invalid Value").at_parameter(name)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "badRequest", message)
    }

    pub(crate) fn forbidden(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, reason, message)
    }

    /// The caller sees the file and may not do this to it.
    pub(crate) fn insufficient() -> Self {
        Self::forbidden(
            "insufficientFilePermissions",
            "The user does not have sufficient permissions for this file.",
        )
    }

    pub(crate) fn not_writable(field: &str) -> Self {
        Self::forbidden(
            "fieldNotWritable",
            format!("The resource body includes fields which are not directly writable: {field}."),
        )
    }

    /// No token, or one that names no account.
    pub(crate) fn unauthorized() -> Self {
        let mut error = Self::new(StatusCode::UNAUTHORIZED, "authError", "Invalid Credentials");
        error.location = Some(("Authorization".to_owned(), "header"));
        error
    }

    /// The server couldn't do it. The cause goes to the log, not to the client.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside the local Drive");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internalError", "Internal Error")
    }

    fn at_parameter(mut self, name: &str) -> Self {
        self.location = Some((name.to_owned(), "parameter"));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let domain = if self.reason == "rateLimitExceeded" { "usageLimits" } else { "global" };
        let mut item = json!({"message": self.message, "domain": domain, "reason": self.reason});
        if let Some((location, kind)) = self.location {
            item["location"] = location.into();
            item["locationType"] = kind.into();
        }
        let code = self.status.as_u16();
        let body = json!({"error": {"code": code, "message": self.message, "errors": [item]}});
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let realm = HeaderValue::from_static(r#"Bearer realm="local Drive", error="invalid_token""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        }
        response
    }
}
