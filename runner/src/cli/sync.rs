//! `syftbox sync`, and what any sync has to say.

use clap::Args;
use syftbox_core::sync::{SyncOptions, SyncReport};

use super::{CliError, Output, options::Options, output::note, session::Session};

#[derive(Args)]
pub(super) struct Arguments {
    /// List everything on Drive anew, instead of asking only for what changed
    #[arg(long)]
    full: bool,
    /// Don't make the checkpoint that is due
    #[arg(long)]
    no_checkpoint: bool,
    /// Events that make a checkpoint due
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = SyncOptions::CHECKPOINT_THRESHOLD,
        value_parser = at_least_one,
        conflicts_with = "no_checkpoint"
    )]
    checkpoint_threshold: usize,
}

/// A threshold of 0 would be due without an event.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it has to be at least 1".to_owned()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{error}")),
    }
}

pub(super) async fn run(options: &Options, output: Output, arguments: &Arguments) -> Result<(), CliError> {
    let mut session = Session::open(options).await?;
    let choices = SyncOptions::default()
        .full(arguments.full)
        .auto_checkpoint(!arguments.no_checkpoint)
        .checkpoint_threshold(arguments.checkpoint_threshold);
    let report = session.manager.sync(&choices).await?;
    tell_refusals(&report);
    output.data(&report, || summary(&report))
}

/// What was refused or passed over: always said, and no reason to fail.
pub(super) fn tell_refusals(report: &SyncReport) {
    for refusal in &report.refused {
        note(format!("refused from {}: {}: {}", refusal.peer, refusal.what, refusal.why));
    }
    for skipped in &report.skipped_peers {
        note(format!("nothing exchanged with {}: {}", skipped.peer, skipped.why));
    }
}

/// What a sync did, in one line.
fn summary(report: &SyncReport) -> String {
    let parts = [
        (report.peers_changed, "peer changed", "peers changed"),
        (report.proposals_received, "proposal received", "proposals received"),
        (report.jobs_received, "new job", "new jobs"),
        (report.files_restored, "file restored", "files restored"),
        (report.events_followed, "event of another machine followed", "events of another machine followed"),
        (report.events_published, "event published", "events published"),
        (report.checkpoints_made, "checkpoint made", "checkpoints made"),
        (report.events_applied, "event applied", "events applied"),
        (report.datasets_fetched, "dataset fetched", "datasets fetched"),
        (report.datasets_dropped, "dataset dropped", "datasets dropped"),
        (report.refused.len(), "thing refused", "things refused"),
    ];
    let said: Vec<_> = parts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    if said.is_empty() { "nothing new".to_owned() } else { said.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_changed_and_no_more() {
        assert_eq!(summary(&SyncReport::default()), "nothing new");
        let report = SyncReport { jobs_received: 1, events_published: 4, ..SyncReport::default() };
        assert_eq!(summary(&report), "1 new job, 4 events published");
    }
}
