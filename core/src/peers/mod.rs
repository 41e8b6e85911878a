//! Peers: who we share with, who asks to, and what each advertises (wire sections 1 and 3).

mod calls;
mod generations;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::generations::{ShownVersion, Skipped, common_generation, version_to_show};
use crate::{
    catalog::Catalog,
    domain::{Email, Generation, Version},
    drive::FileId,
    wire::{
        PeerState, PeersFile, VersionFile,
        names::{BoxKind, DatasiteFolderName},
    },
};

/// What is remembered of peers: the two files of Drive that say it, as last seen, and what they see
/// of us.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Peers {
    /// `SYFT_peers.json` of ours.
    pub file: PeersFile,
    /// The state of that file on Drive when we read or wrote it, to see that another machine of
    /// ours changed it.
    pub seen: Option<String>,
    /// What each peer advertises.
    pub versions: BTreeMap<Email, SeenVersion>,
    /// The version files of ours that each peer may read: one, unless we were interrupted while
    /// exchanging it for another. A peer that isn't here may read any.
    #[serde(default)]
    pub shown_to: BTreeMap<Email, BTreeSet<FileId>>,
    /// The ids of what is being made for peers, by what it is, so that a repetition after a crash
    /// makes nothing twice.
    #[serde(default)]
    pub planned: BTreeMap<String, FileId>,
}

/// A peer's version file as last read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeenVersion {
    /// The state of the file on Drive when we read it.
    pub seen: String,
    /// What it told.
    pub shown: ShownVersion,
    /// Whether it shows the file no more: what is on its way from it is still taken.
    #[serde(default)]
    pub gone: bool,
}

/// A peer as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// Its address.
    pub email: Email,
    /// Where the two of us stand.
    pub state: PeerState,
    /// The version it advertises; `None` when it shows us none.
    pub version: Option<Version>,
    /// Why nothing is exchanged with it, and what to do; `None` when something is, or when it has
    /// yet to accept us, or was rejected.
    pub skipped: Option<String>,
}

impl Peers {
    /// All peers and requests, by address: what `SYFT_peers.json` says, together with the inboxes
    /// that others made for our datasite, of whatever generation.
    ///
    /// A request counts by the owner of its folder, never by what its name claims, and only while
    /// the file doesn't say otherwise; our own request is accepted once the other made its pair.
    #[must_use]
    pub fn states(&self, catalog: &Catalog, me: &Email) -> BTreeMap<Email, PeerState> {
        let mut states: BTreeMap<Email, PeerState> =
            self.file.peers.iter().map(|(email, record)| (email.clone(), record.state)).collect();
        for (_, name) in pairs_for_us(catalog, me) {
            if name.kind != BoxKind::Inbox {
                continue;
            }
            let state = states.entry(name.other).or_insert(PeerState::RequestedByPeer);
            if *state == PeerState::RequestedByMe {
                *state = PeerState::Accepted;
            }
        }
        states
    }

    /// What `peer` shows of its version.
    #[must_use]
    pub fn shown_by(&self, peer: &Email) -> Option<&ShownVersion> {
        self.versions.get(peer).filter(|seen| !seen.gone).map(|seen| &seen.shown)
    }

    /// What `peer` shows of its version, or last showed.
    #[must_use]
    pub fn last_shown_by(&self, peer: &Email) -> Option<&ShownVersion> {
        self.versions.get(peer).map(|seen| &seen.shown)
    }

    /// The version file of `peer`, when it shows one that can be understood.
    #[must_use]
    pub fn version_file_of(&self, peer: &Email) -> Option<&VersionFile> {
        self.shown_by(peer)?.file()
    }

    /// The version that `peer` advertises.
    #[must_use]
    pub fn version_of(&self, peer: &Email) -> Option<Version> {
        self.version_file_of(peer).map(|file| file.version)
    }

    /// The generation in which we, who belong to `ours`, talk to `peer`.
    ///
    /// # Errors
    /// The reason to skip it.
    pub fn check_version(&self, peer: &Email, ours: Generation) -> Result<Generation, Skipped> {
        common_generation(ours, self.shown_by(peer))
    }

    /// The generation that a conversation with `peer` is in, or would be: what its version says or
    /// last said, else that of the folders it made for us (`ours` first), else `ours`.
    #[must_use]
    pub fn generation_with(
        &self,
        peer: &Email,
        catalog: &Catalog,
        me: &Email,
        ours: Generation,
    ) -> Generation {
        common_generation(ours, self.last_shown_by(peer)).unwrap_or_else(|_| {
            let made: BTreeSet<Generation> = pairs_for_us(catalog, me)
                .filter(|(_, name)| name.other == *peer)
                .filter_map(|(_, name)| Generation::of(name.version))
                .collect();
            if made.contains(&ours) { ours } else { made.last().copied().unwrap_or(ours) }
        })
    }
}

