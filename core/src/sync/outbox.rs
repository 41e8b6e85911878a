//! An owner merges what it wrote to a peer's outbox once that is many messages (wire section 4), so
//! that whoever comes to it late reads few.
//!
//! A merged message holds the latest event of each path, and has the time of the last message in it.
//! So a peer that applied some of those messages takes the merged one for newer, one that applied
//! all of them doesn't, and what it does is the same in both cases. Only messages that follow each
//! other are merged: an older event never comes behind a newer one of another message.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
};

use bytes::Bytes;
use futures_util::StreamExt;

use super::{
    SyncReport,
    journal::{Journal, Posting},
    messages,
};
use crate::{
    domain::{DatasitePath, Timestamp},
    drive::{DriveFile, FileId},
    manager::{ManagerError, SyftboxManager},
    platform::uuid,
    wire::{
        Event, EventsMessage, PayloadError, encode,
        names::{MessageKind, MessageName},
    },
};

/// So many messages in a row are merged.
const MERGED_AT: usize = 20;
/// A message of more bytes on Drive stays as it is: downloading it again and again costs more than
/// it saves.
const MAX_SOURCE_BYTES: u64 = 1024 * 1024;
/// A merged message is closed when its contents have so many bytes together.
const MAX_MERGED_BYTES: u64 = 16 * 1024 * 1024;

/// A merged message as it grows.
#[derive(Default)]
struct Merged {
    /// The messages in it.
    sources: Vec<FileId>,
    /// The time of the last of them.
    time: Option<Timestamp>,
    latest: BTreeMap<DatasitePath, Event>,
    bytes: u64,
}

impl Merged {
    fn add(&mut self, source: FileId, time: Timestamp, events: Vec<Event>) {
        self.sources.push(source);
        self.time = self.time.max(Some(time));
        for event in events {
            self.bytes += content_bytes(&event);
            // The later message counts, as for whoever applies them one by one; but what came late
            // (an event has its own time) is no news.
            let is_old = |held: &Event| held.timestamp > event.timestamp;
            if self.latest.get(&event.path).is_some_and(is_old) {
                self.bytes -= content_bytes(&event);
            } else if let Some(old) = self.latest.insert(event.path.clone(), event) {
                self.bytes -= content_bytes(&old);
            }
        }
    }

    /// The events, in the order in which they happened.
    fn into_events(self) -> Vec<Event> {
        let mut events: Vec<Event> = self.latest.into_values().collect();
        events.sort_by_key(|event| event.timestamp);
        events
    }
}

fn content_bytes(event: &Event) -> u64 {
    event.content.as_ref().map_or(0, |content| content.as_bytes().len() as u64)
}

/// The longest runs of small messages that are worth merging; `all` are in order.
fn runs(all: &[DriveFile]) -> Vec<Vec<DriveFile>> {
    let is_small = |file: &DriveFile| file.size.is_some_and(|size| size <= MAX_SOURCE_BYTES);
    let runs = all.split(|file| !is_small(file)).filter(|run| run.len() >= MERGED_AT);
    runs.map(<[DriveFile]>::to_vec).collect()
}

impl SyftboxManager {
    /// Merges the messages of ours in each of `outboxes`, where they became many. Only messages that
    /// we own are touched: nobody else's file could be deleted by us.
    pub(super) async fn merge_outboxes(
        &mut self,
        outboxes: &BTreeSet<FileId>,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        if self.sealing().await?.is_on() {
            // They are sealed for the peer, and nobody else opens them.
            return Ok(());
        }
        for outbox in outboxes {
            let ours = self.catalog.children(outbox).filter(|file| file.owned_by_me);
            for run in runs(&messages::in_order(ours)) {
                self.merge(outbox, run, report).await?;
            }
        }
        Ok(())
    }

