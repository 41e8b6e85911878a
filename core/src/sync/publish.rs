//! An owner publishes: everything that differs from what was published becomes events, in the event
//! log and in the outbox of each peer that may read it (wire section 4).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    SyncReport,
    journal::{Journal, PlannedMove, Posting, PublishedFiles},
};
use crate::{
    datasite::{self, Datasite, LocalChange, Published},
    domain::{DatasitePath, Email, Timestamp},
    drive::FileId,
    encryption::MessageError,
    manager::{ManagerError, SyftboxManager},
    permissions::{Level, PERMISSION_FILE, Permissions},
    platform::{FileStat, uuid},
    state::Document,
    wire::{
        Event, EventsMessage, FileContent, ProposedChange,
        names::{EventLogFolderName, MessageKind, MessageName},
    },
};

/// A file larger than this doesn't fit into a message that peers accept: base64 makes it a third
/// larger, and a message may expand to 64 MiB.
pub(crate) const MAX_FILE_BYTES: u64 = 40 * 1024 * 1024;
/// A message is closed when its files have this many bytes together, so that memory stays bounded.
const MESSAGE_BYTES: u64 = 16 * 1024 * 1024;
/// What an event counts beside its content, as JSON of about that length.
const EVENT_BYTES: u64 = 1024;
/// Between two messages of one sync: a float of today's times tells them apart.
pub(super) const TICK: std::time::Duration = std::time::Duration::from_micros(10);

/// A file on its way to peers.
struct Outgoing {
    change: LocalChange,
    /// It is new in the event log; else it is only sent again, to peers that may newly read it.
    logged: bool,
    recipients: BTreeSet<Email>,
}

/// Who may read `path` now.
pub(super) fn readers(
    permissions: &Permissions,
    owner: &Email,
    peers: &[Email],
    path: &DatasitePath,
) -> BTreeSet<Email> {
    peers.iter().filter(|peer| datasite::may(permissions, peer, owner, path, Level::Read)).cloned().collect()
}

/// Decides what goes to whom: changed files to all that may read them, deletions to those that
/// have the file, unchanged files to those that may newly read them. Pure. `outboxes` are those of
/// the peers that can be sent something.
fn route(
    datasite: &Datasite,
    changes: Vec<LocalChange>,
    local: &[(DatasitePath, FileStat)],
    permissions: &Permissions,
    owner: &Email,
    outboxes: &BTreeMap<Email, FileId>,
) -> Vec<Outgoing> {
    let peers: Vec<Email> = outboxes.keys().cloned().collect();
    let peers = peers.as_slice();
    let unserved: BTreeSet<&Email> = outboxes
        .iter()
        .filter(|(peer, outbox)| datasite.served.get(*peer) != Some(*outbox))
        .map(|(peer, _)| peer)
        .collect();
    let access_changed =
        changes.iter().any(|change| change.path.file_name() == PERMISSION_FILE) || !unserved.is_empty();
    let covered: BTreeSet<DatasitePath> = changes.iter().map(|change| change.path.clone()).collect();
    let mut outgoing: Vec<Outgoing> = changes
        .into_iter()
        .map(|change| {
            let recipients = match (&change.new, datasite.files.get(&change.path)) {
                (None, Some(published)) => published.readers.clone(),
                _ => readers(permissions, owner, peers, &change.path),
            };
            Outgoing { change, logged: true, recipients }
        })
        .collect();
    if access_changed {
        for (path, stat) in local.iter().filter(|(path, _)| !covered.contains(path)) {
            let Some(published) = datasite.files.get(path) else { continue };
            let mut recipients = readers(permissions, owner, peers, path);
            recipients.retain(|peer| unserved.contains(peer) || !published.readers.contains(peer));
            if !recipients.is_empty() {
                let change = LocalChange { path: path.clone(), new: Some((published.hash, stat.clone())) };
                outgoing.push(Outgoing { change, logged: false, recipients });
            }
        }
    }
    outgoing
}

