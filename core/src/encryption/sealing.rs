//! From values to payloads for an account and back, sealed where that is due.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{Bundle, EncryptionError, KeyFile, MessageError, OwnKeys, is_envelope, open, seal};
use crate::{
    domain::Email,
    platform::Random,
    wire::{decode, encode},
};

/// How payloads are written for an account, and read that come from one. Our own account counts:
/// the event log, the rolling state and checkpoints are for ourselves.
#[derive(Clone)]
pub(crate) struct Sealing(Arc<Parts>);

struct Parts {
    me: Email,
    is_on: bool,
    key_file: Option<KeyFile>,
    /// The keys of each peer, or why there are none to use.
    peers: BTreeMap<Email, Result<Bundle, EncryptionError>>,
    random: Arc<dyn Random>,
}

impl Sealing {
    pub(super) fn new(
        me: Email,
        is_on: bool,
        key_file: Option<KeyFile>,
        peers: BTreeMap<Email, Result<Bundle, EncryptionError>>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self(Arc::new(Parts { me, is_on, key_file, peers, random }))
    }

    /// Whether encryption is on: then nothing goes out unsealed, and nothing comes in so.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_on
    }

    /// Whether anything can be exchanged with `peer`.
    ///
    /// # Errors
    /// Why not, when encryption is on.
    pub(crate) fn check(&self, peer: &Email) -> Result<(), EncryptionError> {
        if self.is_on() { self.bundle_of(peer).map(drop) } else { Ok(()) }
    }

    /// The payload of `value` for `recipient`, sealed when encryption is on.
    ///
    /// # Errors
    /// When it is too large, or there are no keys of the recipient that we trust.
    pub(crate) fn write<T: Serialize>(&self, value: &T, recipient: &Email) -> Result<Bytes, MessageError> {
        let payload = encode(value)?;
        if !self.is_on() {
            return Ok(payload.into());
        }
        let sealed = seal(&payload, self.keys()?, self.bundle_of(recipient)?, self.0.random.as_ref())?;
        Ok(sealed.into())
    }

    /// The value in a payload that came from `sender`. Opening comes before expanding, whose bounds
    /// hold for what was sealed too.
    ///
    /// # Errors
    /// When it isn't from the sender, isn't for us, isn't sealed though encryption is on, or is no
    /// payload of such a value.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        payload: &[u8],
        sender: &Email,
    ) -> Result<T, MessageError> {
        if is_envelope(payload) {
            let content = open(payload, &self.0.me, self.keys()?, sender, self.bundle_of(sender)?)?;
            return Ok(decode(&content)?);
        }
        if self.is_on() {
            return Err(EncryptionError::Plain.into());
        }
        Ok(decode(payload)?)
    }

    /// The value in a payload that we wrote down on this machine, for the event log; whether it was
    /// sealed depends on what was on then.
    ///
    /// # Errors
    /// When it is sealed for keys that aren't here, or is no payload of such a value.
    pub(crate) fn read_ours<T: DeserializeOwned>(&self, payload: &[u8]) -> Result<T, MessageError> {
        if is_envelope(payload) { self.read(payload, &self.0.me) } else { Ok(decode(payload)?) }
    }

    pub(super) fn key_file(&self) -> Option<&KeyFile> {
        self.0.key_file.as_ref()
    }

    pub(super) fn keys(&self) -> Result<&OwnKeys, EncryptionError> {
        self.key_file().map(|file| &file.keys).ok_or(EncryptionError::NoKeys)
    }

    pub(super) fn bundle_of(&self, account: &Email) -> Result<&Bundle, EncryptionError> {
        if *account == self.0.me {
            return Ok(self.keys()?.bundle());
        }
        match self.0.peers.get(account) {
            Some(Ok(bundle)) => Ok(bundle),
            Some(Err(why)) => Err(why.clone()),
            None => Err(EncryptionError::NoBundle),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{platform::memory::MemoryRandom, wire::PayloadError};

    fn email(name: &str) -> Email {
        format!("{name}@x.org").parse().unwrap()
    }

    fn keys(name: &str, seed: u64) -> OwnKeys {
        OwnKeys::make(&email(name), &MemoryRandom::seeded(seed)).unwrap()
    }

    /// `me` with keys, who trusts the other's.
    fn sealing(me: (&str, u64), is_on: bool, other: (&str, u64)) -> Sealing {
        let bundle = keys(other.0, other.1).bundle().clone();
        let file = KeyFile::new(keys(me.0, me.1));
        let peers = [(email(other.0), Ok(bundle))].into();
        Sealing::new(email(me.0), is_on, Some(file), peers, Arc::new(MemoryRandom::seeded(9)))
    }

    fn without_keys(me: &str) -> Sealing {
        Sealing::new(email(me), false, None, BTreeMap::new(), Arc::new(MemoryRandom::default()))
    }

    #[test]
    fn what_one_writes_the_other_reads() {
        let (ann, bob) = (sealing(("ann", 1), true, ("bob", 2)), sealing(("bob", 2), true, ("ann", 1)));
        let payload = ann.write(&[1, 2], &email("bob")).unwrap();
        assert!(is_envelope(&payload));
        assert_eq!(bob.read::<Vec<u32>>(&payload, &email("ann")).unwrap(), [1, 2]);
        let log = ann.write(&[3], &email("ann")).unwrap();
        assert!(is_envelope(&log));
        assert_eq!(ann.read::<Vec<u32>>(&log, &email("ann")).unwrap(), [3]);
        assert!(bob.read::<Vec<u32>>(&log, &email("ann")).is_err());
    }

    #[test]
    fn nothing_plain_goes_out_or_comes_in() {
        let ann = sealing(("ann", 1), true, ("bob", 2));
        let stranger = ann.write(&[1], &email("eve")).unwrap_err();
        assert!(matches!(stranger, MessageError::Encryption(EncryptionError::NoBundle)), "{stranger}");
        assert_eq!(ann.check(&email("eve")), Err(EncryptionError::NoBundle));
        let plain = without_keys("bob").write(&[1], &email("ann")).unwrap();
        let refused = ann.read::<Vec<u32>>(&plain, &email("bob")).unwrap_err();
        assert!(matches!(refused, MessageError::Encryption(EncryptionError::Plain)), "{refused}");
    }

    #[test]
    fn who_has_it_off_opens_what_comes_and_sends_plain() {
        let (ann, bob) = (sealing(("ann", 1), true, ("bob", 2)), sealing(("bob", 2), false, ("ann", 1)));
        let payload = ann.write(&[1], &email("bob")).unwrap();
        assert_eq!(bob.read::<Vec<u32>>(&payload, &email("ann")).unwrap(), [1]);
        assert!(!is_envelope(&bob.write(&[1], &email("ann")).unwrap()));
        let none = without_keys("bob").read::<Vec<u32>>(&payload, &email("ann")).unwrap_err();
        assert!(matches!(none, MessageError::Encryption(EncryptionError::NoKeys)), "{none}");
    }

    #[test]
    fn what_was_sealed_is_bounded_and_checked_like_anything_else() {
        let (ann, bob) = (sealing(("ann", 1), true, ("bob", 2)), sealing(("bob", 2), true, ("ann", 1)));
        let bundle = ann.bundle_of(&email("bob")).unwrap();
        let seal =
            |content: &[u8]| seal(content, ann.keys().unwrap(), bundle, &MemoryRandom::default()).unwrap();
        let error = |content: &[u8]| match bob.read::<Vec<u32>>(&seal(content), &email("ann")).unwrap_err() {
            MessageError::Payload(error) => error,
            MessageError::Encryption(error) => panic!("{error}"),
        };
        assert!(matches!(error(b"no gzip"), PayloadError::NotGzip(_)));
        assert!(matches!(error(&seal(&encode(&[1]).unwrap())), PayloadError::Encrypted), "sealed twice");
        let expands = encode(&" ".repeat(60 << 20)).unwrap();
        let twice = [&expands[..], &expands[..]].concat();
        assert!(matches!(
            error(&twice),
            PayloadError::TooLarge | PayloadError::NotGzip(_) | PayloadError::Shape(_)
        ));
    }
}
