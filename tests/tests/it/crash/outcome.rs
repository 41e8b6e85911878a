//! What there is at the end of a story: on both machines and on the Drive.

use std::{collections::BTreeMap, fs, path::Path};

use syftbox_core::{
    domain::{ContentHash, Timestamp},
    drive::{Drive, DriveFile, Query},
    wire::{
        EventsMessage, MAX_EXPANDED, decode,
        names::{CheckpointName, CollectionFolderName, MessageKind, MessageName},
    },
};
use syftbox_tests::{OWNER, SCIENTIST};

use super::{
    fate::{Fate, Mishap},
    world::{Who, World},
};

/// All that counts at the end. Times, ids and what depends on them are left out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The files of the owner's machine, by path.
    owner: BTreeMap<String, String>,
    /// Those of the scientist's.
    scientist: BTreeMap<String, String>,
    /// The folders on Drive and the files in them that aren't events, by account.
    drive: Vec<String>,
    /// How often each file changed, as the event log tells it.
    events: BTreeMap<String, usize>,
    /// The jobs that ran.
    runs: Vec<String>,
}

impl Outcome {
    /// Looks at everything, and checks that it makes sense in itself.
    pub(crate) fn of(world: &World) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut drive = Vec::new();
        let mut events = BTreeMap::new();
        for who in [Who::Owner, Who::Scientist] {
            let platform = world.platform(who, &Fate::new(Mishap::None));
            let tokens = World::tokens(who, &platform);
            let client = Drive::new(&platform, &"http://drive.test/".parse().unwrap(), tokens);
            let files = runtime.block_on(client.list(&Query::new())).unwrap();
            let ours = files.iter().filter(|file| file.owned_by_me && !is_event(file));
            drive.extend(ours.map(|file| format!("{}: {}", who.email(), place(file, &files))));
            if who == Who::Owner {
                let log: Vec<_> = files
                    .iter()
                    .filter(|file| {
                        file.owned_by_me && is_event(file) && place(file, &files).contains("0.10.0#")
                    })
                    .filter(|file| !place(file, &files).contains("outbox"))
                    .cloned()
                    .collect();
                events = runtime.block_on(event_log(&client, log, &world.home(who).join(OWNER)));
            }
        }
        drive.sort();
        let (owner, scientist) = (tree(&world.home(Who::Owner)), tree(&world.home(Who::Scientist)));
        for (path, _) in owner.iter().chain(&scientist) {
            let is_left_over =
                ["/journal/", "/staged/", "/incoming/", "/creating/"].iter().any(|part| path.contains(part));
            assert!(!is_left_over, "{path} was left over");
        }
        let known = |files: BTreeMap<String, String>| {
            files.into_iter().filter(|(path, _)| !path.starts_with('.')).collect()
        };
        Self { owner: known(owner), scientist: known(scientist), drive, events, runs: world.runs() }
    }

    /// Whether this is `other`, but for a job that failed with a reason because the program that
    /// ran it was killed.
    pub(crate) fn differs_by_the_failed_run(&self, other: &Self) -> bool {
        let state = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/job/state.yaml");
        let failed = self.owner.get(&state).is_some_and(|state| {
            state.contains("status: failed") && state.contains("the program that ran it ended")
        });
        failed && self.runs == other.runs && self.drive == other.drive
    }
}

fn is_event(file: &DriveFile) -> bool {
    MessageName::parse(MessageKind::Events, &file.name).is_ok()
}

/// Where a file is, with names that are the same in every story.
fn place(file: &DriveFile, all: &[DriveFile]) -> String {
    let name = if let Ok(name) = file.name.parse::<CollectionFolderName>() {
        format!("collection {} private={}", name.name, name.private)
    } else if MessageName::parse(MessageKind::Proposal, &file.name).is_ok() {
        "a proposal".to_owned()
    } else if file.name.starts_with("rolling_state_") {
        "the rolling state".to_owned()
    } else if file.name.parse::<CheckpointName>().is_ok() {
        "a checkpoint".to_owned()
    } else {
        file.name.clone()
    };
    let parent = all.iter().find(|other| file.parents.contains(&other.id));
    parent.map_or_else(|| name.clone(), |parent| format!("{}/{name}", place(parent, all)))
}

/// Reads the event log and checks it: every event follows from the one before, and the last ones are
/// the files that are there.
async fn event_log(drive: &Drive, messages: Vec<DriveFile>, datasite: &Path) -> BTreeMap<String, usize> {
    let mut events: Vec<(Timestamp, String, Option<ContentHash>, Option<ContentHash>)> = Vec::new();
    for message in messages {
        let payload = drive.download(&message.id, MAX_EXPANDED).await.unwrap();
        let message: EventsMessage = decode(&payload).unwrap();
        assert!(message.events.refused.is_empty());
        for event in message.events.accepted {
            let new = event.content.as_ref().map(syftbox_core::wire::FileContent::hash);
            events.push((event.timestamp, event.path.to_string(), event.old_hash, new));
        }
    }
    events.sort_by_key(|(time, ..)| *time);
    let mut latest: BTreeMap<String, Option<ContentHash>> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for (_, path, old, new) in events {
        let before = latest.get(&path).copied().flatten();
        assert_eq!(old, before, "an event of {path} is lost or out of order");
        assert_ne!(new, before, "an event of {path} is doubled");
        latest.insert(path.clone(), new);
        *counts.entry(path).or_insert(0) += 1;
    }
    for (path, hash) in latest {
        let there = fs::read(datasite.join(&path)).ok().map(|content| ContentHash::of(&content));
        assert_eq!(hash, there, "the last event of {path} is not the file");
    }
    counts
}

/// All files below `folder`; lines with times, ids, keys and hashes of what has times are left out, and so
/// is what isn't text.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
                continue;
            }
            let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
            if name.contains(".syftbox-tmp-") {
                continue;
            }
            let content = fs::read(entry.path()).unwrap();
            let shown = match String::from_utf8(content) {
                // Signed, with times in it.
                Ok(_) if name.ends_with("/receipt.json") => String::new(),
                Ok(text) => text
                    .split_inclusive('\n')
                    .filter(|line| {
                        !["_at:", "uid:", "submission:", "ed25519:"]
                            .iter()
                            .any(|varying| line.contains(varying))
                    })
                    .collect(),
                Err(error) => format!("{:?}", error.as_bytes()),
            };
            files.insert(name, shown);
        }
    }
    files
}
