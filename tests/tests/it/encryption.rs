//! Encryption between peers: what is on Drive then, and what happens when keys are missing or others.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use syftbox_core::drive::{DriveFile, NewFile, Query};
use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::scene;

/// No payload of these tests is longer.
const MAX_BYTES: u64 = 1 << 20;

/// Owner and scientist are peers with encryption on both sides.
fn encrypted_peers() -> Stage {
    let stage = Stage::open();
    stage.owner.run(&["login", "--encrypt"]).done();
    stage.scientist.run(&["login", "--encrypt"]).done();
    stage.scientist.ask(&["peer", "add", OWNER]);
    stage.owner.ask(&["sync"]);
    stage.owner.ask(&["peer", "approve", SCIENTIST]);
    stage.scientist.ask(&["sync"]);
    stage.owner.ask(&["sync"]);
    stage
}

fn key_path(person: &Person) -> std::path::PathBuf {
    person.folder().join(person.email()).join("private/crypto_keys.json")
}

/// All files that `person` sees on Drive, with the names of the folders they are in.
fn on_drive(stage: &Stage, person: &Person) -> Vec<(String, DriveFile, Vec<u8>)> {
    let (runtime, drive) = scene::drive_of(stage, person);
    runtime.block_on(async {
        let all = drive.list(&Query::new()).await.unwrap();
        let folder = |id| all.iter().find(|file| file.id == id).map(|file| file.name.clone());
        let mut found = Vec::new();
        for file in all.iter().filter(|file| !file.is_folder()) {
            let parent = file.parents.first().cloned().and_then(folder).unwrap_or_default();
            let content = drive.download(&file.id, MAX_BYTES).await.unwrap();
            found.push((parent, file.clone(), content.to_vec()));
        }
        found
    })
}

fn fingerprint(person: &Person) -> String {
    person.ask(&["keys", "show"])["fingerprint"].as_str().unwrap().to_owned()
}

#[track_caller]
fn skipped(report: &Value, peer: &str) -> String {
    let skipped = report["skipped_peers"].as_array().unwrap();
    let found = skipped.iter().find(|skipped| skipped["peer"] == peer);
    found.unwrap_or_else(|| panic!("{peer} isn't skipped: {report}"))["why"].as_str().unwrap().to_owned()
}

