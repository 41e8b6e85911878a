//! Several jobs at once, and what becomes of them when the program is told to end, or killed.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use syftbox_tests::{OWNER, SCIENTIST, Stage};

use crate::scene;

/// Prints, and goes on for a moment.
const MOMENT: &str = "import time\nprint('begins')\ntime.sleep(1)\n";
/// Prints, and never ends.
const ENDLESS: &str =
    "import time\nprint('begins')\nopen('outputs/half', 'w').write('half')\nwhile True: time.sleep(1)\n";

/// Peers, and approved jobs of this script.
fn approved(script: &str, names: &[&str]) -> Stage {
    let stage = scene::peers();
    for name in names {
        scene::submit(&stage, name, script);
        stage.owner.ask(&["job", "approve", name]);
    }
    stage
}

/// The most jobs that ran at once, as the program said it.
fn most_at_once(stage: &Stage, options: &[&str]) -> usize {
    let answer = stage.owner.run(&[&["job", "process"], options].concat()).done();
    let (mut now, mut most) = (0_usize, 0);
    for line in answer.stderr.lines() {
        now += usize::from(line.contains("] runs, for "));
        most = most.max(now);
        now -= usize::from(line.contains("] finished after "));
    }
    assert_eq!(now, 0, "{answer}");
    most
}

#[test]
fn as_many_jobs_run_at_once_as_there_are_workers() {
    let names = ["a", "b", "c"];
    let stage = approved(MOMENT, &names);
    let again = || names.map(|name| stage.owner.ask(&["job", "rerun", name]));
    assert_eq!(most_at_once(&stage, &[]), 1);
    again();
    assert_eq!(most_at_once(&stage, &["--workers", "2"]), 2);
    for name in names {
        assert_eq!(scene::status(&stage.owner, name), "done");
        assert_eq!(
            stage.owner.read(format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/{name}/stdout.txt")),
            "begins\n"
        );
        stage.owner.run(&["job", "verify", name]).done();
    }
    again();
    let memory = ["--workers", "3", "--memory", "1G", "--total-memory", "1500M"];
    assert_eq!(most_at_once(&stage, &memory), 1, "two would take more than there is for all");
    stage.owner.run(&["job", "process", "--workers", "0"]).wrong_usage();
}

/// `job process`, at work on as many jobs.
fn at_work(stage: &Stage, jobs: usize) -> Child {
    let mut command = stage.owner.command();
    command.args(["job", "process", "--workers", "2"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut runner = command.spawn().unwrap();
    let mut said = BufReader::new(runner.stderr.take().unwrap());
    let mut begun = 0;
    while begun < jobs {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "the program ended");
        begun += usize::from(line.ends_with("] begins\n"));
    }
    // Read on, so that nobody waits for us.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    runner
}

/// Whether a process runs a job of the owner's.
fn a_job_lives(stage: &Stage) -> bool {
    let folder = stage.owner.folder();
    let holds = |process: &Path| {
        let arguments = std::fs::read(process.join("cmdline")).unwrap_or_default();
        let is_job = arguments.split(|byte| *byte == 0).nth(1) == Some(b"__job-process");
        let mut open = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        is_job && open.any(|fd| std::fs::read_link(fd.path()).is_ok_and(|file| file.starts_with(&folder)))
    };
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| holds(&entry.path()))
}

fn signal(runner: &Child, signal: &str) {
    let sent = std::process::Command::new("kill").args([signal, &runner.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_that_is_told_to_end_leaves_its_jobs_approved() {
    let names = ["a", "b", "c"];
    let stage = approved(ENDLESS, &names);
    for told in ["-INT", "-TERM"] {
        let mut runner = at_work(&stage, 2);
        assert!(a_job_lives(&stage));
        signal(&runner, told);
        assert_eq!(runner.wait().unwrap().code(), Some(130), "{told}");
        assert!(!a_job_lives(&stage));
        for name in names {
            assert_eq!(scene::status(&stage.owner, name), "approved", "{told}");
            let review = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/{name}");
            for left in ["stdout.txt", "outputs", "receipt.json"] {
                assert!(!stage.owner.folder().join(&review).join(left).exists(), "{told} {name} {left}");
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_job_that_may_be_repeated_runs_again_when_its_runner_was_killed() {
    let stage = scene::peers();
    for name in ["once", "again"] {
        // Endless for the runner that is killed only.
        scene::submit(&stage, name, ENDLESS);
    }
    stage.owner.ask(&["job", "approve", "once"]);
    stage.owner.ask(&["job", "approve", "again", "--repeatable"]);
    let mut runner = at_work(&stage, 2);
    runner.kill().unwrap();
    runner.wait().unwrap();
    let gone = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        !a_job_lives(&stage)
    });
    assert!(gone);
    let processed = stage.owner.run(&["job", "process", "--timeout", "1"]).done();
    assert!(
        processed.stderr.contains("[again] runs, for ") && !processed.stderr.contains("[once] runs"),
        "{processed}"
    );
    assert_eq!(scene::status(&stage.owner, "once"), "failed");
    let shown = stage.owner.ask(&["job", "show", "once"]);
    assert!(shown[0]["state"]["review_reason"].as_str().unwrap().contains("ended before it did"), "{shown}");
    let shown = stage.owner.ask(&["job", "show", "again"]);
    assert_eq!(shown[0]["outcome"]["reason"], "timed out: ran longer than 1 s");
}
