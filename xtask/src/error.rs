//! Why a task could not go on.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a step of a task failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A program could not be started at all.
    #[error("`{program}` could not be started: {source}. Install it, or put it on the PATH.")]
    Start {
        /// What was to be started.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program ended, and said that it failed.
    #[error("`{command}` failed with {status}. Its output above says why.")]
    Failed {
        /// The whole command line.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// A program that should be quick was ended.
    #[error("`{command}` had not ended after {} seconds and was stopped.", limit.as_secs())]
    TookTooLong {
        /// The whole command line.
        command: String,
        /// How long it had.
        limit: Duration,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The test runner ended without its report.
    #[error("{} holds no test counts: the tests were not built, or the runner was stopped.", path.display())]
    NoCounts {
        /// Where the report should be.
        path: PathBuf,
    },
    /// Something that the tests need is missing and could not be installed from here.
    #[error("missing: {what}. {remedy}")]
    Missing {
        /// What is missing, as a list for people.
        what: String,
        /// What to do about it.
        remedy: String,
    },
}

/// A result of a step.
pub(crate) type Result<T> = std::result::Result<T, Error>;
