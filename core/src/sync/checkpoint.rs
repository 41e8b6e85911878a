//! Checkpoints: what a new machine of an owner starts from (wire section 6).
//!
//! An incremental checkpoint takes the place of a rolling state that became long; a full one takes
//! the place of all before it. Both are postings: written down first, uploaded, and only then is
//! what they replace deleted. Without one nothing is lost: the event log has everything.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::{
    SyncOptions, SyncReport,
    journal::{Journal, Posting},
};
use crate::{
    datasite,
    domain::{DatasitePath, Timestamp},
    drive::{DriveFile, FileId},
    encryption::MessageError,
    manager::{ManagerError, SyftboxManager},
    wire::{
        Checkpoint, CheckpointFile, FileContent, IncrementalCheckpoint, MAX_EXPANDED, PayloadError,
        names::{CheckpointName, CheckpointsFolderName, IncrementalCheckpointName},
    },
};

/// So many incremental checkpoints become a full one.
const MERGED_AT: usize = 4;
/// Between two checkpoints of one moment: a float of today's times tells them apart.
const TICK: Duration = Duration::from_micros(10);

/// What kind of checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointKind {
    /// All files.
    Full,
    /// The events since the checkpoint before.
    Incremental,
}

/// A checkpoint that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MadeCheckpoint {
    /// What kind.
    pub kind: CheckpointKind,
    /// What it is called on Drive.
    pub name: String,
    /// Files in a full one, events in an incremental one.
    pub entries: usize,
    /// Its length on Drive in bytes.
    pub bytes: u64,
}

/// How far the next restore is from the last checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointStatus {
    /// The full checkpoint that counts, by its name on Drive.
    pub full: Option<String>,
    /// Its time, ISO 8601.
    pub made_at: Option<String>,
    /// How many incremental checkpoints follow it.
    pub incrementals: usize,
    /// How many events are in the rolling state, which no checkpoint has yet.
    pub rolling_events: usize,
    /// Whether the next sync that may make a checkpoint makes one.
    pub due: bool,
}

/// Why there is no full checkpoint. Restoring takes longer then, and loses nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCheckpoint {
    /// The datasite is larger than a payload may be.
    #[error(
        "the datasite's files don't fit: {bytes} bytes, and a full checkpoint may expand to {} MiB; \
         a new machine will read incremental checkpoints and the event log instead",
        MAX_EXPANDED >> 20
    )]
    TooLarge {
        /// The files' bytes together.
        bytes: u64,
    },
    /// A file isn't as it was published.
    #[error("{path} isn't as it was last published; run `syftbox sync`, then try again")]
    NotPublished {
        /// Which file.
        path: DatasitePath,
    },
}

/// The checkpoints on Drive, as the catalog has them.
#[derive(Default)]
pub(super) struct OnDrive {
    /// By time, the newest last.
    pub(super) full: Vec<(CheckpointName, DriveFile)>,
    /// By number.
    pub(super) incremental: Vec<(IncrementalCheckpointName, DriveFile)>,
    /// What is named as neither.
    pub(super) other: Vec<DriveFile>,
}

impl SyftboxManager {
    /// Makes a full checkpoint of our datasite, after a sync. The owner's role.
    ///
    /// # Errors
    /// [`ManagerError::NoCheckpoint`] when the datasite doesn't fit or changes meanwhile, or whatever
    /// Drive says.
    pub async fn create_checkpoint(&mut self) -> Result<MadeCheckpoint, ManagerError> {
        self.need_owner("making a checkpoint")?;
        self.sync(&SyncOptions::default().auto_checkpoint(false)).await?;
        let mut report = SyncReport::default();
        let made = self.make_full_checkpoint(&mut report).await?.map_err(ManagerError::NoCheckpoint)?;
        self.upload_rolling_state(&mut report).await?;
        Ok(made)
    }

    /// Whether the rolling state has `threshold` events or became large, as of the last sync.
    /// The owner's role.
    ///
    /// # Errors
    /// When the local state can't be read.
    pub async fn should_create_checkpoint(&self, threshold: usize) -> Result<bool, ManagerError> {
        self.need_owner("making a checkpoint")?;
        Ok(self.load_rolling_state().await?.is_due(threshold))
    }

