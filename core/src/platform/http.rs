//! HTTP, one request at a time.

use std::fmt;

use bytes::Bytes;

use super::{BoxFuture, BoxStream, MaybeSend};

/// The body of an answer, in pieces as they arrive.
pub type Body = BoxStream<'static, Result<Bytes, HttpError>>;

/// Sends requests. Redirects are not followed, nothing is retried and there is no time limit: the
/// Drive client does those, the same way everywhere.
pub trait HttpClient: MaybeSend {
    /// Sends `request` and gives the answer as soon as its headers are there.
    ///
    /// # Errors
    /// When no answer came: the name is unknown, the connection was refused, or it broke.
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Body>, HttpError>>;
}

/// No answer, or one that broke off.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    message: String,
}

impl HttpError {
    /// An error with what the implementation knows of the cause.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self { message: cause.to_string() }
    }
}
