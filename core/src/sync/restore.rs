//! A new machine of an owner restores the datasite (wire section 6): from the newest full checkpoint,
//! the incremental ones after it, the rolling state, and what the event log has that is newer.
//!
//! The event log has everything, so what is missing or can't be read among the others costs requests
//! and nothing else. What was read tells how far it goes without a hole ([`Coverage`]); the log is
//! read from there.

use std::{pin::pin, time::Duration};

use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::{
    SyncReport,
    messages::{self, UnreadableMessage},
    own_log::KnownLog,
    publish::readers,
    receive::may_pass_over,
    restored::Restored,
};
use crate::{
    datasite::{self, Datasite},
    domain::{DatasitePath, Email, Timestamp},
    drive::{DriveFile, Query},
    manager::{ManagerError, SyftboxManager},
    state::Document,
    wire::{
        Checkpoint, Event, IncrementalCheckpoint, MAX_EXPANDED, RollingState,
        names::{MessageKind, MessageName},
    },
};

/// What the machine that made a checkpoint didn't know yet was made at most so long before it.
const LAG: Duration = Duration::from_secs(24 * 3600);

/// How much of the event log need not be read.
#[derive(Debug, Default)]
struct Coverage {
    /// Events up to here, by their own time, were read; `None` when there is no such moment.
    events: Option<Timestamp>,
    /// The latest moment that the next piece may go on from.
    base: Option<Timestamp>,
    /// Whether a hole was found: nothing behind it counts.
    is_broken: bool,
    /// The number of the last incremental checkpoint.
    sequence_number: Option<u32>,
}

impl Coverage {
    fn reach(&mut self, made: Timestamp, last_event: Option<Timestamp>) {
        if !self.is_broken {
            self.events = self.events.max(last_event);
            self.base = self.base.max(Some(made)).max(last_event);
        }
    }

    /// Takes an incremental checkpoint in. With no full one before it, number 1 is the first.
    fn go_on_with(&mut self, checkpoint: &IncrementalCheckpoint) {
        let number = checkpoint.sequence_number;
        self.is_broken |= match self.sequence_number {
            None => number > if self.base.is_some() { 2 } else { 1 },
            // Two machines may have made the same number at the same time.
            Some(last) => number > last.saturating_add(1),
        };
        self.sequence_number = Some(number);
        let last_event = checkpoint.events.accepted.iter().map(|event| event.timestamp).max();
        self.reach(checkpoint.timestamp, last_event);
    }

    /// Takes the rolling state in, when it goes on from what was read.
    fn end_with(&mut self, rolling: &RollingState) {
        self.is_broken |= rolling.base_checkpoint_timestamp > self.base.unwrap_or(Timestamp::EPOCH);
        self.reach(rolling.timestamp, rolling.last_event_timestamp);
    }
}

impl SyftboxManager {
    /// Brings the local files to where the event log ends, when this folder never knew the datasite
    /// and Drive does. A file that is here already stays: it is published as a change.
    pub(super) async fn restore_datasite(
        &mut self,
        peers: &[Email],
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        if self.state.load::<Datasite>(Document::Datasite).await?.is_some() {
            return Ok(());
        }
        self.restore_datasets(report).await?;
        let platform = self.platform.clone();
        let mut restored = Restored::begin(platform.files.as_ref()).await?;
        let mut coverage = Coverage::default();
        let full = self.restore_checkpoints(&mut restored, &mut coverage, report).await?;
        self.restore_rolling_state(&mut restored, &mut coverage, report).await?;
        self.restore_event_log(&mut restored, &coverage, full, report).await?;
        let folder = Self::datasite_folder(self.email())?;
        let (mut datasite, placed) = restored.finish(&folder).await?;
        report.files_restored += placed;
        datasite.last_event = datasite.last_event.max(coverage.events);
        self.assume_readers_have_all(&mut datasite, &folder, peers).await?;
        Ok(self.state.save(Document::Datasite, &datasite).await?)
    }

    /// Takes in the checkpoints; gives the full one that was read.
    async fn restore_checkpoints(
        &mut self,
        restored: &mut Restored<'_>,
        coverage: &mut Coverage,
        report: &mut SyncReport,
    ) -> Result<Option<DriveFile>, ManagerError> {
        let me = self.email().clone();
        let there = self.checkpoints_on_drive();
        for file in &there.other {
            report.refuse(&me, &file.name, "it lies among the checkpoints and is none; delete it in Drive");
        }
        let mut full = None;
        for (_, file) in there.full.iter().rev() {
            match self.read_own::<Checkpoint>(file).await? {
                Ok(checkpoint) if checkpoint.email == me => {
                    let last_event = checkpoint.last_event_timestamp;
                    let time = last_event.unwrap_or(Timestamp::EPOCH);
                    coverage.is_broken |= !checkpoint.files.refused.is_empty();
                    for file in checkpoint.files.accepted {
                        restored.take(file.path, time, Some(file.content)).await?;
                    }
                    coverage.reach(checkpoint.timestamp, last_event);
                    full = Some(file.clone());
                    break;
                }
                Ok(checkpoint) => report.refuse(&me, &file.name, format!("it is of {}", checkpoint.email)),
                Err(why) => report.refuse(&me, &file.name, why),
            }
        }
        // What goes on from the newest one doesn't go on from an older one.
        let newest = there.full.last().map(|(_, file)| &file.id);
        coverage.is_broken |= full.as_ref().map(|file| &file.id) != newest;
        for (_, file) in &there.incremental {
            match self.read_own::<IncrementalCheckpoint>(file).await? {
                Ok(checkpoint) if checkpoint.email == me => {
                    coverage.is_broken |= !checkpoint.events.refused.is_empty();
                    restored.take_events(&checkpoint.events.accepted, &me).await?;
                    coverage.go_on_with(&checkpoint);
                }
                other => {
                    let why =
                        other.map_or_else(|why| why, |checkpoint| format!("it is of {}", checkpoint.email));
                    report.refuse(&me, &file.name, why);
                    coverage.is_broken = true;
                }
            }
        }
        Ok(full)
    }

