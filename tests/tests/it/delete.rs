//! The end of a SyftBox: all that is ours goes, and nothing else.

use syftbox_core::drive::{Drive, DriveFile, FileId, NewFile, Query};
use syftbox_localdrive::{Fault, When};
use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::scene;

/// All that `person` owns on Drive.
fn owned(stage: &Stage, person: &Person) -> Vec<DriveFile> {
    let (runtime, drive) = scene::drive_of(stage, person);
    runtime.block_on(drive.list(&Query::new().owned_by_me(true))).unwrap()
}

fn names(files: &[DriveFile]) -> Vec<&str> {
    let mut names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
    names.sort_unstable();
    names
}

async fn make(drive: &Drive, name: &str, parent: Option<FileId>, is_folder: bool) -> FileId {
    let id = drive.generate_ids(1).await.unwrap().pop().unwrap();
    let new = NewFile::new(id.clone(), name, parent.unwrap_or_else(NewFile::my_drive));
    if is_folder {
        drive.create_folder(new).await.unwrap();
    } else {
        drive.upload(new, bytes::Bytes::from_static(b"mine").into()).await.unwrap();
    }
    id
}

/// A conversation that leaves traces everywhere: a dataset, a private copy, a job with a result.
fn conversation() -> Stage {
    let stage = scene::peers();
    let file = stage.owner.write("data.csv", "a\n1\n");
    let file = file.to_str().unwrap();
    let halves = ["--mock", file, "--private", file, "--users", SCIENTIST, "--upload-private"];
    stage.owner.ask(&[&["dataset", "create", "d"], &halves[..]].concat());
    scene::submit(&stage, "job", "print(1)");
    stage.owner.ask(&["job", "deposit", "job", file]);
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    stage
}

#[test]
fn all_of_ours_goes_and_nothing_else() {
    let stage = conversation();
    let output = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/job/outputs/data.csv");
    assert_eq!(stage.scientist.read(&output), "a\n1\n");
    let (runtime, drive) = scene::drive_of(&stage, &stage.owner);
    let traps = runtime.block_on(async {
        let notes = make(&drive, "syft_notes", None, true).await;
        vec![
            make(&drive, "checkpoint_x", None, false).await,
            make(&drive, "checkpoint_1.5.tar.gz", Some(notes.clone()), false).await,
            make(&drive, "SYFT_peers.json", Some(notes.clone()), false).await,
            make(&drive, "SyftBox", Some(notes.clone()), true).await,
            make(&drive, "msgv2_notes.tar.gz", None, false).await,
            notes,
        ]
    });
    runtime.block_on(async {
        make(&drive, &format!("syft_datasite#0.10.0#{SCIENTIST}#inbox#{OWNER}"), None, true).await;
        make(&drive, "msgv2_1.5_d13abd37-c12b-437e-b969-f332be817438.tar.gz", None, false).await;
    });
    stage.owner.run(&["delete-syftbox"]).wrong_usage().says(&["--yes"]);

    let scientists = owned(&stage, &stage.scientist).len();
    stage.drive().requests().reset();
    let deleted = stage.owner.ask(&["delete-syftbox", "--yes"]);
    assert_eq!(deleted["peers_told"], serde_json::json!([SCIENTIST]));
    let lines = stage.drive().requests().lines();
    let requests = lines.iter().filter(|line| !line.batched).count();
    assert!(requests <= 8, "deleted in one batch: {lines:?}");

    let left = owned(&stage, &stage.owner);
    let mut expected: Vec<_> =
        left.iter().filter(|file| traps.contains(&file.id)).map(|file| file.name.as_str()).collect();
    assert_eq!(expected.len(), traps.len(), "{:?}", names(&left));
    expected.sort_unstable();
    let others: Vec<_> = left.iter().filter(|file| !traps.contains(&file.id)).cloned().collect();
    assert_eq!(others.len(), 1, "only what told the scientist: {:?}", names(&others));
    assert!(others[0].name.starts_with("syfteventsmessagev3_"));
    assert_eq!(owned(&stage, &stage.scientist).len(), scientists, "what others own stays");
    let here: Vec<_> =
        std::fs::read_dir(stage.owner.folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(here, [".syftbox.lock"]);

    stage.scientist.ask(&["sync"]);
    assert!(!stage.scientist.folder().join(output).exists(), "the copy goes with the original");
    stage.owner.ask(&["login"]);
    assert_eq!(stage.owner.ask(&["job", "list"]), serde_json::json!([]));
    assert_eq!(stage.owner.ask(&["dataset", "list"]), serde_json::json!([]));
}

#[test]
fn the_private_half_and_the_peers_copies_may_stay() {
    let stage = conversation();
    let output = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/job/outputs/data.csv");
    stage.owner.ask(&["delete-syftbox", "--yes", "--keep-private", "--no-broadcast"]);
    assert_eq!(owned(&stage, &stage.owner), []);
    let private = format!("{OWNER}/private/syft_datasets/d/data.csv");
    assert_eq!(stage.owner.read(private), "a\n1\n");
    assert!(!stage.owner.folder().join(format!("{OWNER}/public")).exists());
    stage.scientist.ask(&["sync"]);
    assert_eq!(stage.scientist.read(output), "a\n1\n");
}

#[test]
fn a_scientist_deletes_its_own_and_its_messages_elsewhere() {
    let stage = conversation();
    let owners = owned(&stage, &stage.owner).len();
    let deleted = stage.scientist.ask(&["delete-syftbox", "--yes"]);
    assert!(deleted["outside"].as_u64().unwrap() >= 1, "its proposal is in the owner's archive: {deleted}");
    assert_eq!(owned(&stage, &stage.scientist), []);
    assert!(owned(&stage, &stage.owner).len() >= owners - 2, "but for messages in the deleted outbox");
    stage.owner.ask(&["sync"]);
}

#[test]
fn a_deletion_that_was_cut_off_goes_on() {
    let stage = conversation();
    stage.drive().faults().next(1, When::method("POST").path("/batch/"), Fault::Status(400, None));
    stage.owner.run(&["delete-syftbox", "--yes"]).failed();
    stage.drive().faults().clear();
    assert!(!owned(&stage, &stage.owner).is_empty());
    stage.owner.ask(&["delete-syftbox", "--yes"]);
    let left = owned(&stage, &stage.owner);
    assert_eq!(left.len(), 1, "told once: {:?}", names(&left));
    stage.owner.ask(&["delete-syftbox", "--yes"]);
}
