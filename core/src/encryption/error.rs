//! What can go wrong with keys, bundles and envelopes.

use super::Fingerprint;
use crate::{domain::Email, wire::PayloadError};

/// Encryption that isn't possible. Each case says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// Our bundle is on Drive, and the keys to it aren't here.
    #[error(
        "your encryption keys aren't on this machine: {path} in the SyftBox folder is missing, and peers have your bundle from Drive. Take the file from your other machine or a backup (`syftbox keys import FILE`). If it is lost for good, make new keys with `syftbox keys new --yes`: nobody can open any more what was sealed for the old ones, your own event log on Drive included, and every peer has to confirm the new ones"
    )]
    KeysLost {
        /// Where they should be.
        path: String,
    },
    /// Something is sealed, and there are no keys here.
    #[error("it is encrypted, and you have no keys here; log in with `syftbox login --encrypt`")]
    NoKeys,
    /// The key file is damaged.
    #[error(
        "the key file {path} in the SyftBox folder can't be used: {why}; take a good one from your other machine or a backup (`syftbox keys import FILE`)"
    )]
    KeyFile {
        /// Which file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The key file is somebody else's.
    #[error("the key file is that of {found}, not of {wanted}; use the file of {wanted}")]
    OtherAccount {
        /// Who we are.
        wanted: Email,
        /// Whose keys they are.
        found: String,
    },
    /// Our bundle on Drive isn't that of the keys here.
    #[error(
        "your bundle on Drive has the keys {on_drive}, and the keys on this machine are {here}; take the key file from the machine where they were made (`syftbox keys import FILE`), or make the ones here count with `syftbox keys publish --yes`"
    )]
    OtherKeysOnDrive {
        /// The fingerprint of our bundle on Drive.
        on_drive: Fingerprint,
        /// That of the keys here.
        here: Fingerprint,
    },
    /// The machine gave no randomness to make keys from.
    #[error("no keys could be made, because the system gives no random bytes; try again")]
    NoRandomness,
    /// Nothing can be sealed on this platform.
    #[error(
        "nothing can be encrypted here, only opened, because the encryption library asks for a clock that this platform doesn't have; use the `syftbox` program"
    )]
    CannotSeal,
    /// The peer has no bundle for us.
    #[error(
        "it shows no encryption keys, and your encryption is on; ask it to run `syftbox login --encrypt` and `syftbox sync`, or turn yours off with `syftbox login --encrypt=false`"
    )]
    NoBundle,
    /// The peer's bundle is none, or names somebody else.
    #[error("its encryption bundle can't be used: {why}; ask it to publish its keys again")]
    BadBundle {
        /// What is wrong with it.
        why: String,
    },
    /// The peer's keys aren't those that we trust.
    #[error(
        "its encryption keys changed from {known} to {new}; ask it in another way than by Drive whether it made new ones, and if so confirm them with `syftbox keys trust ADDRESS {new}`"
    )]
    BundleChanged {
        /// The keys that we trust.
        known: Fingerprint,
        /// The keys that it shows now.
        new: Fingerprint,
    },
    /// The peer shows other keys than those that were to be trusted.
    #[error("it shows the keys {shown} now, not {given}; compare again before you trust them")]
    OtherFingerprint {
        /// What it shows.
        shown: Fingerprint,
        /// What was to be trusted.
        given: Fingerprint,
    },
    /// A plain message where encryption is on.
    #[error(
        "it came unencrypted, and your encryption is on; ask for it to be sent again with encryption, or take it as it is with `syftbox sync --encrypt=false`"
    )]
    Plain,
    /// Bytes that aren't an envelope of wire section 9.
    #[error("it is no whole envelope: {why}; ask for it to be sent again")]
    NoEnvelope {
        /// What is wrong with it.
        why: String,
    },
    /// The envelope says to be from another account than the one that it came from.
    #[error("its envelope names {claimed:?} as the sender, who didn't send it")]
    OtherSender {
        /// Who it says, cut when long.
        claimed: String,
    },
    /// It was sealed with keys that we don't trust.
    #[error(
        "it is sealed with other keys ({found}) than those known of the sender; `syftbox sync` later sees whether the sender made new ones"
    )]
    UnknownKeys {
        /// The fingerprint in the envelope, cut when long.
        found: String,
    },
    /// The envelope isn't what its sender sealed.
    #[error(
        "its envelope was changed on the way, or is sealed for keys that you don't have any more; ask for it to be sent again"
    )]
    Tampered,
    /// It is sealed for others.
    #[error("it is sealed for somebody else; ask for it to be sent again")]
    NotForUs,
}

impl EncryptionError {
    /// Whether other keys, or another choice, are what it takes to read it: then the file is as good
    /// as the others.
    #[must_use]
    pub fn is_about_keys(&self) -> bool {
        matches!(self, Self::NoKeys | Self::UnknownKeys { .. } | Self::Plain)
    }

    /// Whether the same message may well be opened later, as it is: once the sender's new keys are
    /// known, or ours are here.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::NoKeys | Self::UnknownKeys { .. })
    }
}

/// A message that can't be written or read: the payload isn't one, or it can't be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The payload.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// What it is sealed in.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
}
