//! Receipts: what a run leaves, who gets it, and what it proves.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};
use syftbox_core::domain::ContentHash;
use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::scene;

const SCRIPT: &str = "open('outputs/a', 'w').write('result')\nprint('printed')\n";

fn review(file: &str) -> String {
    format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/{file}")
}

/// The receipt as it is on somebody's machine.
fn receipt(person: &Person, job: &str) -> Value {
    let file = person.read(review(&format!("{job}/receipt.json")));
    serde_json::from_str::<Value>(&file).unwrap()["receipt"].clone()
}

/// Peers, a dataset, and a job that ran.
fn ran(share: &[&str]) -> Stage {
    let stage = scene::peers();
    scene::publish(&stage, "numbers", "x\n1\n", "x\n2\n");
    scene::submit(&stage, "one", SCRIPT);
    stage.owner.ask(&["job", "approve", "one"]);
    stage.owner.run(&[&["job", "process"], share].concat()).done();
    stage.scientist.ask(&["sync"]);
    stage
}

#[test]
fn a_run_leaves_a_receipt_that_both_can_check() {
    let stage = ran(&["--share-outputs", "--share-logs", "--memory", "1G"]);
    let told = receipt(&stage.owner, "one");
    assert_eq!(told, receipt(&stage.scientist, "one"));
    assert_eq!(told["job"], json!({"name": "one", "submitted_by": SCIENTIST, "datasite": OWNER}));
    assert_eq!(told["limits"]["memory"], 1_u64 << 30);
    assert_eq!(told["limits"].as_object().unwrap().len(), 11);
    assert_eq!(told["outcome"], json!({"ending": "finished", "return_code": 0, "exceeded": null}));
    assert_eq!(told["runtimes"]["python"]["digest"].as_str().unwrap().len(), 64);
    assert!(told["compiler"].as_str().unwrap().starts_with("wasmtime "));
    let hash = |content: &str| ContentHash::of(content.as_bytes()).to_string();
    assert_eq!(told["outputs"], json!([{"path": "a", "sha256": hash("result"), "bytes": 6}]));
    assert_eq!(told["logs"][0], json!({"path": "stdout.txt", "sha256": hash("printed\n"), "bytes": 8}));
    let dataset = &told["datasets"][0];
    assert_eq!((&dataset["name"], &dataset["before"]), (&json!("numbers"), &dataset["after"]));
    assert!(dataset["before"]["mock"].to_string().contains(&hash("x\n1\n")));
    // The data, its description and its rules; none tells what it is of.
    assert_eq!(dataset["before"]["private"].as_array().unwrap().len(), 3);
    assert!(!told.to_string().contains(&hash("x\n2\n")));

    let verify = |person: &Person| person.run(&["--json", "job", "verify", "one"]).done().json();
    let (owner, scientist) = (verify(&stage.owner), verify(&stage.scientist));
    assert_eq!((&owner["holds"], &scientist["holds"]), (&json!(true), &json!(true)));
    assert_eq!(owner["key"], scientist["key"]);
    let what = |document: &Value| -> Vec<String> {
        let checks = document["checks"].as_array().unwrap();
        assert!(checks.iter().all(|check| check["found"] == "same"), "{document}");
        checks.iter().map(|check| check["what"].as_str().unwrap().to_owned()).collect()
    };
    let mut expected = vec!["submission", "stdout.txt", "stderr.txt", "outputs/a"];
    assert_eq!(what(&scientist), expected);
    expected.push("dataset numbers");
    assert_eq!(what(&owner), expected);

    let shown = stage.owner.ask(&["job", "show", "one"]);
    assert_eq!(shown[0]["outcome"]["reason"], "finished");
    assert_eq!(shown[0]["outcome"]["limits"]["memory"], 1_u64 << 30);
    let identity = stage.owner.folder().join(".syftbox/identity.json");
    assert_eq!(fs::metadata(identity).unwrap().permissions().mode() & 0o777, 0o600);

    // What changed since is named.
    let private = format!("{OWNER}/private/syft_datasets/numbers/data.csv");
    stage.owner.write(&format!("SyftBox/{private}"), "x\n3\n");
    stage.owner.run(&["job", "verify", "one"]).failed().says(&["dataset numbers", "not what was signed"]);
    let [output, more] = ["one/outputs/a", "one/outputs/b"].map(|path| format!("SyftBox/{}", review(path)));
    stage.scientist.write(&output, "other!");
    stage.scientist.write(&more, "more");
    stage
        .scientist
        .run(&["job", "verify", "one"])
        .failed()
        .says(&["outputs/a (not what", "outputs/b (not in"]);
}

#[test]
fn a_receipt_goes_to_the_scientist_as_far_as_it_is_shared() {
    let stage = ran(&["--share-outputs"]);
    assert!(stage.owner.folder().join(review("one/receipt.json")).exists());
    assert!(!stage.scientist.folder().join(review("one/receipt.json")).exists());
    stage.scientist.run(&["job", "verify", "one"]).failed().says(&["no receipt", "--share-receipt"]);
    stage.owner.ask(&["job", "rerun", "one"]);
    assert!(!stage.owner.folder().join(review("one/receipt.json")).exists());
    stage.owner.ask(&["sync"]);
    stage.owner.run(&["job", "process", "--share-receipt"]).done();
    stage.scientist.ask(&["sync"]);
    // The outputs of this run stay with the owner; the receipt holds for what is here.
    let verified = stage.scientist.ask(&["job", "verify", "one"]);
    let found = verified["checks"].to_string();
    assert!(
        found.contains(r#"{"found":"not_here","what":"outputs/a"}"#)
            || found.contains(r#"{"what":"outputs/a","found":"not_here"}"#),
        "{found}"
    );
}

#[test]
fn a_receipt_that_was_changed_or_signed_by_another_proves_nothing() {
    let stage = ran(&["--share-outputs", "--share-logs"]);
    let path = review("one/receipt.json");
    let genuine = stage.scientist.read(&path);
    let put = |text: &str| _ = stage.scientist.write(&format!("SyftBox/{path}"), text);
    put(&genuine.replace("\"ending\": \"finished\"", "\"ending\": \"finisheD\""));
    stage.scientist.run(&["job", "verify", "one"]).failed().says(&["signature", "changed"]);
    put("{}");
    stage.scientist.run(&["job", "verify", "one"]).failed().says(&["no receipt"]);
    // A real one, of another job.
    scene::submit(&stage, "two", SCRIPT);
    put(&genuine);
    fs::create_dir_all(stage.scientist.folder().join(review("two"))).unwrap();
    stage.scientist.write(&format!("SyftBox/{}", review("two/receipt.json")), &genuine);
    stage.scientist.run(&["job", "verify", "two"]).failed().says(&["is of the job", "/one"]);

    // The owner lost its machine, or is somebody else now.
    fs::remove_file(stage.owner.folder().join(".syftbox/identity.json")).unwrap();
    stage.owner.ask(&["job", "rerun", "one"]);
    stage.owner.run(&["job", "process", "--share-receipt"]).done();
    stage.scientist.ask(&["sync"]);
    stage.scientist.run(&["job", "verify", "one"]).failed().says(&["new key", "peer trust"]);
    let trusted = stage.scientist.ask(&["peer", "trust", OWNER]);
    assert_eq!(trusted["keys"].as_array().unwrap().len(), 2, "{trusted}");
    stage.scientist.run(&["job", "verify", "one"]).done();
    stage.owner.run(&["job", "verify", "one"]).done();
}
