//! What a scientist can submit beside a Python script, and what an owner can do with a job.

use std::path::Path;

use serde_json::json;

use syftbox_tests::{OWNER, Person, SCIENTIST, python_environment};

use crate::scene::{self, EVE};

/// A command of WebAssembly that ends at once.
const NOTHING: &[u8] =
    b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x0a\x01\x06_start\0\0\x0a\x04\x01\x02\0\x0b";

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
fn a_bash_script_runs_with_python_on_private_data() {
    let stage = scene::peers();
    let [mock, private] = [("mock.csv", "x\n1\n"), ("private.csv", "x\n20\n22\n")]
        .map(|(name, text)| stage.owner.write(name, text).to_str().unwrap().to_owned());
    stage.owner.ask(&[
        "dataset",
        "create",
        "numbers",
        "--mock",
        &mock,
        "--private",
        &private,
        "--users",
        SCIENTIST,
    ]);
    let script = "set -euo pipefail\n\
                  data=$SYFTBOX_FOLDER/$SYFTBOX_EMAIL/private/syft_datasets/numbers/private.csv\n\
                  tail -n +2 $data | python3 -c 'import sys; print(sum(map(int, sys.stdin)))' > outputs/sum.txt\n\
                  echo rows: $(grep -vc x $data)\n";
    stage.scientist.ask(&["job", "submit-bash", OWNER, "--script", script, "--name", "sum"]);
    stage.scientist.ask(&[
        "job",
        "submit-bash",
        OWNER,
        "--script",
        "echo why >&2; exit 3",
        "--name",
        "fails",
    ]);
    stage.owner.ask(&["sync"]);
    for name in ["sum", "fails"] {
        stage.owner.ask(&["job", "approve", name]);
    }
    stage.owner.ask(&["job", "process", "--share-outputs", "--share-logs"]);
    stage.scientist.ask(&["sync"]);
    let review =
        |file: &str| stage.scientist.read(format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/{file}"));
    assert_eq!(scene::status(&stage.scientist, "sum"), "done");
    assert_eq!(review("sum/outputs/sum.txt"), "42\n");
    assert_eq!(review("sum/stdout.txt"), "rows: 2\n");
    assert_eq!(scene::status(&stage.scientist, "fails"), "failed");
    assert_eq!(review("fails/returncode.txt").trim(), "3");
    assert_eq!(review("fails/stderr.txt"), "why\nreason: failed with code 3\n");
}

#[test]
fn a_webassembly_program_is_tried_submitted_and_run() {
    let stage = scene::peers();
    let program = stage.scientist.write("nothing.wasm", NOTHING);
    let program = program.to_str().unwrap();
    let to = stage.scientist.path("tried");
    let tried = stage.scientist.ask(&["try", program, "--to", to.to_str().unwrap()]);
    assert_eq!(tried["return_code"], 0, "{tried}");
    stage.scientist.ask(&["job", "submit-wasm", OWNER, program, "--name", "nothing"]);
    stage.owner.ask(&["sync"]);
    let config = submitted(&stage.owner, "nothing", "config.yaml");
    assert!(config.contains("type: bash\n") && config.contains("entrypoint: program.wasm\n"), "{config}");
    assert!(submitted(&stage.owner, "nothing", "run.sh").ends_with("exit 1\n"));
    stage.owner.ask(&["job", "approve", "nothing"]);
    stage.owner.ask(&["job", "process"]);
    assert_eq!(scene::status(&stage.owner, "nothing"), "done");
    let script = stage.scientist.write("main.py", "print(1)\n");
    let script = script.to_str().unwrap();
    stage.scientist.run(&["job", "submit-wasm", OWNER, script]).failed().says(&["no WebAssembly"]);
}

#[test]
fn the_example_in_c_runs_on_the_private_half() {
    let python = python_environment("compilers.txt");
    let stage = scene::peers();
    let program = stage.scientist.path("mean.wasm");
    let built = std::process::Command::new(&python)
        .args(["-m", "ziglang", "cc", "-target", "wasm32-wasi", "-O2", "-s", "-o"])
        .arg(&program)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/c/mean.c"))
        // Its C library, compiled, stays with the compiler.
        .env("ZIG_GLOBAL_CACHE_DIR", python.with_file_name("zig-cache"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let [mock, private] = [("mock.txt", "1\n2\n"), ("private.txt", "10\n20\n60\n")]
        .map(|(name, text)| stage.owner.write(name, text).to_str().unwrap().to_owned());
    let create = ["dataset", "create", "numbers", "--mock", &mock, "--private", &private];
    stage.owner.ask(&[&create[..], &["--users", SCIENTIST]].concat());
    stage.scientist.ask(&["sync"]);

    let program = program.to_str().unwrap();
    let to = stage.scientist.path("tried");
    stage.scientist.ask(&["try", program, "--to", to.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(to.join("mean.txt")).unwrap(), "1.5\n");
    stage.scientist.ask(&["job", "submit-wasm", OWNER, program, "--name", "mean"]);
    stage.owner.ask(&["sync"]);
    stage.owner.ask(&["job", "approve", "mean"]);
    stage.owner.ask(&["job", "process", "--share-outputs"]);
    stage.scientist.ask(&["sync"]);
    let result = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/mean/outputs/mean.txt");
    assert_eq!(stage.scientist.read(result), "30\n");
}

#[test]
fn a_job_can_be_tried_before_any_login() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("nothing.wasm");
    std::fs::write(&program, NOTHING).unwrap();
    let mut command = std::process::Command::new(syftbox_tests::program());
    command.env_clear().env("HOME", folder.path()).current_dir(&folder).arg("try").arg(&program);
    let tried = command.output().unwrap();
    let said = String::from_utf8(tried.stderr).unwrap();
    assert!(tried.status.success() && said.contains("Nobody is logged in"), "{said}");
    let tried = command.args(["--dataset", "numbers"]).output().unwrap();
    let said = String::from_utf8(tried.stderr).unwrap();
    assert!(tried.status.code() == Some(2) && said.contains("--email"), "{said}");
}

#[test]
fn a_trial_runs_on_the_mock_half_and_says_how_it_ended() {
    let stage = scene::peers();
    let [mock, private] = [("mock.csv", "x\n1\n"), ("private.csv", "x\n20\n")]
        .map(|(name, text)| stage.owner.write(name, text).to_str().unwrap().to_owned());
    stage.owner.ask(&[
        "dataset",
        "create",
        "numbers",
        "--mock",
        &mock,
        "--private",
        &private,
        "--users",
        SCIENTIST,
    ]);
    stage.scientist.ask(&["sync"]);
    let script = "data=$SYFTBOX_FOLDER/$SYFTBOX_EMAIL/private/syft_datasets/numbers\n\
                  ls $data > outputs/files.txt\ntail -1 $data/mock.csv > outputs/last.txt\n";
    let script = stage.scientist.write("a/count.sh", script);
    let to = stage.scientist.path("tried");
    let to = to.to_str().unwrap();
    let tried =
        |more: &[&str]| stage.scientist.run(&[&["try", script.to_str().unwrap(), "--to", to], more].concat());
    tried(&[]).done().says(&["finished", "made up"]);
    let read = |name: &str| std::fs::read_to_string(format!("{to}/{name}")).unwrap();
    assert_eq!((read("files.txt").as_str(), read("last.txt").as_str()), ("mock.csv\n", "1\n"));
    tried(&["--dataset", "numbers"]).done();
    tried(&["--dataset", &format!("{OWNER}/numbers")]).done();
    tried(&["--dataset", "others"]).failed().says(&["others", "dataset list"]);
    let fails = stage.scientist.write("b/fails.sh", "exit 3\n");
    stage.scientist.run(&["try", fails.to_str().unwrap(), "--to", to]).failed().says(&["failed with code 3"]);
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
    scene::replace_version(&stage, &stage.owner, &scene::python_version("0.11.0"));
    stage.scientist.ask(&["sync"]);
    let script = stage.scientist.write("main.py", "print(1)\n");
    let script = script.to_str().unwrap();
    for arguments in [["submit-python", OWNER, script].as_slice(), &["submit-bash", OWNER, "--script", "ls"]]
    {
        let arguments = [&["job"], arguments].concat();
        stage.scientist.run(&arguments).failed().says(&["0.11.0", "0.10.x"]);
        stage.scientist.run(&[&arguments[..], &["--skip-version-check"]].concat()).done();
    }
    let installed = stage.scientist.ask(&["job", "list"]);
    assert_eq!(installed.as_array().unwrap().len(), 2, "{installed}");
}

#[test]
fn a_job_is_accepted_by_depositing_its_result() {
    let stage = scene::peers();
    for name in ["file", "folder", "rejected"] {
        scene::submit(&stage, name, "print(1)");
    }
    let result = stage.owner.write("results/answer.txt", "42");
    let nested = stage.owner.write("table/deep/rows.csv", "a\n");
    let folder = nested.parent().unwrap().parent().unwrap().to_str().unwrap();
    let deposited = stage.owner.ask(&["job", "deposit", "file", result.to_str().unwrap()]);
    assert_eq!(deposited[0]["status"], "done");
    stage.owner.ask(&["job", "approve", "folder"]);
    stage.owner.ask(&["job", "deposit", "folder", folder]);
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    let review = |name: &str| format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/{name}");
    assert_eq!(stage.scientist.read(format!("{}/outputs/answer.txt", review("file"))), "42");
    assert_eq!(stage.scientist.read(format!("{}/outputs/table/deep/rows.csv", review("folder"))), "a\n");
    assert_eq!(scene::status(&stage.scientist, "folder"), "done");
    let shown = stage.scientist.ask(&["job", "show", "file"]);
    assert_eq!(
        (&shown[0]["state"]["return_code"], &shown[0]["state"]["approved_by"]),
        (&json!(0), &json!(OWNER))
    );

    let file = result.to_str().unwrap();
    stage.owner.ask(&["job", "reject", "rejected"]);
    stage
        .owner
        .run(&["job", "deposit", "rejected", file])
        .failed()
        .says(&["rejected", "pending or approved"]);
    stage.owner.run(&["job", "deposit", "file", file]).failed().says(&["done"]);
    stage.owner.run(&["job", "deposit", "absent", file]).failed().says(&["absent"]);
    stage.scientist.run(&["job", "deposit", "file", file]).failed().says(&["--role do"]);
    scene::submit(&stage, "more", "print(1)");
    let rules = stage.owner.write("trap/syft.pub.yaml", "rules: []");
    let trap = rules.parent().unwrap().to_str().unwrap();
    stage.owner.run(&["job", "deposit", "more", trap]).failed().says(&["syft.pub.yaml"]);
    stage.owner.run(&["job", "deposit", "more", "/no/such"]).failed().says(&["/no/such"]);
    assert_eq!(scene::status(&stage.owner, "more"), "pending");
}

#[test]
fn a_job_is_run_again_without_its_old_results() {
    let stage = scene::peers();
    let script = "import os\nos.makedirs('outputs', exist_ok=True)\nopen('outputs/x', 'w').write('ran')\n";
    scene::submit(&stage, "twice", script);
    stage.owner.run(&["job", "rerun", "twice"]).failed().says(&["pending", "done or failed"]);
    stage.owner.ask(&["job", "approve", "twice"]);
    stage.owner.ask(&["job", "process", "--share-outputs"]);
    stage.scientist.ask(&["sync"]);
    let output = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/twice/outputs/x");
    assert_eq!(stage.scientist.read(&output), "ran");

    assert_eq!(stage.owner.ask(&["job", "rerun", "twice"])[0]["status"], "approved");
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    assert!(!stage.scientist.folder().join(&output).exists());
    assert_eq!(scene::status(&stage.scientist, "twice"), "approved");
    stage.owner.ask(&["job", "process"]);
    stage.scientist.ask(&["sync"]);
    assert_eq!(scene::status(&stage.scientist, "twice"), "done");
    assert_eq!(stage.owner.read(&output), "ran");
    assert!(!stage.scientist.folder().join(&output).exists(), "this time it wasn't shared");
    stage.scientist.run(&["job", "rerun", "twice"]).failed().says(&["--role do"]);
}

#[test]
fn a_job_that_was_never_approved_isnt_run_again_unseen() {
    let stage = scene::peers();
    scene::submit(&stage, "deposited", "print(1)");
    let result = stage.owner.write("answer.txt", "42");
    stage.owner.ask(&["job", "deposit", "deposited", result.to_str().unwrap()]);
    let again = stage.owner.run(&["--json", "job", "rerun", "deposited"]).done();
    assert_eq!(again.json()[0]["status"], "pending", "{again}");
    again.says(&["never approved"]);
}
