//! What the person who watches the demo reads.

use std::{
    io::{self, Write},
    time::Duration,
};

use crate::cli::safe;

/// Tells the story: on stdout, or on stderr when stdout is for a program.
#[derive(Clone, Copy)]
pub(super) struct Narrator {
    json: bool,
}

impl Narrator {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    fn line(self, text: &str) {
        // Nobody watches any more when it can't be written; the demo still checks everything.
        let _ = if self.json { writeln!(io::stderr(), "{text}") } else { writeln!(io::stdout(), "{text}") };
    }

    /// A plain paragraph.
    pub(super) fn tells(self, text: &str) {
        self.line(text);
    }

    /// A new step.
    pub(super) fn step(self, title: &str) {
        self.line(&format!("\n{title}"));
    }

    /// A command that somebody types.
    pub(super) fn command(self, name: &str, command: &str) {
        self.line(&format!("  {name}$ {command}"));
    }

    /// What a command or a file says.
    pub(super) fn said(self, text: &str) {
        for line in safe(text).lines() {
            self.line(format!("    {line}").trim_end());
        }
    }

    /// How long the command took.
    pub(super) fn took(self, time: Duration) {
        self.line(&format!("    ({:.2} s)", time.as_secs_f64()));
    }
}
