//! A new machine of an owner restores the datasite from its event log (wire section 6).

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
};

use futures_util::StreamExt;

use super::{SyncReport, messages, publish::readers};
use crate::{
    datasite::{self, Datasite, Published},
    domain::{DatasitePath, Email},
    manager::{ManagerError, SyftboxManager},
    state::Document,
    wire::{Event, is_syncable, names::EventLogFolderName},
};

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
        let latest = self.replay_event_log(report).await?;
        let mut datasite = Datasite::default();
        let folder = Self::datasite_folder(self.email())?;
        for (path, event) in latest {
            datasite.last_event = datasite.last_event.max(Some(event.timestamp));
            let Some(content) = event.content else { continue };
            let local = datasite::in_folder(&folder, &path)?;
            let hash = content.hash();
            if self.files().stat(&local).await?.is_none() {
                self.files().write(&local, content.into_bytes()).await?;
                report.files_restored += 1;
            }
            if let Some(stat) = self.files().stat(&local).await? {
                // The stamp of a file that was here says nothing of this content, so it is left out.
                let published =
                    Published { hash, len: stat.len, stamp: String::new(), readers: BTreeSet::new() };
                datasite.files.insert(path, published);
            }
        }
        self.assume_readers_have_all(&mut datasite, &folder, peers).await?;
        Ok(self.state.save(Document::Datasite, &datasite).await?)
    }

    /// The latest event of each path in our event log.
    async fn replay_event_log(
        &mut self,
        report: &mut SyncReport,
    ) -> Result<BTreeMap<DatasitePath, Event>, ManagerError> {
        let me = self.email().clone();
        let name = EventLogFolderName { version: self.generation().version(), datasite: me.clone() };
        let root = self.root()?;
        let Some(log) = self.catalog.child(&root, &name.to_string()).map(|folder| folder.id.clone()) else {
            return Ok(BTreeMap::new());
        };
        self.catalog.ensure_listed(&self.drive, [log.clone()]).await?;
        let logged = messages::in_order(self.catalog.children(&log).filter(|file| file.owned_by_me));
        self.catalog.forget_children(&log);
        let mut read = pin!(messages::read(&self.drive, logged));
        let mut latest: BTreeMap<DatasitePath, Event> = BTreeMap::new();
        while let Some(message) = read.next().await {
            let (file, message) = message?;
            match message {
                Ok(message) => {
                    let ours = |event: &Event| event.datasite == me && is_syncable(&event.path);
                    for event in message.events.accepted.into_iter().filter(ours) {
                        latest.insert(event.path.clone(), event);
                    }
                }
                Err(why) => report.refuse(&me, &file.name, why),
            }
        }
        Ok(latest)
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
        datasite.served = peers.iter().cloned().collect();
        Ok(())
    }
}