    /// Makes the checkpoint that is due, of what was published, if one is: an incremental one, or a
    /// full one in place of the fourth. The owner's role.
    ///
    /// # Errors
    /// [`ManagerError::NoCheckpoint`] when it can't be made, or whatever Drive says.
    pub async fn try_create_checkpoint(
        &mut self,
        threshold: usize,
    ) -> Result<Option<MadeCheckpoint>, ManagerError> {
        self.need_owner("making a checkpoint")?;
        let mut report = SyncReport::default();
        match self.make_due_checkpoint(threshold, &mut report).await? {
            Some(Ok(made)) => {
                self.upload_rolling_state(&mut report).await?;
                Ok(Some(made))
            }
            Some(Err(why)) => Err(ManagerError::NoCheckpoint(why)),
            None => Ok(None),
        }
    }

    /// Where our checkpoints stand, as of the last sync. The owner's role.
    ///
    /// # Errors
    /// When the local state can't be read.
    pub async fn checkpoint_status(&self, threshold: usize) -> Result<CheckpointStatus, ManagerError> {
        self.need_owner("looking at checkpoints")?;
        let kept = self.load_rolling_state().await?;
        let there = self.checkpoints_on_drive();
        let newest = there.full.last();
        Ok(CheckpointStatus {
            full: newest.map(|(_, file)| file.name.clone()),
            made_at: newest.map(|(name, _)| name.timestamp.to_iso()),
            incrementals: there.incremental.len(),
            rolling_events: kept.state.events.accepted.len(),
            due: kept.is_due(threshold),
        })
    }

    /// What a sync does at its end; a checkpoint that can't be made is in the report.
    pub(super) async fn checkpoint_if_due(
        &mut self,
        threshold: usize,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        if report.events_published + report.events_followed == 0 && !self.load_rolling_state().await?.gap {
            return Ok(());
        }
        match self.make_due_checkpoint(threshold, report).await? {
            Some(Ok(_)) => report.checkpoints_made += 1,
            Some(Err(why)) => report.refuse(&self.email().clone(), "a full checkpoint", why),
            None => {}
        }
        Ok(())
    }

    async fn make_due_checkpoint(
        &mut self,
        threshold: usize,
        report: &mut SyncReport,
    ) -> Result<Option<Result<MadeCheckpoint, NoCheckpoint>>, ManagerError> {
        let kept = self.load_rolling_state().await?;
        if !kept.is_due(threshold) {
            return Ok(None);
        }
        let full = if kept.gap || self.checkpoints_on_drive().incremental.len() + 1 >= MERGED_AT {
            match self.make_full_checkpoint(report).await? {
                Ok(made) => return Ok(Some(Ok(made))),
                Err(why) => Some(why),
            }
        } else {
            None
        };
        if kept.gap {
            return Ok(full.map(Err));
        }
        if let Some(why) = full {
            report.refuse(&self.email().clone(), "a full checkpoint", why);
        }
        self.make_incremental_checkpoint(kept.state.events.accepted, report).await
    }

    /// A full checkpoint of what was published: the local files, held against their hashes.
    async fn make_full_checkpoint(
        &mut self,
        report: &mut SyncReport,
    ) -> Result<Result<MadeCheckpoint, NoCheckpoint>, ManagerError> {
        let datasite = self.load_datasite().await?;
        let bytes = datasite.files.values().map(|file| file.len).sum();
        let too_large = NoCheckpoint::TooLarge { bytes };
        if bytes > MAX_EXPANDED {
            return Ok(Err(too_large));
        }
        let folder = Self::datasite_folder(self.email())?;
        let mut files = Vec::new();
        for (path, published) in &datasite.files {
            let local = datasite::in_folder(&folder, path)?;
            let content = self.files().read(&local, MAX_EXPANDED).await.map(FileContent::from_bytes);
            match content {
                Ok(content) if content.hash() == published.hash => {
                    files.push(CheckpointFile { path: path.clone(), content });
                }
                _ => return Ok(Err(NoCheckpoint::NotPublished { path: path.clone() })),
            }
        }
        let entries = files.len();
        let there = self.checkpoints_on_drive();
        let newest = there.full.last().map(|(name, _)| name.timestamp.after(TICK));
        let timestamp = newest.map_or(self.now(), |newest| newest.max(self.now()));
        let checkpoint = Checkpoint::new(self.email().clone(), files, datasite.last_event, timestamp);
        let payload = match self.sealing().await?.write(&checkpoint, self.email()) {
            Ok(payload) => payload,
            Err(MessageError::Payload(PayloadError::TooLarge)) => return Ok(Err(too_large)),
            Err(error) => return Err(error.into()),
        };
        drop(checkpoint);
        let made = MadeCheckpoint {
            kind: CheckpointKind::Full,
            name: CheckpointName { timestamp }.to_string(),
            entries,
            bytes: payload.len() as u64,
        };
        let full = there.full.into_iter().map(|(_, file)| file.id);
        let replaced = full.chain(there.incremental.into_iter().map(|(_, file)| file.id)).collect();
        let through = datasite.last_event.unwrap_or(timestamp);
        self.post_checkpoint(&made.name, payload, replaced, through, report).await?;
        Ok(Ok(made))
    }

