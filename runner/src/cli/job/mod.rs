//! `syftbox job …`.

mod packages;
mod process;
mod results;
mod show;
mod submit;
mod verify;

use std::path::PathBuf;

use clap::Subcommand;
use syftbox_core::{jobs::Job, wire::job::JobStatus};

use super::{
    CliError, Output,
    options::Options,
    output::{note, table},
    session::Session,
    sources::source,
};

pub(super) use self::{packages::resolve as resolve_packages, process::end_jobs_on_interrupt};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the jobs for your data and those you submitted, as of the last sync
    List {
        /// Sync first, unless `PRE_SYNC` is false
        #[arg(long)]
        refresh: bool,
    },
    /// Show what a job is and all of its code
    Show {
        /// Its name, or PEER/NAME
        name: String,
    },
    /// Send Python code to a data owner, to be run on their private data
    SubmitPython(submit::Python),
    /// Send a bash script to a data owner, to be run on their private data
    SubmitBash(submit::Bash),
    /// Send a WebAssembly program to a data owner, to be run on their private data
    SubmitWasm(submit::Wasm),
    /// Approve a job exactly as it is now; the next `job process` runs it
    Approve {
        /// Its name, or PEER/NAME
        name: String,
        /// Why, for its submitter
        #[arg(long)]
        reason: Option<String>,
        /// Run it again by itself when the machine or the program dies while it runs; without this it has failed
        /// then
        #[arg(long)]
        repeatable: bool,
    },
    /// Reject a job
    Reject {
        /// Its name, or PEER/NAME
        name: String,
        /// Why, for its submitter
        #[arg(long)]
        reason: Option<String>,
    },
    /// Make a job that ended ready to run once more: its logs and outputs go
    Rerun {
        /// Its name, or PEER/NAME
        name: String,
    },
    /// Accept a job without running it: its submitter gets a result of yours instead
    Deposit {
        /// Its name, or PEER/NAME
        name: String,
        /// The result: a file or a folder
        path: PathBuf,
    },
    /// Run every approved job in the sandbox, then sync
    Process(process::Arguments),
    /// Print what a job printed, as far as it is here
    Logs {
        /// Its name, or PEER/NAME
        name: String,
    },
    /// Check a job's receipt: that its owner signed it, and that what is here is what it says
    Verify {
        /// Its name, or PEER/NAME
        name: String,
    },
    /// Show the files that a job left, as far as they are here
    Outputs(results::Outputs),
}

pub(super) async fn run(options: &Options, output: Output, command: Command) -> Result<(), CliError> {
    match command {
        Command::List { refresh } => {
            let mut session = Session::open(options).await?;
            let manager = &mut session.manager;
            let jobs = if refresh { manager.jobs().await? } else { manager.known_jobs().await? };
            output.data(&jobs, || human(&jobs))
        }
        Command::Show { name } => show::run(options, output, &name).await,
        Command::SubmitPython(arguments) => submit::python(options, output, arguments).await,
        Command::SubmitBash(arguments) => submit::bash(options, output, arguments).await,
        Command::SubmitWasm(arguments) => submit::wasm(options, output, arguments).await,
        Command::Approve { name, reason, repeatable } => {
            let seen = Session::open(options).await?.manager.job(&name).await?;
            // Other commands may use the folder while pip looks around.
            let packages = packages::to_approve(&seen)?;
            let mut session = Session::open(options).await?;
            if session.manager.job(&name).await?.config != seen.config {
                return Err(CliError::JobChanged { name });
            }
            let job = session.manager.approve_job_with(&name, reason, packages, repeatable).await?;
            note("approved as it is now; `syftbox job process` runs it");
            output.data(&[&job], || human(std::slice::from_ref(&job)))
        }
        Command::Reject { name, reason } => {
            let job = Session::open(options).await?.manager.reject_job(&name, reason).await?;
            note("rejected; the next sync tells its submitter");
            output.data(&[&job], || human(std::slice::from_ref(&job)))
        }
        Command::Rerun { name } => {
            let job = Session::open(options).await?.manager.rerun_job(&name).await?;
            note(if job.status() == JobStatus::Approved {
                "approved again; `syftbox job process` runs it"
            } else {
                "its files were never approved as they are; `syftbox job show` shows them, `job approve` approves"
            });
            output.data(&[&job], || human(std::slice::from_ref(&job)))
        }
        Command::Deposit { name, path } => {
            let result = source(&path)?;
            let job = Session::open(options).await?.manager.deposit_result(&name, &result).await?;
            note(format!("deposited; the next sync sends it to {}", job.id.submitted_by));
            output.data(&[&job], || human(std::slice::from_ref(&job)))
        }
        Command::Process(arguments) => process::run(options, output, &arguments).await,
        Command::Logs { name } => results::logs(options, output, &name).await,
        Command::Verify { name } => verify::run(options, output, &name).await,
        Command::Outputs(arguments) => results::outputs(options, output, &arguments).await,
    }
}

fn human(jobs: &[Job]) -> String {
    let rows: Vec<_> = jobs
        .iter()
        .map(|job| {
            let id = &job.id;
            let status = job.status().as_str().to_owned();
            [id.name.to_string(), status, id.submitted_by.to_string(), id.datasite.to_string()]
        })
        .collect();
    table(["NAME", "STATUS", "SUBMITTED BY", "DATASITE"], &rows)
}
