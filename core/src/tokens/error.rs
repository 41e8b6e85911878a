//! Why there is no token.

use std::time::Duration;

/// No token could be had. No variant contains one.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token file's content is no JSON object.
    #[error(
        "the token file is not JSON ({why}); log in again with `syftbox login`, or give another --token-path"
    )]
    NotJson {
        /// What the parser says.
        why: String,
    },
    /// The token file lacks something, or has it in another form.
    #[error(
        "the token file's `{field}` is missing or not what Google writes; log in again with `syftbox login`, or give another --token-path"
    )]
    BadField {
        /// The name of the field.
        field: &'static str,
    },
    /// A text that can't be an access token.
    #[error("an access token has 1 to 8192 plain characters, and this one hasn't; log in again")]
    BadToken,
    /// Drive refuses the token, and there is nothing to get another with.
    #[error(
        "the token is refused and the token file has no refresh_token; log in again with `syftbox login`"
    )]
    NoRefreshToken,
    /// The token server gives no new token.
    #[error("{url} refuses to renew the token ({reason}); log in again with `syftbox login`")]
    Refused {
        /// The token server.
        url: String,
        /// OAuth's name of the reason, such as `invalid_grant`, and its description.
        reason: String,
    },
    /// The token server can't be reached.
    #[error(
        "the token server {url} can't be reached ({cause}); check the network and the token file's token_uri"
    )]
    Unreachable {
        /// The token server.
        url: String,
        /// What the HTTP client knows of it.
        cause: String,
    },
    /// The token server has a problem of its own.
    #[error("the token server {url} failed with status {status}; try again later")]
    Server {
        /// The token server.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The token server sent nothing.
    #[error("the token server {url} sent nothing for {} s; try again later", .after.as_secs())]
    TimedOut {
        /// The token server.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The answer isn't that of a token server.
    #[error("{url} doesn't answer like a token server ({why}); check the token file's token_uri")]
    NotTokenServer {
        /// The address.
        url: String,
        /// What is odd about the answer.
        why: String,
    },
    /// The renewed token couldn't be kept.
    #[error("the renewed token can't be saved ({why}); check the token file's permissions")]
    NotKept {
        /// What the system said.
        why: String,
    },
}

impl TokenError {
    /// Whether asking again may succeed without anybody's doing.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Server { .. } | Self::TimedOut { .. })
    }
}
