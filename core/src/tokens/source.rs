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

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use serde_json::json;

    use super::*;
    use crate::drive::scripted::{Scene, Step, json as answer, response};

    #[derive(Default)]
    struct Kept(StdMutex<Vec<String>>);

    impl TokenKeeper for Kept {
        fn keep<'a>(&'a self, user: &'a AuthorizedUser) -> BoxFuture<'a, Result<(), TokenError>> {
            self.0.lock().unwrap().push(user.to_json());
            Box::pin(async { Ok(()) })
        }
    }

    fn user(expiry: &str) -> AuthorizedUser {
        let file = json!({ "token": "old", "refresh_token": "r/1", "client_id": "c", "client_secret": "s&s",
            "token_uri": "https://tokens.test/token", "expiry": expiry, "account": "kept" });
        AuthorizedUser::parse(file.to_string().as_bytes()).unwrap()
    }

    fn granted() -> Step {
        answer(200, &json!({ "access_token": "new", "expires_in": 3599, "token_type": "Bearer" }))
    }

    #[tokio::test]
    async fn a_token_is_renewed_when_it_ends_and_kept() {
        let scene = Scene::new([granted()]);
        let kept = Arc::new(Kept::default());
        // MemoryClock starts on 23 November 2026, 04:26:40.
        let tokens = UserTokens::new(&scene.platform, user("2026-11-23T04:27:00Z"), Some(kept.clone()));
        let (one, two) = tokio::join!(tokens.token(None), tokens.token(None));
        assert_eq!(one.unwrap(), two.unwrap());
        let sent = scene.seen();
        assert_eq!(sent.len(), 1, "one renewal serves both");
        assert_eq!(
            sent[0].body(),
            "grant_type=refresh_token&refresh_token=r%2F1&client_id=c&client_secret=s%26s"
        );
        let kept = kept.0.lock().unwrap();
        let kept: serde_json::Value = serde_json::from_str(&kept[0]).unwrap();
        assert_eq!((&kept["token"], &kept["account"]), (&json!("new"), &json!("kept")));
        assert!(kept["expiry"].as_str().unwrap().starts_with("2026-11-23T05:26:39"), "{kept}");
    }

    #[tokio::test]
    async fn a_token_that_works_is_left_alone_until_refused() {
        let scene = Scene::new([granted()]);
        let tokens = UserTokens::new(&scene.platform, user("2026-11-23T05:00:00Z"), None);
        let old = tokens.token(None).await.unwrap();
        assert_eq!(scene.seen().len(), 0);
        let new = tokens.token(Some(&old)).await.unwrap();
        assert_ne!(new, old);
        assert_eq!(
            tokens.token(Some(&old)).await.unwrap(),
            new,
            "a second refusal of the old one renews nothing"
        );
        assert_eq!(scene.seen().len(), 1);
    }

    #[tokio::test]
    async fn a_token_alone_works_until_refused() {
        let scene = Scene::new([]);
        let alone = AuthorizedUser::parse(br#"{"token": "old", "expiry": "2020-01-01T00:00:00Z"}"#).unwrap();
        let tokens = UserTokens::new(&scene.platform, alone, None);
        let old = tokens.token(None).await.unwrap();
        let error = tokens.token(Some(&old)).await.unwrap_err();
        assert!(matches!(error, TokenError::NoRefreshToken), "{error}");
    }

    #[tokio::test]
    async fn refusals_say_what_to_do_and_no_secret() {
        for (step, says, may_retry) in [
            (
                answer(400, &json!({ "error": "invalid_grant", "error_description": "Revoked." })),
                "log in again",
                false,
            ),
            (answer(503, &json!({})), "try again later", true),
            (Step::Lost, "check the network", true),
            (Step::Answer(response(200, &[], r#"{"access_token": "a secret", "r/1"}"#)), "token_uri", false),
            (Step::Answer(response(404, &[], "<html>")), "token_uri", false),
            (Step::Answer(response(200, &[], vec![b' '; 100_000])), "token_uri", false),
        ] {
            let scene = Scene::new([step]);
            let tokens = UserTokens::new(&scene.platform, user("2026-11-23T04:00:00Z"), None);
            let error = tokens.token(None).await.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(says), "{says}: {text}");
            assert!(!text.contains("a secret") && !text.contains("s&s") && !text.contains("r/1"), "{text}");
            assert_eq!(error.may_retry(), may_retry, "{text}");
        }
    }
}
