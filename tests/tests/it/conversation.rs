//! The main job: publish, submit, review, run, receive.

use std::fmt::Write;

use serde_json::json;
use syftbox_core::drive::Query;

use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::scene::{self, EVE};

#[test]
fn peers_find_each_other_and_a_stranger_is_refused() {
    let stage = Stage::open();
    assert_eq!(stage.owner.ask(&["login"])["email"], OWNER);
    stage.scientist.ask(&["login"]);
    let asked = stage.scientist.ask(&["peer", "add", OWNER]);
    assert_eq!(asked[0]["state"], "requested_by_me");
    let eve = stage.newcomer(EVE, Some("ds"));
    eve.ask(&["peer", "add", OWNER]);

    let requests = stage.owner.ask(&["peer", "list", "--refresh"]);
    assert_eq!(
        requests,
        json!([
            {"email": SCIENTIST, "state": "requested_by_peer", "version": "0.10.0", "skipped": null},
            {"email": EVE, "state": "requested_by_peer", "version": "0.10.0", "skipped": null},
        ])
    );
    stage.owner.ask(&["peer", "approve", SCIENTIST]);
    stage.owner.ask(&["peer", "reject", EVE]);
    stage.scientist.ask(&["sync"]);
    assert_eq!(stage.scientist.ask(&["peer", "list"])[0]["state"], "accepted");
    eve.ask(&["sync"]);
    assert_eq!(eve.ask(&["peer", "list"])[0]["state"], "requested_by_me");
    let script = eve.write("main.py", "print('let me in')");
    eve.run(&["job", "submit-python", OWNER, script.to_str().unwrap()]).failed().says(&["accepted"]);
}

#[test]
fn a_job_runs_on_private_data_and_the_result_comes_back() {
    let stage = scene::peers();
    // 100,000 rows with a known sum and a known line through them.
    let mut private = String::from("x,y,group\n");
    for row in 0..100_000_u32 {
        writeln!(private, "{row},{},{}", 3 * row + 7, row % 4).unwrap();
    }
    scene::publish(&stage, "line", "x,y,group\n1,10,0\n2,13,1\n", &private);
    let seen = stage.scientist.ask(&["dataset", "list"]);
    assert_eq!(
        seen,
        json!([{"name": "line", "owner": OWNER, "summary": "Some data", "mock_files": ["data.csv"]}])
    );
    let mock = format!("{OWNER}/public/syft_datasets/line/data.csv");
    assert_eq!(stage.scientist.read(&mock), "x,y,group\n1,10,0\n2,13,1\n");

    scene::submit(
        &stage,
        "fit",
        r#"
import json, os
import pandas as pd
from sklearn.linear_model import LinearRegression
import syft_client as sc

frame = pd.read_csv(sc.resolve_dataset_file_path("line"))
model = LinearRegression().fit(frame[["x"]].to_numpy(), frame["y"])
groups = frame.groupby("group")["x"].sum()
os.makedirs("outputs", exist_ok=True)
with open("outputs/result.json", "w") as out:
    json.dump({
        "rows": len(frame),
        "slope": round(float(model.coef_[0]), 6),
        "intercept": round(float(model.intercept_), 4),
        "groups": {str(k): int(v) for k, v in groups.items()},
    }, out)
print("fitted", len(frame), "rows")
"#,
    );
    assert_eq!(
        stage.owner.ask(&["job", "list"]),
        json!([{"name": "fit", "status": "pending", "submitted_by": SCIENTIST, "datasite": OWNER}])
    );
    stage.owner.run(&["job", "show", "fit"]).done();
    stage.owner.ask(&["job", "approve", "fit", "--reason", "looks fine"]);
    let processed = stage.owner.ask(&["job", "process", "--share-outputs", "--share-logs"]);
    assert_eq!(processed[0]["status"], "done", "{processed}");

    stage.scientist.ask(&["sync"]);
    assert_eq!(scene::status(&stage.scientist, "fit"), "done");
    let review = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/fit");
    let result: serde_json::Value =
        serde_json::from_str(&stage.scientist.read(format!("{review}/outputs/result.json"))).unwrap();
    let group = |first: u64| 25_000 * first + 4 * (24_999 * 25_000 / 2);
    assert_eq!(
        result,
        json!({
            "rows": 100_000, "slope": 3.0, "intercept": 7.0,
            "groups": {"0": group(0), "1": group(1), "2": group(2), "3": group(3)},
        })
    );
    assert!(stage.scientist.read(format!("{review}/stdout.txt")).contains("fitted 100000 rows"));
    assert_eq!(stage.scientist.read(format!("{review}/returncode.txt")).trim(), "0");
    let private = stage.scientist.folder().join(format!("{OWNER}/private"));
    assert!(!private.exists(), "private data reached the scientist");
}

