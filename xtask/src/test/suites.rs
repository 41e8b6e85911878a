//! The steps that build and run tests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::tally::Tally;
use super::tools;
use crate::error::{Error, Result};
use crate::process::{cargo, programs_folder, run, run_and_read, succeeded};

/// Builds every program and test with the very features and profile that the tests are run with.
pub(super) fn build() -> Result<()> {
    run(cargo().args(["build", "--workspace", "--all-targets"]))
}

/// Installs the runtimes of jobs, unless the cache has them. Tests would do so too, each of them waiting for the first.
pub(super) fn runtime() -> Result<()> {
    run(Command::new(programs_folder()?.join("syftbox")).args(["runtime", "install"]))
}

/// Runs the unit and whole-program tests.
pub(super) fn tests(filter: Option<&str>) -> Result<Tally> {
    let report = PathBuf::from("target/nextest/default/junit.xml");
    // An older run's counts must not be taken for this one's.
    if let Err(source) = fs::remove_file(&report)
        && source.kind() != std::io::ErrorKind::NotFound
    {
        return Err(Error::File { path: report, source });
    }

    let mut command = tools::NEXTEST.command()?;
    command.args(["run", "--workspace"]).args(filter).env("SYFTBOX_BIN", programs_folder()?.join("syftbox"));
    let ended = run(&mut command);

    let text = fs::read_to_string(&report).unwrap_or_default();
    match (Tally::from_junit(&text), ended) {
        (Some(tally), Ok(())) => Ok(tally),
        (Some(tally), Err(_)) if tally.failed > 0 => Ok(tally),
        (None, Ok(())) => Err(Error::NoCounts { path: report }),
        (_, Err(error)) => Err(error),
    }
}

/// Runs the examples in the documentation.
pub(super) fn examples(filter: Option<&str>) -> Result<Tally> {
    let mut total = Tally::default();
    let mut command = cargo();
    command.args(["test", "--doc", "--workspace", "--no-fail-fast"]).args(filter);
    let status = run_and_read(&mut command, |line| {
        total = total + Tally::from_libtest(line).unwrap_or_default();
    })?;
    if total.failed == 0 {
        succeeded(&command, status)?;
    }
    Ok(total)
}
