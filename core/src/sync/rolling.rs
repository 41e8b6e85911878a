//! The rolling state (wire section 6): the latest event of each path since the last checkpoint, so
//! that a new machine restores without replaying every event.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::SyncReport;
use crate::{
    domain::Timestamp,
    drive::{DriveFile, FileId, NewFile},
    encryption::MessageError,
    manager::{ManagerError, SyftboxManager},
    state::Document,
    wire::{
        Event, PayloadError, RollingState,
        names::{CheckpointsFolderName, RollingStateFolderName, RollingStateName},
    },
};

/// A rolling state with more content than this is due for a checkpoint, however few its events: as a
/// payload it may not expand past 64 MiB.
const DUE_BYTES: u64 = 16 * 1024 * 1024;
/// A rolling state takes nothing in that would make its content larger than this.
const MAX_BYTES: u64 = 40 * 1024 * 1024;

/// The rolling state as it is kept here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptRollingState {
    pub(super) state: RollingState,
    /// The file on Drive, once there is one.
    pub(super) file: Option<FileId>,
    /// What was in the file on Drive when we last read or wrote it, to see that another machine of
    /// ours changed it.
    #[serde(default)]
    pub(super) seen: Option<String>,
    /// The time up to which our events were on Drive then: a checkpoint of another machine has them.
    #[serde(default)]
    pub(super) shared: Option<Timestamp>,
    /// Whether the file on Drive is older than this.
    pub(super) ahead: bool,
    /// Whether there are events that neither this nor a checkpoint has. Nothing is added then until
    /// there is a full checkpoint, so that a restore knows from where it has to read the event log.
    #[serde(default)]
    pub(super) gap: bool,
}

impl KeptRollingState {
    fn is_full(&self) -> bool {
        self.gap || self.state.content_bytes() >= DUE_BYTES
    }

    /// Whether it is time for a checkpoint.
    pub(super) fn is_due(&self, threshold: usize) -> bool {
        self.state.events.accepted.len() >= threshold.max(1) || self.is_full()
    }

    /// Takes in `events`, unless they don't fit.
    pub(super) fn add(&mut self, events: &[Event], now: Timestamp) {
        let new = events.iter().filter_map(|event| event.content.as_ref());
        let bytes: u64 = new.map(|content| content.as_bytes().len() as u64).sum();
        if self.gap || self.state.content_bytes() + bytes > MAX_BYTES {
            self.gap = true;
            return;
        }
        self.state.add(events.iter().cloned(), now);
        self.ahead = true;
    }

    /// Takes in what another machine of ours wrote to Drive.
    fn take_in(&mut self, mut theirs: RollingState, now: Timestamp) {
        if theirs.base_checkpoint_timestamp > self.state.base_checkpoint_timestamp
            && let Some(shared) = self.shared
        {
            self.state.go_on_from(shared.min(theirs.base_checkpoint_timestamp), now);
        }
        self.state.merge(theirs.clone(), now);
        self.ahead = theirs.merge(self.state.clone(), now);
        self.shared = self.state.last_event_timestamp;
    }
}

impl SyftboxManager {
    pub(super) async fn load_rolling_state(&self) -> Result<KeptRollingState, ManagerError> {
        let kept: Option<KeptRollingState> = self.state.load(Document::RollingState).await?;
        Ok(kept.unwrap_or_else(|| KeptRollingState {
            state: RollingState::new(self.email().clone(), Timestamp::EPOCH, self.now()),
            file: None,
            seen: None,
            shared: None,
            ahead: false,
            gap: false,
        }))
    }

    pub(super) async fn save_rolling_state(&self, kept: &KeptRollingState) -> Result<(), ManagerError> {
        Ok(self.state.save(Document::RollingState, kept).await?)
    }