impl SyftboxManager {
    /// Publishes what differs and archives the messages that led to it. Gives the outboxes that
    /// were written to.
    pub(super) async fn publish(
        &mut self,
        peers: &[Email],
        archive: Vec<PlannedMove>,
        report: &mut SyncReport,
    ) -> Result<BTreeSet<FileId>, ManagerError> {
        let me = self.email().clone();
        let folder = Self::datasite_folder(&me)?;
        let local = datasite::local_files(self.files(), &folder).await?;
        let permissions = datasite::permissions(self.files(), &folder, &local).await?;
        for (below, error) in permissions.unreadable() {
            report.refuse(&me, format!("{PERMISSION_FILE} of {below:?}"), error);
        }
        let mut datasite = self.load_datasite().await?;
        // Who is passed over now is sent all it may read when it is back.
        let served_before = datasite.served.len();
        datasite.served.retain(|peer, _| peers.contains(peer));
        if datasite.served.len() < served_before {
            self.state.save(Document::Datasite, &datasite).await?;
        }
        let changes = datasite.differences(self.files(), &folder, &local).await?;
        let served = self.outboxes_of(peers);
        let mut outgoing = route(&datasite, changes, &local, &permissions, &me, &served);
        outgoing.retain(|file| match &file.change.new {
            Some((_, stat)) if stat.len > MAX_FILE_BYTES => {
                let why = format!("it has {} bytes, and {MAX_FILE_BYTES} can be synced at most", stat.len);
                report.refuse(&me, &file.change.path, why);
                false
            }
            _ => true,
        });
        let all_served = served.iter().all(|(peer, outbox)| datasite.served.get(peer) == Some(outbox));
        if outgoing.is_empty() && archive.is_empty() && all_served {
            // Stamps may have been renewed.
            self.state.save(Document::Datasite, &datasite).await?;
            return Ok(BTreeSet::new());
        }
        let mut written = BTreeSet::new();
        let mut archive = Some(archive);
        let mut messages = split(outgoing).into_iter().peekable();
        loop {
            let files = messages.next().unwrap_or_default();
            let last = messages.peek().is_none();
            let archive = if last { archive.take().unwrap_or_default() } else { Vec::new() };
            let served = if last { served.clone() } else { BTreeMap::new() };
            written.extend(self.publish_message(&datasite, &folder, files, archive, served, report).await?);
            if last {
                break;
            }
            datasite = self.load_datasite().await?;
        }
        Ok(written)
    }

