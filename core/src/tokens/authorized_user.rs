//! The token file: Google's authorized-user JSON, as the Python peers' `google-auth` writes it.

use std::fmt;

use serde_json::{Map, Value};
use url::Url;

use super::{AccessToken, TokenError};
use crate::domain::Timestamp;

/// Google's token server, for files that name none.
const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// What a token file holds. Fields that are unknown here are kept. `Debug` shows no secret.
#[derive(Clone, PartialEq)]
pub struct AuthorizedUser {
    /// The last access token.
    pub token: Option<AccessToken>,
    /// Gets new access tokens; a file without one works until its token is refused.
    pub refresh_token: Option<String>,
    /// Where new access tokens come from.
    pub token_uri: Url,
    /// The OAuth client that the user logged in with.
    pub client_id: Option<String>,
    /// The OAuth client's secret. For installed programs it isn't one really, but it is kept as one.
    pub client_secret: Option<String>,
    /// When `token` ends; unknown counts as not yet.
    pub expiry: Option<Timestamp>,
    rest: Map<String, Value>,
}

impl AuthorizedUser {
    /// A user who just logged in, with `scopes` granted.
    #[must_use]
    pub fn new(token_uri: Url, client_id: String, client_secret: String, scopes: &[String]) -> Self {
        let mut rest = Map::new();
        rest.insert("type".to_owned(), "authorized_user".into());
        rest.insert("scopes".to_owned(), scopes.into());
        Self {
            token: None,
            refresh_token: None,
            token_uri,
            client_id: Some(client_id),
            client_secret: Some(client_secret),
            expiry: None,
            rest,
        }
    }

    /// Reads the content of a token file.
    pub fn parse(json: &[u8]) -> Result<Self, TokenError> {
        let not_json = |error: serde_json::Error| TokenError::NotJson {
            // The parser's message may quote the text, which is secret.
            why: format!("line {}, column {}", error.line(), error.column()),
        };
        let mut rest: Map<String, Value> = serde_json::from_slice(json).map_err(not_json)?;
        let mut text = |field: &'static str| match rest.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(TokenError::BadField { field }),
        };
        let bad = |field| move |_| TokenError::BadField { field };
        let token = text("token")?.map(AccessToken::try_from).transpose().map_err(bad("token"))?;
        let refresh_token = text("refresh_token")?;
        let token_uri = text("token_uri")?;
        let client_id = text("client_id")?;
        let client_secret = text("client_secret")?;
        let expiry = text("expiry")?.map(|text| parse_expiry(&text)).transpose()?;
        let token_uri = Url::parse(token_uri.as_deref().unwrap_or(GOOGLE_TOKEN_URI))
            .map_err(|_| TokenError::BadField { field: "token_uri" })?;
        if !["http", "https"].contains(&token_uri.scheme()) {
            return Err(TokenError::BadField { field: "token_uri" });
        }
        let missing = |field| Err(TokenError::BadField { field });
        match (&token, &refresh_token, &client_id, &client_secret) {
            (None, None, ..) => missing("token"),
            (_, Some(_), None, _) => missing("client_id"),
            (_, Some(_), _, None) => missing("client_secret"),
            _ => Ok(Self { token, refresh_token, token_uri, client_id, client_secret, expiry, rest }),
        }
    }

    /// The content of the token file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = self.rest.clone();
        let mut put = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                json.insert(field.to_owned(), value);
            }
        };
        put("token", self.token.clone().map(|token| String::from(token).into()));
        put("refresh_token", self.refresh_token.clone().map(Value::from));
        put("token_uri", Some(self.token_uri.as_str().into()));
        put("client_id", self.client_id.clone().map(Value::from));
        put("client_secret", self.client_secret.clone().map(Value::from));
        put("expiry", self.expiry.map(|expiry| expiry.to_iso().into()));
        format!("{:#}", Value::Object(json))
    }
}

/// `google-auth` writes UTC with a `Z`, older programs without; it never means local time.
fn parse_expiry(text: &str) -> Result<Timestamp, TokenError> {
    Timestamp::from_iso(text)
        .or_else(|_| Timestamp::from_iso(&format!("{text}Z")))
        .map_err(|_| TokenError::BadField { field: "expiry" })
}

impl fmt::Debug for AuthorizedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizedUser")
            .field("token_uri", &self.token_uri.as_str())
            .field("client_id", &self.client_id)
            .field("expiry", &self.expiry.map(Timestamp::to_iso))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"token": "ya29.a", "refresh_token": "1//r", "token_uri": "https://t.example/token",
        "client_id": "c", "client_secret": "s3cret", "scopes": ["https://www.googleapis.com/auth/drive"],
        "universe_domain": "googleapis.com", "account": "", "expiry": "2026-11-23T05:00:00.123456Z"}"#;

    #[test]
    fn keeps_what_google_auth_writes() {
        let user = AuthorizedUser::parse(FILE.as_bytes()).unwrap();
        let written: Value = serde_json::from_str(&user.to_json()).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(FILE).unwrap());
        assert!(!format!("{user:?}").contains("ya29") && !format!("{user:?}").contains("s3cret"));
        let naive = FILE.replace("56Z", "56");
        assert_eq!(AuthorizedUser::parse(naive.as_bytes()).unwrap().expiry, user.expiry);
    }

    #[test]
    fn says_what_is_wrong_without_the_secret() {
        for (bad, says) in [
            ("ya29.secret", "not JSON"),
            ("[]", "not JSON"),
            ("{}", "`token`"),
            (r#"{"token": 7}"#, "`token`"),
            (r#"{"token": "a\nb"}"#, "`token`"),
            (r#"{"refresh_token": "secret"}"#, "`client_id`"),
            (r#"{"refresh_token": "secret", "client_id": "c"}"#, "`client_secret`"),
            (r#"{"token": "a", "expiry": "soon"}"#, "`expiry`"),
            (r#"{"token": "a", "token_uri": "file:///etc"}"#, "`token_uri`"),
        ] {
            let error = AuthorizedUser::parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("ya29"), "{bad}: {error}");
        }
        assert!(AuthorizedUser::parse(br#"{"token": "only"}"#).is_ok());
    }
}