    async fn make_incremental_checkpoint(
        &mut self,
        events: Vec<crate::wire::Event>,
        report: &mut SyncReport,
    ) -> Result<Option<Result<MadeCheckpoint, NoCheckpoint>>, ManagerError> {
        let Some(through) = events.iter().map(|event| event.timestamp).max() else { return Ok(None) };
        let there = self.checkpoints_on_drive();
        let last = there.incremental.iter().map(|(name, _)| name.sequence_number).max();
        // Number 1 goes on from nothing. So a restore sees when the full checkpoint before others is gone.
        let last = last.unwrap_or(u32::from(!there.full.is_empty()));
        let (sequence_number, timestamp) = (last.saturating_add(1), self.now());
        let entries = events.len();
        let checkpoint = IncrementalCheckpoint::new(self.email().clone(), sequence_number, events, timestamp);
        let payload = match self.sealing().await?.write(&checkpoint, self.email()) {
            Ok(payload) => payload,
            Err(MessageError::Payload(PayloadError::TooLarge)) => {
                self.need_full_checkpoint().await?;
                return Ok(Some(self.make_full_checkpoint(report).await?));
            }
            Err(error) => return Err(error.into()),
        };
        let made = MadeCheckpoint {
            kind: CheckpointKind::Incremental,
            name: IncrementalCheckpointName { sequence_number, timestamp }.to_string(),
            entries,
            bytes: payload.len() as u64,
        };
        self.post_checkpoint(&made.name, payload, Vec::new(), through, report).await?;
        Ok(Some(Ok(made)))
    }

    async fn post_checkpoint(
        &mut self,
        name: &str,
        payload: Bytes,
        replaced: Vec<FileId>,
        through: Timestamp,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let (datasite, version) = (self.email().clone(), self.generation().version());
        let folder_name = CheckpointsFolderName { datasite, version }.to_string();
        let folder = match self.checkpoint_folders().into_iter().next() {
            Some(folder) => folder,
            None => self.make_state_folders().await?.1,
        };
        let id = self.new_id().await?;
        let journal = Journal::new(&self.platform, &self.state);
        let mut upload = journal.plan_upload(id, name.to_owned(), folder, payload).await?;
        upload.own_folder = Some(folder_name);
        let posting =
            Posting { uploads: vec![upload], replaced, checkpointed: Some(through), ..Posting::default() };
        let record = journal.record(self.now(), &posting).await?;
        self.carry_out(&record, posting, report).await
    }

    /// The folders with checkpoints of ours, the oldest first.
    pub(super) fn checkpoint_folders(&self) -> Vec<FileId> {
        let (me, version) = (self.email(), self.generation().version());
        self.catalog.own_folders(|name| {
            name.parse::<CheckpointsFolderName>()
                .is_ok_and(|name| name.datasite == *me && name.version.shares_folders_with(version))
        })
    }

    /// What is in those folders, which have to be listed.
    pub(super) fn checkpoints_on_drive(&self) -> OnDrive {
        let mut found = OnDrive::default();
        for folder in self.checkpoint_folders() {
            for file in self.catalog.children(&folder).filter(|file| file.owned_by_me) {
                let (full, incremental) = (file.name.parse(), file.name.parse());
                match (file.is_folder(), full, incremental) {
                    (false, Ok(name), _) => found.full.push((name, file.clone())),
                    (false, _, Ok(name)) => found.incremental.push((name, file.clone())),
                    _ => found.other.push(file.clone()),
                }
            }
        }
        found.full.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        found.incremental.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        found
    }
}
