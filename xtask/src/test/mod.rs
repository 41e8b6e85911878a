//! `cargo xtask test`: set-up, checks and tests in one go, for a developer and for CI alike.

mod checks;
mod setup;
mod suites;
mod tally;
mod tools;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::error::Result;
use tally::Tally;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only this step; may be given more than once
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Run only the tests whose name contains this, and none of the checks
    filter: Option<String>,
}

/// One part of the run. They run in the order in which they stand here.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Compile targets, tools, Python and Node
    Setup,
    /// cargo fmt --check
    Fmt,
    /// Clippy, with every warning an error
    Clippy,
    /// The core and the browser package compile for wasm32
    Wasm,
    /// The documentation builds, and its links lead somewhere
    Docs,
    /// Licences, duplicates and sources of the dependencies
    Deny,
    /// Every program and test
    Build,
    /// The runtimes of jobs, into the cache that every test shares
    Runtime,
    /// Unit and whole-program tests
    Tests,
    /// The examples in the documentation
    Examples,
}

impl Step {
    fn heading(self) -> &'static str {
        match self {
            Self::Setup => "Set-up",
            Self::Fmt => "Formatting",
            Self::Clippy => "Clippy",
            Self::Wasm => "Compiling for wasm32-unknown-unknown",
            Self::Docs => "Documentation",
            Self::Deny => "Dependencies",
            Self::Build => "Building programs and tests",
            Self::Runtime => "Installing the runtimes of jobs",
            Self::Tests => "Tests",
            Self::Examples => "Documentation examples",
        }
    }

    /// Whether a run that is narrowed to some tests needs this step.
    fn serves_tests(self) -> bool {
        matches!(self, Self::Setup | Self::Build | Self::Runtime | Self::Tests | Self::Examples)
    }

    fn run(self, filter: Option<&str>) -> Result<Tally> {
        match self {
            Self::Setup => setup::run_all(),
            Self::Fmt => checks::formatting(),
            Self::Clippy => checks::clippy(),
            Self::Wasm => checks::wasm(),
            Self::Docs => checks::documentation(),
            Self::Deny => checks::dependencies(),
            Self::Build => suites::build(),
            Self::Runtime => suites::runtime(),
            Self::Tests => return suites::tests(filter),
            Self::Examples => return suites::examples(filter),
        }
        .map(|()| Tally::default())
    }
}

/// Runs the steps that `arguments` ask for. One that fails doesn't keep the others from running.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let filter = arguments.filter.as_deref();
    let mut total = Tally::default();
    let mut times = Vec::new();
    for step in Step::value_variants().iter().copied().filter(|step| arguments.include(*step)) {
        println!("\n== {}", step.heading());
        let began = Instant::now();
        let tally = step.run(filter).unwrap_or_else(|error| {
            println!("FAILED: {error}");
            Tally { passed: 0, failed: 1 }
        });
        let taken = began.elapsed();
        println!("== {} took {}", step.heading(), seconds(taken));
        times.push((step, taken, tally.failed == 0));
        total = total + tally;
    }

    println!();
    for (step, taken, passed) in times {
        let verdict = if passed { "ok" } else { "FAILED" };
        println!("{verdict:<7} {:>8}  {}", seconds(taken), step.heading());
    }
    println!("\n{total}");
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Arguments {
    fn include(&self, step: Step) -> bool {
        if self.only.is_empty() {
            self.filter.is_none() || step.serves_tests()
        } else {
            self.only.contains(&step)
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
