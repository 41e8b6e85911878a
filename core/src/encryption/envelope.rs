//! Envelopes: bytes that only one account can open, and that only one can have sealed.

use rand_core::{CryptoRng, RngCore};
use syft_crypto_protocol::{
    EncryptionRecipient, FILE_CIPHER_SUITE, KeyError, decrypt_message, encrypt_message,
    envelope::{MAGIC, parse_envelope, verify_signature},
};

use super::{Bundle, EncryptionError, OwnKeys, bundle::cut};
use crate::{
    domain::Email,
    platform::{HAS_STD_TIME, Random},
};

/// The part of an envelope that describes it has a few hundred bytes for each receiver, and ours
/// have one. Parsing takes some hundred times its length, so it is bounded before that.
const MAX_PRELUDE_BYTES: usize = 64 * 1024;
/// Where the prelude's length is: behind the magic bytes and the version.
const PRELUDE_LEN_AT: usize = MAGIC.len() + 1;

/// Randomness as the encryption crate takes it.
struct FromPlatform<'a>(&'a dyn Random);

impl RngCore for FromPlatform<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

impl CryptoRng for FromPlatform<'_> {}

/// Whether `payload` says to be an envelope.
#[must_use]
pub fn is_envelope(payload: &[u8]) -> bool {
    payload.starts_with(MAGIC)
}

/// Seals `content` with our `keys` so that only the owner of `recipient` can open it.
///
/// # Errors
/// [`EncryptionError::CannotSeal`] in browsers; [`EncryptionError::BadBundle`] when nothing can be
/// sealed for these keys.
pub fn seal(
    content: &[u8],
    keys: &OwnKeys,
    recipient: &Bundle,
    random: &dyn Random,
) -> Result<Vec<u8>, EncryptionError> {
    if !HAS_STD_TIME {
        return Err(EncryptionError::CannotSeal);
    }
    let to = EncryptionRecipient { identity: recipient.identity(), bundle: recipient.keys() };
    // No file name: it would be in the clear.
    let sealed = encrypt_message(
        keys.bundle().identity(),
        keys.private(),
        &[to],
        content,
        None,
        &mut FromPlatform(random),
    );
    sealed.map_err(|error| EncryptionError::BadBundle { why: cut(&error.to_string()) })
}

