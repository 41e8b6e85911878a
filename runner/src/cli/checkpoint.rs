//! `syftbox checkpoint …`.

use clap::Subcommand;
use syftbox_core::sync::{CheckpointKind, CheckpointStatus, MadeCheckpoint, SyncOptions};

use super::{CliError, Output, options::Options, session::Session, sync::at_least_one};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Sync, then make a checkpoint of all files of your datasite
    Create,
    /// Show which checkpoints there are and whether one is due, as of the last sync
    Status {
        /// Events that make a checkpoint due
        #[arg(
            long,
            value_name = "COUNT",
            default_value_t = SyncOptions::CHECKPOINT_THRESHOLD,
            value_parser = at_least_one
        )]
        checkpoint_threshold: usize,
    },
}

pub(super) async fn run(options: &Options, output: Output, command: Command) -> Result<(), CliError> {
    let mut session = Session::open(options).await?;
    match command {
        Command::Create => {
            let made = session.manager.create_checkpoint().await?;
            output.data(&made, || human_made(&made))
        }
        Command::Status { checkpoint_threshold } => {
            let status = session.manager.checkpoint_status(checkpoint_threshold).await?;
            output.data(&status, || human_status(&status))
        }
    }
}

fn human_made(made: &MadeCheckpoint) -> String {
    let (count, bytes) = (made.entries, made.bytes);
    let what = match (made.kind, count) {
        (CheckpointKind::Full, 1) => "file",
        (CheckpointKind::Full, _) => "files",
        (CheckpointKind::Incremental, 1) => "event",
        (CheckpointKind::Incremental, _) => "events",
    };
    format!("{}: {count} {what} in {bytes} bytes", made.name)
}

fn human_status(status: &CheckpointStatus) -> String {
    let full = match (&status.full, &status.made_at) {
        (Some(name), Some(time)) => format!("full checkpoint: {name}, made {time}"),
        _ => "full checkpoint: none".to_owned(),
    };
    let due = if status.due { "; the next sync makes one" } else { "" };
    format!(
        "{full}\nincremental checkpoints since: {}\nevents that are in none yet: {}{due}",
        status.incrementals, status.rolling_events
    )
}
