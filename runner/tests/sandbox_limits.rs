//! What a job's outcome says of the limit that ended it.

#![cfg(test)]

mod common;

use std::time::Duration;

use common::{Case, Run};
use syftbox_runner::sandbox::{Ending, Limit};

/// The limit, what was asked for and what was allowed; and the reason has both in words.
#[track_caller]
fn exceeded(run: &Run, words: &str) -> (Limit, Option<u64>, u64) {
    assert!(run.outcome.reason.contains(words), "{}\n{}", run.outcome.reason, run.stderr());
    assert!(run.stderr().ends_with(&format!("reason: {}\n", run.outcome.reason)), "{}", run.stderr());
    let exceeded = run.outcome.exceeded.unwrap();
    (exceeded.limit, exceeded.asked, exceeded.allowed)
}

#[test]
fn says_which_limit_and_by_how_much() {
    let case = |script: &str| Case::files("main.py", &[("main.py", script)]);
    let run = case("x = bytearray(300 << 20)").limits(|limits| limits.memory = 256 << 20).run();
    let (limit, asked, allowed) = exceeded(&run, "memory: asked for ");
    assert_eq!((limit, allowed), (Limit::Memory, 256 << 20));
    assert!(asked.is_some_and(|asked| asked > 300 << 20), "{asked:?}");

    let run = case("while True: pass").limits(|limits| limits.time = Duration::from_millis(500)).run();
    assert_eq!(exceeded(&run, "timed out: ran longer than 0.5 s"), (Limit::Time, None, 500));

    let run = case("print('x' * 100)").limits(|limits| limits.log_bytes_per_stream = 100).run();
    assert_eq!(exceeded(&run, "asked for 101 B of 100 B at "), (Limit::LogBytes, Some(101), 100));

    let run =
        case("open('outputs/x', 'wb').write(bytes(101))").limits(|limits| limits.output_bytes = 100).run();
    assert_eq!(exceeded(&run, "asked for 101 B of 100 B of files at "), (Limit::OutputBytes, Some(101), 100));

    let run =
        case("for i in range(9): open(f'outputs/{i}', 'w')").limits(|limits| limits.output_files = 5).run();
    assert_eq!(exceeded(&run, "asked for 6 of 5 files at "), (Limit::OutputFiles, Some(6), 5));
}

#[test]
fn open_files_are_refused_past_the_limit_and_a_failure_says_so() {
    let script = "held = []\nfor i in range(40): open('main.py').close()\n\
                  for i in range(40): held.append(open('main.py'))\n";
    let ten = |script: &str| {
        Case::files("main.py", &[("main.py", script)]).limits(|limits| limits.open_files = 20).run()
    };
    let run = ten(script);
    run.assert_ending(&Ending::FailedWithCode(1));
    assert_eq!(
        exceeded(&run, "open files: asked for 21 of 20 open files at "),
        (Limit::OpenFiles, Some(21), 20)
    );
    assert!(run.stderr().contains("OSError: [Errno 33]"), "{}", run.stderr());
    let caught = format!("try:\n  {}\nexcept OSError: pass\n", script.trim_end().replace('\n', "\n  "));
    let run = ten(&caught);
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.outcome.exceeded, None);
    // Each Python of a script gives back what it had open.
    let script =
        "for i in 1 2 3; do python3 -c 'x = [open(\"/job/code/script.sh\") for i in range(15)]'; done";
    Case::bash(script).limits(|limits| limits.open_files = 20).run().assert_ending(&Ending::Finished);
}

#[test]
fn a_script_starts_no_more_processes_than_it_may() {
    let script = "for i in 1 2 3 4; do python3 -c 'print(1)'; done || true";
    let run = Case::bash(script).limits(|limits| limits.processes = 3).run();
    run.assert_ending(&Ending::TooManyProcesses);
    assert_eq!(
        exceeded(&run, "too many processes: asked for 4 of 3 processes at "),
        (Limit::Processes, Some(4), 3)
    );
    assert_eq!(run.stdout(), "1\n1\n1\n");
    Case::bash(script).limits(|limits| limits.processes = 4).run().assert_ending(&Ending::Finished);
}
