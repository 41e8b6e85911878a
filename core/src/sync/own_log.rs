//! An owner follows its own event log: what another machine of the account published is applied
//! here too (wire section 4).
//!
//! The file here decides what that means. As last published, it takes the event's content. Edited
//! since, it stays as it is and goes out as a change on top of the event; the log has both.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use super::{SyncReport, messages, publish::readers};
use crate::{
    datasite::{self, Datasite, Published},
    domain::{ContentHash, DatasitePath, Email, Timestamp},
    drive::{DriveFile, FileId, Query},
    manager::{ManagerError, SyftboxManager},
    permissions::PERMISSION_FILE,
    platform::{FileError, FileErrorKind, FileStore, tree},
    state::Document,
    wire::{Event, is_syncable, names::EventLogFolderName},
};

/// How much later than newer messages one may appear: searches and the changes feed lag by seconds,
/// and a machine may fall asleep between writing a message and being told that it is there.
const LAG: Duration = Duration::from_secs(24 * 3600);

/// Which messages of our event log this machine wrote or applied.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KnownLog {
    /// The folders it is in: one, but where two machines made theirs at the same time.
    pub(super) folders: Vec<FileId>,
    /// Those made since [`since`](Self::since), with the time that Drive gave them; `None` for one
    /// of ours that Drive hasn't told of yet.
    messages: BTreeMap<FileId, Option<Timestamp>>,
    /// All older ones, by Drive's clock, are known.
    since: Option<Timestamp>,
}

impl KnownLog {
    /// A log in `folders` of which no message is known.
    pub(super) fn of(folders: Vec<FileId>) -> Self {
        Self { folders, ..Self::default() }
    }

    /// Notes a message that is in the datasite now, and forgets those too old to be told of again.
    pub(super) fn note(&mut self, id: FileId, created: Option<Timestamp>) {
        self.messages.insert(id, created);
        let Some(newest) = self.messages.values().flatten().max() else { return };
        let since = Timestamp::EPOCH.after(newest.since(Timestamp::EPOCH.after(LAG)));
        if self.since.is_none_or(|known| known < since) {
            self.since = Some(since);
            self.messages.retain(|_, created| created.is_none_or(|created| created >= since));
        }
    }

    fn has(&self, message: &DriveFile) -> bool {
        self.messages.contains_key(&message.id)
            || matches!((message.created, self.since), (Some(created), Some(since)) if created < since)
    }
}

/// What becomes of a file when an event of another machine comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// It gets the event's content, or goes.
    Apply,
    /// It stays: it is as the event says, or was edited here.
    Keep,
}

/// Decides on a file with the hash `local`, published as `published`. Pure.
fn decide(local: Option<ContentHash>, published: Option<ContentHash>, new: Option<ContentHash>) -> Decision {
    if local == published && local != new { Decision::Apply } else { Decision::Keep }
}

impl SyftboxManager {
    /// The folders of our event log, the oldest first.
    pub(super) fn event_log_folders(&self) -> Vec<FileId> {
        let (me, version) = (self.email(), self.generation().version());
        self.catalog.own_folders(|name| {
            name.parse::<EventLogFolderName>()
                .is_ok_and(|name| name.datasite == *me && name.version.shares_folders_with(version))
        })
    }

    /// Where our events are logged: a folder that is made when there is none.
    pub(super) async fn event_log_folder(&mut self) -> Result<FileId, ManagerError> {
        if let Some(oldest) = self.event_log_folders().into_iter().next() {
            return Ok(oldest);
        }
        let (version, datasite) = (self.generation().version(), self.email().clone());
        let folder = self.own_folder(&EventLogFolderName { version, datasite }.to_string()).await?;
        // Nothing is in it yet.
        self.catalog.watch(folder.clone());
        self.save_catalog().await?;
        Ok(folder)
    }

    pub(super) async fn load_known_log(&self) -> Result<KnownLog, ManagerError> {
        Ok(self.state.load(Document::EventLog).await?.unwrap_or_default())
    }

    /// Applies what other machines of ours wrote to the event log. No request when there is nothing.
    pub(super) async fn follow_own_log(
        &mut self,
        peers: &[Email],
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let mut known = self.load_known_log().await?;
        let folders = self.event_log_folders();
        let lost = known.folders.iter().any(|folder| !folders.contains(folder));
        let new = self.new_logged_messages(&folders, &mut known).await?;
        let mut followed = Vec::new();
        if !new.is_empty() {
            let mut datasite = self.load_datasite().await?;
            let (drive, sealing, me) = (self.drive.clone(), self.sealing().await?, self.email().clone());
            let mut read = pin!(messages::read(&drive, &sealing, &me, new));
            while let Some(message) = read.next().await {
                let (file, message) = message?;
                match message {
                    Ok(message) => {
                        let events = message.events.accepted;
                        self.follow_events(&mut datasite, events, &mut followed, report).await?;
                    }
                    Err(why) => report.refuse(self.email(), &file.name, why.of_our_own(&file)?),
                }
                known.note(file.id, file.created);
            }
            self.renew_readers(&mut datasite, peers, &followed).await?;
            self.state.save(Document::Datasite, &datasite).await?;
            report.events_followed += followed.len();
        }
        self.note_in_rolling_state(&followed).await?;
        if lost {
            let why = "its folder on Drive was deleted; it begins anew, and the next checkpoint holds what was in it";
            report.refuse(self.email(), "the event log", why);
            self.need_full_checkpoint().await?;
        }
        known.folders.clone_from(&folders);
        self.state.save(Document::EventLog, &known).await?;
        for folder in &folders {
            self.catalog.forget_children(folder);
        }
        Ok(())
    }