#[test]
fn a_job_goes_its_way_and_only_names_and_datasets_are_plain() {
    let stage = encrypted_peers();
    scene::publish(&stage, "patients", "a\n1\n", "a\n2\n");
    let script = "open('outputs/sum.txt', 'w').write('42')\nprint('done')\n";
    scene::submit(&stage, "first", script);
    stage.owner.ask(&["job", "approve", "first"]);
    let processed = stage.owner.ask(&["job", "process", "--share-outputs", "--share-logs"]);
    assert_eq!(processed[0]["status"], "done", "{processed}");
    let report = stage.scientist.ask(&["sync"]);
    assert_eq!(report["refused"], json!([]), "{report}");
    let review = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/first");
    assert_eq!(stage.scientist.read(format!("{review}/outputs/sum.txt")), "42");

    let mut sealed = std::collections::BTreeMap::new();
    for person in [&stage.owner, &stage.scientist] {
        for (folder, file, content) in on_drive(&stage, person) {
            let payload = file.name.ends_with(".tar.gz");
            assert_eq!(content.starts_with(b"SYC2"), payload, "{folder}/{}", file.name);
            if payload {
                let kind = ["inbox", "outbox", "archive", "rolling-state"];
                let kind = kind.into_iter().find(|kind| folder.contains(kind)).unwrap_or("event log");
                *sealed.entry(kind).or_insert(0) += 1;
            } else {
                let text = String::from_utf8_lossy(&content);
                let is_known =
                    ["SYFT_", "encryption_bundle_"].iter().any(|prefix| file.name.starts_with(prefix));
                assert!(is_known || !text.contains("sum.txt"), "{}", file.name);
            }
        }
    }
    let kinds: Vec<_> = sealed.keys().copied().collect();
    assert_eq!(kinds, ["archive", "event log", "outbox", "rolling-state"]);
    for person in [&stage.owner, &stage.scientist] {
        let mode = std::fs::metadata(key_path(person)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let keys = stage.scientist.ask(&["keys", "show"]);
    assert_eq!(keys["encryption"], true);
    assert_eq!(keys["peers"][0]["fingerprint"], fingerprint(&stage.owner));
}

#[test]
fn a_peer_without_encryption_is_passed_over_until_it_has_it() {
    let stage = Stage::open();
    stage.owner.run(&["login", "--encrypt"]).done();
    stage.scientist.run(&["login"]).done();
    stage.scientist.ask(&["peer", "add", OWNER]);
    stage.owner.ask(&["peer", "approve", SCIENTIST]);
    let why = skipped(&stage.owner.ask(&["sync"]), SCIENTIST);
    assert!(why.contains("--encrypt"), "{why}");
    stage.scientist.ask(&["sync"]);
    let script = stage.scientist.write("main.py", "print(1)\n");
    let submit = ["job", "submit-python", OWNER, script.to_str().unwrap(), "--name"];
    stage.scientist.ask(&[&submit[..], &["plain"]].concat());
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(report["proposals_received"], 0, "{report}");

    stage.scientist.run(&["login", "--encrypt"]).done();
    stage.scientist.ask(&["sync"]);
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(report["skipped_peers"], json!([]), "{report}");
    assert!(scene::refused(&report).contains("unencrypted"), "what came plain before: {report}");
    stage.scientist.ask(&["sync"]);
    stage.scientist.ask(&[&submit[..], &["sealed"]].concat());
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(report["jobs_received"], 1, "{report}");
    assert_eq!(scene::status(&stage.owner, "sealed"), "pending");
}

#[test]
fn a_plain_or_damaged_message_is_refused_and_stops_nothing() {
    let stage = encrypted_peers();
    let (runtime, drive) = scene::drive_of(&stage, &stage.scientist);
    let inbox = runtime.block_on(async {
        let found = drive.list(&Query::new().folders().name_prefix("syft_datasite")).await.unwrap();
        found.into_iter().find(|folder| folder.owned_by_me && folder.name.contains("#inbox#")).unwrap()
    });
    let by_hand = |time: u32, payload: Vec<u8>| {
        let name = format!("msgv2_{time}.5_235c0c7f-382e-494a-ae14-22335c8a3e66.tar.gz");
        runtime.block_on(async {
            let id = drive.generate_ids(1).await.unwrap().remove(0);
            drive
                .upload(NewFile::new(id, name, inbox.id.clone()), bytes::Bytes::from(payload).into())
                .await
                .unwrap();
        });
    };
    by_hand(1, syftbox_core::wire::encode(&json!({})).unwrap());
    by_hand(2, b"SYC2".to_vec());
    scene::submit(&stage, "good", "print(1)\n");
    let sealed = on_drive(&stage, &stage.owner);
    let (_, _, mut changed) =
        sealed.into_iter().find(|(_, file, _)| file.name.starts_with("msgv2_17")).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    by_hand(3, changed);
    let report = stage.owner.ask(&["sync"]);
    let refused = scene::refused(&report);
    assert!(refused.contains("changed on the way"), "{report}");
    assert_eq!(scene::status(&stage.owner, "good"), "pending");
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(report["refused"], json!([]), "{report}");
}

#[test]
fn lost_keys_are_an_error_and_a_copy_or_new_ones_help() {
    let stage = encrypted_peers();
    scene::submit(&stage, "before", "print(1)\n");
    let file = key_path(&stage.owner);
    let backup = stage.owner.path("backup.json");
    stage.owner.ask(&["keys", "export", backup.to_str().unwrap()]);
    assert_eq!(std::fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::remove_file(&file).unwrap();
    stage.owner.run(&["sync"]).failed().says(&["crypto_keys.json", "keys import", "keys new --yes"]);
    assert!(!file.exists(), "no keys are made that peers don't expect");
    stage.owner.ask(&["keys", "import", backup.to_str().unwrap()]);
    stage.owner.ask(&["sync"]);

    std::fs::remove_file(&file).unwrap();
    stage.owner.run(&["keys", "new"]).wrong_usage();
    let new = stage.owner.ask(&["keys", "new", "--yes"])["fingerprint"].as_str().unwrap().to_owned();
    let report = stage.scientist.ask(&["sync"]);
    let why = skipped(&report, OWNER);
    assert!(why.contains(&new) && why.contains("keys trust"), "{why}");
    let script = stage.scientist.write("main.py", "print(2)\n");
    let submit = ["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", "after"];
    stage.scientist.run(&submit).failed().says(&["keys changed", &new]);
    let wrong = "0".repeat(64);
    stage.scientist.run(&["keys", "trust", OWNER, &wrong]).failed().says(&["not 000"]);
    stage.scientist.ask(&["keys", "trust", OWNER, &new]);
    stage.scientist.ask(&submit);
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(report["jobs_received"], 1, "{report}");
    stage.scientist.ask(&["sync"]);
    assert_eq!(scene::status(&stage.scientist, "after"), "pending");
}

#[test]
fn a_new_machine_needs_the_key_file_and_then_has_everything() {
    let stage = encrypted_peers();
    scene::submit(&stage, "kept", "print(1)\n");
    let again = stage.newcomer(OWNER, Some("do"));
    again.run(&["login"]).failed().says(&["keys", "import"]);
    again.run(&["sync"]).failed();
    let backup = key_path(&stage.owner);
    again.ask(&["keys", "import", backup.to_str().unwrap()]);
    let report = again.ask(&["sync"]);
    assert_eq!((&report["events_published"], &report["refused"]), (&json!(0), &json!([])), "{report}");
    assert_eq!(scene::status(&again, "kept"), "pending");
    assert_eq!(fingerprint(&again), fingerprint(&stage.owner));

    let other = stage.newcomer(OWNER, Some("do"));
    other.run(&["login"]).failed();
    other.ask(&["keys", "new", "--yes"]);
    stage.owner.run(&["sync"]).failed().says(&["your bundle on Drive", &fingerprint(&other)]);
    other.run(&["sync"]).failed().says(&["rolling_state", "keys import"]);
}

#[test]
fn the_choice_is_remembered_and_can_be_taken_back() {
    let stage = encrypted_peers();
    stage.scientist.run(&["login", "--encrypt=false"]).done();
    let script = stage.scientist.write("main.py", "print(1)\n");
    let submit = ["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", "plain"];
    stage.scientist.ask(&submit);
    let report = stage.owner.ask(&["sync"]);
    assert!(scene::refused(&report).contains("unencrypted"), "{report}");
    assert_eq!(report["jobs_received"], 0, "{report}");
}

/// The requests that `arguments` of `person` take.
#[track_caller]
fn at_most(stage: &Stage, person: &Person, arguments: &[&str], budget: u64) {
    stage.drive().requests().reset();
    person.ask(arguments);
    let count = stage.drive().requests().count();
    let lines: Vec<_> = stage.drive().requests().lines().iter().map(ToString::to_string).collect();
    assert!(count <= budget, "{arguments:?} took {count} requests, at most {budget}:\n{}", lines.join("\n"));
}

#[test]
fn it_takes_no_more_requests_than_without() {
    let stage = Stage::open();
    at_most(&stage, &stage.owner, &["login", "--encrypt"], 10);
    at_most(&stage, &stage.owner, &["login"], 3);
    stage.scientist.ask(&["login", "--encrypt"]);
    at_most(&stage, &stage.scientist, &["peer", "add", OWNER], 8);
    at_most(&stage, &stage.owner, &["peer", "approve", SCIENTIST], 8);
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    at_most(&stage, &stage.owner, &["sync"], 1);
    at_most(&stage, &stage.scientist, &["sync"], 1);
    let script = stage.scientist.write("main.py", "print(1)\n");
    let script = script.to_str().unwrap();
    stage.scientist.ask(&["job", "submit-python", OWNER, script, "--name", "first"]);
    stage.owner.ask(&["sync"]);
    at_most(&stage, &stage.scientist, &["job", "submit-python", OWNER, script, "--name", "one"], 1);
    at_most(&stage, &stage.owner, &["sync"], 6);
    stage.owner.ask(&["job", "approve", "one"]);
    stage.scientist.ask(&["sync"]);
    at_most(&stage, &stage.owner, &["job", "process", "--share-outputs"], 4);
    at_most(&stage, &stage.scientist, &["sync"], 2);
}
