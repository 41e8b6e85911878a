//! The Python packages of a job, as the commands show them.

use std::fmt::Write;

use syftbox_core::{jobs::Job, wire::job::JobKind};

use super::super::{
    CliError,
    output::{note, safe},
};
use crate::{
    packages::{PackageError, Refusal, Resolution, wanted},
    runtime::{RuntimeStore, default_cache_dir},
    sandbox::ByteSize,
};

/// Finds out what a job would get of what it asks for, which may take pip some seconds.
pub(in crate::cli) fn resolve<'a>(
    wanted: impl Iterator<Item = &'a str>,
) -> Result<Result<Resolution, PackageError>, CliError> {
    let store = RuntimeStore::open(&default_cache_dir()?);
    Ok(tokio::task::block_in_place(|| store.packages().resolve(wanted)))
}

/// The same for a job that is here; nothing for one that asks for none.
pub(super) fn of_job(job: &Job) -> Result<Option<Result<Resolution, PackageError>>, CliError> {
    let Some(config) = job.config.as_ref().filter(|config| config.kind == JobKind::Python) else {
        return Ok(None);
    };
    if wanted(&config.dependencies).next().is_none() {
        return Ok(None);
    }
    resolve(wanted(&config.dependencies)).map(Some)
}

/// What an owner should know of a job's packages.
pub(super) fn human(found: &Resolution) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{label:<13} {}", safe(&value.replace('\n', " ")));
    };
    for package in &found.provided {
        line("has package", &format!("{} {}", package.name, package.version));
    }
    for wheel in &found.wheels {
        let size = ByteSize(wheel.bytes);
        line("adds package", &format!("{} ({size}, sha256 {})", wheel.file, wheel.sha256));
    }
    for Refusal { wanted, why } in &found.notes {
        line("note", &format!("{wanted}: {why}"));
    }
    for Refusal { wanted, why } in &found.refused {
        line("can't have", &format!("{wanted}: {why}"));
    }
    text
}

/// Tells a scientist what an owner would not give their job. It is sent all the same: another owner's
/// program may have it.
pub(super) fn warn<'a>(wanted: impl Iterator<Item = &'a str>) -> Result<(), CliError> {
    match resolve(wanted)? {
        Ok(found) => {
            for Refusal { wanted, why } in &found.notes {
                note(format!("package {wanted}: {why}"));
            }
            for Refusal { wanted, why } in &found.refused {
                note(format!("owners with this program will refuse the job: package {wanted}: {why}"));
            }
        }
        Err(error) => note(format!("the packages could not be checked: {error}")),
    }
    Ok(())
}

/// The packages that a job is approved with.
///
/// # Errors
/// When it can't have one, or that can't be found out.
pub(super) fn to_approve(job: &Job) -> Result<Vec<syftbox_core::wire::job::ApprovedPackage>, CliError> {
    let Some(found) = of_job(job)? else { return Ok(Vec::new()) };
    let found = found?;
    if !found.refused.is_empty() {
        return Err(CliError::Packages { refused: found.refused });
    }
    for Refusal { wanted, why } in &found.notes {
        note(format!("package {wanted}: {why}"));
    }
    for wheel in &found.wheels {
        note(format!("with the package {} (sha256 {})", wheel.file, wheel.sha256));
    }
    Ok(found.wheels)
}