/// Opens an envelope that `sender` sealed for us. Needs memory for little more than the content,
/// whatever the envelope says of itself.
///
/// # Errors
/// See [`EncryptionError`].
pub fn open(
    envelope: &[u8],
    me: &Email,
    keys: &OwnKeys,
    sender: &Email,
    bundle: &Bundle,
) -> Result<Vec<u8>, EncryptionError> {
    let no_envelope = |why: &str| EncryptionError::NoEnvelope { why: cut(why) };
    let len = envelope.get(PRELUDE_LEN_AT..PRELUDE_LEN_AT + 4).and_then(|len| len.try_into().ok());
    let len = usize::try_from(u32::from_le_bytes(len.ok_or_else(|| no_envelope("it is too short"))?));
    if len.is_ok_and(|len| len > MAX_PRELUDE_BYTES) || len.is_err() {
        return Err(no_envelope("its description is too long"));
    }
    let parsed = parse_envelope(envelope).map_err(|error| no_envelope(&error.to_string()))?;
    let prelude = &parsed.prelude;
    if !prelude.sender.identity.eq_ignore_ascii_case(sender.as_str()) {
        return Err(EncryptionError::OtherSender { claimed: cut(&prelude.sender.identity) });
    }
    if prelude.sender.ik_fingerprint != bundle.fingerprint().as_str() {
        return Err(EncryptionError::UnknownKeys { found: cut(&prelude.sender.ik_fingerprint) });
    }
    verify_signature(&parsed, &bundle.keys().identity_signing_public_key)
        .map_err(|_| EncryptionError::Tampered)?;
    // The other suite's length fields are the sender's to choose, and memory is reserved by them.
    if prelude.cipher.suite != FILE_CIPHER_SUITE {
        return Err(no_envelope("its cipher is none that messages have"));
    }
    let named = prelude.recipients.iter().filter_map(|recipient| recipient.identity.as_deref());
    let as_named = named.clone().find(|name| name.eq_ignore_ascii_case(me.as_str()));
    let as_named = as_named.ok_or(EncryptionError::NotForUs)?;
    decrypt_message(as_named, keys.private(), bundle.keys(), &parsed).map_err(|error| match error {
        KeyError::RecipientNotFound => EncryptionError::NotForUs,
        _ => EncryptionError::Tampered,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::platform::memory::MemoryRandom;

    fn email(name: &str) -> Email {
        format!("{name}@x.org").parse().unwrap()
    }

    fn keys(name: &str, seed: u64) -> OwnKeys {
        OwnKeys::make(&email(name), &MemoryRandom::seeded(seed)).unwrap()
    }

    /// What Ann seals for Bob.
    fn sealed(content: &[u8]) -> (Vec<u8>, OwnKeys, OwnKeys) {
        let (ann, bob) = (keys("ann", 1), keys("bob", 2));
        let envelope = seal(content, &ann, bob.bundle(), &MemoryRandom::seeded(3)).unwrap();
        (envelope, ann, bob)
    }

    fn opened(envelope: &[u8], ann: &OwnKeys, bob: &OwnKeys) -> Result<Vec<u8>, EncryptionError> {
        open(envelope, &email("bob"), bob, &email("ann"), ann.bundle())
    }

    #[test]
    fn opens_for_the_recipient_alone() {
        let (envelope, ann, bob) = sealed(b"hello");
        assert!(is_envelope(&envelope) && !is_envelope(b"SYC") && !is_envelope(b""));
        assert_eq!(opened(&envelope, &ann, &bob).unwrap(), b"hello");
        let shouting = open(&envelope, &email("BOB"), &bob, &email("Ann"), ann.bundle());
        assert_eq!(shouting.unwrap(), b"hello");
        let eve = keys("eve", 4);
        let for_eve = open(&envelope, &email("eve"), &eve, &email("ann"), ann.bundle());
        assert_eq!(for_eve.unwrap_err(), EncryptionError::NotForUs);
        let as_bob = opened(&envelope, &ann, &keys("bob", 5));
        assert_eq!(as_bob.unwrap_err(), EncryptionError::Tampered, "another machine's keys");
    }

    #[test]
    fn the_sender_is_who_the_place_says_and_has_the_keys_that_are_known() {
        let (envelope, ann, bob) = sealed(b"hello");
        let from_eve = open(&envelope, &email("bob"), &bob, &email("eve"), keys("eve", 4).bundle());
        let claimed = "ann@x.org".to_owned();
        assert_eq!(from_eve.unwrap_err(), EncryptionError::OtherSender { claimed });
        let other = opened(&envelope, &keys("ann", 6), &bob).unwrap_err();
        assert!(
            matches!(&other, EncryptionError::UnknownKeys { found } if *found == ann.fingerprint().as_str())
        );
        assert!(other.may_pass());
    }

    #[test]
    fn an_account_seals_for_itself() {
        let ann = keys("ann", 1);
        let envelope = seal(b"", &ann, ann.bundle(), &MemoryRandom::default()).unwrap();
        let again = open(&envelope, &email("ann"), &ann, &email("ann"), ann.bundle());
        assert_eq!(again.unwrap(), b"");
    }

    #[test]
    fn a_part_of_an_envelope_is_none() {
        let (envelope, ann, bob) = sealed(b"some content");
        for end in 0..envelope.len() {
            let error = opened(&envelope[..end], &ann, &bob).unwrap_err();
            assert!(matches!(error, EncryptionError::NoEnvelope { .. }), "cut at {end}: {error}");
        }
        let longer = [&envelope[..], b"x"].concat();
        assert!(matches!(opened(&longer, &ann, &bob), Err(EncryptionError::NoEnvelope { .. })));
    }

    /// Replaces a text of the prelude by one of the same length.
    fn replaced(envelope: &[u8], from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let at = envelope.windows(from.len()).position(|at| at == from.as_bytes()).unwrap();
        let mut changed = envelope.to_vec();
        changed[at..at + from.len()].copy_from_slice(to.as_bytes());
        changed
    }

    #[test]
    fn a_changed_description_is_noticed() {
        let (envelope, ann, bob) = sealed(b"some content");
        let version = replaced(&envelope, "\"version\":1", "\"version\":2");
        assert_eq!(opened(&version, &ann, &bob).unwrap_err(), EncryptionError::Tampered);
        let suite = replaced(&envelope, "xchacha20poly1305-v1", "xchacha20poly1305-v2");
        assert_eq!(opened(&suite, &ann, &bob).unwrap_err(), EncryptionError::Tampered);
        let mut huge = envelope.clone();
        huge[PRELUDE_LEN_AT..PRELUDE_LEN_AT + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let error = opened(&huge, &ann, &bob).unwrap_err().to_string();
        assert!(error.contains("too long"), "{error}");
    }

    /// Peers who seal by hand can't make us reserve memory or open what isn't for us.
    #[test]
    fn a_signed_envelope_of_another_kind_is_refused() {
        let (ann, bob) = (keys("ann", 1), keys("bob", 2));
        let to = EncryptionRecipient { identity: "bob@x.org", bundle: bob.bundle().keys() };
        let random = MemoryRandom::default();
        let mut stream = Vec::new();
        let options = syft_crypto_protocol::StreamOptions { parallelism: 1, ..Default::default() };
        syft_crypto_protocol::encrypt_stream(
            "ann@x.org",
            ann.private(),
            &[to],
            5,
            &mut &b"hello"[..],
            &mut stream,
            &options,
            &mut FromPlatform(&random),
        )
        .unwrap();
        let error = opened(&stream, &ann, &bob).unwrap_err().to_string();
        assert!(error.contains("cipher"), "{error}");

        let eve = keys("eve", 3);
        let for_eve = EncryptionRecipient { identity: "eve@x.org", bundle: eve.bundle().keys() };
        let sealed =
            encrypt_message("ann@x.org", ann.private(), &[for_eve], b"x", None, &mut FromPlatform(&random));
        assert_eq!(opened(&sealed.unwrap(), &ann, &bob).unwrap_err(), EncryptionError::NotForUs);
    }

    proptest! {
        #[test]
        fn whatever_is_changed_nothing_else_is_opened(at in 0_usize..5000, by in 1_u8..) {
            let (mut envelope, ann, bob) = sealed(b"some content");
            let at = at % envelope.len();
            envelope[at] ^= by;
            // Padding behind the prelude says nothing and is signed by nobody.
            match opened(&envelope, &ann, &bob) {
                Ok(content) => prop_assert_eq!(content, b"some content"),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }

        #[test]
        fn any_bytes_get_an_answer(bytes: Vec<u8>, len in 0_u32..70_000) {
            let (ann, bob) = (keys("ann", 1), keys("bob", 2));
            let bytes = [&MAGIC[..], &[1], &len.to_le_bytes()[..], &bytes].concat();
            prop_assert!(opened(&bytes, &ann, &bob).is_err());
        }
    }
}
