//! Drive's news lag, miss things and come in short pages: nothing is lost by it.

use std::time::Duration;

use serde_json::Value;

use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::scene::{self, EVE};

/// A sync that lists Drive, as the schedule would have it later.
fn listing_sync(person: &Person) -> Value {
    person.ask(&["sync", "--list-every", "0"])
}

fn submit(stage: &Stage, name: &str) {
    let script = stage.scientist.write(&format!("{name}/main.py"), "print(1)\n");
    stage.scientist.ask(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", name]);
}

#[test]
fn what_the_feed_misses_is_found_by_a_list() {
    let stage = scene::peers();
    stage.drive().faults().silence_feed(true);
    submit(&stage, "one");
    assert_eq!(stage.owner.ask(&["sync"])["proposals_received"], 0, "the feed told of it");
    assert_eq!(stage.owner.ask(&["sync", "--full"])["proposals_received"], 1);
    assert_eq!(stage.scientist.ask(&["sync"])["events_applied"], 0, "the feed told of it");
    listing_sync(&stage.scientist);
    assert_eq!(scene::status(&stage.scientist, "one"), "pending");

    submit(&stage, "two");
    assert_eq!(listing_sync(&stage.owner)["jobs_received"], 1);

    let eve = stage.newcomer(EVE, Some("ds"));
    eve.ask(&["peer", "add", OWNER]);
    let known = |more: &[&str]| {
        let peers = stage.owner.ask(&[&["peer", "list", "--refresh"], more].concat());
        peers.as_array().unwrap().iter().any(|peer| peer["email"] == EVE)
    };
    assert!(!known(&[]), "the feed told of it");
    assert!(known(&["--list-every", "0"]));

    let file = stage.owner.write("data.csv", "a\n1\n");
    let file = file.to_str().unwrap();
    stage.owner.ask(&["dataset", "create", "d", "--mock", file, "--private", file, "--users", SCIENTIST]);
    assert_eq!(stage.scientist.ask(&["sync"])["datasets_fetched"], 0, "the feed told of it");
    assert_eq!(listing_sync(&stage.scientist)["datasets_fetched"], 1);
    stage.owner.ask(&["dataset", "delete", "d", "--yes"]);
    assert_eq!(listing_sync(&stage.scientist)["datasets_dropped"], 1);
}

#[test]
fn a_list_costs_few_requests_and_only_when_it_is_due() {
    let stage = scene::peers();
    // The owner's key.
    stage.scientist.ask(&["sync"]);
    // The changes, what is found by name, and the folders; an owner also looks at its event log.
    for (person, lists) in [(&stage.owner, 4), (&stage.scientist, 3)] {
        let requests = |arguments: &[&str]| {
            stage.drive().requests().reset();
            person.ask(arguments);
            stage.drive().requests().count()
        };
        assert_eq!(requests(&["sync"]), 1);
        assert_eq!(requests(&["sync", "--full"]), lists);
        assert_eq!(requests(&["sync"]), 1);
        assert_eq!(requests(&["sync", "--list-every", "0"]), lists);
    }
}

#[test]
fn a_drive_that_lags_loses_nothing_and_tells_nothing_twice() {
    let stage = scene::peers();
    let lag = Duration::from_secs(1);
    stage.drive().faults().lag_search(lag);
    let settle = || std::thread::sleep(lag + Duration::from_millis(100));
    settle();
    let mut received = 0;
    for name in ["one", "two", "three"] {
        submit(&stage, name);
        // Whatever these see, none of it may be lost or taken twice.
        for _ in 0..3 {
            received += stage.owner.ask(&["sync"])["proposals_received"].as_u64().unwrap();
            stage.scientist.ask(&["sync"]);
        }
    }
    settle();
    let report = stage.owner.ask(&["sync"]);
    received += report["proposals_received"].as_u64().unwrap();
    assert_eq!(received, 3, "{report}");
    settle();
    let report = stage.owner.ask(&["sync"]);
    assert_eq!((&report["proposals_received"], &report["events_published"]), (&0.into(), &0.into()));
    stage.scientist.ask(&["sync"]);
    for name in ["one", "two", "three"] {
        assert_eq!(scene::status(&stage.owner, name), "pending");
        assert_eq!(scene::status(&stage.scientist, name), "pending");
    }
}

#[test]
fn lists_and_news_in_short_pages_are_read_to_the_end() {
    let stage = Stage::open();
    stage.drive().faults().limit_pages(1);
    stage.make_peers();
    let eve = stage.newcomer(EVE, Some("ds"));
    eve.ask(&["peer", "add", OWNER]);
    for name in ["one", "two", "three"] {
        submit(&stage, name);
    }
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(report["jobs_received"], 3, "{report}");
    assert_eq!(stage.owner.ask(&["peer", "list"]).as_array().unwrap().len(), 2);
    let (one, two) = (stage.owner.write("mock/a.csv", "a\n"), stage.owner.write("mock/b.csv", "b\n"));
    let (mock, private) = (one.parent().unwrap().to_str().unwrap(), two.to_str().unwrap());
    stage.owner.ask(&["dataset", "create", "d", "--mock", mock, "--private", private, "--users", SCIENTIST]);
    assert_eq!(stage.scientist.ask(&["sync"])["datasets_fetched"], 1);

    // A new machine of each lists everything.
    let owner = stage.newcomer(OWNER, Some("do"));
    owner.ask(&["sync"]);
    let scientist = stage.newcomer(SCIENTIST, Some("ds"));
    scientist.ask(&["sync"]);
    for name in ["one", "two", "three"] {
        assert_eq!(scene::status(&owner, name), "pending");
        assert_eq!(scene::status(&scientist, name), "pending");
    }
    let mock_files = scientist.ask(&["dataset", "list"])[0]["mock_files"].clone();
    assert_eq!(mock_files, serde_json::json!(["a.csv", "b.csv"]));
}
