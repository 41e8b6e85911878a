//! What a job cannot do, and how it ends when it tries.

#![cfg(test)]

mod common;

use std::{fs, time::Duration};

use common::Case;
use syftbox_runner::sandbox::Ending;

#[test]
fn what_never_ends_is_timed_out() {
    for script in ["infinite_loop.py", "sleep.py", "regex.py"] {
        let run = Case::script(script).limits(|limits| limits.time = Duration::from_secs(1)).run();
        run.assert_ending(&Ending::TimedOut);
        assert_eq!(run.outcome.return_code(), -1, "{script}");
        assert_eq!(run.stderr(), "reason: timed out: ran longer than 1 s\n", "{script}");
    }
}

#[test]
fn a_memory_bomb_runs_out_of_memory() {
    let run = Case::script("memory_bomb.py").limits(|limits| limits.memory = 256 << 20).run();
    run.assert_ending(&Ending::OutOfMemory);
    assert!(run.stderr().contains("MemoryError"), "{}", run.stderr());
    assert!(run.outcome.peak_memory.is_some_and(|peak| peak <= 256 << 20), "{:?}", run.outcome);
}

#[test]
fn endless_talk_is_cut() {
    for script in ["endless_print.py", "endless_stderr.py", "huge_write.py"] {
        let run = Case::script(script).limits(|limits| limits.log_bytes_per_stream = 100_000).run();
        run.assert_ending(&Ending::LogTooLarge);
        let logs = run.stdout().len() + run.stderr().len();
        assert!((100_000..100_200).contains(&logs), "{script}: {logs}");
    }
}

#[test]
fn files_stop_growing_at_the_limit() {
    for script in ["file_bomb.py", "tmp_bomb.py", "deleted_bomb.py", "sparse_bomb.py", "truncate_bomb.py"] {
        let run = Case::script(script).limits(|limits| limits.output_bytes = 20 << 20).run();
        run.assert_ending(&Ending::OutputTooLarge);
        assert!(run.outputs().is_empty(), "{script}");
    }
}

#[test]
fn files_stop_being_made_at_the_limit() {
    for script in ["many_files.py", "many_folders.py"] {
        let run = Case::script(script).limits(|limits| limits.output_files = 50).run();
        run.assert_ending(&Ending::OutputTooLarge);
        let reason = &run.outcome.reason;
        assert!(reason.starts_with("output too large: asked for 51 of 50 files at "), "{script}: {reason}");
    }
}

#[test]
fn outputs_hold_no_links_and_nothing_outside_is_reached() {
    let case = Case::script("links.py");
    let run = case.run();
    run.assert_ending(&Ending::Finished);
    for attempt in ["symlink", "absolute", "folder", "hard", "device", "parent", "rename"] {
        let line = run.stdout().lines().find(|line| line.starts_with(attempt)).unwrap().to_owned();
        assert!(line.ends_with("Error"), "{line}");
    }
    assert_eq!(run.outputs(), ["mine"]);
    assert!(!run.folder.path().join("escaped").exists());
}

#[test]
fn the_host_has_no_files() {
    let run = Case::script("host_files.py").run();
    run.assert_ending(&Ending::Finished);
    let stdout = run.stdout();
    let (attempts, listings) = stdout.split_at(stdout.find('[').unwrap());
    for line in attempts.lines() {
        assert!(line.ends_with(" FileNotFoundError") || line.ends_with(" PermissionError"), "{line}");
    }
    assert_eq!(attempts.lines().count(), 11);
    assert_eq!(listings, "['job', 'tmp', 'usr']\n['/job/code', '/job/outputs']\n");
}

#[test]
fn the_environment_is_what_the_protocol_names() {
    let run = Case::script("environment.py").run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(
        run.stdout(),
        "HOME /tmp\n\
         PYTHONTZPATH \n\
         SYFTBOX_EMAIL do@test.org\n\
         SYFTBOX_FOLDER /syftbox\n\
         SYFT_IS_IN_JOB true\n\
         TMPDIR /tmp\n"
    );
}

#[test]
fn there_is_no_network() {
    let run = Case::script("network.py").run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(
        run.stdout(),
        "sockets refused\ndatagrams refused\nnames refused\nlistening refused\nurl refused\n"
    );
}

#[test]
fn there_are_no_other_processes_and_threads() {
    let run = Case::script("processes.py").run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(
        run.stdout(),
        "run refused\nsystem refused\nfork refused\nexecute refused\nkill refused\nthread refused\n"
    );
}

#[test]
fn code_and_datasets_cannot_be_changed() {
    let case =
        Case::script("write_read_only.py").dataset("census", &[("a.csv", "mock")], &[("a.csv", "private")]);
    let (code, private) = (case.spec.code.clone(), case.spec.datasets[0].private.clone().unwrap());
    let script = fs::read(code.join("write_read_only.py")).unwrap();
    let run = case.run();
    run.assert_ending(&Ending::Finished);
    let stdout = run.stdout();
    for line in stdout.lines() {
        assert!(line.ends_with("Error"), "{line}");
    }
    assert_eq!(stdout.lines().count(), 14);
    assert_eq!(fs::read_to_string(private.join("a.csv")).unwrap(), "private");
    assert_eq!(fs::read_dir(private).unwrap().count(), 1);
    assert_eq!(fs::read(code.join("write_read_only.py")).unwrap(), script);
    assert_eq!(fs::read_dir(code).unwrap().count(), 1);
}

#[test]
fn a_dataset_that_changes_meanwhile_breaks_the_run() {
    let case = Case::script("live.py").dataset("census", &[("a.csv", "mock")], &[("a.csv", "private")]);
    let data = case.spec.datasets[0].private.clone().unwrap().join("a.csv");
    let cancel = case.cancel.clone();
    let run = case.run_with(&mut |_| {
        fs::write(&data, "changed").unwrap();
        cancel.cancel();
    });
    assert!(matches!(run.outcome.ending, Ending::Broken(_)), "{:?}", run.outcome);
    assert!(run.stderr().ends_with("run it again\n"), "{}", run.stderr());
}

#[test]
fn open_files_run_out_in_the_guest_alone() {
    let run = Case::script("open_many.py").run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "refused True\n");
}

#[test]
fn endless_recursion_harms_nobody() {
    let run = Case::script("recursion.py").run();
    assert_eq!(run.stdout(), "refused\n");
    assert!(
        matches!(run.outcome.ending, Ending::FailedWithCode(1 | 134) | Ending::OutOfMemory),
        "{:?}",
        run.outcome
    );
}
