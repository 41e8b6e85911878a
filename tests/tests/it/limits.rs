//! What jobs may use: options, the site's policy, and who learns what ended a job.

use syftbox_tests::{OWNER, SCIENTIST};

use crate::scene::{self, EVE};

const BOMB: &str = "x = bytearray(300 << 20)\n";

#[test]
fn a_policy_sets_defaults_and_ceilings() {
    let stage = scene::peers();
    let policy = |text: &str| stage.owner.write("policy.toml", text).to_str().unwrap().to_owned();
    let path = policy(&format!(
        "[defaults]\nmemory = \"200 MiB\"\n[ceilings]\nmemory = \"1 GiB\"\ntime = 900\n\
         [peers.\"{SCIENTIST}\"]\nceilings.memory = \"512 MiB\"\n"
    ));
    let process = |more: &[&str]| stage.owner.run(&[&["job", "process", "--policy", &path], more].concat());
    scene::submit(&stage, "bomb", BOMB);
    stage.owner.ask(&["job", "approve", "bomb"]);
    // More than anybody may have, and more than this peer may.
    process(&["--memory", "2G"]).wrong_usage().says(&["memory", "2 GiB", "1 GiB", "policy.toml"]);
    process(&["--timeout", "901"]).wrong_usage().says(&["time", "901 s", "900 s"]);
    process(&["--memory", "1G"]).failed().says(&["1 GiB", "512 MiB", SCIENTIST]);
    assert_eq!(scene::status(&stage.owner, "bomb"), "approved");
    process(&[]).done().says(&["out of memory: asked for ", " of 200 MiB at "]);
    assert_eq!(scene::status(&stage.owner, "bomb"), "failed");
    stage.owner.ask(&["job", "rerun", "bomb"]);
    process(&["--memory", "512M"]).done().says(&["finished"]);

    policy("[ceilings]\nmemroy = \"1G\"\n");
    process(&[]).failed().says(&["memroy", "policy.toml"]);
    stage.owner.run(&["job", "process", "--policy", "/no/such.toml"]).failed().says(&["/no/such.toml"]);
    stage.owner.run(&["job", "process", "--memory", "8G"]).wrong_usage().says(&["4 GiB"]);
    // A trial is a job on this machine too.
    let script = stage.scientist.write("bomb.py", BOMB);
    let tried = ["try", script.to_str().unwrap(), "--policy", &policy("defaults.memory = \"200M\"")];
    stage.scientist.run(&tried).failed().says(&["out of memory"]);
}

#[test]
fn what_ended_a_job_is_for_its_scientist_when_logs_are_shared() {
    let stage = scene::peers();
    let eve = stage.newcomer(EVE, Some("ds"));
    eve.ask(&["peer", "add", OWNER]);
    stage.owner.ask(&["peer", "approve", EVE]);
    scene::submit(&stage, "bomb", BOMB);
    stage.owner.ask(&["job", "approve", "bomb"]);
    let stderr = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/bomb/stderr.txt");
    let state = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/bomb/state.yaml");
    for (share, shared) in [("--share-outputs", false), ("--share-logs", true)] {
        stage.owner.run(&["job", "process", "--memory", "200M", share]).done().says(&["of 200 MiB at "]);
        assert!(stage.owner.read(&stderr).contains("reason: out of memory: asked for "));
        stage.scientist.ask(&["sync"]);
        assert_eq!(stage.scientist.folder().join(&stderr).exists(), shared);
        assert!(!stage.scientist.read(&state).contains("MiB"));
        // What a Python peer reads.
        assert!(
            stage.scientist.read(&state).contains("return_code: 137\n"),
            "{}",
            stage.scientist.read(&state)
        );
        if !shared {
            stage.owner.ask(&["job", "rerun", "bomb"]);
        }
    }
    assert!(stage.scientist.read(&stderr).contains("MiB at "));
}
