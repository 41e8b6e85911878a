//! What a job can do.

#![cfg(test)]

mod common;

use common::Case;
use syftbox_runner::sandbox::Ending;

#[test]
fn prints_and_finishes() {
    let run = Case::script("hello.py").run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "hello\n");
    assert_eq!(run.stderr(), "");
    eprintln!("{:?}", run.outcome);
}
