//! The wire: what two peers exchange over Drive, as types that can't be wrong once decoded.
//!
//! Everything here is pure: bytes to values and back. `docs/wire.md` describes the protocol.

mod any;
mod checkpoint;
mod content;
pub mod dataset;
mod entries;
mod event;
mod iso;
pub mod job;
pub mod names;
mod payload;
mod peers;
mod proposal;
pub mod receipt;
mod rolling_state;
mod syncable;
mod version_file;
pub mod yaml;

pub use any::AnyPayload;
pub use checkpoint::{Checkpoint, CheckpointFile, IncrementalCheckpoint};
pub use content::FileContent;
pub use entries::{Entries, MAX_ENTRIES, Refused, RefusedReason};
pub use event::{Event, EventsMessage};
pub use payload::{MAX_EXPANDED, PayloadError, decode, encode};
pub use peers::{PeerRecord, PeerState, PeersFile, PeersFileError};
pub use proposal::{ProposalMessage, ProposedChange};
pub use rolling_state::RollingState;
pub use syncable::is_syncable;
pub use version_file::{Since010, VersionFile, VersionFileError};
