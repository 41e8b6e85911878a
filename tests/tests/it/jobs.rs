//! What a scientist can submit beside a Python script, and what an owner can do with a job.

use serde_json::json;

use syftbox_tests::{OWNER, Person, SCIENTIST};

use crate::scene::{self, EVE};

/// A file of the job `name` of the scientist, as it is on `person`'s machine.
fn submitted(person: &Person, name: &str, file: &str) -> String {
    person.read(format!("{OWNER}/app_data/job/inbox/{SCIENTIST}/v1/{name}/{file}"))
}

#[test]
fn a_bash_script_is_submitted_as_the_python_peers_do_and_can_be_reviewed() {
    let stage = scene::peers();
    let script = "mkdir -p code/outputs\r\necho 'é' > code/outputs/x.txt";
    let file = stage.scientist.write("anywhere/count.sh", script);
    let file = file.to_str().unwrap();
    stage.scientist.ask(&["job", "submit-bash", OWNER, "--script", script, "--name", "text"]);
    stage.scientist.ask(&["job", "submit-bash", OWNER, file, "--name", "file"]);
    stage.owner.ask(&["sync"]);
    for name in ["text", "file"] {
        assert_eq!(scene::status(&stage.owner, name), "pending");
        for place in ["run.sh", "code/script.sh"] {
            assert_eq!(submitted(&stage.owner, name, place), script, "{name} {place}");
        }
        let config = submitted(&stage.owner, name, "config.yaml");
        assert!(config.contains("type: bash\n") && config.contains("code_path: null\n"), "{config}");
        let shown = stage.owner.ask(&["job", "show", name]);
        assert_eq!(shown[0]["config"]["type"], "bash");
        assert_eq!(
            shown[0]["code"],
            json!([{"name": "script.sh", "bytes": script.len(), "text": script}]),
            "{shown}"
        );
    }
    stage.owner.ask(&["job", "reject", "text", "--reason", "what for?"]);
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    assert_eq!(scene::status(&stage.scientist, "text"), "rejected");
    assert_eq!(scene::status(&stage.scientist, "file"), "pending");
}

#[test]
fn bash_jobs_that_cannot_be() {
    let stage = scene::peers();
    let submit = |more: &[&str]| stage.scientist.run(&[&["job", "submit-bash", OWNER], more].concat());
    let file = stage.scientist.write("a/job.sh", "echo 1\n");
    let folder = file.parent().unwrap().to_str().unwrap();
    submit(&[]).wrong_usage();
    submit(&[file.to_str().unwrap(), "--script", "echo 1"]).wrong_usage();
    submit(&["/no/such.sh"]).failed().says(&["/no/such.sh"]);
    submit(&[folder]).failed().says(&["folder"]);
    submit(&["--script", " \n"]).failed().says(&["empty"]);
    submit(&["--script", "echo 1", "--name", "v1"]).failed().says(&["--name"]);
    submit(&["--script", "echo 1", "--name", "one"]).done();
    submit(&["--script", "echo 2", "--name", "one"]).failed().says(&["one", "exists"]);
    stage.scientist.run(&["job", "submit-bash", EVE, "--script", "echo 1"]).failed().says(&[EVE, "peer add"]);
    stage.owner.run(&["job", "submit-bash", SCIENTIST, "--script", "echo 1"]).failed().says(&["--role ds"]);
}

#[test]
fn a_job_for_an_owner_of_another_version_is_sent_only_when_asked_to() {
    let stage = scene::peers();
    stage.owner.ask(&["--generation", "0.1", "login"]);
    stage.scientist.ask(&["sync"]);
    let script = stage.scientist.write("main.py", "print(1)\n");
    let script = script.to_str().unwrap();
    for arguments in [["submit-python", OWNER, script].as_slice(), &["submit-bash", OWNER, "--script", "ls"]]
    {
        let arguments = [&["job"], arguments].concat();
        stage.scientist.run(&arguments).failed().says(&["0.1.117", "0.10.0"]);
        stage.scientist.run(&[&arguments[..], &["--skip-version-check"]].concat()).done();
    }
    let installed = stage.scientist.ask(&["job", "list"]);
    assert_eq!(installed.as_array().unwrap().len(), 2, "{installed}");
}
