//! `syftbox try`: a job on the scientist's own machine, before an owner sees it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use syftbox_core::{
    datasets::{Dataset, Source},
    domain::{DatasitePath, Email, PathError},
    permissions::PERMISSION_FILE,
    platform::tree,
    wire::{is_syncable, job::detect_entrypoint},
};

use super::{
    CliError, Output,
    limits::LimitArguments,
    options::Options,
    output::{note, safe},
    session::Session,
    sources::source,
};
use crate::{
    jobs::{self, Language},
    native::{Access, StdFiles},
    runtime::{RuntimeStore, TerminalProgress, default_cache_dir},
    sandbox::{Cancel, DatasetMount, JobSpec},
};

/// Who tries a job when nobody is logged in.
const SOMEBODY: &str = "somebody@example.org";

#[derive(Args)]
pub(super) struct Arguments {
    /// A Python file or a folder with one, a bash script that ends in .sh, or a program that ends in .wasm
    path: PathBuf,
    /// A dataset that the job may use, as NAME or OWNER/NAME; may be given more than once [default: all
    /// that are here]
    #[arg(long = "dataset", value_name = "NAME")]
    datasets: Vec<String>,
    /// The data owner that it is meant for, when the datasets here are of several
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,
    /// The file of the folder to run [default: main.py, or the only Python file]
    #[arg(long, value_name = "FILE")]
    entrypoint: Option<String>,
    /// Put the files that it leaves in `outputs/` into this folder
    #[arg(long, value_name = "DIR", default_value = "outputs")]
    to: PathBuf,
    /// Python packages that it needs, with commas between them
    #[arg(long, value_delimiter = ',', value_name = "PACKAGE,…")]
    dependencies: Vec<String>,
    #[command(flatten)]
    limits: LimitArguments,
}

pub(super) async fn run(options: &Options, output: Output, arguments: Arguments) -> Result<(), CliError> {
    let session = session(options, &arguments).await?;
    let (known, me) = match &session {
        Some(session) => (session.manager.known_datasets().await?, session.manager.email().clone()),
        None => (Vec::new(), SOMEBODY.parse()?),
    };
    let datasets = wanted(known, &arguments)?;
    let owner = owner_of(&datasets, &arguments, &me)?;
    let failed = |what: &Path| {
        let path = what.to_path_buf();
        move |error: std::io::Error| CliError::Source { path, why: error.to_string() }
    };
    let (policy, asked) = arguments.limits.resolve()?;
    // Removed at the end, whatever becomes of the job.
    let work = tempfile::tempdir().map_err(failed(&std::env::temp_dir()))?;
    let code = work.path().join("code");
    let entrypoint = stage_code(&source(&arguments.path)?, &arguments, &code).await?;
    let mut mounts = Vec::new();
    // Where nobody is logged in there are no datasets either.
    let folder = session.as_ref().map_or(Path::new(""), Session::folder);
    for dataset in &datasets {
        mounts.push(stage_dataset(folder, dataset, &work.path().join("data")).await?);
    }
    let to = std::path::absolute(&arguments.to).map_err(failed(&arguments.to))?;
    let packages = packages_for(&arguments.dependencies)?;
    let spec = JobSpec {
        code,
        entrypoint,
        arguments: Vec::new(),
        owner,
        datasets: mounts,
        packages,
        outputs: to.clone(),
        withheld: &[PERMISSION_FILE],
        stdout: work.path().join("stdout.txt"),
        stderr: work.path().join("stderr.txt"),
        scratch: work.path().join("running"),
        deterministic: arguments.limits.deterministic,
        limits: policy.limits_for(&me, &asked)?,
    };
    // The data is staged: other commands may use the folder meanwhile.
    drop(session);
    let cancel = Cancel::default();
    super::job::end_jobs_on_interrupt(cancel.clone());
    let outcome = tokio::task::block_in_place(|| {
        let store = arguments.limits.store(&default_cache_dir().map_err(jobs::not_ready)?);
        let sandbox = jobs::sandbox(&store, Language::of(&spec.entrypoint), &TerminalProgress::default())?;
        sandbox.run(&spec, &cancel, &mut |line| note(line.printable())).map_err(jobs::not_ready)
    })
    .map_err(|error: syftbox_core::jobs::RunnerError| CliError::NotTried { why: error.to_string() })?;
    let seconds = outcome.wall_time.as_secs_f64();
    note(format!("{} after {seconds:.2} s", outcome.reason));
    note(
        "It ran as at an owner's with this program: the same runtime, paths and limits, unless the owner set \
         others. Only the data was made up.",
    );
    let left = if outcome.output_files == 0 { String::new() } else { to.display().to_string() };
    output.data(
        &json!({
            "reason": outcome.reason,
            "return_code": outcome.return_code(),
            "seconds": seconds,
            "peak_memory": outcome.peak_memory,
            "instructions": outcome.instructions,
            "outputs": to.to_string_lossy(),
            "output_files": outcome.output_files,
        }),
        || safe(&left),
    )?;
    if outcome.ending.is_finished() { Ok(()) } else { Err(CliError::TrialFailed { why: outcome.reason }) }
}

