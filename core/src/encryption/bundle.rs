//! Bundles: the public keys of an account, as a DID document.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use syft_crypto_protocol::{
    SyftPrivateKeys, SyftPublicKeyBundle,
    serialization::{deserialize_from_did_document, serialize_to_did_document},
};

use super::EncryptionError;
use crate::domain::Email;

/// The key of a bundle file under which the document is.
const FILE_KEY: &str = "public_encryption_bundle";
/// What the id of a document begins with; the account's address follows.
const DID_PREFIX: &str = "did:syft:";

/// What tells keys apart: the SHA-256 of the public identity key, 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// A text that is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no fingerprint of keys: it needs 64 hex digits, as `syftbox keys show` prints them")]
pub struct FingerprintError(String);

impl Fingerprint {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(FingerprintError(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The public keys of one account, whose signatures hold and whose document names that account.
#[derive(Clone)]
pub struct Bundle {
    /// The address as the owner's own peer writes it: it opens nothing under another spelling.
    identity: String,
    keys: SyftPublicKeyBundle,
    document: Value,
}

impl Bundle {
    /// The bundle of `keys`, which are those of `owner`.
    pub(super) fn of(owner: &Email, keys: &SyftPrivateKeys) -> Result<Self, EncryptionError> {
        let bad = |why: &dyn fmt::Display| EncryptionError::BadBundle { why: why.to_string() };
        let public = SyftPublicKeyBundle::new(keys.identity(), keys.identity_dh(), keys.signed_pre_key())
            .map_err(|error| bad(&error))?;
        let mut document = serialize_to_did_document(&public, &format!("{DID_PREFIX}{owner}"))
            .map_err(|error| bad(&error))?;
        document["identity"] = owner.as_str().into();
        Ok(Self { identity: owner.to_string(), keys: public, document })
    }

    /// Reads a document that is said to be the bundle of `owner`.
    ///
    /// # Errors
    /// [`EncryptionError::BadBundle`] when it names somebody else, or its keys or signatures are bad.
    pub fn read(document: &Value, owner: &Email) -> Result<Self, EncryptionError> {
        let bad = |why: String| EncryptionError::BadBundle { why };
        let is_owner = |name: &str| name.eq_ignore_ascii_case(owner.as_str());
        let id = document["id"].as_str().ok_or_else(|| bad("it names nobody".to_owned()))?;
        let named = id.strip_prefix(DID_PREFIX).filter(|name| is_owner(name));
        let named = named.ok_or_else(|| bad(format!("it names {:?}", cut(id))))?;
        let identity = match document.get("identity") {
            None => named,
            Some(identity) => identity
                .as_str()
                .filter(|name| is_owner(name))
                .ok_or_else(|| bad(format!("it names {:?}", cut(&identity.to_string()))))?,
        };
        let keys = deserialize_from_did_document(document).map_err(|error| bad(cut(&error.to_string())))?;
        Ok(Self { identity: identity.to_owned(), keys, document: document.clone() })
    }

    /// Reads the document in a bundle file. It isn't a [`Bundle`] before [`read`](Self::read) said so.
    #[must_use]
    pub fn document_in(file: &[u8]) -> Option<Value> {
        let mut file: Value = serde_json::from_slice(file).ok()?;
        file.get_mut(FILE_KEY).map(Value::take)
    }

    /// The bundle as a file for a peer.
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        json!({ FILE_KEY: self.document }).to_string().into_bytes()
    }

    /// The DID document.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// What tells these keys from others. The other public keys are signed by the one it is made of.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.keys.identity_fingerprint())
    }

    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    pub(super) fn keys(&self) -> &SyftPublicKeyBundle {
        &self.keys
    }
}

/// The start of a text that a peer wrote, for an error.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{encryption::OwnKeys, platform::memory::MemoryRandom};

    fn email(name: &str) -> Email {
        format!("{name}@x.org").parse().unwrap()
    }

    fn document() -> Value {
        let keys = OwnKeys::make(&email("Ann"), &MemoryRandom::default()).unwrap();
        keys.bundle().document().clone()
    }

    #[test]
    fn a_bundle_is_read_as_that_of_the_one_it_names() {
        let document = document();
        let bundle = Bundle::read(&document, &email("ann")).unwrap();
        assert_eq!(bundle.identity(), "Ann@x.org", "sealed for the owner as the owner writes it");
        let again = Bundle::document_in(&bundle.to_file()).unwrap();
        assert_eq!(again, document);
        assert!(Bundle::read(&document, &email("eve")).is_err());
    }

    #[test]
    fn every_name_in_it_has_to_be_the_owners() {
        for (key, value) in [
            ("id", json!("did:syft:eve@x.org")),
            ("id", json!("did:web:syftbox.net:ann%40x.org")),
            ("id", json!("ann@x.org")),
            ("id", json!(null)),
            ("identity", json!("eve@x.org")),
            ("identity", json!(["ann@x.org"])),
        ] {
            let mut document = document();
            document[key] = value.clone();
            let Err(error) = Bundle::read(&document, &email("ann")) else { panic!("{key}: {value}") };
            assert!(matches!(error, EncryptionError::BadBundle { .. }), "{error}");
        }
    }

    #[test]
    fn keys_that_arent_signed_are_refused() {
        let mut other = document();
        let dh = OwnKeys::make(&email("ann"), &MemoryRandom::seeded(7)).unwrap();
        other["keyAgreement"][0]["publicKeyJwk"]["x"] =
            dh.bundle().document()["keyAgreement"][0]["publicKeyJwk"]["x"].clone();
        assert!(Bundle::read(&other, &email("ann")).is_err());
        for odd in [json!(null), json!([]), json!({"id": "did:syft:ann@x.org"}), json!("x")] {
            assert!(Bundle::read(&odd, &email("ann")).is_err(), "{odd}");
        }
        for odd in [&b""[..], b"[]", b"{}", b"{\"public_encryption_bundle\"", b"\xff"] {
            assert_eq!(Bundle::document_in(odd), None);
        }
    }

    #[test]
    fn fingerprints_are_64_digits() {
        let fingerprint = Bundle::read(&document(), &email("ann")).unwrap().fingerprint();
        assert_eq!(fingerprint.as_str().to_uppercase().parse::<Fingerprint>().unwrap(), fingerprint);
        assert!("abc".parse::<Fingerprint>().is_err());
        assert!("é".repeat(32).parse::<Fingerprint>().is_err());
    }
}