#[test]
fn nothing_but_the_state_reaches_the_scientist_when_nothing_is_shared() {
    let stage = scene::peers();
    scene::submit(
        &stage,
        "quiet",
        "import os\nos.makedirs('outputs', exist_ok=True)\nopen('outputs/x','w').write('secret')\nprint('secret')\n",
    );
    stage.owner.ask(&["job", "approve", "quiet"]);
    stage.owner.ask(&["job", "process"]);
    stage.scientist.ask(&["sync"]);
    assert_eq!(scene::status(&stage.scientist, "quiet"), "done");
    let review = stage.scientist.folder().join(format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/quiet"));
    let there: Vec<_> = std::fs::read_dir(review).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(there, ["state.yaml"]);
}

#[test]
fn a_failing_job_says_why_and_a_rejected_one_never_runs() {
    let stage = scene::peers();
    scene::submit(&stage, "broken", "import nonexistent_module\n");
    scene::submit(&stage, "unwanted", "print('never')\n");
    stage.owner.ask(&["job", "approve", "broken"]);
    stage.owner.ask(&["job", "reject", "unwanted", "--reason", "not today"]);
    let processed = stage.owner.ask(&["job", "process", "--share-logs"]);
    assert_eq!(processed[0]["status"], "failed");
    stage.scientist.ask(&["sync"]);
    assert_eq!(scene::status(&stage.scientist, "broken"), "failed");
    assert_eq!(scene::status(&stage.scientist, "unwanted"), "rejected");
    let review = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1");
    let stderr = stage.scientist.read(format!("{review}/broken/stderr.txt"));
    assert!(stderr.contains("nonexistent_module") && stderr.contains("reason"), "{stderr}");
    assert!(stage.scientist.read(format!("{review}/unwanted/state.yaml")).contains("not today"));
}

#[test]
fn jobs_of_one_name_are_told_apart() {
    let stage = scene::peers();
    let eve = stage.newcomer(EVE, Some("ds"));
    eve.ask(&["peer", "add", OWNER]);
    stage.owner.ask(&["peer", "approve", EVE]);
    eve.ask(&["sync"]);
    let script = eve.write("main.py", "print('eve')");
    eve.ask(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", "same"]);
    scene::submit(&stage, "same", "print('ds')");
    stage.owner.run(&["job", "approve", "same"]).failed().says(&["same", SCIENTIST, EVE]);
    let approved = stage.owner.ask(&["job", "approve", &format!("{EVE}/same")]);
    assert_eq!(approved[0]["submitted_by"], EVE);
    assert_eq!(approved[0]["status"], "approved");
}

#[test]
fn code_that_changes_after_approval_is_not_run() {
    let stage = scene::peers();
    scene::submit(&stage, "bait", "print('harmless')\n");
    stage.owner.ask(&["job", "approve", "bait"]);
    let code = format!("{OWNER}/app_data/job/inbox/{SCIENTIST}/v1/bait/code/main.py");
    std::fs::write(stage.owner.folder().join(code), "print('harmful')\n").unwrap();
    let report = stage.owner.ask(&["sync"]);
    assert!(scene::refused(&report).contains("bait"), "{report}");
    assert_eq!(scene::status(&stage.owner, "bait"), "pending");
}

#[test]
fn a_new_machine_of_the_owner_has_everything_again() {
    let stage = scene::peers();
    scene::submit(&stage, "kept", "print('kept')\n");
    stage.owner.ask(&["job", "approve", "kept"]);
    stage.owner.ask(&["job", "process", "--share-logs"]);
    let again = stage.newcomer(OWNER, Some("do"));
    again.ask(&["login"]);
    let report = again.ask(&["sync"]);
    assert_eq!(report["events_published"], 0, "{report}");
    assert_eq!(scene::status(&again, "kept"), "done");
    let datasite = |person: &Person| {
        let listed = std::process::Command::new("find")
            .arg(".")
            .args(["-type", "f"])
            .current_dir(person.folder().join(OWNER))
            .output();
        let mut names: Vec<_> =
            String::from_utf8(listed.unwrap().stdout).unwrap().lines().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(datasite(&again), datasite(&stage.owner));
}

#[test]
fn a_dataset_for_any_peer_reaches_a_peer_that_comes_later_and_goes_with_its_deletion() {
    let stage = Stage::open();
    stage.owner.ask(&["login"]);
    let mock = stage.owner.write("m.csv", "a\n1\n");
    let private = stage.owner.write("p.csv", "a\n2\n");
    let readme = stage.owner.write("README.md", "# Open\n");
    let paths = [&mock, &private, &readme].map(|path| path.to_str().unwrap());
    stage.owner.ask(&[
        "dataset",
        "create",
        "open_data",
        "--mock",
        paths[0],
        "--private",
        paths[1],
        "--readme",
        paths[2],
        "--tag",
        "a",
        "--tag",
        "b",
        "--users",
        "any",
    ]);
    stage.scientist.ask(&["peer", "add", OWNER]);
    stage.owner.ask(&["peer", "approve", SCIENTIST]);
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    assert_eq!(stage.scientist.ask(&["dataset", "list"])[0]["mock_files"], json!(["m.csv"]));
    assert_eq!(stage.scientist.read(format!("{OWNER}/public/syft_datasets/open_data/README.md")), "# Open\n");
    stage.owner.ask(&["dataset", "delete", "open_data", "--yes"]);
    let report = stage.scientist.ask(&["sync"]);
    assert_eq!(report["datasets_dropped"], 1, "{report}");
    assert_eq!(stage.scientist.ask(&["dataset", "list"]), json!([]));
}

#[test]
fn private_data_is_on_drive_only_when_the_owner_says_so_and_then_for_the_owner_alone() {
    let stage = scene::peers();
    scene::publish(&stage, "stays", "a\n1\n", "a\nprivate\n");
    let file = |name: &str, text: &str| stage.owner.write(name, text).display().to_string();
    let (mock, private) = (file("m.csv", "a\n1\n"), file("p.csv", "a\nprivate\n"));
    let create = ["dataset", "create", "kept", "--mock", &mock, "--private", &private, "--users", SCIENTIST];
    stage.owner.ask(&[&create[..], &["--upload-private"]].concat());
    let seen_by = |person: &Person| {
        let (runtime, drive) = scene::drive_of(&stage, person);
        let found = runtime.block_on(drive.list(&Query::new().not_folders()));
        let mut names: Vec<_> = found.unwrap().into_iter().map(|file| file.name).collect();
        names.retain(|name| name.contains("private") || name == "p.csv" || name == "data.csv");
        names.sort();
        names
    };
    // `data.csv` is the name of both halves of the first dataset: one file of it is the mock half.
    assert_eq!(seen_by(&stage.owner), ["data.csv", "p.csv", "private_metadata.yaml"]);
    assert_eq!(seen_by(&stage.scientist), ["data.csv"]);
}
