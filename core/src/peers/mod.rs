//! Peers: who we share with, who asks to, and what each advertises (wire sections 1 and 3).

mod calls;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    catalog::Catalog,
    domain::{Email, Generation, Version},
    wire::{PeerState, PeersFile, VersionFile, names::BoxKind},
};

/// What is remembered of peers: the two files of Drive that say it, as last seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Peers {
    /// `SYFT_peers.json` of ours.
    pub file: PeersFile,
    /// The state of that file on Drive when we read or wrote it, to see that another machine of
    /// ours changed it.
    pub seen: Option<String>,
    /// What each peer advertises.
    pub versions: BTreeMap<Email, SeenVersion>,
}

/// A peer's version file as last read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeenVersion {
    /// The state of the file on Drive when we read it.
    pub seen: String,
    /// Its content; `None` when it couldn't be understood.
    pub file: Option<VersionFile>,
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
}

/// Why nothing is exchanged with a peer for now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// It shares no version file with us, or one that can't be understood.
    #[error("it shows no version that can be understood; ask it to log in again and approve you")]
    UnknownVersion,
    /// It belongs to the other generation.
    #[error("it has version {theirs}, we speak {ours}; one of you has to change the version")]
    OtherGeneration {
        /// What it advertises.
        theirs: Version,
        /// What we advertise.
        ours: Version,
    },
}

impl Peers {
    /// All peers and requests, by address: what `SYFT_peers.json` says, together with the inboxes
    /// that others made for our datasite.
    ///
    /// A request counts by the owner of its folder, never by what its name claims, and only while
    /// the file doesn't say otherwise; our own request is accepted once the other made its pair.
    #[must_use]
    pub fn states(
        &self,
        catalog: &Catalog,
        me: &Email,
        generation: Generation,
    ) -> BTreeMap<Email, PeerState> {
        let mut states: BTreeMap<Email, PeerState> =
            self.file.peers.iter().map(|(email, record)| (email.clone(), record.state)).collect();
        for (folder, name) in catalog.pair_folders() {
            let for_us = name.kind == BoxKind::Inbox
                && name.datasite == *me
                && name.version.shares_folders_with(generation.version());
            if !for_us || name.other == *me || folder.owner.as_ref() != Some(&name.other) {
                continue;
            }
            let state = states.entry(name.other).or_insert(PeerState::RequestedByPeer);
            if *state == PeerState::RequestedByMe {
                *state = PeerState::Accepted;
            }
        }
        states
    }

    /// The version that `peer` advertises.
    #[must_use]
    pub fn version_of(&self, peer: &Email) -> Option<Version> {
        self.versions.get(peer)?.file.as_ref().map(|file| file.version)
    }

    /// Whether `peer` can be talked to in `generation`.
    ///
    /// # Errors
    /// The reason to skip it.
    pub fn check_version(&self, peer: &Email, generation: Generation) -> Result<(), Skipped> {
        let ours = generation.version();
        match self.version_of(peer) {
            None => Err(Skipped::UnknownVersion),
            Some(theirs) if theirs.shares_folders_with(ours) => Ok(()),
            Some(theirs) => Err(Skipped::OtherGeneration { theirs, ours }),
        }
    }
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
        let name = pair_name(Generation::V0_10, &email("me"), BoxKind::Inbox, &email(claimed));
        let id: FileId = id.parse().unwrap();
        let json = serde_json::json!({
            "id": id, "name": name.to_string(), "mimeType": "application/vnd.google-apps.folder",
            "owners": [{"emailAddress": email(owner)}], "ownedByMe": false,
        });
        DriveFile::from_json(json).unwrap()
    }

    fn states(peers: &Peers, folders: Vec<DriveFile>) -> Vec<(String, PeerState)> {
        let mut catalog = Catalog::default();
        for folder in folders {
            catalog.note(folder);
        }
        let states = peers.states(&catalog, &email("me"), Generation::V0_10);
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
    fn versions_are_held_against_ours() {
        let peers = Peers::default();
        assert_eq!(peers.check_version(&email("ds"), Generation::V0_10), Err(Skipped::UnknownVersion));
    }
}
