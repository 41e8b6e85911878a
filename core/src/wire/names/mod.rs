//! What folders and files are called on Drive (wire sections 2, 4 and 6).
//!
//! Drive finds names by prefixes of tokens and late, so a found name is always parsed before it
//! counts. Names are a peer's to choose: who owns the folder is checked elsewhere.

mod collection;
mod files;
mod folders;

pub use collection::{CollectionFolderName, CollectionHash, CollectionHasher, collection_hash};
pub use files::{
    CheckpointName, EncryptionBundleName, IncrementalCheckpointName, MessageKind, MessageName,
    PAYLOAD_EXTENSION, RollingStateName,
};
pub use folders::{
    ArchiveFolderName, BoxKind, CheckpointsFolderName, DatasiteFolderName, EncryptionBundlesFolderName,
    EventLogFolderName, RollingStateFolderName, VersionFolderName,
};

/// The folder at the root of My Drive that holds all the others.
pub const SYFTBOX_FOLDER: &str = "SyftBox";
/// The file of [`PeersFile`](super::PeersFile).
pub const PEERS_FILE: &str = "SYFT_peers.json";
/// The file of [`VersionFile`](super::VersionFile).
pub const VERSION_FILE: &str = "SYFT_version.json";
/// The file of permissions, in any folder of a datasite (wire section 7).
pub const PERMISSION_FILE: &str = "syft.pub.yaml";
/// The app property of a collection that is shared with any peer; its value is `"true"`.
pub const SHARED_WITH_ANY_PROPERTY: &str = "syft_shared_with_any";

/// A name that is not of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not the name of {kind}")]
pub struct NameError {
    name: String,
    kind: &'static str,
}

impl NameError {
    fn new(name: &str, kind: &'static str) -> Self {
        Self { name: super::payload::cut(name), kind }
    }
}
