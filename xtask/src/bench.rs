//! `cargo xtask bench`: what the program costs.
//!
//! Requests and the flow are measured as the tests have the program: the dependencies, which do the heavy work, are
//! optimised there, and another profile is another build of all of them. Jobs, which take milliseconds, are measured
//! with the program as people install it.

use std::{path::Path, process::Command};

use clap::ValueEnum;

use crate::error::Result;
use crate::process::{self, cargo, programs_folder};

/// Where Linux has files in memory. How long a disk takes to make a file depends on what was removed from it before.
const FILES_IN_MEMORY: &str = "/dev/shm";

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which bench
    #[arg(default_value = "flow", conflicts_with = "against_python")]
    bench: Bench,
    /// The requests and wall time of every kind of step, beside those of the Python peers for the same
    #[arg(long)]
    against_python: bool,
}

/// The benches that there are, each a file in `tests/benches`.
#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// The main job step by step: wall time and Drive requests of each call
    Flow,
    /// Jobs in the sandbox, beside the native way
    Sandbox,
}

/// Builds the program and measures it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let bench = match arguments.bench {
        _ if arguments.against_python => "against_python",
        Bench::Flow => "flow",
        Bench::Sandbox => "sandbox",
    };
    // The whole workspace is named, here and below, so that the features are those of the test build.
    process::run(cargo().args(["build", "--workspace", "--bin", "syftbox", "--bench", bench]))?;
    let mut program = programs_folder()?.join("syftbox");
    if bench == "sandbox" {
        process::run(cargo().args(["build", "--release", "--workspace", "--bin", "syftbox"]))?;
        program = programs_folder()?.with_file_name("release").join("syftbox");
    }
    // The first job must find the runtime installed, or its step would be the installation.
    process::run(Command::new(&program).args(["runtime", "install"]))?;
    let measure = ["bench", "--profile", "dev", "--workspace", "--bench", bench];
    let mut bench = cargo();
    bench.args(measure).env("SYFTBOX_BIN", program);
    let memory = Path::new(FILES_IN_MEMORY);
    if arguments.against_python && memory.is_dir() {
        println!("the folders of both sides are in {FILES_IN_MEMORY}, so that no disk is measured");
        bench.env("TMPDIR", memory);
    }
    process::run(&mut bench)
}
