//! Answers that get lost, servers that are busy, searches that lag: nothing is lost or done twice.

use std::time::Duration;

use syftbox_localdrive::{Fault, When};

use syftbox_core::manager::Roles;
use syftbox_tests::{OWNER, SCIENTIST, Stage};

use crate::{
    machine::{Cloud, make_peers},
    scene,
};

#[test]
fn lost_answers_make_nothing_twice() {
    let stage = Stage::open();
    let lose = |count| stage.drive().faults().next(count, When::method("POST"), Fault::DropAnswer);
    lose(2);
    stage.owner.ask(&["login"]);
    stage.scientist.ask(&["login"]);
    lose(2);
    stage.scientist.ask(&["peer", "add", OWNER]);
    stage.owner.ask(&["sync"]);
    lose(2);
    stage.owner.ask(&["peer", "approve", SCIENTIST]);
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    let script = stage.scientist.write("main.py", "print(1)\n");
    lose(1);
    stage.scientist.ask(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", "once"]);
    lose(1);
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(report["proposals_received"], 1, "{report}");
    assert_eq!(report["jobs_received"], 1, "{report}");
    let report = stage.scientist.ask(&["sync"]);
    assert_eq!(scene::status(&stage.scientist, "once"), "pending", "{report}");
    let peers = stage.owner.ask(&["peer", "list", "--refresh"]);
    assert_eq!(peers.as_array().unwrap().len(), 1, "{peers}");
}

#[test]
fn a_busy_drive_is_waited_for() {
    let stage = scene::peers();
    stage.drive().faults().next(2, When::any(), Fault::Status(503, None));
    stage.owner.ask(&["sync"]);
    stage.drive().faults().next(1, When::any(), Fault::Status(429, Some(Duration::from_secs(1))));
    stage.scientist.ask(&["sync"]);
}

#[test]
fn a_submission_that_could_not_be_sent_goes_with_the_next_sync() {
    let stage = scene::peers();
    let script = stage.scientist.write("main.py", "print(1)\n");
    stage.drive().faults().next(50, When::method("POST").path("/upload/"), Fault::Status(400, None));
    stage
        .scientist
        .run(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", "late"])
        .failed();
    stage.drive().faults().clear();
    stage.scientist.ask(&["sync"]);
    stage.owner.ask(&["sync"]);
    assert_eq!(scene::status(&stage.owner, "late"), "pending");
}

#[test]
fn searches_that_lag_make_no_second_folder() {
    let stage = Stage::open();
    stage.drive().faults().lag_search(Duration::from_secs(60));
    for _ in 0..3 {
        stage.owner.ask(&["login"]);
        stage.owner.ask(&["sync"]);
    }
    let lines = stage.drive().requests().lines();
    let creations = lines
        .iter()
        .filter(|line| line.method == "POST" && line.path.starts_with("/drive/v3/files?"))
        .count();
    assert_eq!(creations, 1, "one SyftBox folder: {lines:?}");
}

#[test]
fn a_folder_that_turns_to_another_drive_publishes_everything_there() {
    let rules = format!("rules: [{{pattern: '**', access: {{read: [{SCIENTIST}]}}}}]\n");
    let before = Cloud::new(&[OWNER, SCIENTIST]);
    let owner = before.machine(OWNER, Roles::OWNER);
    make_peers(&owner, &before.machine(SCIENTIST, Roles::SCIENTIST));
    owner.write("notes/syft.pub.yaml", &rules);
    owner.write("notes/a", "kept");
    owner.sync();

    let after = Cloud::new(&[OWNER, SCIENTIST]);
    let owner = owner.turned_to(&after);
    let scientist = after.machine(SCIENTIST, Roles::SCIENTIST);
    make_peers(&owner, &scientist);
    assert_eq!(scientist.tree_of(OWNER)["notes/a"], b"kept");
    let fresh = after.machine(OWNER, Roles::OWNER);
    fresh.sync();
    assert_eq!(fresh.tree(), owner.tree());
}
