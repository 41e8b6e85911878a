//! Faults on purpose do what they say.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use syftbox_localdrive::{Fault, When};

use crate::support::{Bench, text};

#[tokio::test]
async fn a_status_is_answered_as_often_as_planned() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let wait = Some(Duration::from_secs(7));
    bench.drive.faults().next(2, When::method("GET").path("/files"), Fault::Status(503, wait));
    ann.folder("made", "root").await;
    for _ in 0..2 {
        let answer = ann.list(&[]).await;
        assert_eq!(answer.header("retry-after"), Some("7"));
        assert_eq!(answer.refused(503), "backendError");
    }
    assert_eq!(ann.list(&[]).await.status, 200);
    bench.drive.faults().next(1, When::any(), Fault::Status(403, None));
    assert_eq!(ann.list(&[]).await.refused(403), "rateLimitExceeded");
}

#[tokio::test]
async fn a_dropped_answer_is_lost_and_its_work_done() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    ann.list(&[]).await.ok();
    bench.drive.faults().next(1, When::method("POST"), Fault::DropAnswer);
    let create = || {
        let request = ann.request(Method::POST, "/drive/v3/files").header("content-type", "application/json");
        request.body(json!({"name": "made"}).to_string())
    };
    assert!(create().send().await.is_err());
    assert_eq!(ann.search("name = 'made'").await.len(), 1);
    bench.drive.faults().next(1, When::method("POST"), Fault::DropRequest);
    assert!(create().send().await.is_err());
    assert_eq!(ann.search("name = 'made'").await.len(), 1);
    bench.drive.faults().next(1, When::method("POST"), Fault::Delay(Duration::from_millis(1)));
    ann.send(create()).await.ok();
    assert_eq!(ann.search("name = 'made'").await.len(), 2);
}

#[tokio::test]
async fn a_search_lags_and_a_get_does_not() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let old = ann.folder("old", "root").await;
    let token = text(&ann.get("/drive/v3/changes/startPageToken").await.ok()["startPageToken"]);
    bench.drive.faults().lag_search(Duration::from_secs(3600));
    let new = ann.folder("new", "root").await;
    ann.patch(&format!("/drive/v3/files/{old}"), json!({"name": "renamed"})).await.ok();
    assert_eq!(ann.search("").await, ["old"]);
    assert_eq!(ann.file(&new).await.ok()["name"], "new");
    let path = format!("/drive/v3/changes?pageToken={token}");
    let changes = ann.get(&path).await.ok();
    assert_eq!((&changes["changes"], text(&changes["newStartPageToken"])), (&json!([]), token));
    bench.drive.faults().lag_search(Duration::ZERO);
    assert_eq!(ann.search("").await, ["new", "renamed"]);
    let changes = ann.get(&path).await.ok();
    assert_eq!(changes["changes"].as_array().unwrap().len(), 2);

    bench.drive.faults().limit_pages(1);
    assert_eq!(ann.list(&[]).await.ok()["files"].as_array().unwrap().len(), 1);
    bench.drive.faults().clear();
    assert_eq!(ann.list(&[]).await.ok()["files"].as_array().unwrap().len(), 2);
}
