//! Intents: what has to happen on Drive, written down before it is touched.
//!
//! A posting is a set of uploads with ids that Drive made in advance, and of files to archive or to
//! delete when they are done. It can be carried out any number of times with the same effect, so a process
//! that dies at any request goes on where it was at the next sync: nothing is lost or sent twice.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::{
    catalog::Catalog,
    datasite::{Datasite, Published},
    domain::{DatasitePath, Email, Timestamp},
    drive::{BatchCall, Content, Drive, DriveError, DriveFile, FileId, NewFile},
    platform::{FileErrorKind, FileStore, Platform, tree},
    state::{State, StateError, path_of},
    wire::MAX_EXPANDED,
};

/// How the file of a recorded intent ends.
const RECORD_EXTENSION: &str = ".json";
/// How many uploads are under way at once.
const PARALLEL_UPLOADS: usize = 4;

/// One intent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Posting {
    /// What our datasite's published files are from then on.
    pub(crate) published: PublishedFiles,
    /// Uploaded first, all of them.
    pub(crate) uploads: Vec<PlannedUpload>,
    /// Which of them is the events message of our own event log.
    #[serde(default)]
    pub(crate) log: Option<FileId>,
    /// Moved when all uploads are done.
    pub(crate) archive: Vec<PlannedMove>,
    /// Files of ours that the uploads replace: deleted when all uploads are done.
    #[serde(default)]
    pub(crate) replaced: Vec<FileId>,
    /// The events up to this time are in a checkpoint of this posting, and leave the rolling state.
    #[serde(default)]
    pub(crate) checkpointed: Option<Timestamp>,
}

/// The part of [`Datasite`] that a posting changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PublishedFiles {
    /// The new entry of each file; `None` for one that is gone.
    pub(crate) files: BTreeMap<DatasitePath, Option<Published>>,
    /// The time of the newest event.
    pub(crate) last_event: Option<Timestamp>,
    /// Peers that were sent all they may read, with the outbox that it went to.
    pub(crate) served: BTreeMap<Email, FileId>,
}

/// A payload on its way to Drive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PlannedUpload {
    /// The id it will have.
    pub(crate) id: FileId,
    /// Its name on Drive.
    pub(crate) name: String,
    /// The folder it goes to.
    pub(crate) parent: FileId,
    /// What that folder is called when it is one of ours, which is made anew when it is gone.
    #[serde(default)]
    pub(crate) own_folder: Option<String>,
    /// Where its bytes wait, in the local state folder.
    payload: DatasitePath,
}

/// A message that leaves an inbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PlannedMove {
    /// Which message.
    pub(crate) id: FileId,
    /// The inbox.
    pub(crate) from: FileId,
    /// The archive.
    pub(crate) to: FileId,
}

/// What a posting did, for the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Posted {
    /// What couldn't be put where it belongs because the place is gone or closed to us.
    pub(crate) undeliverable: Vec<String>,
    /// Names of folders of ours that are gone. The posting is still open: it needs others.
    pub(crate) lost_folders: BTreeSet<String>,
}

