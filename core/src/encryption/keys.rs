//! Our own keys, and the file they are in. A Python peer of the account reads and writes the same file.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use syft_crypto_protocol::{
    SyftPrivateKeys, SyftRecoveryKey,
    serialization::{deserialize_private_keys, serialize_private_keys},
};

use super::{Bundle, EncryptionError, Fingerprint};
use crate::{domain::Email, platform::Random};

/// The private keys of our account.
pub struct OwnKeys {
    private: SyftPrivateKeys,
    bundle: Bundle,
}

impl fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKeys").field("fingerprint", &self.bundle.fingerprint()).finish_non_exhaustive()
    }
}

impl OwnKeys {
    /// Makes new keys for `owner`.
    ///
    /// # Errors
    /// [`EncryptionError::NoRandomness`] when `random` always gives the same.
    pub fn make(owner: &Email, random: &dyn Random) -> Result<Self, EncryptionError> {
        for _ in 0..8 {
            let mut secret = [0; 32];
            random.fill(&mut secret);
            let digits = secret.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            let digits: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
            // It refuses bytes that are too much alike to be random.
            let Ok(secret) = SyftRecoveryKey::from_hex_string(&digits) else { continue };
            let private = secret.derive_keys().map_err(|_| EncryptionError::NoRandomness)?;
            return Self::of(owner, private);
        }
        Err(EncryptionError::NoRandomness)
    }

    fn of(owner: &Email, private: SyftPrivateKeys) -> Result<Self, EncryptionError> {
        let bundle = Bundle::of(owner, &private)?;
        Ok(Self { private, bundle })
    }

    /// The public half.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// What tells these keys from others.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.bundle.fingerprint()
    }

    pub(super) fn private(&self) -> &SyftPrivateKeys {
        &self.private
    }
}

/// The key file: our keys, and the bundles of the peers that we trust.
#[derive(Debug)]
pub struct KeyFile {
    /// Ours.
    pub keys: OwnKeys,
    /// The DID document that we trust, by peer.
    pub trusted: BTreeMap<Email, Value>,
    extra: Map<String, Value>,
}

/// The file as the Python peers write it too.
#[derive(Serialize, Deserialize)]
struct Written {
    email: String,
    keys_jwk: Value,
    #[serde(default)]
    peer_bundles: Map<String, Value>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl KeyFile {
    /// The longest key file, in bytes.
    pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

    /// A file with `keys` and no peers.
    #[must_use]
    pub fn new(keys: OwnKeys) -> Self {
        Self { keys, trusted: BTreeMap::new(), extra: Map::new() }
    }

    /// Reads the key file of `owner`; `path` is for errors.
    ///
    /// # Errors
    /// [`EncryptionError::KeyFile`] when it is damaged, [`EncryptionError::OtherAccount`] when it is
    /// somebody else's.
    pub fn parse(json: &[u8], owner: &Email, path: &str) -> Result<Self, EncryptionError> {
        let bad = |why: String| EncryptionError::KeyFile { path: path.to_owned(), why };
        // What the parser says could quote a key.
        let written: Written =
            serde_json::from_slice(json).map_err(|_| bad("it is no key file".to_owned()))?;
        if !written.email.eq_ignore_ascii_case(owner.as_str()) {
            return Err(EncryptionError::OtherAccount { wanted: owner.clone(), found: written.email });
        }
        let private = deserialize_private_keys(&written.keys_jwk)
            .map_err(|_| bad("its keys are damaged".to_owned()))?;
        let keys = OwnKeys::of(owner, private)?;
        let trusted = written.peer_bundles.into_iter();
        let trusted = trusted.filter_map(|(peer, document)| Some((peer.parse().ok()?, document))).collect();
        Ok(Self { keys, trusted, extra: written.extra })
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// Never in practice: all of it has a JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>, EncryptionError> {
        let bad = |_| EncryptionError::KeyFile { path: String::new(), why: "it has no JSON form".to_owned() };
        let keys_jwk = serialize_private_keys(&self.keys.private).map_err(|_| EncryptionError::KeyFile {
            path: String::new(),
            why: "its keys are damaged".to_owned(),
        })?;
        let peer_bundles = self.trusted.iter();
        let written = Written {
            email: self.keys.bundle.identity().to_owned(),
            keys_jwk,
            peer_bundles: peer_bundles.map(|(peer, document)| (peer.to_string(), document.clone())).collect(),
            extra: self.extra.clone(),
        };
        serde_json::to_vec_pretty(&written).map_err(bad)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::memory::MemoryRandom;

    struct Stuck;

    impl Random for Stuck {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn ann() -> Email {
        "ann@x.org".parse().unwrap()
    }

    #[test]
    fn a_key_file_is_read_as_it_was_written() {
        let keys = OwnKeys::make(&ann(), &MemoryRandom::default()).unwrap();
        let fingerprint = keys.fingerprint();
        let mut file = KeyFile::new(keys);
        file.trusted.insert("bob@x.org".parse().unwrap(), json!({"id": "did:syft:bob@x.org"}));
        let mut json: Value = serde_json::from_slice(&file.to_json().unwrap()).unwrap();
        json["since"] = 7.into();
        let again = KeyFile::parse(json.to_string().as_bytes(), &"ANN@x.org".parse().unwrap(), "k").unwrap();
        assert_eq!((again.keys.fingerprint(), &again.trusted), (fingerprint, &file.trusted));
        let mut expected = json;
        expected["email"] = "ANN@x.org".into();
        assert_eq!(serde_json::from_slice::<Value>(&again.to_json().unwrap()).unwrap(), expected);
    }

    #[test]
    fn what_is_no_key_file_of_ours_is_refused_and_not_quoted() {
        let file = KeyFile::new(OwnKeys::make(&ann(), &MemoryRandom::default()).unwrap());
        let good = file.to_json().unwrap();
        let eve = "eve@x.org".parse().unwrap();
        assert!(matches!(KeyFile::parse(&good, &eve, "k"), Err(EncryptionError::OtherAccount { .. })));
        let secret =
            serde_json::from_slice::<Value>(&good).unwrap()["keys_jwk"]["identity_dh"]["d"].to_string();
        for end in 0..good.len() {
            let error = KeyFile::parse(&good[..end], &ann(), "private/k").unwrap_err();
            assert!(matches!(error, EncryptionError::KeyFile { .. }), "{error}");
            assert!(!error.to_string().contains(&secret[1..10]), "{error}");
        }
        let mut other: Value = serde_json::from_slice(&good).unwrap();
        other["keys_jwk"]["identity_key"]["x"] = other["keys_jwk"]["identity_dh"]["x"].clone();
        assert!(KeyFile::parse(other.to_string().as_bytes(), &ann(), "k").is_err());
        assert!(!format!("{file:?}").contains(&secret[1..10]));
    }

    #[test]
    fn a_machine_without_randomness_gets_no_keys() {
        assert_eq!(OwnKeys::make(&ann(), &Stuck).unwrap_err(), EncryptionError::NoRandomness);
    }
}
