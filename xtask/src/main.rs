//! What a plain cargo command cannot do. Run it as `cargo xtask`.

mod bench;
mod demo;
mod error;
mod process;
mod test;
mod web;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What a plain cargo command cannot do")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Set up what the tests need, check the code and run every test
    Test(test::Arguments),
    /// Measure what the program costs: wall time and Drive requests of each step
    Bench(bench::Arguments),
    /// Build the program and play its demo
    Demo(demo::Arguments),
    /// Make the npm package for browsers, notebooks and Node
    Web,
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    if let Err(error) = enter_workspace() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    match task {
        Task::Test(arguments) => test::run(&arguments),
        Task::Bench(arguments) => ended(bench::run(&arguments)),
        Task::Demo(arguments) => ended(demo::run(&arguments)),
        Task::Web => ended(web::build()),
    }
}

fn ended(result: error::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Every task works from the root of the workspace, wherever it was called.
fn enter_workspace() -> error::Result<()> {
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).join("..");
    env::set_current_dir(&root).map_err(|source| error::Error::File { path: root, source })
}
