//! The command line: what a person types becomes calls of the manager, and what comes of them is
//! printed.
//!
//! stdout is data and stderr is messages. With `--json` exactly one JSON document is on stdout when
//! the command is done, and nothing when it failed. Exit codes: 0 done, 1 failed, 2 wrong usage.

mod checkpoint;
mod dataset;
mod delete;
mod drive;
mod error;
mod job;
mod keys;
mod limits;
mod login;
mod options;
mod output;
mod peer;
mod permission;
mod runtime;
mod session;
mod settings;
mod sources;
mod status;
mod sync;
mod trial;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

pub use self::error::CliError;
pub(crate) use self::output::safe;
use self::{options::Options, output::Output, session::Session};
use crate::demo;

/// Data owners publish data that never leaves their machine; data scientists send them code to run on it.
#[derive(Parser)]
#[command(name = "syftbox", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Log in to a Google account, or to an account of a local Drive
    Login(login::Arguments),
    /// Fetch what others sent, and send what changed here
    Sync(sync::Arguments),
    /// Show how things stand, without asking Drive
    Status,
    /// The people you exchange with
    #[command(subcommand)]
    Peer(peer::Command),
    /// Keys for encryption: ours, and those of peers
    #[command(subcommand)]
    Keys(keys::Command),
    /// Data with a mock half that peers see and a private half that stays
    #[command(subcommand)]
    Dataset(dataset::Command),
    /// Who may read and write what in your datasite
    #[command(subcommand)]
    Permission(permission::Command),
    /// Code that scientists submit and owners review and run
    #[command(subcommand)]
    Job(job::Command),
    /// Run a job here, on the made-up data, as an owner would run it on theirs
    Try(trial::Arguments),
    /// What a new machine of yours starts from
    #[command(subcommand)]
    Checkpoint(checkpoint::Command),
    /// Print where what a `syft://` address names lies on this machine
    ResolvePath {
        /// Like `syft://name@example.org/public/syft_datasets/name`
        url: String,
    },
    /// Delete all of your SyftBox, on Drive and here
    DeleteSyftbox(delete::Arguments),
    /// A Drive on this machine, for those without a Google account
    #[command(subcommand)]
    Drive(drive::Command),
    /// What jobs run in
    #[command(subcommand)]
    Runtime(runtime::Command),
    /// Show it all at work: a local Drive, two people, a real job and a hostile one
    Demo(demo::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.options.verbose);
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::NoThreads { source })
        .and_then(|threads| threads.block_on(run(cli)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(Cli { options, command }: Cli) -> Result<(), CliError> {
    let output = Output::new(options.json);
    match command {
        Command::Login(arguments) => login::run(&options, output, arguments).await,
        Command::Sync(arguments) => sync::run(&options, output, &arguments).await,
        Command::Status => status::run(&options, output).await,
        Command::ResolvePath { url } => {
            let path = Session::look(&options).await?.manager.resolve_path(&url)?;
            output.data(&path, || safe(&path))
        }
        Command::DeleteSyftbox(arguments) => delete::run(&options, output, &arguments).await,
        Command::Peer(command) => peer::run(&options, output, command).await,
        Command::Keys(command) => keys::run(&options, output, command).await,
        Command::Dataset(command) => dataset::run(&options, output, command).await,
        Command::Permission(command) => permission::run(&options, output, command).await,
        Command::Job(command) => job::run(&options, output, command).await,
        Command::Try(arguments) => trial::run(&options, output, arguments).await,
        Command::Checkpoint(command) => checkpoint::run(&options, output, command).await,
        Command::Drive(command) => drive::run(&options, output, command).await,
        Command::Runtime(command) => runtime::run(output, command),
        Command::Demo(arguments) => show_demo(output, arguments).await,
    }
}

async fn show_demo(output: Output, arguments: demo::Arguments) -> Result<(), CliError> {
    let summary = demo::run(arguments, output.is_json()).await?;
    output.data(&summary, String::new)
}

/// Warnings always, more with `-v` or as `SYFTBOX_LOG` says.
fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = match std::env::var("SYFTBOX_LOG") {
        Ok(filter) if verbose == 0 && !filter.is_empty() => EnvFilter::new(filter),
        _ => EnvFilter::new(format!(
            "warn,syftbox_core={level},syftbox_runner={level},syftbox_localdrive={level}"
        )),
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
