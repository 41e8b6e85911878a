//! Identifiers that the server makes up: unguessable, and in the alphabet of Google's own.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use syftbox_core::domain::Email;

fn random<const N: usize>(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// A file's id: 33 characters, as on Google's Drive.
pub(crate) fn file() -> Result<String, getrandom::Error> {
    random::<24>("1")
}

/// An access token, a refresh token or a code, told apart by `prefix`.
pub(crate) fn token(prefix: &str) -> Result<String, getrandom::Error> {
    random::<30>(prefix)
}

/// An upload session, a stored body or a revision.
pub(crate) fn body() -> Result<String, getrandom::Error> {
    random::<18>("b")
}

/// The id that a person's or a domain's permission has on every file: 20 digits.
pub(crate) fn permission(grantee: &str) -> String {
    let hash = Sha256::digest(grantee.to_ascii_lowercase());
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{number:020}")
}

/// The id of an account's My Drive: always the same, so that it needs no look-up.
pub(crate) fn root(account: &Email) -> String {
    let hash = Sha256::digest(account.as_str().to_ascii_lowercase());
    format!("0A{}", BASE64_URL_SAFE_NO_PAD.encode(&hash[..12]))
}

/// Whether a client may bring `id` along for a new file, as it got it from `files.generateIds`.
pub(crate) fn is_usable(id: &str) -> bool {
    (20..=44).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