    async fn merge(
        &mut self,
        outbox: &FileId,
        run: Vec<DriveFile>,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let (drive, sealing, me) = (self.drive.clone(), self.sealing().await?, self.email().clone());
        let mut read = pin!(messages::read(&drive, &sealing, &me, run));
        let mut merged = Merged::default();
        while let Some(message) = read.next().await {
            let (file, message) = message?;
            let name = MessageName::parse(MessageKind::Events, &file.name);
            // What we can't read (it may be sealed for the peer) stays where it is in the order.
            let (Ok(message), Ok(name)) = (message, name) else { break };
            let events = message.events.accepted;
            let bytes: u64 = events.iter().map(content_bytes).sum();
            if merged.bytes + bytes > MAX_MERGED_BYTES {
                self.post_merged(outbox, std::mem::take(&mut merged), report).await?;
            }
            merged.add(file.id, name.timestamp, events);
        }
        self.post_merged(outbox, merged, report).await
    }

    /// Writes a merged message, and only then deletes those that are in it.
    async fn post_merged(
        &mut self,
        outbox: &FileId,
        merged: Merged,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let (Some(timestamp), 2..) = (merged.time, merged.sources.len()) else { return Ok(()) };
        let replaced = merged.sources.clone();
        let name = MessageName { timestamp, uuid: uuid(self.platform.random.as_ref()) };
        let message = EventsMessage { events: merged.into_events().into(), message_filepath: name };
        let payload = match encode(&message) {
            Ok(payload) => Bytes::from(payload),
            // Text can become longer in JSON than its bytes are: then the messages stay as they are.
            Err(PayloadError::TooLarge) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        drop(message);
        let id = self.new_id().await?;
        let journal = Journal::new(&self.platform, &self.state);
        let upload =
            journal.plan_upload(id, name.file_name(MessageKind::Events), outbox.clone(), payload).await?;
        report.messages_merged += replaced.len();
        let posting = Posting { uploads: vec![upload], replaced, ..Posting::default() };
        let record = journal.record(self.now(), &posting).await?;
        self.carry_out(&record, posting, report).await
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::wire::{FileContent, ProposedChange};

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_seconds(f64::from(seconds)).unwrap()
    }

    fn event(path: &str, content: Option<&str>, time: u32) -> Event {
        let (me, path) = ("do@x.org".parse().unwrap(), path.parse().unwrap());
        let change = ProposedChange::new(Uuid::nil(), me, path, content.map(Into::into), None, at(time));
        Event::from_change(change, at(time))
    }

    fn message(id: usize, size: u64) -> DriveFile {
        let json = serde_json::json!({"id": format!("m{id}"), "name": "n", "size": size.to_string()});
        DriveFile::from_json(json).unwrap()
    }

    #[test]
    fn keeps_the_latest_event_of_each_path() {
        let mut merged = Merged::default();
        let id = |n: usize| format!("m{n}").parse::<FileId>().unwrap();
        merged.add(id(1), at(1), vec![event("a", Some("1"), 1), event("b", Some("22"), 1)]);
        merged.add(id(2), at(2), vec![event("a", None, 2), event("c", Some("333"), 2)]);
        // Sent again to a peer that may newly read it: an old event in a new message.
        merged.add(id(3), at(3), vec![event("c", Some("old"), 1), event("d", Some("d"), 1)]);
        assert_eq!((merged.bytes, merged.time), (6, Some(at(3))));
        let events = merged.into_events();
        let left: Vec<_> = events
            .iter()
            .map(|event| (event.path.as_str(), event.content.as_ref().map(FileContent::as_bytes)))
            .collect();
        assert_eq!(left, [("b", Some(&b"22"[..])), ("d", Some(b"d")), ("a", None), ("c", Some(b"333"))]);
    }

    #[test]
    fn only_messages_in_a_row_are_merged() {
        let sizes = |sizes: &[u64]| {
            let all: Vec<_> = sizes.iter().enumerate().map(|(n, size)| message(n, *size)).collect();
            runs(&all).iter().map(Vec::len).collect::<Vec<_>>()
        };
        let large = MAX_SOURCE_BYTES + 1;
        assert_eq!(sizes(&[1; 19]), [0_usize; 0]);
        assert_eq!(sizes(&[1; 20]), [20]);
        let parts = [&[1; 19][..], &[large], &[1; 25], &[large, large], &[1; 20]].concat();
        assert_eq!(sizes(&parts), [25, 20]);
    }
}
