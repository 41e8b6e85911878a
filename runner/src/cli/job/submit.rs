//! `syftbox job submit-python`.

use std::path::PathBuf;

use clap::Args;
use syftbox_core::jobs::NewPythonJob;

use super::{
    super::{CliError, Output, options::Options, output::note, session::Session, sources::source},
    human,
};

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    /// The data owner's address
    #[arg(value_name = "OWNER")]
    owner: String,
    /// A Python file, or a folder with one
    path: PathBuf,
    /// What to call the job [default: `Job - ` and 8 digits]
    #[arg(long)]
    name: Option<String>,
    /// The file of the folder to run [default: main.py, or the only Python file]
    #[arg(long, value_name = "FILE")]
    entrypoint: Option<String>,
    /// Python packages that it needs, with commas between them
    #[arg(long, value_delimiter = ',', value_name = "PACKAGE,…")]
    dependencies: Vec<String>,
}

pub(super) async fn run(options: &Options, output: Output, arguments: Arguments) -> Result<(), CliError> {
    let owner = arguments.owner.parse()?;
    let new = NewPythonJob {
        code: source(&arguments.path)?,
        name: arguments.name.map(|name| name.parse()).transpose()?,
        entrypoint: arguments.entrypoint,
        dependencies: arguments.dependencies.into_iter().filter(|name| !name.trim().is_empty()).collect(),
    };
    let job = Session::open(options).await?.manager.submit_python_job(&owner, new).await?;
    note(format!("sent to {owner}; `syftbox sync` shows what becomes of it"));
    output.data(&[&job], || human(std::slice::from_ref(&job)))
}
