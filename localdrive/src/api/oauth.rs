//! OAuth 2.0 for installed apps: the consent page, one-time codes with PKCE, and refresh tokens.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use axum::{
    Json,
    extract::State,
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::json;
use sha2::{Digest, Sha256};
use syftbox_core::domain::Email;
use url::Url;

use super::context::Params;
use crate::{
    LocalDrive,
    errors::ApiError,
    ids,
    store::{IssuedToken, Millis, TokenKind, now},
};

/// How long an access token lasts, in seconds: as Google's.
const TOKEN_SECONDS: i64 = 3599;
/// How long a code lasts, in milliseconds.
const CODE_LIFETIME: Millis = 10 * 60 * 1000;

/// The codes that were given out and not yet used.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<String, Code>>);

/// What a code was given for. It is good once.
struct Code {
    account: Email,
    client_id: String,
    redirect_uri: String,
    scope: String,
    challenge: Option<Challenge>,
    expires: Millis,
}

/// What the one who redeems a code must know the origin of.
enum Challenge {
    Plain(String),
    Sha256(String),
}

impl Challenge {
    fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(challenge) => challenge == verifier,
            Self::Sha256(challenge) => {
                *challenge == BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
            }
        }
    }
}

impl Codes {
    fn give(&self, code: Code) -> Result<String, ApiError> {
        let name = ids::token("4/0").map_err(|error| ApiError::internal(&error))?;
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, code| code.expires > now());
        codes.insert(name.clone(), code);
        Ok(name)
    }

    fn take(&self, name: &str) -> Option<Code> {
        let code = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        code.filter(|code| code.expires > now())
    }
}

/// An error of the token endpoint, in the shape of RFC 6749.
fn refused(error: &str, description: &str) -> Response {
    let body = json!({"error": error, "error_description": description});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// A redirect to a program on the same machine; nowhere else is a code sent.
fn is_loopback(redirect: &str) -> bool {
    let Ok(url) = Url::parse(redirect) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    url.scheme() == "http" && loopback
}

/// `GET /o/oauth2/v2/auth`: lets a person choose an account. With a `login_hint` that names one,
/// the choice is made.
pub(crate) async fn authorize(
    State(drive): State<LocalDrive>,
    params: Params,
    uri: Uri,
) -> Result<Response, ApiError> {
    let redirect = params.required("redirect_uri")?;
    let client_id = params.required("client_id")?;
    if !is_loopback(redirect) {
        return Err(ApiError::bad_request("redirect_uri_mismatch: it must be an address of this machine."));
    }
    if params.required("response_type")? != "code" {
        return Err(ApiError::bad_request("unsupported_response_type: only code is."));
    }
    let challenge = match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (None, _) => None,
        (Some(challenge), Some("S256")) => Some(Challenge::Sha256(challenge.to_owned())),
        (Some(challenge), None | Some("plain")) => Some(Challenge::Plain(challenge.to_owned())),
        _ => return Err(ApiError::invalid_value("code_challenge_method")),
    };
    let Some(account) = params.get("login_hint").and_then(|hint| drive.accounts().named(hint)) else {
        return Ok(Html(choice(&drive.accounts().known(), &uri)).into_response());
    };
    let code = drive.codes().give(Code {
        account,
        client_id: client_id.to_owned(),
        redirect_uri: redirect.to_owned(),
        scope: params.get("scope").unwrap_or_default().to_owned(),
        challenge,
        expires: now() + CODE_LIFETIME,
    })?;
    let mut url = Url::parse(redirect).map_err(|_| ApiError::invalid_value("redirect_uri"))?;
    url.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("scope", params.get("scope").unwrap_or_default());
    if let Some(state) = params.get("state") {
        url.query_pairs_mut().append_pair("state", state);
    }
    Ok((StatusCode::FOUND, [(header::LOCATION, url.to_string())]).into_response())
}

/// The page with a link per account.
fn choice(accounts: &[Email], uri: &Uri) -> String {
    let kept: Vec<(String, String)> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .filter(|(name, _)| name != "login_hint")
        .collect();
    let link = |account: &Email| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&kept).append_pair("login_hint", account.as_str());
        let query = query.finish().replace('&', "&amp;");
        // An address can't hold a character that means something in HTML but for this one.
        let name = account.as_str().replace('&', "&amp;");
        format!("<li><a href=\"?{query}\">{name}</a></li>")
    };
    let links: String = accounts.iter().map(link).collect();
    let none = if accounts.is_empty() { "<p>There is no account yet.</p>" } else { "" };
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Choose an account</title>\
         <h1>Choose an account</h1><p>It gives the program that asks access to this local Drive.</p>\
         <ul>{links}</ul>{none}</html>"
    )
}

