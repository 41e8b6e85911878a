//! `syftbox job submit-python`, `submit-bash` and `submit-wasm`.

use std::path::PathBuf;

use clap::Args;
use syftbox_core::jobs::{BashScript, Job, NewBashJob, NewPythonJob, NewWasmJob};

use super::{
    super::{CliError, Output, options::Options, output::note, session::Session, sources::source},
    human, packages,
};

#[derive(Args)]
pub(in crate::cli) struct Python {
    /// The data owner's address
    #[arg(value_name = "OWNER")]
    owner: String,
    /// A Python file, or a folder with one
    path: PathBuf,
    #[command(flatten)]
    common: Common,
    /// The file of the folder to run [default: main.py, or the only Python file]
    #[arg(long, value_name = "FILE")]
    entrypoint: Option<String>,
    /// Python packages that it needs, with commas between them
    #[arg(long, value_delimiter = ',', value_name = "PACKAGE,…")]
    dependencies: Vec<String>,
}

#[derive(Args)]
pub(in crate::cli) struct Bash {
    /// The data owner's address
    #[arg(value_name = "OWNER")]
    owner: String,
    /// The file with the script
    #[arg(required_unless_present = "script")]
    path: Option<PathBuf>,
    /// The script itself, instead of a file
    #[arg(long, value_name = "TEXT", conflicts_with = "path")]
    script: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(in crate::cli) struct Wasm {
    /// The data owner's address
    #[arg(value_name = "OWNER")]
    owner: String,
    /// The program: a command for wasm32-wasip1 or a component for wasm32-wasip2
    path: PathBuf,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// What to call the job [default: `Job - ` and 8 digits]
    #[arg(long)]
    name: Option<String>,
    /// Send it even when the owner's version is another than yours, or unknown
    #[arg(long)]
    skip_version_check: bool,
}

pub(super) async fn python(options: &Options, output: Output, arguments: Python) -> Result<(), CliError> {
    let owner = arguments.owner.parse()?;
    let packages: Vec<_> =
        arguments.dependencies.into_iter().filter(|name| !name.trim().is_empty()).collect();
    if !packages.is_empty() {
        packages::warn(packages.iter().map(String::as_str))?;
    }
    let new = NewPythonJob::new(source(&arguments.path)?)
        .name(arguments.common.name.map(|name| name.parse()).transpose()?)
        .entrypoint(arguments.entrypoint)
        .dependencies(packages)
        .skip_version_check(arguments.common.skip_version_check);
    let job = Session::open(options).await?.manager.submit_python_job(&owner, new).await?;
    tell(output, &job)
}

pub(super) async fn bash(options: &Options, output: Output, arguments: Bash) -> Result<(), CliError> {
    let owner = arguments.owner.parse()?;
    let script = match (arguments.path, arguments.script) {
        (Some(path), _) => BashScript::File(source(&path)?),
        (None, script) => BashScript::Text(script.unwrap_or_default()),
    };
    let new = NewBashJob::new(script)
        .name(arguments.common.name.map(|name| name.parse()).transpose()?)
        .skip_version_check(arguments.common.skip_version_check);
    let job = Session::open(options).await?.manager.submit_bash_job(&owner, new).await?;
    tell(output, &job)
}

pub(super) async fn wasm(options: &Options, output: Output, arguments: Wasm) -> Result<(), CliError> {
    let owner = arguments.owner.parse()?;
    let new = NewWasmJob::new(source(&arguments.path)?)
        .name(arguments.common.name.map(|name| name.parse()).transpose()?)
        .skip_version_check(arguments.common.skip_version_check);
    let job = Session::open(options).await?.manager.submit_wasm_job(&owner, new).await?;
    tell(output, &job)
}

fn tell(output: Output, job: &Job) -> Result<(), CliError> {
    note(format!("sent to {}; `syftbox sync` shows what becomes of it", job.id.datasite));
    output.data(&[job], || human(std::slice::from_ref(job)))
}
