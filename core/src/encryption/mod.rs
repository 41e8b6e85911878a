//! Sealing what peers send one another, and what an owner keeps on Drive (wire section 9).
//!
//! [`Sealing`] is the only thing the rest of the crate needs: it turns a value into the payload for
//! an account, and a payload from an account into a value. Below it are our [`KeyFile`], the
//! [`Bundle`]s of peers and which of them we trust, and the envelopes themselves.

mod bundle;
mod calls;
mod envelope;
mod error;
mod exchange;
mod keys;
mod sealing;
mod trust;

pub(crate) use self::sealing::Sealing;
pub use self::{
    bundle::{Bundle, Fingerprint, FingerprintError},
    calls::{KeyReport, PeerKeys},
    envelope::{is_envelope, open, seal},
    error::{EncryptionError, MessageError},
    keys::{KeyFile, OwnKeys},
    trust::Bundles,
};
