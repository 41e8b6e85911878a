//! How things stand, without asking Drive.

use serde_json::json;

use syftbox_localdrive::{Fault, When};
use syftbox_tests::{OWNER, SCIENTIST, Stage};

use crate::scene::{self, EVE};

#[test]
fn status_says_all_without_a_request() {
    let stage = scene::peers();
    scene::submit(&stage, "one", "print(1)");
    scene::submit(&stage, "two", "print(1)");
    stage.owner.ask(&["job", "approve", "two"]);
    let eve = stage.newcomer(EVE, Some("ds"));
    eve.ask(&["peer", "add", OWNER]);
    stage.owner.ask(&["sync"]);
    stage.drive().requests().reset();
    let status = stage.owner.ask(&["status"]);
    assert_eq!(stage.drive().requests().count(), 0);
    assert_eq!(
        (&status["email"], &status["owner"], &status["scientist"]),
        (&json!(OWNER), &json!(true), &json!(false))
    );
    assert_eq!((&status["generation"], &status["open_intents"]), (&json!("0.10"), &json!(0)));
    assert!(status["last_sync"].as_str().unwrap().ends_with('Z'), "{status}");
    assert!(status["drive_url"].as_str().unwrap().starts_with("http"), "{status}");
    assert!(status["checkpoints"]["rolling_events"].as_u64().unwrap() > 0, "{status}");
    let peers = status["peers"].as_array().unwrap();
    assert_eq!((&peers[0]["email"], &peers[0]["skipped"]), (&json!(SCIENTIST), &json!(null)));
    assert!(peers[1]["skipped"].as_str().unwrap().contains("peer approve"), "{status}");
    let mut jobs: Vec<_> = status["waiting_jobs"].as_array().unwrap().iter().collect();
    jobs.sort_by_key(|job| job["name"].to_string());
    let said = |at: usize| jobs[at]["waits_for"].as_str().unwrap();
    assert!(said(0).contains("job show") && said(1).contains("job process"), "{status}");

    let text = stage.owner.run(&["status"]).done().stdout;
    for word in ["data owner", EVE, "job process", "last sync"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let theirs = eve.ask(&["status"]);
    assert!(theirs["peers"][0]["skipped"].as_str().unwrap().contains("not accepted"), "{theirs}");
    assert_eq!(theirs["last_sync"], json!(null));
}

#[test]
fn status_says_what_is_begun() {
    let stage = scene::peers();
    let script = stage.scientist.write("main.py", "print(1)\n");
    stage.drive().faults().next(50, When::method("POST").path("/upload/"), Fault::Status(400, None));
    stage
        .scientist
        .run(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", "late"])
        .failed();
    let status = stage.scientist.ask(&["status"]);
    assert_eq!(status["open_intents"], 1, "{status}");
    assert_eq!(status["waiting_jobs"][0]["waits_for"], "its owner's review");
}

#[test]
fn status_of_nobody() {
    let stage = Stage::open();
    stage.owner.run(&["status"]).failed().says(&["syftbox login"]);
    assert_eq!(stage.drive().requests().count(), 0);
}
