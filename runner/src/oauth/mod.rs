//! Interactive login to a Google account: OAuth for installed programs, with a redirect to this
//! machine and PKCE (RFC 8252, RFC 7636).
//!
//! The flow is our own: yup-oauth2 12 has neither PKCE nor `state`, and writes codes and tokens to
//! its log.

mod browser;
mod client_secret;
mod error;
mod loopback;
mod pkce;

use std::{path::Path, time::Duration};

use syftbox_core::{
    domain::Email,
    platform::{Platform, timeout},
    tokens::{AuthorizedUser, exchange},
};
use url::Url;

pub use self::{browser::open_browser, error::OAuthError};
use self::{client_secret::ClientSecret, loopback::Loopback, pkce::Pkce};

/// What the program may do with the account: all of Drive. Less doesn't see what peers share.
pub const SCOPE: &str = "https://www.googleapis.com/auth/drive";

/// How long the user has to log in.
const PATIENCE: Duration = Duration::from_mins(10);

/// Logs a user in with the OAuth client in the file `client_secret` (Google's JSON for a desktop
/// app). `on_url` gets the address that the user must open in a browser; `email` is suggested there.
///
/// # Errors
/// See [`OAuthError`].
pub async fn login(
    platform: &Platform,
    client_secret: &Path,
    email: Option<&Email>,
    on_url: impl FnOnce(&Url),
) -> Result<AuthorizedUser, OAuthError> {
    let client = ClientSecret::read(client_secret)?;
    let pkce = Pkce::new(&*platform.random);
    let state = pkce::secret(&*platform.random);
    let loopback = Loopback::open().await?;
    let redirect = loopback.address().to_string();

    let mut url = client.auth_uri.clone();
    url.query_pairs_mut()
        .append_pair("client_id", &client.id)
        .append_pair("redirect_uri", &redirect)
        .append_pair("response_type", "code")
        .append_pair("scope", SCOPE)
        .append_pair("state", &state)
        .append_pair("code_challenge", &pkce.challenge())
        .append_pair("code_challenge_method", "S256")
        // Without both, Google gives a refresh token at the first login only.
        .append_pair("access_type", "offline")
        .append_pair("prompt", "consent");
    if let Some(email) = email {
        url.query_pairs_mut().append_pair("login_hint", email.as_str());
    }
    on_url(&url);

    let code = timeout(&*platform.clock, PATIENCE, loopback.code(&state))
        .await
        .map_err(|_| OAuthError::NobodyCame { minutes: PATIENCE.as_secs() / 60 })??;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", pkce.verifier()),
        ("redirect_uri", &redirect),
        ("client_id", &client.id),
        ("client_secret", &client.secret),
    ];
    let grant = exchange(platform, &client.token_uri, &form).await.map_err(OAuthError::Exchange)?;
    if grant.scopes.as_ref().is_some_and(|scopes| !scopes.iter().any(|scope| scope == SCOPE)) {
        return Err(OAuthError::NoDrive);
    }
    let mut user = AuthorizedUser::new(
        client.token_uri,
        client.id,
        client.secret,
        &grant.scopes.unwrap_or_else(|| vec![SCOPE.to_owned()]),
    );
    user.refresh_token = Some(grant.refresh_token.ok_or(OAuthError::NoRefreshToken)?);
    user.token = Some(grant.token);
    user.expiry = grant.expiry;
    Ok(user)
}
