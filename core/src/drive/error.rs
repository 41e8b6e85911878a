//! Why a call to Drive failed, and whether trying again can help (wire section 10).

use std::{sync::Arc, time::Duration};

use super::FileId;
use crate::{platform::FileError, tokens::TokenError};

/// A call to Drive that failed, after all retries that made sense.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DriveError {
    /// No answer came: unknown name, refused connection, or it broke before the headers.
    #[error("Drive at {url} can't be reached ({cause}); check the network and --drive-url")]
    Unreachable {
        /// Where the request went, without its query.
        url: String,
        /// What the HTTP client knows of it.
        cause: String,
    },
    /// Something answered, but not as Drive v3 does.
    #[error("{url} doesn't answer like a Drive server ({why}); check --drive-url")]
    NotDrive {
        /// Where the request went, without its query.
        url: String,
        /// What is odd about the answer.
        why: String,
    },
    /// The token was refused, also a fresh one.
    #[error("Drive refuses the account's token; log in again with `syftbox login`")]
    Unauthorized,
    /// No token could be had.
    #[error(transparent)]
    Token(Arc<TokenError>),
    /// The file isn't there, or this account may not see it.
    #[error("Drive has no file {id} that this account may see; sync and try again")]
    NotFound {
        /// The file, or what else the address named.
        id: String,
    },
    /// The account may see the file, but not do this.
    #[error("Drive forbids it ({reason}: {message}); ask the owner for access")]
    Forbidden {
        /// Google's reason, such as `insufficientFilePermissions`.
        reason: String,
        /// Google's words.
        message: String,
    },
    /// The account has no space left.
    #[error("the account's Drive is full ({message}); free some space and try again")]
    Full {
        /// Google's words.
        message: String,
    },
    /// Too many requests.
    #[error("Drive asks to slow down ({message}); try again in a few minutes")]
    RateLimited {
        /// Google's words.
        message: String,
        /// How long to wait, when Drive said so.
        retry_after: Option<Duration>,
    },
    /// Drive has a problem of its own.
    #[error("Drive failed with status {status} ({message}); try again later")]
    Server {
        /// The HTTP status, 500 and up.
        status: u16,
        /// Google's words.
        message: String,
        /// How long to wait, when Drive said so.
        retry_after: Option<Duration>,
    },
    /// Nothing came for too long.
    #[error("{url} sent nothing for {} s; check the network and try again", .after.as_secs())]
    TimedOut {
        /// Where the request went, without its query.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The answer broke off.
    #[error("the answer from {url} broke off ({cause}); check the network and try again")]
    Interrupted {
        /// Where the request went, without its query.
        url: String,
        /// What the HTTP client knows of it.
        cause: String,
    },
    /// More than the caller, or any honest answer, needs.
    #[error("{what} is larger than the {max} that are taken; nothing of it was used")]
    TooLarge {
        /// Which answer or file.
        what: String,
        /// The most that is taken, in `what`'s unit.
        max: u64,
    },
    /// JSON, but not what the call answers.
    #[error("the answer from {url} has another shape than Drive's ({why}); report this with the address")]
    Malformed {
        /// Where the request went, without its query.
        url: String,
        /// What the parser says.
        why: String,
    },
    /// Drive says that the request is wrong.
    #[error("Drive refuses the request with status {status} ({reason}: {message}); sync and try again")]
    Refused {
        /// The HTTP status, below 500.
        status: u16,
        /// Google's reason.
        reason: String,
        /// Google's words.
        message: String,
    },
    /// The pre-generated id of a new file belongs to another file.
    #[error("the id {id} for a new file named {name:?} is taken by another file; try again")]
    IdTaken {
        /// The id.
        id: FileId,
        /// The name that the new file should get.
        name: String,
    },
    /// A local file couldn't be read or written.
    #[error(transparent)]
    File(Arc<FileError>),
    /// A local file became shorter while it was sent.
    #[error("{path} changed while it was uploaded; try again when nothing writes to it")]
    SourceChanged {
        /// The file, relative to its root.
        path: String,
    },
}

impl DriveError {
    /// Whether the same request may succeed later without anybody's doing.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::Server { .. }
            | Self::TimedOut { .. }
            | Self::Interrupted { .. } => true,
            Self::Token(error) => error.may_retry(),
            _ => false,
        }
    }

    /// How long Drive wants to be left alone, when it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the file or folder itself is out of reach: gone, or not ours to touch. No repetition
    /// helps, and nothing else is affected.
    #[must_use]
    pub fn is_closed_to_us(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Forbidden { .. })
    }

    /// Whether the file isn't there for this account.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

impl From<TokenError> for DriveError {
    fn from(error: TokenError) -> Self {
        Self::Token(Arc::new(error))
    }
}

impl From<FileError> for DriveError {
    fn from(error: FileError) -> Self {
        Self::File(Arc::new(error))
    }
}
