//! What is told of a job that does what it may not: how much it took, what is kept of it. What jobs try, and how
//! each of them ends, is in `tests/evil`.

#![cfg(test)]

mod common;

use std::fs;

use common::Case;
use syftbox_runner::sandbox::Ending;

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
