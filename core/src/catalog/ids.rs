//! Ids that Drive made for us and that no file has yet.
//!
//! With an id made in advance, repeating a create after a lost answer can't make a second file
//! (wire section 10). An id must never be used for two things, or the second would be taken for a
//! repetition of the first: so what is left is written down before an id is given out.

use serde::{Deserialize, Serialize};

use crate::{
    drive::{Drive, DriveError, FileId},
    state::{Document, State, StateError},
};

/// How many are asked for at a time: enough for a day's work in one request.
const AT_ONCE: usize = 200;

/// The ids that are left.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpareIds(Vec<FileId>);

/// Why no ids could be had.
#[derive(Debug, thiserror::Error)]
pub enum SpareIdsError {
    /// Drive gave none.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// They couldn't be written down.
    #[error(transparent)]
    State(#[from] StateError),
}

impl SpareIds {
    /// Takes `count` ids, asking Drive for more when they run out.
    ///
    /// # Errors
    /// When Drive can't be asked or the rest can't be written down.
    pub async fn take(
        &mut self,
        count: usize,
        drive: &Drive,
        state: &State,
    ) -> Result<Vec<FileId>, SpareIdsError> {
        while self.0.len() < count {
            let more = drive.generate_ids(AT_ONCE).await?;
            self.0.splice(0..0, more);
        }
        let taken = self.0.split_off(self.0.len() - count);
        state.save(Document::SpareIds, self).await?;
        Ok(taken)
    }
}
