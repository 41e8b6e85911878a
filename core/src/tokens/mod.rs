//! Tokens that let this program act for one Google account.

mod authorized_user;
mod error;
mod exchange;
mod source;

pub use self::{
    authorized_user::AuthorizedUser,
    error::TokenError,
    exchange::{Grant, exchange},
    source::{TokenKeeper, TokenSource, UserTokens},
};

use std::fmt;

use http::HeaderValue;
use serde::{Deserialize, Serialize};

/// A short-lived token that requests to Drive carry. It is never shown, also not by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessToken(String);

impl AccessToken {
    /// The longest token, in bytes. Google's have up to 2048.
    pub const MAX_BYTES: usize = 8192;

    /// The `Authorization` header.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        // The charset is checked, so this can't fail; an empty header would be refused by any server.
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0))
            .unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }
}

impl TryFrom<String> for AccessToken {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, TokenError> {
        if (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err(TokenError::BadToken)
        }
    }
}

impl From<AccessToken> for String {
    fn from(token: AccessToken) -> Self {
        token.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}
