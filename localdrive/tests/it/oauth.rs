//! Tokens: refreshed, given for codes, remembered, revoked.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{Answer, Bench, Client, http, text, with_params};

const REDIRECT: &str = "http://127.0.0.1:9/back";

async fn post(bench: &Bench, path: &str, form: &[(&str, &str)]) -> Answer {
    let nobody = Client::new(bench.drive.url(), "none");
    let body = with_params("", form).trim_start_matches('?').to_owned();
    let request = http(reqwest::Client::builder())
        .request(Method::POST, format!("{}{path}", bench.drive.url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    nobody.send(request).await
}

async fn authorize(bench: &Bench, more: &[(&str, &str)]) -> reqwest::Response {
    let mut params = vec![("client_id", "client"), ("redirect_uri", REDIRECT), ("response_type", "code")];
    params.extend_from_slice(more);
    let http = http(reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()));
    http.get(format!("{}{}", bench.drive.url(), with_params("/o/oauth2/v2/auth", &params)))
        .send()
        .await
        .unwrap()
}

async fn code(bench: &Bench, challenge: &str) -> String {
    let more = [
        ("login_hint", "Ann@x.org"),
        ("state", "s t"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ];
    let answer = authorize(bench, &more).await;
    assert_eq!(answer.status(), 302);
    let location = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with(REDIRECT));
    let pairs: std::collections::HashMap<_, _> = location.query_pairs().into_owned().collect();
    assert_eq!(pairs["state"], "s t");
    pairs["code"].clone()
}

fn error(answer: &Answer) -> String {
    assert_eq!(answer.status, 400);
    text(&answer.json()["error"])
}

#[tokio::test]
async fn a_refresh_token_gives_access_that_outlives_a_restart() {
    let bench = Bench::new();
    let form = [("grant_type", "refresh_token"), ("refresh_token", "ann-token"), ("client_id", "c")];
    let granted = post(&bench, "/token", &form).await.ok();
    assert_eq!((&granted["token_type"], &granted["expires_in"]), (&"Bearer".into(), &3599.into()));
    let access = text(&granted["access_token"]);
    assert_ne!(access, "ann-token");
    let bench = bench.restart();
    let ann = Client::new(bench.drive.url(), &access);
    let about = ann.get("/drive/v3/about?fields=user").await.ok();
    assert_eq!(about["user"]["emailAddress"], "ann@x.org");
    let as_refresh = [("grant_type", "refresh_token"), ("refresh_token", access.as_str())];
    assert_eq!(error(&post(&bench, "/token", &as_refresh).await), "invalid_grant");
    assert_eq!(post(&bench, "/revoke", &[("token", &access)]).await.status, 200);
    assert_eq!(ann.list(&[]).await.refused(401), "authError");
    assert_eq!(error(&post(&bench, "/token", &[("grant_type", "password")]).await), "unsupported_grant_type");
    assert_eq!(error(&post(&bench, "/token", &[]).await), "invalid_request");
}

#[tokio::test]
async fn a_code_is_good_once_and_only_for_who_asked_for_it() {
    let bench = Bench::new();
    let verifier = "a-verifier-of-at-least-forty-three-characters-long";
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let redeem = async |code: &str, client: &str, redirect: &str, verifier: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", client),
            ("client_secret", "s"),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        post(&bench, "/token", &form).await
    };
    let good = code(&bench, &challenge).await;
    let granted = redeem(&good, "client", REDIRECT, verifier).await.ok();
    assert_eq!(error(&redeem(&good, "client", REDIRECT, verifier).await), "invalid_grant");
    for (client, redirect, shown, expected) in [
        ("other", REDIRECT, verifier, "invalid_grant"),
        ("client", "http://127.0.0.1:9/other", verifier, "redirect_uri_mismatch"),
        ("client", REDIRECT, "wrong", "invalid_grant"),
    ] {
        let code = code(&bench, &challenge).await;
        assert_eq!(error(&redeem(&code, client, redirect, shown).await), expected);
        assert_eq!(error(&redeem(&code, "client", REDIRECT, verifier).await), "invalid_grant", "used up");
    }
    let ann = Client::new(bench.drive.url(), &text(&granted["access_token"]));
    assert_eq!(ann.list(&[]).await.status, 200);
    let refresh = text(&granted["refresh_token"]);
    assert_eq!(Client::new(bench.drive.url(), &refresh).list(&[]).await.status, 401);
    let bench = bench.restart();
    let again = post(&bench, "/token", &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    assert!(matches!(again.ok()["access_token"], Value::String(_)));
}

#[tokio::test]
async fn the_page_lists_the_accounts_and_sends_codes_nowhere_else() {
    let bench = Bench::new();
    let page = authorize(&bench, &[("login_hint", "stranger@x.org"), ("state", "\"><script>")]).await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers().get("access-control-allow-origin"), None);
    let html = page.text().await.unwrap();
    for account in ["ann@x.org", "bob@x.org", "eve@y.org"] {
        assert!(html.contains(&format!(">{account}</a>")), "{html}");
    }
    assert!(!html.contains("<script>"));
    let elsewhere = with_params(
        "/o/oauth2/v2/auth",
        &[
            ("client_id", "c"),
            ("redirect_uri", "https://elsewhere.example/"),
            ("response_type", "code"),
            ("login_hint", "ann@x.org"),
        ],
    );
    assert_eq!(bench.client("ann").get(&elsewhere).await.refused(400), "badRequest");
}