/// The inboxes and outboxes for the datasite of `me`, each made by the peer that its name says.
fn pairs_for_us<'a>(
    catalog: &'a Catalog,
    me: &'a Email,
) -> impl Iterator<Item = (&'a FileId, DatasiteFolderName)> {
    catalog.pair_folders().filter_map(move |(folder, name)| {
        let for_us = name.datasite == *me && name.other != *me && folder.owner.as_ref() == Some(&name.other);
        for_us.then_some((&folder.id, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::pair_name,
        drive::{DriveFile, FileId},
        wire::PeerRecord,
    };

    fn email(name: &str) -> Email {
        format!("{name}@x.org").parse().unwrap()
    }

    /// An inbox for the datasite of `me`, named as made by `claimed` and made by `owner`.
    fn inbox(id: &str, claimed: &str, owner: &str) -> DriveFile {
        inbox_of(Generation::V0_10, id, claimed, owner)
    }

    fn inbox_of(generation: Generation, id: &str, claimed: &str, owner: &str) -> DriveFile {
        let name = pair_name(generation, &email("me"), BoxKind::Inbox, &email(claimed));
        let id: FileId = id.parse().unwrap();
        let json = serde_json::json!({
            "id": id, "name": name.to_string(), "mimeType": "application/vnd.google-apps.folder",
            "owners": [{"emailAddress": email(owner)}], "ownedByMe": false,
        });
        DriveFile::from_json(json).unwrap()
    }

    fn catalog(folders: Vec<DriveFile>) -> Catalog {
        let mut catalog = Catalog::default();
        for folder in folders {
            catalog.note(folder);
        }
        catalog
    }

    fn states(peers: &Peers, folders: Vec<DriveFile>) -> Vec<(String, PeerState)> {
        let states = peers.states(&catalog(folders), &email("me"));
        states.into_iter().map(|(email, state)| (email.to_string(), state)).collect()
    }

    fn with(states: &[(&str, PeerState)]) -> Peers {
        let mut peers = Peers::default();
        for (name, state) in states {
            peers.file.peers.insert(email(name), PeerRecord::new(*state));
        }
        peers
    }

    #[test]
    fn a_request_is_a_folder_of_its_own_owner() {
        let found = states(&Peers::default(), vec![inbox("1", "ds", "ds"), inbox("2", "bank", "eve")]);
        assert_eq!(found, [("ds@x.org".to_owned(), PeerState::RequestedByPeer)]);
    }

    #[test]
    fn the_file_decides_and_an_answered_request_is_accepted() {
        let known = with(&[
            ("no", PeerState::Rejected),
            ("asked", PeerState::RequestedByMe),
            ("x", PeerState::RequestedByMe),
        ]);
        let found = states(&known, vec![inbox("1", "no", "no"), inbox("2", "asked", "asked")]);
        let expected =
            [("asked", PeerState::Accepted), ("no", PeerState::Rejected), ("x", PeerState::RequestedByMe)];
        assert_eq!(found, expected.map(|(name, state)| (email(name).to_string(), state)));
    }

    #[test]
    fn requests_of_both_generations_are_one_peer() {
        let [old, new] = Generation::ALL;
        let folders = vec![
            inbox_of(old, "1", "both", "both"),
            inbox_of(new, "2", "both", "both"),
            inbox_of(old, "3", "old", "old"),
        ];
        let asked = PeerState::RequestedByPeer;
        assert_eq!(
            states(&Peers::default(), folders),
            [("both@x.org".to_owned(), asked), ("old@x.org".to_owned(), asked)]
        );
    }

    #[test]
    fn the_version_decides_then_the_folders_then_the_setting() {
        let [old, new] = Generation::ALL;
        let catalog = catalog(vec![
            inbox_of(old, "1", "both", "both"),
            inbox_of(new, "2", "both", "both"),
            inbox_of(old, "3", "old", "old"),
            inbox_of(old, "4", "upgraded", "upgraded"),
            inbox_of(old, "5", "bank", "eve"),
        ]);
        let mut peers = Peers::default();
        let version = VersionFile::new(new.version(), crate::domain::Timestamp::EPOCH);
        peers.versions.insert(
            email("upgraded"),
            SeenVersion { seen: String::new(), shown: ShownVersion::Is(version), gone: true },
        );
        for ours in Generation::ALL {
            let with = |name| peers.generation_with(&email(name), &catalog, &email("me"), ours);
            assert_eq!(with("both"), ours);
            assert_eq!(with("old"), old);
            assert_eq!(with("upgraded"), new, "though it shows it no more");
            assert_eq!(peers.check_version(&email("upgraded"), ours), Err(Skipped::NoVersion));
            assert_eq!(with("bank"), ours, "a name that lies says nothing");
            assert_eq!(with("stranger"), ours);
        }
    }
}
