//! `syftbox job show`: everything a data owner should look at before approving.

use std::fmt::Write;

use serde_json::{Value, json};
use syftbox_core::{
    domain::Timestamp,
    jobs::Job,
    wire::{
        job::{JobConfig, JobKind, JobState},
        receipt::Receipt,
    },
};

use super::{
    super::{CliError, Output, options::Options, output::safe, session::Session},
    packages,
};
use crate::sandbox::ByteSize;

/// A file of the code; its text is `None` when it isn't text.
struct CodeFile {
    name: String,
    bytes: u64,
    text: Option<String>,
}

pub(super) async fn run(options: &Options, output: Output, name: &str) -> Result<(), CliError> {
    let session = Session::open(options).await?;
    let job = session.manager.job(name).await?;
    let receipt = session.manager.job_receipt(&job).await?;
    let mut code = Vec::new();
    for file in session.manager.job_code(&job).await? {
        let content = session.manager.read_job_file(&file).await?;
        let text = String::from_utf8(content.into()).ok();
        code.push(CodeFile { name: file.name.to_string(), bytes: file.len, text });
    }
    // What a job of somebody else's datasite gets is not for us to say.
    let is_ours = job.id.datasite == *session.manager.email();
    // Other commands may use the folder while pip looks around.
    drop(session);
    let found = if is_ours { packages::of_job(&job)? } else { None };
    let (packages, unknown) = match found {
        Some(Ok(found)) => (Some(found), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
    };
    let mut document = document(&job, receipt.as_ref(), &code);
    document[0]["packages"] = json!(packages);
    document[0]["packages_unknown"] = json!(unknown);
    output.data(&document, || {
        let mut text = human(&job, receipt.as_ref(), &code);
        if let Some(found) = &packages {
            text.insert_str(0, &packages::human(found));
        }
        if let Some(why) = &unknown {
            text.insert_str(0, &format!("packages      unknown: {}\n", safe(why)));
        }
        text
    })
}

fn document(job: &Job, receipt: Option<&Receipt>, code: &[CodeFile]) -> Value {
    let files: Vec<_> =
        code.iter().map(|file| json!({"name": file.name, "bytes": file.bytes, "text": file.text})).collect();
    json!([{
        "name": job.id.name.as_str(),
        "status": job.status().as_str(),
        "submitted_by": job.id.submitted_by,
        "datasite": job.id.datasite,
        "config": job.config.as_ref().map(config),
        "state": job.state.as_ref().map(state),
        "outcome": receipt.map(outcome),
        "code": files,
    }])
}

fn config(config: &JobConfig) -> Value {
    json!({
        "type": config.kind,
        "submitted_at": config.submitted_at.to_iso(),
        "entrypoint": config.entrypoint,
        "dependencies": config.dependencies,
        "files": config.files,
        "datasets": config.datasets,
    })
}

fn state(state: &JobState) -> Value {
    let iso = |time: Option<Timestamp>| time.map(Timestamp::to_iso);
    json!({
        "status": state.status,
        "received_at": iso(state.received_at),
        "approved_by": state.approved_by,
        "approved_at": iso(state.approved_at),
        "rejected_by": state.rejected_by,
        "rejected_at": iso(state.rejected_at),
        "review_reason": state.review_reason,
        "completed_at": iso(state.completed_at),
        "return_code": state.return_code,
    })
}

/// How the last run ended, as its receipt tells.
fn outcome(receipt: &Receipt) -> Value {
    let (outcome, measured) = (&receipt.run.outcome, &receipt.times.measured);
    json!({
        "ending": outcome.ending,
        "reason": measured.reason,
        "exceeded": outcome.exceeded,
        "seconds": measured.seconds,
        "peak_memory": measured.peak_memory,
        "limits": receipt.run.limits,
    })
}

fn human(job: &Job, receipt: Option<&Receipt>, code: &[CodeFile]) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{label:<13} {}", safe(&value.replace('\n', " ")));
    };
    line("name", job.id.name.as_str());
    line("status", job.status().as_str());
    line("submitted by", job.id.submitted_by.as_str());
    line("datasite", job.id.datasite.as_str());
    match &job.config {
        None => line("config", "its config.yaml can't be read"),
        Some(config) => {
            line("submitted at", &config.submitted_at.to_iso());
            line("type", if config.kind == JobKind::Python { "python" } else { "bash" });
            if let Some(entrypoint) = &config.entrypoint {
                line("runs", entrypoint.as_str());
            }
            line("dependencies", &config.dependencies.join(", "));
            let datasets = config.datasets.as_ref().map(|by_owner| {
                by_owner.values().flatten().map(String::as_str).collect::<Vec<_>>().join(", ")
            });
            line("datasets", datasets.as_deref().unwrap_or("all that are shared with its submitter"));
        }
    }
    if let Some(state) = &job.state {
        if let Some(reason) = &state.review_reason {
            line("reason", reason);
        }
        if let Some(code) = state.return_code {
            line("return code", &code.to_string());
        }
    }
    if let Some(receipt) = receipt {
        let measured = &receipt.times.measured;
        line("ended", &format!("{}, after {:.2} s", measured.reason, measured.seconds));
        if let Some(peak) = measured.peak_memory {
            line("memory", &ByteSize(peak).to_string());
        }
    }
    for file in code {
        let name = safe(&file.name);
        match &file.text {
            Some(content) => {
                let _ = write!(text, "\n--- {name}\n{}", safe(content));
                if !text.ends_with('\n') {
                    text.push('\n');
                }
            }
            None => {
                let _ = writeln!(text, "\n--- {name}: {} bytes that are no text", file.bytes);
            }
        }
    }
    text
}
