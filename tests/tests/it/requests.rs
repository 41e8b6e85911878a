//! How many requests to Drive each step takes: counts don't vary, so they are asserted.

use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

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
