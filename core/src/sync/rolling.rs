//! The rolling state (wire section 6): the latest event of each path since the last checkpoint, so
//! that a new machine restores without replaying every event.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    domain::Timestamp,
    drive::{FileId, NewFile},
    manager::{ManagerError, SyftboxManager},
    state::Document,
    wire::{
        Event, RollingState, encode,
        names::{RollingStateFolderName, RollingStateName},
    },
};

/// The rolling state as it is kept here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptRollingState {
    state: RollingState,
    /// The file on Drive, once there is one.
    file: Option<FileId>,
    /// Whether the file on Drive is older than this.
    ahead: bool,
}

impl SyftboxManager {
    /// Adds new events to the rolling state.
    pub(super) async fn note_in_rolling_state(&self, events: &[Event]) -> Result<(), ManagerError> {
        if events.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let kept: Option<KeptRollingState> = self.state.load(Document::RollingState).await?;
        let mut kept = kept.unwrap_or_else(|| KeptRollingState {
            state: RollingState::new(self.email().clone(), Timestamp::EPOCH, now),
            file: None,
            ahead: false,
        });
        kept.state.add(events.iter().cloned(), now);
        kept.ahead = true;
        Ok(self.state.save(Document::RollingState, &kept).await?)
    }

    /// Brings the rolling state on Drive up to date; no request when it is.
    pub(super) async fn upload_rolling_state(&mut self) -> Result<(), ManagerError> {
        let Some(mut rolling) = self.state.load::<KeptRollingState>(Document::RollingState).await? else {
            return Ok(());
        };
        if !rolling.ahead {
            return Ok(());
        }
        let payload = Bytes::from(encode(&rolling.state)?);
        if let Some(file) = &rolling.file {
            match self.drive.replace_content(file, payload.clone().into()).await {
                Ok(_) => {
                    rolling.ahead = false;
                    return Ok(self.state.save(Document::RollingState, &rolling).await?);
                }
                Err(error) if error.is_closed_to_us() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let name =
            RollingStateFolderName { datasite: self.email().clone(), version: self.generation().version() };
        let folder = self.own_folder(&name.to_string()).await?;
        let file_name = RollingStateName { timestamp: self.now() }.to_string();
        let new = NewFile::new(self.new_id().await?, file_name, folder);
        let written = self.drive.upload(new, payload.into()).await?;
        rolling.file = Some(written.id);
        rolling.ahead = false;
        Ok(self.state.save(Document::RollingState, &rolling).await?)
    }
}