    async fn restore_rolling_state(
        &mut self,
        restored: &mut Restored<'_>,
        coverage: &mut Coverage,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let mut kept = self.load_rolling_state().await?;
        if let Some(file) = self.rolling_state_file() {
            kept.file = Some(file.id.clone());
            kept.seen = Some(file.content_state());
            match self.read_rolling_state(&file).await? {
                Ok(rolling) => {
                    restored.take_events(&rolling.events.accepted, &self.email().clone()).await?;
                    coverage.is_broken |= !rolling.events.refused.is_empty();
                    coverage.end_with(&rolling);
                    kept.shared = rolling.last_event_timestamp;
                    kept.state = rolling;
                }
                Err(why) => {
                    report.refuse(&self.email().clone(), &file.name, why);
                    coverage.is_broken = true;
                }
            }
        }
        // Whoever restores after us would meet the same hole: a full checkpoint closes it.
        kept.gap = coverage.is_broken;
        self.save_rolling_state(&kept).await
    }

    /// Takes in what the event log has beyond `coverage`.
    async fn restore_event_log(
        &mut self,
        restored: &mut Restored<'_>,
        coverage: &Coverage,
        full: Option<DriveFile>,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let me = self.email().clone();
        let folders = self.event_log_folders();
        let mut known = KnownLog::of(folders.clone());
        let mut kept = self.load_rolling_state().await?;
        if !folders.is_empty() {
            let mut query = Query::new().in_any_parent(&folders);
            if let (Some(_), Some(full)) = (coverage.events, full)
                && let Some(created) = full.created
            {
                query =
                    query.created_since(Timestamp::EPOCH.after(created.since(Timestamp::EPOCH.after(LAG))));
            }
            let mut logged = self.drive.list(&query).await?;
            logged.retain(|file| file.owned_by_me);
            for file in &logged {
                known.note(file.id.clone(), file.created);
            }
            let is_new = |file: &&DriveFile| {
                let name = MessageName::parse(MessageKind::Events, &file.name);
                name.is_ok_and(|name| coverage.events.is_none_or(|events| name.timestamp > events))
            };
            let new = messages::in_order(logged.iter().filter(is_new));
            drop(logged);
            let (drive, sealing) = (self.drive.clone(), self.sealing().await?);
            let mut read = pin!(messages::read(&drive, &sealing, &me, new));
            while let Some(message) = read.next().await {
                let (file, message) = message?;
                match message {
                    Ok(message) => {
                        let events: Vec<Event> = message.events.accepted;
                        restored.take_events(&events, &me).await?;
                        kept.add(&events, self.now());
                    }
                    Err(why) => report.refuse(&me, &file.name, why.of_our_own(&file)?),
                }
            }
        }
        for folder in folders {
            self.catalog.watch(folder);
        }
        self.save_rolling_state(&kept).await?;
        Ok(self.state.save(Document::EventLog, &known).await?)
    }

    /// Reads a file that we, or another machine of ours, wrote. The inner error says what is wrong
    /// with it.
    pub(super) async fn read_own<T: DeserializeOwned>(
        &mut self,
        file: &DriveFile,
    ) -> Result<Result<T, String>, ManagerError> {
        let sealing = self.sealing().await?;
        match self.drive.download(&file.id, MAX_EXPANDED).await {
            Ok(payload) => match sealing.read(&payload, self.email()) {
                Ok(value) => Ok(Ok(value)),
                Err(why) => Ok(Err(UnreadableMessage::from(why).of_our_own(file)?.to_string())),
            },
            Err(error) if may_pass_over(&error) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The machine before this one sent everything to those that may read it.
    async fn assume_readers_have_all(
        &self,
        datasite: &mut Datasite,
        folder: &DatasitePath,
        peers: &[Email],
    ) -> Result<(), ManagerError> {
        let local = datasite::local_files(self.files(), folder).await?;
        let permissions = datasite::permissions(self.files(), folder, &local).await?;
        for (path, published) in &mut datasite.files {
            published.readers = readers(&permissions, self.email(), peers, path);
        }
        datasite.served = self.outboxes_of(peers);
        Ok(())
    }
}
