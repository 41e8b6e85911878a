//! Where the Drive client gets its tokens.

use std::{sync::Arc, time::Duration};

use futures_util::lock::Mutex;

use super::{AccessToken, AuthorizedUser, TokenError, exchange};
use crate::platform::{BoxFuture, MaybeSend, Platform};

/// A token that ends sooner than this is renewed before it is used: clocks differ, and requests take time.
const SKEW: Duration = Duration::from_mins(3);

/// Gives tokens for one account.
pub trait TokenSource: MaybeSend {
    /// A token that should work, another than `refused`.
    fn token<'a>(
        &'a self,
        refused: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>>;
}

/// Keeps a renewed token for the next start, readable only by its owner.
pub trait TokenKeeper: MaybeSend {
    /// Keeps `user`.
    fn keep<'a>(&'a self, user: &'a AuthorizedUser) -> BoxFuture<'a, Result<(), TokenError>>;
}

/// The tokens of a user who logged in once: renewed when they end or are refused, one renewal at a time.
pub struct UserTokens {
    platform: Platform,
    user: Mutex<AuthorizedUser>,
    keeper: Option<Arc<dyn TokenKeeper>>,
}

impl UserTokens {
    /// The tokens of `user`; renewed ones are given to `keeper`.
    #[must_use]
    pub fn new(platform: &Platform, user: AuthorizedUser, keeper: Option<Arc<dyn TokenKeeper>>) -> Self {
        Self { platform: platform.clone(), user: Mutex::new(user), keeper }
    }

    fn usable(&self, user: &AuthorizedUser, refused: Option<&AccessToken>) -> Option<AccessToken> {
        let token = user.token.as_ref().filter(|token| Some(*token) != refused)?;
        let soon = self.platform.clock.now().after(SKEW);
        // Without a refresh token the server is asked whether the token has ended.
        let ends = user.refresh_token.is_some() && user.expiry.is_some_and(|expiry| expiry <= soon);
        (!ends).then(|| token.clone())
    }

    async fn renew(&self, user: &mut AuthorizedUser) -> Result<AccessToken, TokenError> {
        let (Some(refresh_token), Some(client_id), Some(client_secret)) =
            (&user.refresh_token, &user.client_id, &user.client_secret)
        else {
            return Err(TokenError::NoRefreshToken);
        };
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", client_id),
            ("client_secret", client_secret),
        ];
        let grant = exchange(&self.platform, &user.token_uri, &form).await?;
        user.token = Some(grant.token.clone());
        user.expiry = grant.expiry;
        if grant.refresh_token.is_some() {
            user.refresh_token = grant.refresh_token;
        }
        // A token that couldn't be kept still works until the program ends.
        if let Some(keeper) = &self.keeper
            && let Err(error) = keeper.keep(user).await
        {
            tracing::warn!(%error, "the renewed token is used, but will be renewed again at the next start");
        }
        Ok(grant.token)
    }
}

impl TokenSource for UserTokens {
    fn token<'a>(
        &'a self,
        refused: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async move {
            let mut user = self.user.lock().await;
            match self.usable(&user, refused) {
                Some(token) => Ok(token),
                None => self.renew(&mut user).await,
            }
        })
    }
}