    /// Publishes one message's worth of files. Gives the outboxes that it went to.
    async fn publish_message(
        &mut self,
        datasite: &Datasite,
        folder: &DatasitePath,
        files: Vec<Outgoing>,
        archive: Vec<PlannedMove>,
        served: BTreeMap<Email, FileId>,
        report: &mut SyncReport,
    ) -> Result<BTreeSet<FileId>, ManagerError> {
        let time = match datasite.last_event {
            Some(last) => self.now().max(last.after(TICK)),
            None => self.now(),
        };
        let mut published = PublishedFiles { served, last_event: Some(time), ..PublishedFiles::default() };
        let mut log = Vec::new();
        let mut outboxes: BTreeMap<Email, Vec<Event>> = BTreeMap::new();
        for file in files {
            let Some((event, entry)) = self.event_of(datasite, folder, &file, time).await? else { continue };
            published.files.insert(file.change.path.clone(), entry);
            for peer in &file.recipients {
                outboxes.entry(peer.clone()).or_default().push(event.clone());
            }
            if file.logged {
                log.push(event);
            }
        }
        report.events_published += log.len();
        let logged = !log.is_empty();
        let log_name =
            EventLogFolderName { version: self.generation().version(), datasite: self.email().clone() };
        let destinations = self.destinations(log, outboxes, report).await?;
        let mut written: BTreeSet<FileId> = destinations.iter().map(|(folder, ..)| folder.clone()).collect();
        let mut uploads = Vec::new();
        let ids = self.ids.take(destinations.len(), &self.drive, &self.state).await?;
        let sealing = self.sealing().await?;
        for (id, (parent, recipient, events)) in ids.into_iter().zip(destinations) {
            let name = MessageName { timestamp: time, uuid: uuid(self.platform.random.as_ref()) };
            let message = EventsMessage { events: events.into(), message_filepath: name };
            let payload = match sealing.write(&message, &recipient) {
                Ok(payload) => payload,
                // A peer whose keys we can't use any more still has the files that are deleted now.
                Err(MessageError::Encryption(why)) if recipient != *self.email() => {
                    report.refuse(&recipient, "events for it", why);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let journal = Journal::new(&self.platform, &self.state);
            uploads
                .push(journal.plan_upload(id, name.file_name(MessageKind::Events), parent, payload).await?);
        }
        let mut log = None;
        if let (true, Some(first)) = (logged, uploads.first_mut()) {
            log = Some(first.id.clone());
            first.own_folder = Some(log_name.to_string());
            written.remove(&first.parent);
        }
        let posting = Posting { published, uploads, log, archive, ..Posting::default() };
        let record = Journal::new(&self.platform, &self.state).record(time, &posting).await?;
        self.carry_out(&record, posting, report).await?;
        Ok(written)
    }

    /// The event of one file, and what is remembered of the file when it is published; `None` when
    /// the file changed again meanwhile, so that the next sync publishes it.
    async fn event_of(
        &self,
        datasite: &Datasite,
        folder: &DatasitePath,
        file: &Outgoing,
        time: Timestamp,
    ) -> Result<Option<(Event, Option<Published>)>, ManagerError> {
        let known = datasite.files.get(&file.change.path);
        // What is sent again is no newer than it was.
        let time = known.filter(|_| !file.logged).map_or(time, |known| known.time);
        let content = match &file.change.new {
            None => None,
            Some((hash, stat)) => {
                let path = datasite::in_folder(folder, &file.change.path)?;
                let Ok(bytes) = self.files().read(&path, MAX_FILE_BYTES).await else { return Ok(None) };
                let content = FileContent::from_bytes(bytes);
                if content.hash() != *hash {
                    return Ok(None);
                }
                Some((content, stat))
            }
        };
        let entry = content.as_ref().map(|(content, stat)| {
            let mut readers = file.recipients.clone();
            if !file.logged {
                readers.extend(known.into_iter().flat_map(|known| known.readers.iter().cloned()));
            }
            Published { hash: content.hash(), len: stat.len, stamp: stat.stamp.clone(), readers, time }
        });
        let change = ProposedChange::new(
            uuid(self.platform.random.as_ref()),
            self.email().clone(),
            file.change.path.clone(),
            content.map(|(content, _)| content),
            known.filter(|_| file.logged).map(|known| known.hash),
            time,
        );
        Ok(Some((Event::from_change(change, time), entry)))
    }

    /// The outboxes of those of `peers` that made one for us.
    pub(super) fn outboxes_of(&self, peers: &[Email]) -> BTreeMap<Email, FileId> {
        peers.iter().filter_map(|peer| Some((peer.clone(), self.outbox_of(peer)?))).collect()
    }

    /// Where the events of a message go: the event log first, if at all, and the outbox that each recipient made.
    async fn destinations(
        &mut self,
        log: Vec<Event>,
        outboxes: BTreeMap<Email, Vec<Event>>,
        report: &mut SyncReport,
    ) -> Result<Vec<(FileId, Email, Vec<Event>)>, ManagerError> {
        let me = self.email().clone();
        let mut destinations = Vec::new();
        if !log.is_empty() {
            destinations.push((self.event_log_folder().await?, me.clone(), log));
        }
        for (peer, events) in outboxes {
            match self.outbox_of(&peer) {
                Some(outbox) => destinations.push((outbox, peer, events)),
                None => {
                    report.refuse(&peer, "its outbox", "it has none for us; ask the peer to add you again");
                }
            }
        }
        Ok(destinations)
    }
}

/// Messages of bounded size.
fn split(outgoing: Vec<Outgoing>) -> Vec<Vec<Outgoing>> {
    let mut messages: Vec<Vec<Outgoing>> = Vec::new();
    let mut bytes = 0;
    for file in outgoing {
        let len = EVENT_BYTES + file.change.new.as_ref().map_or(0, |(_, stat)| stat.len);
        match messages.last_mut() {
            Some(message) if bytes + len <= MESSAGE_BYTES => message.push(file),
            _ => {
                messages.push(vec![file]);
                bytes = 0;
            }
        }
        bytes += len;
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::ContentHash,
        permissions::{Access, Pattern, PermissionFile},
        platform::FileKind,
    };

    fn email(name: &str) -> Email {
        format!("{name}@x.org").parse().unwrap()
    }

    fn stat(len: u64) -> FileStat {
        FileStat { kind: FileKind::File, len, stamp: "1".to_owned() }
    }

    fn put(path: &str, len: u64) -> LocalChange {
        LocalChange { path: path.parse().unwrap(), new: Some((ContentHash::of(b""), stat(len))) }
    }

    fn published(readers: &[&str]) -> Published {
        let readers = readers.iter().map(|name| email(name)).collect();
        Published {
            hash: ContentHash::of(b""),
            len: 1,
            stamp: "1".to_owned(),
            readers,
            time: Timestamp::EPOCH,
        }
    }

    /// `a` reads below `a/`, `b` reads all but that.
    fn rules() -> Permissions {
        let mut permissions = Permissions::default();
        let read = |name| PermissionFile::single(Pattern::everything(), Access::read([&email(name)]));
        permissions.insert(None, read("b"));
        permissions.insert(Some(&"a".parse().unwrap()), read("a"));
        permissions
    }

    fn outboxes() -> BTreeMap<Email, FileId> {
        ["a", "b"].map(|name| (email(name), format!("outbox-{name}").parse().unwrap())).into()
    }

    fn routed(
        datasite: &Datasite,
        changes: Vec<LocalChange>,
        local: &[&str],
    ) -> Vec<(String, bool, Vec<String>)> {
        let local: Vec<_> = local.iter().map(|path| (path.parse().unwrap(), stat(1))).collect();
        route(datasite, changes, &local, &rules(), &email("do"), &outboxes())
            .into_iter()
            .map(|file| {
                let recipients = file.recipients.iter().map(Email::to_string).collect();
                (file.change.path.to_string(), file.logged, recipients)
            })
            .collect()
    }

    fn served(files: &[(&str, &[&str])]) -> Datasite {
        let files = files.iter().map(|(path, readers)| (path.parse().unwrap(), published(readers))).collect();
        Datasite { files, served: outboxes(), ..Datasite::default() }
    }

    #[test]
    fn changes_go_to_those_who_may_read_them() {
        let changes = vec![put("a/1", 1), put("2", 1)];
        let expected = [("a/1", true, "a@x.org"), ("2", true, "b@x.org")];
        let expected = expected.map(|(path, logged, peer)| (path.to_owned(), logged, vec![peer.to_owned()]));
        assert_eq!(routed(&served(&[]), changes, &["a/1", "2"]), expected);
    }

    #[test]
    fn a_deletion_goes_to_those_that_have_the_file() {
        let gone = LocalChange { path: "2".parse().unwrap(), new: None };
        let expected = vec![("2".to_owned(), true, vec!["a@x.org".to_owned()])];
        assert_eq!(routed(&served(&[("2", &["a"])]), vec![gone], &[]), expected);
    }

    #[test]
    fn what_became_readable_is_sent_again_and_not_logged_again() {
        let datasite = served(&[("a/1", &[]), ("2", &["b"])]);
        assert_eq!(routed(&datasite, Vec::new(), &["a/1", "2"]), [], "no permission changed");
        let changes = vec![put("a/syft.pub.yaml", 1)];
        let sent = routed(&datasite, changes.clone(), &["a/1", "a/syft.pub.yaml", "2"]);
        let again = ("a/1".to_owned(), false, vec!["a@x.org".to_owned()]);
        assert_eq!(sent, [("a/syft.pub.yaml".to_owned(), true, Vec::new()), again.clone()]);
        let mut new_peer = datasite;
        new_peer.served.remove(&email("a"));
        assert_eq!(routed(&new_peer, Vec::new(), &["a/1", "2"]), [again]);
    }

    #[test]
    fn a_new_outbox_gets_all_that_the_old_one_had() {
        let mut datasite = served(&[("a/1", &["a"]), ("2", &["a", "b"]), ("3", &["b"])]);
        datasite.served.insert(email("b"), "older".parse().unwrap());
        let gone = LocalChange { path: "2".parse().unwrap(), new: None };
        let both = vec!["a@x.org".to_owned(), "b@x.org".to_owned()];
        let expected = [("2".to_owned(), true, both), ("3".to_owned(), false, vec!["b@x.org".to_owned()])];
        assert_eq!(routed(&datasite, vec![gone], &["a/1", "3"]), expected);
    }

    #[test]
    fn messages_are_bounded() {
        let outgoing = |len| Outgoing { change: put("f", len), logged: true, recipients: BTreeSet::new() };
        let sizes = [MESSAGE_BYTES, 1, 1, MESSAGE_BYTES + 5, 1];
        let messages = split(sizes.into_iter().map(outgoing).collect());
        assert_eq!(messages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 1, 1]);
        assert!(split(Vec::new()).is_empty());
    }
}
