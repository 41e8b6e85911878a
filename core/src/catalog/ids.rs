//! Ids that Drive made for us and that no file has yet.
//!
//! With an id made in advance, repeating a create after a lost answer can't make a second file
//! (wire section 10). An id must never be used for two things, or the second would be taken for a
//! repetition of the first: so what is left is written down before an id is given out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    drive::{Drive, DriveError, FileId},
    state::{Document, State, StateError},
};

/// How many are asked for at a time: enough for a day's work in one request.
const AT_ONCE: usize = 200;

/// The ids that are left, and those that are given out by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SpareIds {
    spare: Vec<FileId>,
    /// The ids of files and folders that we set out to make, by their names: a program that is
    /// killed before it knows whether one was made goes on with the same id, whatever a search says.
    named: BTreeMap<String, FileId>,
}

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
        let taken = self.draw(count, drive).await?;
        state.save(Document::SpareIds, self).await?;
        Ok(taken)
    }

    /// The ids for what is called `names`: for each the same one until it is [`made`](Self::made).
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub async fn take_for(
        &mut self,
        names: &[impl AsRef<str>],
        drive: &Drive,
        state: &State,
    ) -> Result<Vec<FileId>, SpareIdsError> {
        let missing = names.iter().filter(|name| !self.named.contains_key(name.as_ref())).count();
        let new = self.draw(missing, drive).await?;
        let unnamed = names.iter().filter(|name| !self.named.contains_key(name.as_ref()));
        let named: Vec<_> = unnamed.map(|name| name.as_ref().to_owned()).zip(new).collect();
        self.named.extend(named);
        state.save(Document::SpareIds, self).await?;
        Ok(names.iter().filter_map(|name| self.named.get(name.as_ref()).cloned()).collect())
    }

    /// Forgets the names of what is there by now, as `is_there` knows.
    ///
    /// # Errors
    /// When that can't be written down.
    pub async fn made(
        &mut self,
        is_there: impl Fn(&FileId) -> bool,
        state: &State,
    ) -> Result<(), StateError> {
        let before = self.named.len();
        self.named.retain(|_, id| !is_there(id));
        if self.named.len() == before { Ok(()) } else { state.save(Document::SpareIds, self).await }
    }

    async fn draw(&mut self, count: usize, drive: &Drive) -> Result<Vec<FileId>, SpareIdsError> {
        while self.spare.len() < count {
            let more = drive.generate_ids(AT_ONCE).await?;
            self.spare.splice(0..0, more);
        }
        Ok(self.spare.split_off(self.spare.len() - count))
    }
}
