//! Whatever people type or have lying about: a clear error, exit code 1, and nothing lost.

use std::process::Command;

use serde_json::json;

use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::scene::{self, EVE};

#[test]
fn addresses_that_are_none() {
    let stage = Stage::open();
    stage.scientist.ask(&["login"]);
    for bad in ["not-an-address", "a@b@c", "../x@y.org", "@x.org"] {
        stage.scientist.run(&["peer", "add", bad]).failed().says(&["e-mail address", "name@example.org"]);
    }
    stage.scientist.run(&["peer", "add", SCIENTIST]).failed().says(&["own account"]);
}

#[test]
fn command_lines_that_are_none() {
    let stage = Stage::open();
    stage.owner.run(&["dance"]).wrong_usage();
    stage.owner.run(&["peer", "add"]).wrong_usage();
    stage.owner.run(&["dataset", "create", "x"]).wrong_usage();
}

#[test]
fn datasets_that_cannot_be() {
    let stage = scene::peers();
    let file = stage.owner.write("data.csv", "a\n1\n");
    let file = file.to_str().unwrap();
    let nested = stage.owner.write("nested/inner/data.csv", "a\n1\n");
    let nested = nested.parent().unwrap().parent().unwrap().to_str().unwrap().to_owned();
    let create = |name: &str, mock: &str, private: &str| {
        stage.owner.run(&["dataset", "create", name, "--mock", mock, "--private", private])
    };
    for name in ["../x", "with space", "a/b", "", "x.y"] {
        create(name, file, file).failed();
    }
    create("missing", "/no/such/file.csv", file).failed().says(&["/no/such/file.csv"]);
    create("missing", file, "/no/such/file.csv").failed().says(&["/no/such/file.csv"]);
    create("nested", &nested, file).failed().says(&["folder"]);
    assert_eq!(stage.owner.ask(&["dataset", "list"]), json!([]), "nothing is left of those that failed");
    create("good", file, file).done();
    create("good", file, file).failed().says(&["good", "exists"]);
    stage.owner.run(&["dataset", "share", "absent", "--users", SCIENTIST]).failed().says(&["absent"]);
    stage.owner.run(&["dataset", "delete", "absent", "--yes"]).failed().says(&["absent"]);
    stage
        .scientist
        .run(&["dataset", "create", "x", "--mock", file, "--private", file])
        .failed()
        .says(&["--role do"]);
}

#[test]
fn jobs_that_cannot_be() {
    let stage = scene::peers();
    let submit = |path: &str, more: &[&str]| {
        let mut arguments = vec!["job", "submit-python", OWNER, path];
        arguments.extend(more);
        stage.scientist.run(&arguments)
    };
    let script = stage.scientist.write("main.py", "print(1)\n");
    let script = script.to_str().unwrap();
    let folder = |name: &str, files: &[&str]| {
        for file in files {
            stage.scientist.write(&format!("{name}/{file}"), "print(1)\n");
        }
        stage.scientist.path(name).to_str().unwrap().to_owned()
    };
    submit("/no/such.py", &[]).failed().says(&["/no/such.py"]);
    submit(&folder("none", &["notes.txt"]), &[]).failed().says(&["--entrypoint"]);
    submit(&folder("two", &["a.py", "b.py"]), &[]).failed().says(&["--entrypoint"]);
    submit(&folder("two", &["a.py", "b.py"]), &["--entrypoint", "c.py"]).failed().says(&["c.py"]);
    submit(script, &["--name", "../x"]).failed().says(&["--name"]);
    submit(script, &["--name", "one"]).done();
    submit(script, &["--name", "one"]).failed().says(&["one", "exists"]);
    stage.scientist.run(&["job", "submit-python", EVE, script]).failed().says(&[EVE, "peer add"]);
    stage.owner.ask(&["sync"]);
    stage.owner.run(&["job", "approve", "absent"]).failed().says(&["absent", "job list"]);
    stage.owner.ask(&["job", "reject", "one"]);
    stage.owner.run(&["job", "approve", "one"]).failed().says(&["rejected"]);
    stage.scientist.run(&["job", "approve", "one"]).failed().says(&["do"]);
}

#[test]
fn tokens_and_drives_that_are_wrong() {
    let stage = Stage::open();
    let at = |url: &str, token: &str| Person::new(OWNER, Some("do"), url, token);
    let url = stage.drive().url().to_owned();
    at(&url, "ds-token").run(&["login"]).failed().says(&[SCIENTIST, "--email"]);
    at(&url, "no-such-token").run(&["login"]).failed().says(&["log in"]);
    at("http://127.0.0.1:1", "do-token").run(&["login"]).failed().says(&["127.0.0.1:1", "--drive-url"]);
    at(&format!("{url}/not/drive"), "do-token").run(&["login"]).failed().says(&["--drive-url"]);
    let garbled = at(&url, "do-token");
    std::fs::write(garbled.token_file(), "not json").unwrap();
    garbled.run(&["login"]).failed().says(&["token.json"]);
    std::fs::remove_file(garbled.token_file()).unwrap();
    garbled.run(&["login"]).failed().says(&["token.json", "syftbox login"]);
}

#[test]
fn somebody_elses_folder() {
    let stage = Stage::open();
    stage.owner.ask(&["login"]);
    let copied =
        Command::new("cp").arg("-r").arg(stage.owner.folder()).arg(stage.scientist.folder()).status();
    assert!(copied.unwrap().success());
    stage.scientist.run(&["login"]).failed().says(&[OWNER, "--folder"]);
}
