//! Ed25519 keys and signatures.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{ContentHash, ContentHasher, DatasitePath},
    platform::Random,
};

/// What keys and signatures begin with as text.
const ED25519: &str = "ed25519:";

/// An account's own key on one machine, and the secret of its salted digests.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Identity {
    key: SigningKey,
    salt: [u8; 32],
}

/// An identity as its file has it.
#[derive(Serialize, Deserialize)]
struct Kept {
    secret_key: String,
    salt: String,
}

/// A text that is no key and no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no {0} of an Ed25519 key")]
pub struct KeyError(&'static str);

impl Identity {
    /// A new one.
    #[must_use]
    pub fn new(random: &dyn Random) -> Self {
        let (mut secret, mut salt) = ([0; 32], [0; 32]);
        random.fill(&mut secret);
        random.fill(&mut salt);
        Self { key: SigningKey::from_bytes(&secret), salt }
    }

    /// What others check signatures with.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    /// Signs a message, whose first bytes say what kind it is.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.key.sign(message))
    }

    /// A digest of a file that says nothing of it to whoever doesn't know this identity.
    #[must_use]
    pub fn salted(&self, path: &DatasitePath, content: ContentHash) -> ContentHash {
        let mut hasher = ContentHasher::default();
        hasher.update(&self.salt);
        // A hash has a fixed length and a path no newline, so no two files look the same.
        hasher.update(format!("{content}\n{path}\n").as_bytes());
        hasher.finish()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.public_key()).finish()
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), salt: self.salt }
    }
}

impl TryFrom<Kept> for Identity {
    type Error = KeyError;

    fn try_from(kept: Kept) -> Result<Self, KeyError> {
        let secret = bytes(&kept.secret_key).ok_or(KeyError("secret"))?;
        let salt = bytes(&kept.salt).ok_or(KeyError("salt"))?;
        Ok(Self { key: SigningKey::from_bytes(&secret), salt })
    }
}

impl From<Identity> for Kept {
    fn from(identity: Identity) -> Self {
        let text = |bytes: &[u8; 32]| BASE64_STANDARD.encode(bytes);
        Self { secret_key: text(identity.key.as_bytes()), salt: text(&identity.salt) }
    }
}

/// What others check signatures with: `ed25519:` and base64.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Whether the key made this signature of this message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let key = VerifyingKey::from_bytes(&self.0);
        key.is_ok_and(|key| key.verify_strict(message, &signature.0).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ED25519}{}", BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = text.strip_prefix(ED25519).and_then(bytes).ok_or(KeyError("public key"))?;
        VerifyingKey::from_bytes(&bytes).map(|_| Self(bytes)).map_err(|_| KeyError("public key"))
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

/// A signature, in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature(ed25519_dalek::Signature);

impl TryFrom<String> for Signature {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        let bytes = bytes(&text).ok_or(KeyError("signature"))?;
        Ok(Self(ed25519_dalek::Signature::from_bytes(&bytes)))
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        BASE64_STANDARD.encode(signature.0.to_bytes())
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    // What is longer isn't decoded at all.
    (text.len() <= 2 * N).then(|| BASE64_STANDARD.decode(text).ok()?.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::memory::MemoryRandom;

    #[test]
    fn signs_and_round_trips() {
        let random = MemoryRandom::default();
        let (ours, other) = (Identity::new(&random), Identity::new(&random));
        let signature = ours.sign(b"message");
        let key: PublicKey = ours.public_key().to_string().parse().unwrap();
        assert!(key.verifies(b"message", &signature));
        assert!(!key.verifies(b"other", &signature));
        assert!(!other.public_key().verifies(b"message", &signature));
        let kept = serde_json::to_string(&ours).unwrap();
        let again: Identity = serde_json::from_str(&kept).unwrap();
        assert_eq!(again.public_key(), key);
        let (path, hash) = ("a/b".parse().unwrap(), ContentHash::of(b"x"));
        assert_eq!(again.salted(&path, hash), ours.salted(&path, hash));
        assert_ne!(other.salted(&path, hash), ours.salted(&path, hash));
        assert_ne!(ours.salted(&"a/c".parse().unwrap(), hash), ours.salted(&path, hash));
        assert!(!format!("{ours:?}").contains(&kept[20..40]), "{ours:?}");
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in ["", "ed25519:", "ed25519:AAAA", "rsa:x", &format!("ed25519:{}", "A".repeat(999))] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
        assert!(Signature::try_from("AAAA".to_owned()).is_err());
    }
}