/// Who is logged in here. Nobody has to be, to try a job that needs no dataset.
async fn session(options: &Options, arguments: &Arguments) -> Result<Option<Session>, CliError> {
    match Session::open(options).await {
        Err(CliError::NoEmail | CliError::NoToken { .. }) if arguments.datasets.is_empty() => {
            note("Nobody is logged in here, so the job sees no dataset.");
            Ok(None)
        }
        opened => opened.map(Some),
    }
}

/// The folders of the packages that the job would get at an owner's.
fn packages_for(dependencies: &[String]) -> Result<Vec<PathBuf>, CliError> {
    let wanted = || dependencies.iter().map(String::as_str).filter(|text| !text.trim().is_empty());
    if wanted().next().is_none() {
        return Ok(Vec::new());
    }
    let found = super::job::resolve_packages(wanted())??;
    if !found.refused.is_empty() {
        return Err(CliError::Packages { refused: found.refused });
    }
    for note_of in &found.notes {
        note(format!("package {}: {}", note_of.wanted, note_of.why));
    }
    let cache = RuntimeStore::open(&default_cache_dir()?).packages();
    Ok(tokio::task::block_in_place(|| cache.for_job(wanted(), &found.wheels))?)
}

/// The datasets that were asked for.
fn wanted(mut datasets: Vec<Dataset>, arguments: &Arguments) -> Result<Vec<Dataset>, CliError> {
    if let Some(owner) = &arguments.owner {
        let owner: Email = owner.parse()?;
        datasets.retain(|dataset| dataset.owner == owner);
    }
    if arguments.datasets.is_empty() {
        return Ok(datasets);
    }
    let is = |dataset: &Dataset, name: &str| {
        dataset.name.as_str() == name || format!("{}/{}", dataset.owner, dataset.name) == name
    };
    for name in &arguments.datasets {
        if !datasets.iter().any(|dataset| is(dataset, name)) {
            return Err(CliError::NoSuchDataset { name: name.clone() });
        }
    }
    datasets.retain(|dataset| arguments.datasets.iter().any(|name| is(dataset, name)));
    Ok(datasets)
}

/// Whose job it would be. A job runs at one owner's.
fn owner_of(datasets: &[Dataset], arguments: &Arguments, me: &Email) -> Result<Email, CliError> {
    if let Some(owner) = &arguments.owner {
        return Ok(owner.parse()?);
    }
    let mut owners: Vec<_> = datasets.iter().map(|dataset| &dataset.owner).collect();
    owners.sort();
    owners.dedup();
    match owners.as_slice() {
        [] => Ok(me.clone()),
        [owner] => Ok((*owner).clone()),
        _ => Err(CliError::SeveralOwners),
    }
}

/// Copies what would be submitted, and finds what would be run.
async fn stage_code(source: &Source, arguments: &Arguments, to: &Path) -> Result<DatasitePath, CliError> {
    let files: Vec<_> =
        source.list(is_syncable).await?.into_iter().filter(|file| is_syncable(&file.name)).collect();
    let bad = |why: String| CliError::Source { path: arguments.path.clone(), why };
    let entrypoint: DatasitePath = match &arguments.entrypoint {
        Some(named) => named.parse().map_err(|error: PathError| bad(error.to_string()))?,
        None if !source.is_folder() => {
            files.first().map(|file| file.name.clone()).ok_or_else(|| bad("it is empty".to_owned()))?
        }
        None => {
            let at_root = files.iter().map(|file| file.name.as_str()).filter(|name| !name.contains('/'));
            let found = detect_entrypoint(at_root).map_err(|error| bad(error.to_string()))?;
            found.parse().map_err(|error: PathError| bad(error.to_string()))?
        }
    };
    let there = StdFiles::new(to, Access::Owner);
    for file in files {
        tree::copy(source.files.as_ref(), &file.path, &there, &file.name).await?;
    }
    Ok(entrypoint)
}

/// Copies a dataset's mock half without what only describes it: so it looks like the private half.
async fn stage_dataset(folder: &Path, dataset: &Dataset, to: &Path) -> Result<DatasetMount, CliError> {
    let mock = folder.join(dataset.owner.as_str()).join("public/syft_datasets").join(dataset.name.as_str());
    let private = to.join(dataset.owner.as_str()).join(dataset.name.as_str());
    let failed = |error: std::io::Error| CliError::Source { path: private.clone(), why: error.to_string() };
    fs::create_dir_all(&private).map_err(failed)?;
    let (here, there) = (StdFiles::new(&mock, Access::Owner), StdFiles::new(&private, Access::Owner));
    for name in &dataset.mock_files {
        let name: DatasitePath = name
            .parse()
            .map_err(|error: PathError| CliError::Source { path: mock.clone(), why: error.to_string() })?;
        tree::copy(&here, &name, &there, &name).await?;
    }
    let owner = dataset.owner.clone();
    Ok(DatasetMount { name: dataset.name.to_string(), owner, mock: Some(mock), private: Some(private) })
}