/// `POST /token`: an access token for a code or for a refresh token.
pub(crate) async fn token(
    State(drive): State<LocalDrive>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let client_id = match basic_client(&headers) {
        Some(client) => client,
        None => field("client_id").to_owned(),
    };
    match field("grant_type") {
        "refresh_token" => {
            let shown = field("refresh_token");
            let issued = {
                let state = drive.store().read();
                let issued = state.token(shown).filter(|issued| issued.kind == TokenKind::Refresh);
                issued.map(|issued| issued.account.clone())
            };
            let Some(account) = issued.or_else(|| drive.accounts().account(shown)) else {
                return Ok(refused("invalid_grant", "Token has been expired or revoked."));
            };
            grant(&drive, account, field("scope"), None).await
        }
        "authorization_code" => {
            let Some(code) = drive.codes().take(field("code")) else {
                return Ok(refused("invalid_grant", "Malformed, used or expired auth code."));
            };
            if code.client_id != client_id {
                return Ok(refused("invalid_grant", "The code was given to another client."));
            }
            if code.redirect_uri != field("redirect_uri") {
                return Ok(refused("redirect_uri_mismatch", "The redirect_uri is not the one of the code."));
            }
            match &code.challenge {
                Some(challenge) if !challenge.is_met_by(field("code_verifier")) => {
                    return Ok(refused("invalid_grant", "Invalid code verifier."));
                }
                _ => {}
            }
            let refresh = ids::token("1//").map_err(|error| ApiError::internal(&error))?;
            grant(&drive, code.account, &code.scope, Some(refresh)).await
        }
        "" => Ok(refused("invalid_request", "Required parameter is missing: grant_type")),
        _ => Ok(refused("unsupported_grant_type", "Invalid grant_type.")),
    }
}

/// The client that HTTP basic authentication names, as some libraries send it.
fn basic_client(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let encoded = value.strip_prefix("Basic ")?.trim();
    let decoded = base64::prelude::BASE64_STANDARD.decode(encoded).ok()?;
    let (client, _) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(percent_encoding::percent_decode_str(client).decode_utf8_lossy().into_owned())
}

/// Gives out an access token, and a refresh token when there is a new one, both durable.
async fn grant(
    drive: &LocalDrive,
    account: Email,
    scope: &str,
    refresh: Option<String>,
) -> Result<Response, ApiError> {
    let access = ids::token("ya29.").map_err(|error| ApiError::internal(&error))?;
    let mut body = json!({
        "access_token": access,
        "expires_in": TOKEN_SECONDS,
        "token_type": "Bearer",
        "scope": if scope.is_empty() { "https://www.googleapis.com/auth/drive" } else { scope },
    });
    if let Some(refresh) = &refresh {
        body["refresh_token"] = refresh.as_str().into();
    }
    drive
        .store()
        .write(move |state| {
            let over = |issued: &IssuedToken| issued.expires.is_some_and(|end| end <= now());
            let gone: Vec<String> =
                state.tokens().filter(|(_, issued)| over(issued)).map(|(token, _)| token.clone()).collect();
            for token in gone {
                state.remove_token(&token);
            }
            let expires = Some(now() + TOKEN_SECONDS * 1000);
            state.put_token(
                access,
                IssuedToken { account: account.clone(), kind: TokenKind::Access, expires },
            );
            if let Some(refresh) = refresh {
                state.put_token(refresh, IssuedToken { account, kind: TokenKind::Refresh, expires: None });
            }
            Ok(())
        })
        .await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// `POST /revoke`: forgets a token that was given out.
pub(crate) async fn revoke(
    State(drive): State<LocalDrive>,
    params: Params,
    body: Bytes,
) -> Result<Response, ApiError> {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let token = form.get("token").map(String::as_str).or(params.get("token")).unwrap_or_default().to_owned();
    if drive.store().read().token(&token).is_none() {
        return Ok(refused("invalid_token", "Token expired or revoked"));
    }
    drive
        .store()
        .write(move |state| {
            state.remove_token(&token);
            Ok(())
        })
        .await?;
    Ok(Json(json!({})).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_gets_a_code() {
        for good in ["http://127.0.0.1:1234", "http://localhost:1/x", "http://[::1]:8/"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in
            ["https://x.org", "http://127.0.0.1.x.org", "http://localhost@x.org", "urn:a", "javascript:1", ""]
        {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