/// The postings of one `SyftBox` folder.
pub(crate) struct Journal<'a> {
    platform: &'a Platform,
    state: &'a State,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(platform: &'a Platform, state: &'a State) -> Self {
        Self { platform, state }
    }

    fn files(&self) -> &dyn FileStore {
        self.platform.files.as_ref()
    }

    /// Writes a payload down for an upload of the posting at `time`.
    pub(crate) async fn plan_upload(
        &self,
        id: FileId,
        name: String,
        parent: FileId,
        payload: Bytes,
    ) -> Result<PlannedUpload, StateError> {
        let path = path_of(&format!("journal/{id}.payload"))?;
        self.files().write(&path, payload).await?;
        Ok(PlannedUpload { id, name, parent, own_folder: None, payload: path })
    }

    /// The bytes of a planned upload.
    pub(crate) async fn payload(&self, upload: &PlannedUpload) -> Result<Bytes, StateError> {
        Ok(self.files().read(&upload.payload, MAX_EXPANDED).await?)
    }

    /// Writes the intent down. From here on it will happen.
    pub(crate) async fn record(
        &self,
        time: Timestamp,
        posting: &Posting,
    ) -> Result<DatasitePath, StateError> {
        // Fixed width, so that names sort by time.
        let path = path_of(&format!("journal/{:020.6}{RECORD_EXTENSION}", time.seconds()))?;
        self.record_again(&path, posting).await?;
        Ok(path)
    }

    /// Writes a changed intent down in its place.
    pub(crate) async fn record_again(
        &self,
        record: &DatasitePath,
        posting: &Posting,
    ) -> Result<(), StateError> {
        self.state.save_at(record, posting).await
    }

    /// The intents that are not done, oldest first. Payloads of intents that were never recorded go.
    pub(crate) async fn open_postings(&self) -> Result<Vec<(DatasitePath, Posting)>, StateError> {
        let folder = path_of("journal")?;
        let found = tree::walk(self.files(), Some(&folder), |_| true).await?;
        let (records, payloads): (Vec<_>, Vec<_>) = found
            .into_iter()
            .map(|(path, _)| path)
            .partition(|path| path.as_str().ends_with(RECORD_EXTENSION));
        let mut postings = Vec::new();
        for path in records {
            if let Some(posting) = self.state.load_at::<Posting>(&path).await? {
                postings.push((path, posting));
            }
        }
        for payload in payloads {
            let wanted = postings
                .iter()
                .any(|(_, posting)| posting.uploads.iter().any(|upload| upload.payload == payload));
            if !wanted {
                self.files().remove(&payload).await?;
            }
        }
        Ok(postings)
    }

    /// Makes the intent true and forgets it.
    pub(crate) async fn carry_out(
        &self,
        drive: &Drive,
        catalog: &mut Catalog,
        record: &DatasitePath,
        posting: &Posting,
    ) -> Result<Posted, JournalError> {
        let mut posted = Posted::default();
        let uploads = stream::iter(&posting.uploads)
            .map(|upload| async move { (upload, self.upload(drive, upload).await) })
            .buffered(PARALLEL_UPLOADS)
            .collect::<Vec<_>>();
        for (upload, result) in uploads.await {
            match result {
                Ok(file) => catalog.note_if_followed(file),
                Err(JournalError::Drive(error)) if error.is_closed_to_us() => {
                    catalog.forget(&upload.parent);
                    match &upload.own_folder {
                        Some(name) => _ = posted.lost_folders.insert(name.clone()),
                        None => posted.undeliverable.push(format!("{}: {error}", upload.name)),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        if !posted.lost_folders.is_empty() {
            return Ok(posted);
        }
        self.archive(drive, catalog, &posting.archive).await?;
        // What replaces them isn't there when it couldn't be delivered.
        if posted.undeliverable.is_empty() {
            delete(drive, catalog, &posting.replaced).await?;
        }
        self.files().remove(record).await.map_err(StateError::from)?;
        let payloads = stream::iter(&posting.uploads).map(Ok);
        payloads
            .try_for_each(|upload| async move { self.files().remove(&upload.payload).await })
            .await
            .map_err(StateError::from)?;
        Ok(posted)
    }

    async fn upload(&self, drive: &Drive, upload: &PlannedUpload) -> Result<DriveFile, JournalError> {
        let stat = self.files().stat(&upload.payload).await.map_err(StateError::from)?;
        let Some(stat) = stat else {
            let missing = crate::platform::FileError::new(&upload.payload, FileErrorKind::Missing);
            return Err(StateError::from(missing).into());
        };
        let new = NewFile::new(upload.id.clone(), upload.name.clone(), upload.parent.clone());
        let content =
            Content::File { files: self.platform.files.clone(), path: upload.payload.clone(), len: stat.len };
        Ok(drive.upload(new, content).await?)
    }

    async fn archive(
        &self,
        drive: &Drive,
        catalog: &mut Catalog,
        moves: &[PlannedMove],
    ) -> Result<(), JournalError> {
        if moves.is_empty() {
            return Ok(());
        }
        let calls = moves
            .iter()
            .map(|m| BatchCall::Move { id: m.id.clone(), from: m.from.clone(), to: m.to.clone() })
            .collect();
        for (moved, result) in moves.iter().zip(drive.batch(calls).await?) {
            match result {
                Ok(_) => catalog.take_away(&moved.id),
                // Its owner took it away meanwhile: then it is out of the inbox as well.
                Err(error) if error.is_closed_to_us() => catalog.take_away(&moved.id),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Deletes files of ours; what is gone already is as it should be, and what isn't ours any more stays.
async fn delete(drive: &Drive, catalog: &mut Catalog, files: &[FileId]) -> Result<(), JournalError> {
    if files.is_empty() {
        return Ok(());
    }
    let calls = files.iter().cloned().map(BatchCall::Delete).collect();
    for (id, result) in files.iter().zip(drive.batch(calls).await?) {
        match result {
            Ok(_) => catalog.take_away(id),
            Err(error) if error.is_closed_to_us() => catalog.take_away(id),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A posting that couldn't be carried out; it stays, and is tried again by the next sync.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Drive said no.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// The local state can't be kept.
    #[error(transparent)]
    State(#[from] StateError),
}

impl PublishedFiles {
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.served.is_empty()
    }

    /// Takes the changes over. Doing so again changes nothing.
    pub(crate) fn apply_to(self, datasite: &mut Datasite) {
        for (path, entry) in self.files {
            let time = entry.as_ref().map(|entry| entry.time).or(self.last_event);
            datasite.note(path, entry, time.unwrap_or(Timestamp::EPOCH));
        }
        datasite.last_event = datasite.last_event.max(self.last_event);
        datasite.served.extend(self.served);
    }
}
