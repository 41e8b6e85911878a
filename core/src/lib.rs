//! The `SyftBox` manager: what a data owner (DO) and a data scientist (DS) do with one another over
//! Google Drive, as one code for native programs and for `wasm32-unknown-unknown`.
//!
//! The crate does no I/O of its own. HTTP, clock, randomness, local files and tokens come in
//! through the traits of [`platform`]. Data flows one way: wire shapes → values that cannot be
//! wrong ([`domain`]) → decisions (pure functions) → effects through the platform.
//!
//! `docs/wire.md` describes the protocol; comments name its sections.

pub mod catalog;
pub mod datasets;
pub mod datasite;
pub mod domain;
pub mod drive;
pub mod encryption;
pub mod identity;
pub mod jobs;
pub mod manager;
pub mod peers;
pub mod permissions;
pub mod platform;
pub mod state;
pub mod sync;
pub mod tokens;
pub mod wire;

pub use manager::{ManagerError, Roles, Settings, SyftboxManager};
