//! `SYFT_peers.json`: whom an account knows (wire sections 2 and 3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::{Map, Value};

use crate::domain::Email;

/// How far two peers have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerState {
    /// Both agreed.
    Accepted,
    /// We asked and wait.
    RequestedByMe,
    /// The peer asked and waits.
    RequestedByPeer,
    /// We said no.
    Rejected,
}

impl PeerState {
    /// The state as it is on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::RequestedByMe => "requested_by_me",
            Self::RequestedByPeer => "requested_by_peer",
            Self::Rejected => "rejected",
        }
    }
}

/// What is known of one peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerRecord {
    /// How far we have come.
    pub state: PeerState,
    /// The peer's public keys, a DID document (wire section 9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_encryption_bundle: Option<Value>,
    /// Fields that only other versions know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl PeerRecord {
    /// A record of `state` and nothing else.
    #[must_use]
    pub fn new(state: PeerState) -> Self {
        Self { state, public_encryption_bundle: None, extra: Map::new() }
    }
}

/// The whole file. Written again, it keeps what it could not read.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Map<String, Value>")]
pub struct PeersFile {
    /// The peers, by address.
    pub peers: BTreeMap<Email, PeerRecord>,
    /// Entries that are no peer: a key that is no address, or a value of another shape.
    unread: Map<String, Value>,
}

impl From<Map<String, Value>> for PeersFile {
    fn from(entries: Map<String, Value>) -> Self {
        Self::from_entries(entries)
    }
}

impl Serialize for PeersFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = self.unread.clone();
        for (email, record) in &self.peers {
            entries.insert(email.to_string(), serde_json::to_value(record).map_err(S::Error::custom)?);
        }
        entries.serialize(serializer)
    }
}

/// A file that is no JSON object.
#[derive(Debug, thiserror::Error)]
#[error(
    "SYFT_peers.json is damaged ({0}); move it out of the SyftBox folder on Drive, then add your peers again"
)]
pub struct PeersFileError(serde_json::Error);

impl PeersFile {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is no JSON object. One bad entry is no error: see [`unread`](Self::unread).
    pub fn parse(json: &[u8]) -> Result<Self, PeersFileError> {
        serde_json::from_slice(json).map_err(PeersFileError)
    }

    fn from_entries(entries: Map<String, Value>) -> Self {
        let mut file = Self::default();
        for (key, value) in entries {
            match (key.parse::<Email>(), PeerRecord::deserialize(&value)) {
                (Ok(email), Ok(record)) if !file.peers.contains_key(&email) => {
                    file.peers.insert(email, record);
                }
                _ => {
                    file.unread.insert(key, value);
                }
            }
        }
        file
    }

    /// The file's bytes, indented by 2 as the Python peers write it.
    ///
    /// # Errors
    /// Never in practice: all of it came from JSON or has a JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>, PeersFileError> {
        serde_json::to_vec_pretty(self).map_err(PeersFileError)
    }

    /// The keys of the entries that are no peer.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.unread.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_bad_entry_does_not_lose_the_others() {
        let json = json!({
            "a@x.org": {"state": "requested_by_me", "since": 7},
            "b@x.org": {"state": "befriended"},
            "not an address": {"state": "accepted"},
            "c@x.org": "accepted",
            "d@x.org": {"state": "rejected"},
        });
        let mut file = PeersFile::parse(json.to_string().as_bytes()).unwrap();
        let states: Vec<_> =
            file.peers.iter().map(|(email, peer)| (email.as_str(), peer.state.as_str())).collect();
        assert_eq!(states, [("a@x.org", "requested_by_me"), ("d@x.org", "rejected")]);
        assert_eq!(file.unread().collect::<Vec<_>>(), ["b@x.org", "c@x.org", "not an address"]);
        let again: Value = serde_json::from_slice(&file.to_json().unwrap()).unwrap();
        assert_eq!(again, json, "nothing is lost when it is written");
        // A peer that is told anew replaces what could not be read.
        file.peers.insert("b@x.org".parse().unwrap(), PeerRecord::new(PeerState::Accepted));
        let again: Value = serde_json::from_slice(&file.to_json().unwrap()).unwrap();
        assert_eq!(again["b@x.org"], json!({"state": "accepted"}));
    }

    #[test]
    fn is_written_as_the_python_peers_do() {
        let mut file = PeersFile::default();
        file.peers.insert("ds@test.org".parse().unwrap(), PeerRecord::new(PeerState::Accepted));
        let text = String::from_utf8(file.to_json().unwrap()).unwrap();
        assert_eq!(text, "{\n  \"ds@test.org\": {\n    \"state\": \"accepted\"\n  }\n}");
    }

    #[test]
    fn a_damaged_file_says_what_to_do() {
        for damaged in [&b""[..], b"[]", b"{\"a@x.org\":", b"\xff"] {
            let error = PeersFile::parse(damaged).unwrap_err().to_string();
            assert!(error.contains("move it out of the SyftBox folder"), "{error}");
        }
    }
}
