//! How many requests to Drive each step takes: counts don't vary, so they are asserted.

use syftbox_core::manager::Roles;
use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::machine::{Cloud, make_peers};

/// The requests that `arguments` of `person` take.
#[track_caller]
fn requests(stage: &Stage, person: &Person, arguments: &[&str]) -> u64 {
    stage.drive().requests().reset();
    person.ask(arguments);
    stage.drive().requests().count()
}

#[track_caller]
fn at_most(stage: &Stage, person: &Person, arguments: &[&str], budget: u64) {
    let count = requests(stage, person, arguments);
    let lines: Vec<_> = stage.drive().requests().lines().iter().map(ToString::to_string).collect();
    assert!(count <= budget, "{arguments:?} took {count} requests, at most {budget}:\n{}", lines.join("\n"));
}

#[test]
fn every_step_stays_within_its_budget() {
    let stage = Stage::open();
    at_most(&stage, &stage.owner, &["login"], 10);
    at_most(&stage, &stage.owner, &["login"], 3);
    stage.scientist.ask(&["login"]);
    at_most(&stage, &stage.scientist, &["peer", "add", OWNER], 8);
    stage.owner.ask(&["sync"]);
    at_most(&stage, &stage.owner, &["peer", "approve", SCIENTIST], 8);
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    at_most(&stage, &stage.owner, &["sync"], 1);
    at_most(&stage, &stage.scientist, &["sync"], 1);

    let file = stage.owner.write("data.csv", "a\n1\n");
    let file = file.to_str().unwrap();
    let create = ["dataset", "create", "d", "--mock", file, "--private", file, "--users", SCIENTIST];
    at_most(&stage, &stage.owner, &create, 5);
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);

    let script = stage.scientist.write("main.py", "print(1)\n");
    let script = script.to_str().unwrap();
    at_most(&stage, &stage.scientist, &["job", "submit-python", OWNER, script, "--name", "first"], 1);
    stage.owner.ask(&["sync"]);
    at_most(&stage, &stage.scientist, &["job", "submit-python", OWNER, script, "--name", "one"], 1);
    at_most(&stage, &stage.owner, &["sync"], 6);
    stage.owner.ask(&["job", "approve", "one"]);
    stage.scientist.ask(&["sync"]);
    at_most(&stage, &stage.owner, &["job", "process", "--share-outputs", "--share-logs"], 4);
    at_most(&stage, &stage.scientist, &["sync"], 2);

    for name in 0..10 {
        stage.scientist.ask(&["job", "submit-python", OWNER, script, "--name", &format!("job{name}")]);
    }
    at_most(&stage, &stage.owner, &["sync"], 16);
}

#[test]
fn fifty_peers_cost_nothing_when_nothing_is_new() {
    let scientists: Vec<String> = (0..50).map(|n| format!("ds{n}@test.org")).collect();
    let everyone: Vec<&str> = [OWNER].into_iter().chain(scientists.iter().map(String::as_str)).collect();
    let cloud = Cloud::new(&everyone);
    let owner = cloud.machine(OWNER, Roles::OWNER);
    let mut manager = owner.manager();
    for scientist in &scientists {
        let machine = cloud.machine(scientist, Roles::SCIENTIST);
        let mut theirs = machine.manager();
        machine.wait(theirs.add_peer(&OWNER.parse().unwrap(), false)).unwrap();
        owner.wait(manager.approve_peer_request(&scientist.parse().unwrap(), true)).unwrap();
    }
    owner.sync();
    owner.sync();
    assert_eq!(cloud.requests(|| _ = owner.sync()), 1);
}

#[test]
fn a_thousand_events_are_few_messages_for_a_scientist() {
    let cloud = Cloud::new(&[OWNER, SCIENTIST]);
    let owner = cloud.machine(OWNER, Roles::OWNER);
    let scientist = cloud.machine(SCIENTIST, Roles::SCIENTIST);
    make_peers(&owner, &scientist);
    owner.write(
        "shared/syft.pub.yaml",
        format!("rules: [{{pattern: '**', access: {{read: [{SCIENTIST}]}}}}]\n"),
    );
    // Forty messages: the outbox is merged on the way, as it would be with a thousand.
    for round in 0..40 {
        for n in 0..25 {
            owner.write(&format!("shared/{round}/{n}"), format!("{round} {n}"));
        }
        owner.sync();
    }
    let fresh = cloud.machine(SCIENTIST, Roles::SCIENTIST);
    let mut applied = 0;
    let count = cloud.requests(|| applied = fresh.sync().events_applied);
    assert!(applied >= 1000, "{applied}");
    assert!(count <= 30, "{count} requests");
    println!("a scientist's first login with 1,000 events: {count} requests");
}

#[test]
fn a_new_machine_with_a_checkpoint_is_soon_where_the_other_was() {
    let cloud = Cloud::new(&[OWNER, SCIENTIST]);
    let owner = cloud.machine(OWNER, Roles::OWNER);
    let scientist = cloud.machine(SCIENTIST, Roles::SCIENTIST);
    make_peers(&owner, &scientist);
    for n in 0..60 {
        owner.write(&format!("files/{n}"), format!("{n}"));
        if n % 10 == 9 {
            owner.sync();
        }
    }
    let mut manager = owner.manager();
    owner.wait(manager.create_checkpoint()).unwrap();
    owner.write("files/after", "the checkpoint");
    owner.sync();
    let fresh = cloud.machine(OWNER, Roles::OWNER);
    // The first command there, as `syftbox sync` is: it logs in too.
    let count = cloud.requests(|| _ = fresh.sync());
    assert_eq!(fresh.tree(), owner.tree());
    let lines: Vec<_> = cloud.drive.requests().lines().iter().map(ToString::to_string).collect();
    assert!(count <= 8, "{count} requests, login and sync together:\n{}", lines.join("\n"));
}

#[test]
fn a_dataset_costs_a_new_machine_its_files_and_one_request() {
    let stage = Stage::open();
    stage.make_peers();
    let file = stage.owner.write("data.csv", "a\n1\n");
    let file = file.to_str().unwrap();
    stage.owner.ask(&["dataset", "create", "d", "--mock", file, "--private", file, "--users", SCIENTIST]);
    stage.owner.ask(&["checkpoint", "create"]);
    // Beside `data.csv`, the mock half has `dataset.yaml`.
    at_most(&stage, &stage.newcomer(OWNER, Some("do")), &["sync"], 8 + 2 + 1);
}