    /// Adds new events to the rolling state.
    pub(super) async fn note_in_rolling_state(&self, events: &[Event]) -> Result<(), ManagerError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut kept = self.load_rolling_state().await?;
        kept.add(events, self.now());
        self.save_rolling_state(&kept).await
    }

    /// Notes that there are events in the log that nothing but a full checkpoint can stand in for.
    pub(crate) async fn need_full_checkpoint(&self) -> Result<(), ManagerError> {
        let mut kept = self.load_rolling_state().await?;
        kept.gap = true;
        self.save_rolling_state(&kept).await
    }

    /// The folders with rolling states of ours, the oldest first.
    pub(super) fn rolling_state_folders(&self) -> Vec<FileId> {
        let (me, version) = (self.email(), self.generation().version());
        self.catalog.own_folders(|name| {
            name.parse::<RollingStateFolderName>()
                .is_ok_and(|name| name.datasite == *me && name.version.shares_folders_with(version))
        })
    }

    /// The rolling state on Drive that counts: the newest by its name, as for the Python peers.
    pub(super) fn rolling_state_file(&self) -> Option<DriveFile> {
        let folders = self.rolling_state_folders();
        let files = folders.iter().flat_map(|folder| self.catalog.children(folder));
        let named = files.filter_map(|file| {
            let name: RollingStateName = file.name.parse().ok()?;
            (file.owned_by_me && !file.is_folder()).then_some((name, &file.id, file))
        });
        named.max_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1))).map(|(_, _, file)| file.clone())
    }

    /// Reads a rolling state. The inner error says what is wrong with the file.
    pub(super) async fn read_rolling_state(
        &mut self,
        file: &DriveFile,
    ) -> Result<Result<RollingState, String>, ManagerError> {
        Ok(match self.read_own::<RollingState>(file).await? {
            Ok(state) if state.email == *self.email() => Ok(state),
            Ok(state) => Err(format!("it is of {}", state.email)),
            Err(why) => Err(why),
        })
    }

    /// Brings the rolling state on Drive up to date; no request when it is. What another machine of
    /// ours wrote there since we last looked is taken in, not overwritten.
    pub(super) async fn upload_rolling_state(&mut self, report: &mut SyncReport) -> Result<(), ManagerError> {
        let mut kept = self.load_rolling_state().await?;
        let there = self.rolling_state_file();
        if let Some(there) = &there
            && kept.seen.as_ref() != Some(&there.content_state())
        {
            match self.read_rolling_state(there).await? {
                Ok(theirs) => kept.take_in(theirs, self.now()),
                Err(why) => {
                    report.refuse(self.email(), &there.name, why);
                    kept.ahead = true;
                }
            }
            kept.seen = Some(there.content_state());
            kept.file = Some(there.id.clone());
            self.save_rolling_state(&kept).await?;
        }
        if !kept.ahead || kept.gap {
            return Ok(());
        }
        let payload = match self.sealing().await?.write(&kept.state, self.email()) {
            Ok(payload) => payload,
            // Text can become longer in JSON than its bytes are: the event log has it all the same.
            Err(MessageError::Payload(PayloadError::TooLarge)) => {
                kept.gap = true;
                return self.save_rolling_state(&kept).await;
            }
            Err(error) => return Err(error.into()),
        };
        let written = match &kept.file {
            Some(file) => match self.drive.replace_content(file, payload.clone().into()).await {
                Ok(written) => Some(written),
                Err(error) if error.is_closed_to_us() => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let written = match written {
            Some(written) => written,
            None => self.create_rolling_state(payload).await?,
        };
        kept.file = Some(written.id.clone());
        kept.seen = Some(written.content_state());
        kept.shared = kept.state.last_event_timestamp;
        kept.ahead = false;
        self.catalog.note_if_followed(written);
        self.save_catalog().await?;
        self.save_rolling_state(&kept).await
    }

    /// Makes the folders of rolling states and of checkpoints, which are needed sooner or later.
    pub(super) async fn make_state_folders(&mut self) -> Result<(FileId, FileId), ManagerError> {
        let (datasite, version) = (self.email().clone(), self.generation().version());
        let rolling = RollingStateFolderName { datasite: datasite.clone(), version }.to_string();
        let checkpoints = CheckpointsFolderName { datasite, version }.to_string();
        match self.own_listed_folders(&[rolling, checkpoints]).await?.as_slice() {
            [rolling, checkpoints] => Ok((rolling.clone(), checkpoints.clone())),
            _ => Err(ManagerError::NoSyftboxFolder),
        }
    }

    async fn create_rolling_state(&mut self, payload: Bytes) -> Result<DriveFile, ManagerError> {
        let folder = match self.rolling_state_folders().into_iter().next() {
            Some(folder) => folder,
            None => self.make_state_folders().await?.0,
        };
        let file_name = RollingStateName { timestamp: self.now() }.to_string();
        let new = NewFile::new(self.new_id().await?, file_name, folder);
        Ok(self.drive.upload(new, payload.into()).await?)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::wire::{FileContent, ProposedChange};

    fn event(path: &str, len: usize) -> Event {
        let content = FileContent::from_bytes(vec![b'x'; len].into());
        let (me, path) = ("do@x.org".parse().unwrap(), path.parse().unwrap());
        let change = ProposedChange::new(Uuid::nil(), me, path, Some(content), None, Timestamp::EPOCH);
        Event::from_change(change, Timestamp::EPOCH)
    }

    #[test]
    fn is_bounded_and_leaves_no_hole() {
        let now = Timestamp::EPOCH;
        let state = RollingState::new("do@x.org".parse().unwrap(), now, now);
        let mut kept =
            KeptRollingState { state, file: None, seen: None, shared: None, ahead: false, gap: false };
        assert!(!kept.is_due(1));
        kept.add(&[event("a", 1), event("b", 1)], now);
        assert!(kept.is_due(2) && !kept.is_due(3) && kept.ahead);
        kept.add(&[event("c", 17 << 20)], now);
        assert!(kept.is_due(50), "large before it is long");
        kept.add(&[event("d", 30 << 20)], now);
        assert_eq!(kept.state.events.accepted.len(), 3, "it doesn't fit");
        kept.add(&[event("e", 1)], now);
        assert!(kept.gap && kept.state.events.accepted.len() == 3, "a later event would hide the gap");
    }
}
