//! `syftbox job logs` and `syftbox job outputs`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};
use syftbox_core::{jobs::Job, platform::tree};

use super::super::{
    CliError, Output,
    options::Options,
    output::{note, print, safe},
    session::Session,
};
use crate::native::{Access, StdFiles};

#[derive(Args)]
pub(in crate::cli) struct Outputs {
    /// Its name, or PEER/NAME
    name: String,
    /// Copy them into this folder
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub(super) async fn logs(options: &Options, output: Output, name: &str) -> Result<(), CliError> {
    let session = Session::open(options).await?;
    let job = session.manager.job(name).await?;
    let logs = session.manager.job_logs(&job).await?;
    let text = |bytes: &Option<bytes::Bytes>| {
        bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let (stdout, stderr) = (text(&logs.stdout), text(&logs.stderr));
    if stdout.is_none() && stderr.is_none() {
        note(nothing_here(&job, &session, "log"));
    }
    if output.is_json() {
        let more = json!({"stdout": stdout, "stderr": stderr, "return_code": logs.return_code});
        return output.data(&with(&job, more), String::new);
    }
    print(&safe(stdout.as_deref().unwrap_or_default()))?;
    if let Some(stderr) = stderr.filter(|text| !text.is_empty()) {
        note(stderr.trim_end());
    }
    if let Some(code) = logs.return_code {
        note(format!("return code {code}"));
    }
    Ok(())
}

pub(super) async fn outputs(options: &Options, output: Output, arguments: &Outputs) -> Result<(), CliError> {
    let session = Session::open(options).await?;
    let job = session.manager.job(&arguments.name).await?;
    let files = session.manager.job_outputs(&job).await?;
    if files.is_empty() {
        note(nothing_here(&job, &session, "output"));
    }
    let mut root = session.folder().to_owned();
    let mut places: Vec<_> = files.iter().map(|file| root.join(file.path.as_str())).collect();
    if let Some(to) = &arguments.to {
        root = std::path::absolute(to)
            .map_err(|source| CliError::Source { path: to.clone(), why: source.to_string() })?;
        let (here, there) =
            (StdFiles::new(session.folder(), Access::Owner), StdFiles::new(&root, Access::Umask));
        for file in &files {
            tree::copy(&here, &file.path, &there, &file.name).await?;
        }
        places = files.iter().map(|file| root.join(file.name.as_str())).collect();
    }
    let listed: Vec<_> = files
        .iter()
        .zip(&places)
        .map(|(file, place)| json!({"name": file.name, "path": place.to_string_lossy(), "bytes": file.len}))
        .collect();
    output.data(&with(&job, json!({"outputs": listed})), || {
        places
            .iter()
            .map(|place| safe(&place.to_string_lossy().replace('\n', " ")))
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// The job as the list shows it, with more.
fn with(job: &Job, more: Value) -> Value {
    let mut shown = Map::new();
    for part in [serde_json::to_value(job).unwrap_or_default(), more] {
        if let Value::Object(fields) = part {
            shown.extend(fields);
        }
    }
    json!([shown])
}

fn nothing_here(job: &Job, session: &Session, what: &str) -> String {
    let status = job.status().as_str();
    if job.id.datasite == *session.manager.email() {
        format!("no {what} is here; the job is {status}")
    } else {
        format!(
            "no {what} is here; the job is {status}, and its owner chooses what to share (`syftbox sync` fetches it)"
        )
    }
}
