//! A scientist follows datasites: events from the outboxes that their owners fill (wire section 4).

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
};

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{PARALLEL_WRITES, SyncReport, collections::FetchedCollection, messages};
use crate::{
    datasite,
    domain::{ContentHash, DatasitePath, Email, Timestamp},
    drive::{DriveFile, FileId},
    encryption::Sealing,
    manager::{ManagerError, SyftboxManager},
    state::Document,
    wire::{Event, EventsMessage, dataset::DatasetName, is_syncable, names::BoxKind},
};

/// What was taken over of the datasites of others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Followed {
    /// By owner.
    pub datasites: BTreeMap<Email, FollowedDatasite>,
}

/// What was taken over of one datasite.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FollowedDatasite {
    /// The messages in the outbox that were applied.
    applied: BTreeSet<FileId>,
    /// When each file last changed, so that an older event that comes late changes nothing.
    changed: BTreeMap<DatasitePath, Timestamp>,
    /// The collections whose files are here.
    pub(super) collections: BTreeMap<DatasetName, FetchedCollection>,
    /// What was in the collections whose content isn't what their names say, so that it isn't
    /// downloaded again as long as it is the same.
    #[serde(default)]
    pub(super) refused: BTreeMap<DatasetName, ContentHash>,
}

impl SyftboxManager {
    /// Applies the new events of all `owners` to our copies of their datasites.
    pub(super) async fn follow(
        &mut self,
        owners: &[Email],
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let sealing = self.sealing().await?;
        let mut followed = self.load_followed().await?;
        for owner in owners {
            let me = self.email().clone();
            let Some(outbox) = self.pair_folder_id(&me, owner, BoxKind::Outbox, &me) else { continue };
            let datasite = followed.datasites.entry(owner.clone()).or_default();
            let there: BTreeSet<FileId> =
                self.catalog.children(&outbox).map(|file| file.id.clone()).collect();
            datasite.applied.retain(|id| there.contains(id));
            let new = self.new_messages(&outbox, owner, datasite);
            if !new.is_empty() {
                self.apply_messages(&sealing, owner, new, datasite, report).await?;
            }
        }
        Ok(self.state.save(Document::Followed, &followed).await?)
    }

    pub(super) async fn load_followed(&self) -> Result<Followed, ManagerError> {
        Ok(self.state.load(Document::Followed).await?.unwrap_or_default())
    }

    /// The messages that weren't applied, by ascending time. Only those that the owner itself wrote
    /// count: a writer of the folder could add others.
    fn new_messages(&self, outbox: &FileId, owner: &Email, datasite: &FollowedDatasite) -> Vec<DriveFile> {
        messages::in_order(
            self.catalog
                .children(outbox)
                .filter(|file| file.owner.as_ref() == Some(owner) && !datasite.applied.contains(&file.id)),
        )
    }

    async fn apply_messages(
        &self,
        sealing: &Sealing,
        owner: &Email,
        new: Vec<DriveFile>,
        datasite: &mut FollowedDatasite,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let mut read = pin!(messages::read(&self.drive, sealing, owner, new));
        while let Some(message) = read.next().await {
            let (file, message) = message?;
            match message {
                Ok(message) => self.apply_message(owner, message, datasite, report).await?,
                Err(why) => {
                    let may_pass = why.may_pass();
                    report.refuse(owner, &file.name, why);
                    if may_pass {
                        continue;
                    }
                }
            }
            datasite.applied.insert(file.id);
        }
        Ok(())
    }

    async fn apply_message(
        &self,
        owner: &Email,
        message: EventsMessage,
        datasite: &mut FollowedDatasite,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        for refused in &message.events.refused {
            report.refuse(owner, refused.path.as_deref().unwrap_or("an event"), &refused.reason);
        }
        let mut newest: BTreeMap<DatasitePath, Event> = BTreeMap::new();
        for event in message.events.accepted {
            let last = newest.get(&event.path).map(|other| other.timestamp);
            let last = last.max(datasite.changed.get(&event.path).copied());
            if event.datasite != *owner {
                report.refuse(owner, &event.path, format!("it is of the datasite of {}", event.datasite));
            } else if !is_syncable(&event.path) {
                report.refuse(owner, &event.path, "files of that kind are never synced");
            } else if last.is_none_or(|last| last < event.timestamp) {
                newest.insert(event.path.clone(), event);
            }
        }
        // Deletions first: a folder may take the place of a file.
        let (written, deleted): (Vec<_>, Vec<_>) =
            newest.into_values().partition(|event| event.content.is_some());
        let folder = &Self::datasite_folder(owner)?;
        for events in [deleted, written] {
            let mut applying = stream::iter(events)
                .map(|event| async move {
                    let (path, time) = (event.path.clone(), event.timestamp);
                    (path, time, self.apply_event(folder, event).await)
                })
                .buffer_unordered(PARALLEL_WRITES);
            while let Some((path, time, applied)) = applying.next().await {
                match applied {
                    Ok(()) => report.events_applied += 1,
                    Err(error) => report.refuse(owner, &path, error.kind),
                }
                datasite.changed.insert(path, time);
            }
        }
        Ok(())
    }

    async fn apply_event(
        &self,
        folder: &DatasitePath,
        event: Event,
    ) -> Result<(), crate::platform::FileError> {
        let local = datasite::in_folder(folder, &event.path)?;
        match event.content {
            Some(content) => self.files().write(&local, content.into_bytes()).await,
            None => self.files().remove(&local).await,
        }
    }
}
