//! `syftbox status`.

use std::fmt::Write;

use syftbox_core::manager::Status;

use super::{
    CliError, Output,
    options::Options,
    output::{safe, table},
    session::Session,
};

pub(super) async fn run(options: &Options, output: Output) -> Result<(), CliError> {
    let mut session = Session::look(options).await?;
    let status = session.manager.status().await?;
    output.data(&status, || human(&status))
}

fn human(status: &Status) -> String {
    let roles = match (status.owner, status.scientist) {
        (true, true) => "data owner and data scientist",
        (true, false) => "data owner",
        (false, _) => "data scientist",
    };
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{label:<11} {}", safe(value));
    };
    line("account", status.email.as_str());
    line("roles", roles);
    line("generation", &status.generation);
    line("folder", &status.folder);
    line("Drive", &status.drive_url);
    line("last sync", status.last_sync.as_deref().unwrap_or("never"));
    if status.open_intents > 0 {
        let begun = format!("{} to be carried out by the next sync", status.open_intents);
        line("begun", &begun);
    }
    if let Some(checkpoints) = &status.checkpoints {
        let since = format!("{} events since", checkpoints.rolling_events);
        match &checkpoints.made_at {
            Some(made_at) => line("checkpoint", &format!("{made_at}, {since}")),
            None => line("checkpoint", &format!("none yet, {since} the beginning")),
        }
    }
    if !status.peers.is_empty() {
        let rows: Vec<_> = status
            .peers
            .iter()
            .map(|peer| {
                let version =
                    peer.version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
                let skipped = peer.skipped.clone().unwrap_or_default();
                [peer.email.to_string(), peer.state.as_str().to_owned(), version, skipped]
            })
            .collect();
        let _ =
            write!(text, "\n{}\n", table(["PEER", "STATE", "VERSION", "NOTHING EXCHANGED BECAUSE"], &rows));
    }
    if !status.waiting_jobs.is_empty() {
        let rows: Vec<_> = status
            .waiting_jobs
            .iter()
            .map(|waiting| {
                let id = &waiting.job.id;
                let status = waiting.job.status().as_str().to_owned();
                [id.name.to_string(), status, id.submitted_by.to_string(), waiting.waits_for.to_owned()]
            })
            .collect();
        let _ = write!(text, "\n{}\n", table(["JOB", "STATUS", "SUBMITTED BY", "WAITS FOR"], &rows));
    }
    text
}
