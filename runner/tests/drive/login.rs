//! Tokens: renewed, kept, and had by logging in through a browser.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use serde_json::json;
use syftbox_core::{
    drive::Drive,
    tokens::{AuthorizedUser, UserTokens},
};
use syftbox_runner::{native::TokenFile, oauth};
use url::Url;

use crate::support::Scene;

fn drive_with(scene: &Scene, user: AuthorizedUser, file: Option<Arc<TokenFile>>) -> Drive {
    let tokens = UserTokens::new(&scene.platform, user, file.map(|file| file as _));
    Drive::new(&scene.platform, &scene.server.url().parse().unwrap(), Arc::new(tokens))
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_kept() {
    let scene = Scene::new();
    let path = scene.folder.path().join("token.json");
    let old = json!({ "token": "ended", "refresh_token": "ann", "client_id": "c", "client_secret": "s",
        "token_uri": format!("{}/token", scene.server.url()), "expiry": "2999-01-01T00:00:00", "scopes": ["x"] });
    std::fs::write(&path, old.to_string()).unwrap();

    let file = Arc::new(TokenFile::at(&path).unwrap());
    let drive = drive_with(&scene, file.read().await.unwrap(), Some(file.clone()));
    assert_eq!(drive.about().await.unwrap(), "ann@example.org".parse().unwrap());
    drive.about().await.unwrap();
    assert_eq!(scene.requests("POST"), 1, "it is renewed once");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let kept = file.read().await.unwrap();
    assert!(kept.to_json().contains("\"scopes\""));
    let next_start = drive_with(&scene, kept, None);
    next_start.about().await.unwrap();
    assert_eq!(scene.requests("POST"), 1);
}

#[tokio::test]
async fn a_refused_refresh_token_says_to_log_in() {
    let scene = Scene::new();
    let user = json!({ "refresh_token": "mallory", "client_id": "c", "client_secret": "s",
        "token_uri": format!("{}/token", scene.server.url()) });
    let user = AuthorizedUser::parse(user.to_string().as_bytes()).unwrap();
    let error = drive_with(&scene, user, None).about().await.unwrap_err().to_string();
    assert!(error.contains("invalid_grant") && error.contains("syftbox login"), "{error}");
    assert!(!error.contains("mallory"), "{error}");
}

fn client_secret(scene: &Scene) -> PathBuf {
    let path = scene.folder.path().join("client.json");
    let url = scene.server.url();
    let client = json!({ "installed": { "client_id": "desktop", "client_secret": "s",
        "auth_uri": format!("{url}/o/oauth2/v2/auth"), "token_uri": format!("{url}/token") } });
    std::fs::write(&path, client.to_string()).unwrap();
    path
}

/// Follows redirects as a browser does, and gives the last page.
async fn browse(url: Url) -> String {
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn logging_in_through_a_browser() {
    let scene = Scene::new();
    let email = "ben@example.org".parse().unwrap();
    let (send, shown) = tokio::sync::oneshot::channel();
    let secret = client_secret(&scene);
    let login = oauth::login(&scene.platform, &secret, Some(&email), |url| send.send(url.clone()).unwrap());
    let browser = async { browse(shown.await.unwrap()).await };
    let (user, page) = tokio::join!(login, browser);
    assert!(page.contains("You are logged in"), "{page}");

    let user = user.unwrap();
    assert!(user.refresh_token.is_some() && user.expiry.is_some());
    let file = TokenFile::at(&scene.folder.path().join("new/token.json")).unwrap();
    file.write(&user).await.unwrap();
    let drive = drive_with(&scene, file.read().await.unwrap(), None);
    assert_eq!(drive.about().await.unwrap(), email);
    assert!(!format!("{user:?}").contains("ya29"));
}

#[tokio::test]
async fn a_code_that_somebody_caught_is_worth_nothing() {
    let scene = Scene::new();
    let email = "ben@example.org".parse().unwrap();
    let (send, shown) = tokio::sync::oneshot::channel();
    let secret = client_secret(&scene);
    let login = oauth::login(&scene.platform, &secret, Some(&email), |url| send.send(url.clone()).unwrap());
    let thief = async {
        let url: Url = shown.await.unwrap();
        let stay = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = stay.get(url.clone()).send().await.unwrap();
        let back: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        let caught = back.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
        let redirect = url.query_pairs().find(|(key, _)| key == "redirect_uri").unwrap().1.into_owned();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("code", &caught),
                ("client_id", "desktop"),
                ("client_secret", "s"),
                ("redirect_uri", &redirect),
                ("code_verifier", "a guess"),
            ])
            .finish();
        let token = stay
            .post(format!("{}/token", scene.server.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        // The login goes on: its own code is used up, which it is told.
        browse(back).await;
        token.status()
    };
    let (user, status) = tokio::join!(login, thief);
    assert_eq!(status, 400);
    let error = user.unwrap_err().to_string();
    assert!(error.contains("no token came"), "{error}");
}
