//! How a job ended: one of a fixed set of endings, its return code on the wire and a line in words.

use std::{fmt, time::Duration};

use super::Exceeded;

/// Why a job is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The script ran to its end, or left with code 0.
    Finished,
    /// The script left with this code: 1 for an uncaught exception, 134 when it crashed.
    FailedWithCode(i32),
    /// It ran longer than its time limit.
    TimedOut,
    /// It failed after it was refused memory past its limit.
    OutOfMemory,
    /// It wrote more bytes or more files than it may.
    OutputTooLarge,
    /// It wrote more to standard output or standard error than it may.
    LogTooLarge,
    /// Its script started more processes than it may.
    TooManyProcesses,
    /// It executed more instructions than it may.
    TooManyInstructions,
    /// Somebody ended it: the data owner, or the machine.
    Killed,
    /// The sandbox failed, not the script; says what happened.
    Broken(String),
}

impl Ending {
    /// The return code of `state.yaml` and `returncode.txt` (wire section 5): -1 is said there, the
    /// others are what a shell would report for a process that met the same fate.
    #[must_use]
    pub fn return_code(&self) -> i32 {
        match self {
            Self::Finished => 0,
            Self::FailedWithCode(code) => *code,
            Self::TimedOut => -1,
            Self::OutOfMemory => 137,
            Self::OutputTooLarge => 153,
            Self::LogTooLarge => 141,
            Self::TooManyProcesses => 254,
            Self::TooManyInstructions => 152,
            Self::Killed => 143,
            Self::Broken(_) => 125,
        }
    }

    /// Whether the script itself came to its end, whatever code it left with.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        *self == Self::Finished
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::FailedWithCode(code) => write!(f, "failed with code {code}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::OutputTooLarge => f.write_str("output too large"),
            Self::LogTooLarge => f.write_str("log too large"),
            Self::TooManyProcesses => f.write_str("too many processes"),
            Self::TooManyInstructions => f.write_str("too many instructions"),
            Self::Killed => f.write_str("killed"),
            Self::Broken(_) => f.write_str("broken"),
        }
    }
}

/// What is known of a job that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it is over.
    pub ending: Ending,
    /// The ending in one line, with what was measured: what follows `reason: ` in `stderr.txt`.
    pub reason: String,
    /// The limit that ended it, or that it was refused something past before it failed.
    pub exceeded: Option<Exceeded>,
    /// From the start of the job's process to its end.
    pub wall_time: Duration,
    /// The most memory the guest held, in bytes; `None` when it was killed before it could tell.
    pub peak_memory: Option<u64>,
    /// How many instructions its guests executed; `None` when nobody counted, or it was killed before it could
    /// tell.
    pub instructions: Option<u64>,
    /// How many files were collected into `outputs`.
    pub output_files: u64,
    /// Their bytes.
    pub output_bytes: u64,
}

impl Outcome {
    /// The return code of `state.yaml` and `returncode.txt` (wire section 5).
    #[must_use]
    pub fn return_code(&self) -> i32 {
        self.ending.return_code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_own_words_and_return_code() {
        let endings = [
            Ending::Finished,
            Ending::FailedWithCode(3),
            Ending::TimedOut,
            Ending::OutOfMemory,
            Ending::OutputTooLarge,
            Ending::LogTooLarge,
            Ending::TooManyProcesses,
            Ending::TooManyInstructions,
            Ending::Killed,
            Ending::Broken("x".to_owned()),
        ];
        let words: std::collections::BTreeSet<_> = endings.iter().map(ToString::to_string).collect();
        let codes: std::collections::BTreeSet<_> = endings.iter().map(Ending::return_code).collect();
        assert_eq!((words.len(), codes.len()), (endings.len(), endings.len()));
        assert_eq!(Ending::TimedOut.return_code(), -1);
    }
}
