//! What one call of the program gave back.

use std::process::Output;

use serde_json::Value;

/// What one call of the program gave back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; none when a signal ended the program.
    pub code: Option<i32>,
    /// What it printed as data.
    pub stdout: String,
    /// What it said to the person.
    pub stderr: String,
}

impl Answer {
    pub(crate) fn new(command: String, output: Output) -> Self {
        Self {
            command,
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The answer, which must be a success.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// The answer, which must be a failure that says so: exit code 1, no panic, and something on stderr.
    #[track_caller]
    pub fn failed(self) -> Self {
        assert_eq!(self.code, Some(1), "{self}");
        assert!(!self.stderr.trim().is_empty(), "no word about the failure\n{self}");
        assert!(!self.stderr.contains("panicked at"), "{self}");
        self
    }

    /// The answer, which must be a refusal of the command line itself: exit code 2.
    #[track_caller]
    pub fn wrong_usage(self) -> Self {
        assert_eq!(self.code, Some(2), "{self}");
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not one JSON document: {error}\n{self}"))
    }

    /// Checks that the message on stderr has every one of `words`, whatever their case.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        let said = self.stderr.to_lowercase();
        for word in words {
            assert!(said.contains(&word.to_lowercase()), "nothing about {word:?}\n{self}");
        }
        self
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "$ {command}\nexit code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
