//! Who dies with whom: a job's process never outlives its runner, and its own death is an ending.

#![cfg(test)]
#![cfg(target_os = "linux")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::Case;
use rustix::process::{Pid, Signal, kill_process};
use syftbox_runner::sandbox::{CHILD_ARGUMENT, Ending};

/// The processes that run a job whose files are below `folder`.
fn processes_of(folder: &Path) -> Vec<Pid> {
    let holds = |process: &Path| {
        let arguments = fs::read(process.join("cmdline")).unwrap_or_default();
        let is_job = arguments.split(|byte| *byte == 0).nth(1) == Some(CHILD_ARGUMENT.as_bytes());
        let mut open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        is_job && open.any(|fd| fs::read_link(fd.path()).is_ok_and(|file| file.starts_with(folder)))
    };
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| holds(&entry.path()))
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

#[test]
fn a_killed_process_is_an_ending() {
    let case = Case::script("wait_to_be_killed.py");
    let folder = case.folder.path().to_path_buf();
    let run = case.run_with(&mut |_| {
        let processes = processes_of(&folder);
        assert_eq!(processes.len(), 1);
        kill_process(processes[0], Signal::KILL).unwrap();
    });
    run.assert_ending(&Ending::Killed);
    assert_eq!(run.outcome.reason, "killed: by signal 9");
}

#[test]
fn it_has_an_empty_environment_and_no_files_but_its_own() {
    let case = Case::script("wait_to_be_killed.py");
    let folder = case.folder.path().to_path_buf();
    let cancel = case.cancel.clone();
    // As a shell leaves a file open for the programs that it starts.
    let inherited = fs::File::create(folder.join("inherited")).unwrap();
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
    let mut seen = None;
    case.run_with(&mut |_| {
        let process = Path::new("/proc").join(processes_of(&folder)[0].to_string());
        let open: Vec<_> = fs::read_dir(process.join("fd"))
            .unwrap()
            .flatten()
            .filter_map(|fd| fs::read_link(fd.path()).ok())
            .map(|file| file.display().to_string())
            .collect();
        seen = Some((fs::read(process.join("environ")).unwrap(), open));
        cancel.cancel();
    });
    let (environment, open) = seen.unwrap();
    assert_eq!(environment, b"");
    assert!(open.iter().any(|file| file.ends_with("/code")), "{open:?}");
    assert!(!open.iter().any(|file| file.ends_with("/inherited")), "{open:?}");
}

/// Whatever it does, at its deadline and a second nothing of it lives.
#[test]
fn nothing_outlives_its_deadline() {
    let python = |text: &str| Case::files("main.py", &[("main.py", text)]);
    let slow = "(func (param i32) (local.set 0 (i32.mul (local.get 0) (i32.load (local.get 0)))))"
        .replace("(local.set", &"(local.set 0 (i32.add (local.get 0) (i32.load (local.get 0)))) ".repeat(300))
        .replace(" 0 (i32.mul", "(local.set 0 (i32.mul")
        .repeat(6_000);
    let compiles =
        wat::parse_str(format!("(module (memory (export \"memory\") 1) {slow} (func (export \"_start\")))"));
    let compiling = Case::files("program.wasm", &[]);
    fs::write(compiling.spec.code.join("program.wasm"), compiles.unwrap()).unwrap();
    for (doing, case) in [
        ("computing", python("while True: pass")),
        ("sleeping", python("import time\ntime.sleep(1000)")),
        ("writing", python("while True: open('outputs/x', 'wb').write(bytes(50_000_000))")),
        ("compiling", compiling),
        (
            "a pipe of python3s",
            Case::bash(
                "python3 -c 'while True: print(1)' | python3 -c 'while True: pass' | python3 -c 'import time; time.sleep(1000)'",
            ),
        ),
    ] {
        let limit = Duration::from_millis(1500);
        let folder = case.folder.path().to_path_buf();
        let run = case.limits(|limits| limits.time = limit).run();
        assert_eq!(run.outcome.ending, Ending::TimedOut, "{doing}: {}", run.outcome.reason);
        assert!(
            run.outcome.wall_time < limit + Duration::from_secs(1),
            "{doing}: {:?}",
            run.outcome.wall_time
        );
        assert!(processes_of(&folder).is_empty(), "{doing}");
    }
}

/// Whoever reads what the job says may be slow: the job doesn't wait for that with its end.
#[test]
fn a_runner_that_is_held_up_lets_nothing_live_on() {
    let limit = Duration::from_secs(1);
    let case = Case::script("wait_to_be_killed.py").limits(|limits| limits.time = limit);
    let folder = case.folder.path().to_path_buf();
    let run = case.run_with(&mut |_| {
        assert_eq!(processes_of(&folder).len(), 1);
        thread::sleep(limit + Duration::from_secs(1));
        assert!(processes_of(&folder).is_empty());
    });
    run.assert_ending(&Ending::TimedOut);
}

/// Not a test of its own: the runner that the next tests kill or stop.
#[test]
fn runner_to_be_killed() {
    let Ok(seconds) = std::env::var(ROLE) else { return };
    let limit = Duration::from_secs(seconds.parse().unwrap());
    let case = Case::script("wait_to_be_killed.py").limits(|limits| limits.time = limit);
    println!("\n{FOLDER}{}", case.folder.path().display());
    case.run_with(&mut |_| println!("\n{RUNNING}"));
}

/// Says how many seconds its job may take.
const ROLE: &str = "SYFTBOX_TEST_RUNNER_TO_BE_KILLED";
const FOLDER: &str = "folder: ";
const RUNNING: &str = "the job runs";

/// A runner whose job runs, and the job's folder.
fn runner_with_a_job(limit: Duration) -> (Child, PathBuf) {
    let mut runner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runner_to_be_killed", "--nocapture"])
        .env(ROLE, limit.as_secs().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(runner.stdout.take().unwrap()).lines().map(Result::unwrap);
    let folder = lines.find_map(|line| line.strip_prefix(FOLDER).map(PathBuf::from)).unwrap();
    lines.find(|line| line == RUNNING).unwrap();
    assert_eq!(processes_of(&folder).len(), 1);
    (runner, folder)
}

/// Whether the job of `folder` is gone within this time.
fn is_gone(folder: &Path, within: Duration) -> bool {
    let began = Instant::now();
    while !processes_of(folder).is_empty() {
        if began.elapsed() > within {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}

#[test]
fn a_job_dies_with_its_runner() {
    let (mut runner, folder) = runner_with_a_job(Duration::from_secs(300));
    runner.kill().unwrap();
    runner.wait().unwrap();
    // The kernel needs a moment.
    assert!(is_gone(&folder, Duration::from_secs(10)));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_job_of_a_stopped_runner_ends_at_its_deadline() {
    let limit = Duration::from_secs(2);
    let (mut runner, folder) = runner_with_a_job(limit);
    kill_process(Pid::from_child(&runner), Signal::STOP).unwrap();
    assert!(is_gone(&folder, limit + Duration::from_secs(1)));
    // Somebody must clean up what the stopped one would.
    runner.kill().unwrap();
    runner.wait().unwrap();
    fs::remove_dir_all(folder).unwrap();
}