    /// The messages in the log that this machine doesn't know, in order. What the changes feed told
    /// of is in the catalog; a folder that isn't watched yet is listed, once.
    async fn new_logged_messages(
        &mut self,
        folders: &[FileId],
        known: &mut KnownLog,
    ) -> Result<Vec<DriveFile>, ManagerError> {
        let unwatched: Vec<FileId> =
            folders.iter().filter(|folder| !self.catalog.is_watched(folder)).cloned().collect();
        if !unwatched.is_empty() {
            let mut query = Query::new().in_any_parent(&unwatched);
            // What another machine's folder holds is all new.
            if let Some(since) = known.since
                && unwatched.iter().all(|folder| known.folders.contains(folder))
            {
                query = query.created_since(since);
            }
            for file in self.drive.list(&query).await? {
                self.catalog.note(file);
            }
            for folder in unwatched {
                self.catalog.watch(folder);
            }
        }
        let all = folders.iter().flat_map(|folder| self.catalog.children(folder));
        let (old, new): (Vec<_>, Vec<_>) =
            all.filter(|file| file.owned_by_me).partition(|file| known.has(file));
        let new = messages::in_order(new.into_iter());
        for file in old {
            known.note(file.id.clone(), file.created);
        }
        Ok(new)
    }

    /// Applies the events of one message that are newer than what is known of their files; they are
    /// added to `followed`.
    async fn follow_events(
        &self,
        datasite: &mut Datasite,
        mut events: Vec<Event>,
        followed: &mut Vec<Event>,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let me = self.email().clone();
        let folder = Self::datasite_folder(&me)?;
        // Deletions first: a file may be where a folder was, and the other way round.
        events.sort_by_key(|event| event.content.is_some());
        for event in events {
            if event.datasite != me || !is_syncable(&event.path) {
                report.refuse(&me, &event.path, "it is in our event log and no file of our datasite");
            } else if datasite.is_newer(&event.path, event.timestamp, event.new_hash()) {
                match self.follow_event(datasite, &folder, &event).await {
                    Ok(()) => followed.push(event),
                    Err(error) => report.refuse(&me, &event.path, error.kind),
                }
            }
        }
        Ok(())
    }

    async fn follow_event(
        &self,
        datasite: &mut Datasite,
        folder: &DatasitePath,
        event: &Event,
    ) -> Result<(), FileError> {
        let path = datasite::in_folder(folder, &event.path)?;
        let published = datasite.files.get(&event.path);
        let local = match self.current_hash(&path).await {
            Err(error) if matches!(error.kind, FileErrorKind::IsFolder) => None,
            local => local?,
        };
        if decide(local, published.map(|file| file.hash), event.new_hash()) == Decision::Apply {
            match &event.content {
                Some(content) => put(self.files(), &path, content.clone().into_bytes()).await?,
                None => self.files().remove(&path).await?,
            }
        }
        let entry = event.content.as_ref().map(|content| Published {
            hash: content.hash(),
            len: content.as_bytes().len() as u64,
            // Whether the file here has this content is found by reading it.
            stamp: String::new(),
            readers: published.map(|file| file.readers.clone()).unwrap_or_default(),
            time: event.timestamp,
        });
        datasite.note(event.path.clone(), entry, event.timestamp);
        Ok(())
    }

    /// The machine that wrote `followed` sent it to those who may read it, and after a change of
    /// permissions all that became readable.
    async fn renew_readers(
        &self,
        datasite: &mut Datasite,
        peers: &[Email],
        followed: &[Event],
    ) -> Result<(), ManagerError> {
        let folder = Self::datasite_folder(self.email())?;
        let local = datasite::local_files(self.files(), &folder).await?;
        let permissions = datasite::permissions(self.files(), &folder, &local).await?;
        let all = followed.iter().any(|event| event.path.file_name() == PERMISSION_FILE);
        let paths: Vec<DatasitePath> = if all {
            datasite.files.keys().cloned().collect()
        } else {
            followed.iter().map(|event| event.path.clone()).collect()
        };
        for path in paths {
            if let Some(published) = datasite.files.get_mut(&path) {
                published.readers.extend(readers(&permissions, self.email(), peers, &path));
            }
        }
        Ok(())
    }
}

/// Writes a file, also where a folder is left that has no file in it any more.
pub(super) async fn put(
    files: &dyn FileStore,
    path: &DatasitePath,
    content: bytes::Bytes,
) -> Result<(), FileError> {
    match files.write(path, content.clone()).await {
        Err(error) if matches!(error.kind, FileErrorKind::IsFolder) => {
            if !tree::walk(files, Some(path), |_| true).await?.is_empty() {
                return Err(error);
            }
            files.remove(path).await?;
            files.write(path, content).await
        }
        written => written,
    }
}
