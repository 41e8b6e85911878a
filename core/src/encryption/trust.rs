//! Which keys of a peer we trust: those seen first, until we are told otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Bundle, EncryptionError, Fingerprint};
use crate::domain::Email;

/// Bundles on Drive as last seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bundles {
    /// Ours, by the peer that it is for.
    pub(super) ours: BTreeMap<Email, OurBundle>,
    /// Those of peers for us.
    pub(super) theirs: BTreeMap<Email, SeenBundle>,
}

/// A bundle of ours that is out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OurBundle {
    /// The state of the file on Drive.
    pub(super) seen: String,
    /// The keys in it.
    pub(super) keys: Fingerprint,
}

/// A bundle of a peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SeenBundle {
    /// The state of the file on Drive when we read it.
    pub(super) seen: String,
    /// The document in it; null when there is none.
    pub(super) document: Value,
}

/// The keys to seal for `peer` with and to open its envelopes with. Pure.
///
/// `known` is what was trusted before, `shown` what the peer has on Drive now. The first keys of a
/// peer are trusted as they are; later ones only with the same identity key, which signs the others.
pub(super) fn trusted(
    peer: &Email,
    known: Option<&Value>,
    shown: Option<&Value>,
) -> Result<Bundle, EncryptionError> {
    let shown = shown.map(|document| Bundle::read(document, peer)).transpose()?;
    let known = known.map(|document| Bundle::read(document, peer)).transpose()?;
    match (known, shown) {
        (None, None) => Err(EncryptionError::NoBundle),
        (Some(bundle), None) | (None, Some(bundle)) => Ok(bundle),
        (Some(known), Some(shown)) if known.fingerprint() == shown.fingerprint() => Ok(shown),
        (Some(known), Some(shown)) => {
            Err(EncryptionError::BundleChanged { known: known.fingerprint(), new: shown.fingerprint() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{encryption::OwnKeys, platform::memory::MemoryRandom};

    fn document(seed: u64) -> Value {
        let keys = OwnKeys::make(&bob(), &MemoryRandom::seeded(seed)).unwrap();
        keys.bundle().document().clone()
    }

    fn bob() -> Email {
        "bob@x.org".parse().unwrap()
    }

    fn decided(known: Option<&Value>, shown: Option<&Value>) -> Result<Fingerprint, EncryptionError> {
        trusted(&bob(), known, shown).map(|bundle| bundle.fingerprint())
    }

    #[test]
    fn the_first_keys_are_trusted_and_others_only_when_confirmed() {
        let (first, second) = (document(1), document(2));
        let one = decided(None, Some(&first)).unwrap();
        assert_eq!(decided(Some(&first), Some(&first)).unwrap(), one);
        assert_eq!(decided(Some(&first), None).unwrap(), one, "a bundle that isn't shown any more");
        let two = decided(None, Some(&second)).unwrap();
        let changed = decided(Some(&first), Some(&second)).unwrap_err();
        assert_eq!(changed, EncryptionError::BundleChanged { known: one, new: two });
        assert_eq!(decided(None, None).unwrap_err(), EncryptionError::NoBundle);
    }

    #[test]
    fn a_damaged_bundle_is_no_reason_to_use_the_old_one_unseen() {
        let first = document(1);
        let damaged = decided(Some(&first), Some(&Value::Null)).unwrap_err();
        assert!(matches!(damaged, EncryptionError::BadBundle { .. }), "{damaged}");
        assert!(decided(None, Some(&Value::Null)).is_err());
    }
}
