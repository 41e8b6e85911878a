//! One question to a token server: a new access token for a refresh token, or for the code that a
//! login ended with (RFC 6749, sections 4.1.3 and 6).

use std::{fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderValue, Method, Request, header};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::{AccessToken, TokenError};
use crate::{
    domain::Timestamp,
    platform::{Platform, timeout},
};

/// How long a token server may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest answer of a token server.
const MAX_ANSWER: usize = 64 * 1024;

/// What a token server gave. `Debug` shows no secret.
pub struct Grant {
    /// The access token.
    pub token: AccessToken,
    /// A refresh token, after a login.
    pub refresh_token: Option<String>,
    /// When the access token ends.
    pub expiry: Option<Timestamp>,
    /// The scopes granted, when the server tells.
    pub scopes: Option<Vec<String>>,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("expiry", &self.expiry)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct WireGrant {
    access_token: AccessToken,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct WireRefusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Posts `form` to the token server at `url`, once.
pub async fn exchange(platform: &Platform, url: &Url, form: &[(&str, &str)]) -> Result<Grant, TokenError> {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let odd = |why: String| TokenError::NotTokenServer { url: url.to_string(), why };
    let request = Request::builder()
        .method(Method::POST)
        .uri(url.as_str())
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
        .header(header::ACCEPT, HeaderValue::from_static("application/json"))
        .body(Bytes::from(form))
        .map_err(|error| odd(error.to_string()))?;

    let asked = platform.clock.now();
    let (status, body) = timeout(&*platform.clock, PATIENCE, send(platform, url, request))
        .await
        .map_err(|late| TokenError::TimedOut { url: url.to_string(), after: late.0 })??;
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(TokenError::Server { url: url.to_string(), status: status.as_u16() });
    }
    if !status.is_success() {
        let refusal: WireRefusal =
            serde_json::from_slice(&body).map_err(|_| odd(format!("status {status}")))?;
        let reason = format!("{} {}", refusal.error, refusal.error_description);
        return Err(TokenError::Refused {
            url: url.to_string(),
            reason: reason.trim().chars().take(200).collect(),
        });
    }
    // The parser's message may quote the answer, which is secret.
    let grant: WireGrant =
        serde_json::from_slice(&body).map_err(|_| odd("its answer has no access token".to_owned()))?;
    Ok(Grant {
        token: grant.access_token,
        refresh_token: grant.refresh_token,
        expiry: grant
            .expires_in
            .map(|seconds| asked.after(Duration::from_secs(seconds.min(u32::MAX.into())))),
        scopes: grant.scope.map(|scopes| scopes.split_whitespace().map(str::to_owned).collect()),
    })
}

async fn send(
    platform: &Platform,
    url: &Url,
    request: Request<Bytes>,
) -> Result<(http::StatusCode, BytesMut), TokenError> {
    let unreachable = |cause: String| TokenError::Unreachable { url: url.to_string(), cause };
    let answer = platform.http.send(request).await.map_err(|error| unreachable(error.to_string()))?;
    let (head, mut pieces) = answer.into_parts();
    let mut body = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| unreachable(error.to_string()))?;
        if body.len() + piece.len() > MAX_ANSWER {
            let why = format!("its answer is longer than {MAX_ANSWER} bytes");
            return Err(TokenError::NotTokenServer { url: url.to_string(), why });
        }
        body.extend_from_slice(&piece);
    }
    Ok((head.status, body))
}
