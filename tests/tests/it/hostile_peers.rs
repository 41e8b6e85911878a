//! What a peer may put into an inbox or a collection: each is refused visibly, and all else in the same sync is done.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use syftbox_core::drive::{NewFile, Query};

use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::scene;

/// A message in the shape of the wire, with any changes in it.
pub(crate) fn proposal(changes: &Value) -> Vec<u8> {
    let message = json!({
        "id": "b7a4b1de-7a53-4a0f-9b3c-0d4f3f2c1a11",
        "sender_email": SCIENTIST,
        "message_filename": {"submitted_timestamp": 1.5, "uid": "b7a4b1de-7a53-4a0f-9b3c-0d4f3f2c1a11"},
        "proposed_file_changes": changes,
    });
    tar_gz("proposed_file_changes.json", message.to_string().as_bytes())
}

pub(crate) fn change(path: &str, content: &str) -> Value {
    json!({
        "id": "0b0e7a1a-46a9-4c55-8d34-0c3f6fdf2e10", "old_hash": null,
        "new_hash": syftbox_core::domain::ContentHash::of(content.as_bytes()).to_string(),
        "submitted_timestamp": 1.5, "path_in_datasite": path, "content": content,
        "datasite_email": OWNER, "is_deleted": false, "content_type": "text",
    })
}

pub(crate) fn tar_gz(member: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, member, content).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(content).unwrap();
    out.finish().unwrap()
}

/// Puts files into the scientist's inbox for the owner, with the scientist's own token.
pub(crate) fn plant(stage: &Stage, files: Vec<(&str, Vec<u8>)>) {
    let inbox = Query::new().name_is(&format!("syft_datasite#0.10.0#{OWNER}#inbox#{SCIENTIST}"));
    plant_in(stage, &stage.scientist, &inbox, files);
}

/// Puts files into the folder that `person` finds by `folder`.
pub(crate) fn plant_in(stage: &Stage, person: &Person, folder: &Query, files: Vec<(&str, Vec<u8>)>) {
    let (runtime, drive) = scene::drive_of(stage, person);
    runtime.block_on(async {
        let folder = drive.list(folder).await.unwrap().remove(0);
        let ids = drive.generate_ids(files.len()).await.unwrap();
        for (id, (name, content)) in ids.into_iter().zip(files) {
            drive
                .upload(NewFile::new(id, name, folder.id.clone()), Bytes::from(content).into())
                .await
                .unwrap();
        }
    });
}

pub(crate) const NAME: &str = "msgv2_1.5_b7a4b1de-7a53-4a0f-9b3c-0d4f3f2c1a11.tar.gz";

/// Plants `files`, submits an honest job beside them, and gives what the owner's sync refused.
fn refusals_of(files: Vec<(&str, Vec<u8>)>) -> String {
    let stage = scene::peers();
    plant(&stage, files);
    let script = stage.scientist.write("main.py", "print('honest')\n");
    stage.scientist.ask(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", "honest"]);
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(scene::status(&stage.owner, "honest"), "pending", "{report}");
    let again = stage.owner.ask(&["sync"]);
    assert_eq!(again["proposals_received"], 0, "what was refused is archived: {again}");
    assert!(
        !stage.owner.folder().join("x").exists() && !stage.owner.folder().join(format!("{OWNER}/x")).exists()
    );
    scene::refused(&report)
}

#[test]
fn payloads_that_are_none() {
    let cases: [(Vec<u8>, &str); 7] = [
        (b"not gzip at all".to_vec(), "gzip"),
        (gzip(b"not a tar"), "tar"),
        (tar_gz("another.json", b"{}"), "member"),
        (tar_gz("proposed_file_changes.json", b"[1, 2]"), "JSON"),
        (tar_gz("proposed_file_changes.json", b"{"), "JSON"),
        (tar_gz("proposed_file_changes.json", &vec![b' '; 65 * 1024 * 1024]), "64 MiB"),
        (Vec::new(), "gzip"),
    ];
    for (payload, word) in cases {
        let refused = refusals_of(vec![(NAME, payload)]);
        assert!(refused.contains(NAME), "{refused}");
        assert!(refused.to_lowercase().contains(&word.to_lowercase()), "nothing about {word}: {refused}");
    }
}

#[test]
fn files_that_are_no_messages() {
    let refused = refusals_of(vec![("holiday.jpg", b"jpeg".to_vec())]);
    assert!(refused.contains("holiday.jpg"), "{refused}");
}

#[test]
fn changes_that_would_escape_or_may_not_be() {
    let inbox = format!("app_data/job/inbox/{SCIENTIST}");
    let cases = [
        "../x".to_owned(),
        "/x".to_owned(),
        "x".to_owned(),
        "private/x".to_owned(),
        "app_data/job/inbox/eve@other.org/v1/j/run.sh".to_owned(),
        format!("{inbox}/syft.pub.yaml"),
        format!("{inbox}/.git/config"),
        format!("{inbox}/../../../x"),
    ];
    let changes: Vec<Value> = cases.iter().map(|path| change(path, "evil")).collect();
    let refused = refusals_of(vec![(NAME, proposal(&json!(changes)))]);
    for path in &cases {
        assert!(refused.contains(&format!("{path:?}").trim_matches('"').to_owned()), "{path}: {refused}");
    }
}

#[test]
fn a_file_that_is_a_folder() {
    let inbox = format!("app_data/job/inbox/{SCIENTIST}/v1");
    let changes =
        json!([change(&format!("{inbox}/j/code/a/b"), "1"), change(&format!("{inbox}/j/code/a"), "2")]);
    let refused = refusals_of(vec![(NAME, proposal(&changes))]);
    assert!(refused.contains("folder"), "{refused}");
}

#[test]
fn a_message_that_lies_about_its_sender() {
    let stage = scene::peers();
    let path = "app_data/job/inbox/eve@other.org/v1/j/run.sh";
    let mut message = proposal(&json!([change(path, "evil")]));
    message.shrink_to_fit();
    plant(&stage, vec![(NAME, message)]);
    let report = stage.owner.ask(&["sync"]);
    assert!(scene::refused(&report).contains("may not write"), "{report}");
    assert!(!stage.owner.folder().join(OWNER).join(path).exists());
}

#[test]
fn a_collection_that_is_not_what_its_name_says_is_refused_and_not_fetched_again() {
    let stage = scene::peers();
    scene::publish(&stage, "honest", "a\n1\n", "a\n2\n");
    let mock = stage.owner.write("mock/other.csv", "a\n1\n");
    let mock = mock.to_str().unwrap();
    stage.owner.ask(&[
        "dataset",
        "create",
        "tampered",
        "--mock",
        mock,
        "--private",
        mock,
        "--users",
        SCIENTIST,
    ]);
    let collection = Query::new().name_prefix("syft_datasetcollection_tampered");
    plant_in(&stage, &stage.owner, &collection, vec![("extra.csv", b"more".to_vec())]);

    let report = stage.scientist.ask(&["sync"]);
    assert!(scene::refused(&report).contains("tampered"), "{report}");
    assert!(!stage.scientist.folder().join(format!("{OWNER}/public/syft_datasets/tampered")).exists());
    stage.drive().requests().reset();
    let report = stage.scientist.ask(&["sync"]);
    assert!(scene::refused(&report).contains("tampered"), "{report}");
    let downloads =
        stage.drive().requests().lines().iter().filter(|line| line.path.contains("alt=media")).count();
    assert_eq!(downloads, 0);
    assert_eq!(
        stage.scientist.ask(&["dataset", "list"]).as_array().unwrap().len(),
        1,
        "the honest one is there"
    );
}
