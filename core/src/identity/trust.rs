//! The keys that an account publishes, and those that were first seen of others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::PublicKey;
use crate::domain::Email;

/// The file in which an account publishes its keys, one for each of its machines that ran a job (wire
/// section 5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFile {
    /// In the order in which they came.
    pub keys: Vec<PublicKey>,
}

impl KeyFile {
    /// Where it is in a datasite.
    pub const PATH: &str = "app_data/identity/keys.json";
    /// The folder that it is in.
    pub const FOLDER: &str = "app_data/identity";
    /// The longest that is read, in bytes.
    pub const MAX_BYTES: u64 = 64 * 1024;

    /// Reads the file.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec_pretty(self)
    }
}

/// The keys of others that count, by address: those that were there when the first was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownKeys {
    peers: BTreeMap<Email, Vec<PublicKey>>,
}

impl KnownKeys {
    /// The keys of `peer`; none when none was seen.
    #[must_use]
    pub fn of(&self, peer: &Email) -> &[PublicKey] {
        self.peers.get(peer).map_or(&[], Vec::as_slice)
    }

    /// Takes over the keys of a peer that is seen for the first time; says whether it was.
    pub fn first_seen(&mut self, peer: &Email, file: &KeyFile) -> bool {
        let is_first = self.of(peer).is_empty() && !file.keys.is_empty();
        if is_first {
            self.trust(peer, file);
        }
        is_first
    }

    /// Takes over the keys of a peer, whatever was known before.
    pub fn trust(&mut self, peer: &Email, file: &KeyFile) {
        self.peers.insert(peer.clone(), file.keys.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::Identity, platform::memory::MemoryRandom};

    #[test]
    fn the_first_keys_count_until_others_are_trusted() {
        let random = MemoryRandom::default();
        let file = || KeyFile { keys: vec![Identity::new(&random).public_key()] };
        let (first, second) = (file(), file());
        let peer = "do@x.org".parse().unwrap();
        let mut known = KnownKeys::default();
        assert!(!known.first_seen(&peer, &KeyFile::default()));
        assert!(known.first_seen(&peer, &first));
        assert!(!known.first_seen(&peer, &second));
        assert_eq!(known.of(&peer), first.keys);
        known.trust(&peer, &second);
        assert_eq!(known.of(&peer), second.keys);
        assert_eq!(KeyFile::parse(&second.to_json().unwrap()).unwrap(), second);
    }
}
