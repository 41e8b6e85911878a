//! Who signed something: an account's own key, and the keys that were first seen of others.

mod key;
mod trust;

pub use self::{
    key::{Identity, KeyError, PublicKey, Signature},
    trust::{KeyFile, KnownKeys},
};
