//! Before a datasite is deleted, its peers are told that its files are gone (wire section 4).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    SyncOptions, SyncReport,
    journal::{Journal, Posting},
};
use crate::{
    datasite::Datasite,
    domain::Email,
    drive::FileId,
    encryption::MessageError,
    manager::{ManagerError, SyftboxManager},
    platform::uuid,
    state::Document,
    wire::{
        Event, EventsMessage, ProposedChange,
        names::{BoxKind, MessageKind, MessageName},
    },
};

/// Deletions in one message: a list on the wire has at most 100,000 entries.
const MESSAGE_ENTRIES: usize = 50_000;

/// The messages that told peers, so that they outlive the deletion of all else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Farewell {
    /// The messages in the outboxes of peers.
    pub messages: BTreeSet<FileId>,
    /// The peers that were told.
    pub peers: BTreeSet<Email>,
}

impl SyftboxManager {
    /// Tells every peer that the files it has of our datasite are gone; once, however often this is
    /// called until the local state is deleted.
    pub(crate) async fn say_farewell(&mut self) -> Result<Farewell, ManagerError> {
        if self.state.load::<Datasite>(Document::Datasite).await?.is_none() {
            // A new machine doesn't know what the peers have.
            self.sync_in(&SyncOptions::default(), &mut SyncReport::default()).await?;
        }
        self.carry_out_open_postings(&mut SyncReport::default()).await?;
        if let Some(said) = self.state.load::<Farewell>(Document::Farewell).await? {
            return Ok(said);
        }
        let datasite = self.load_datasite().await?;
        let now =
            datasite.last_event.map_or(self.now(), |last| self.now().max(last.after(super::publish::TICK)));
        let mut farewell = Farewell::default();
        let mut uploads = Vec::new();
        let sealing = self.sealing().await?;
        'peers: for (peer, events) in self.deletions(&datasite, now) {
            let me = self.email().clone();
            let Some(outbox) = self.pair_folder_id(&peer, &me, BoxKind::Outbox, &peer) else { continue };
            for events in events.chunks(MESSAGE_ENTRIES) {
                let name = MessageName { timestamp: now, uuid: uuid(self.platform.random.as_ref()) };
                let message = EventsMessage { events: events.to_vec().into(), message_filepath: name };
                let payload = match sealing.write(&message, &peer) {
                    Ok(payload) => payload,
                    // It can't be told, and everything goes all the same.
                    Err(MessageError::Encryption(_)) => continue 'peers,
                    Err(error) => return Err(error.into()),
                };
                let id = self.new_id().await?;
                farewell.messages.insert(id.clone());
                let journal = Journal::new(&self.platform, &self.state);
                let name = name.file_name(MessageKind::Events);
                uploads.push(journal.plan_upload(id, name, outbox.clone(), payload).await?);
            }
            farewell.peers.insert(peer);
        }
        let posting = Posting { uploads, ..Posting::default() };
        let record = Journal::new(&self.platform, &self.state).record(now, &posting).await?;
        self.state.save(Document::Farewell, &farewell).await?;
        self.carry_out(&record, posting, &mut SyncReport::default()).await?;
        Ok(farewell)
    }

    /// The deletion of every file that a peer has.
    fn deletions(&self, datasite: &Datasite, now: crate::domain::Timestamp) -> BTreeMap<Email, Vec<Event>> {
        let mut by_peer: BTreeMap<Email, Vec<Event>> = BTreeMap::new();
        for (path, published) in &datasite.files {
            let id = uuid(self.platform.random.as_ref());
            let me = self.email().clone();
            let gone = ProposedChange::new(id, me, path.clone(), None, Some(published.hash), now);
            let event = Event::from_change(gone, now);
            for peer in &published.readers {
                by_peer.entry(peer.clone()).or_default().push(event.clone());
            }
        }
        by_peer
    }
}
