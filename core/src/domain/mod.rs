//! Values that cannot be wrong once built. Everything that crosses the edge (wire, files, command
//! line) is parsed into these once, and the rest of the manager relies on them.

mod email;
mod hash;
mod path;
mod time;
mod version;

pub use email::{Email, EmailError};
pub use hash::{ContentHash, ContentHasher, HashError};
pub use path::{DatasitePath, PathError};
pub use time::{Timestamp, TimestampError};
pub use version::{Generation, Version, VersionError};
