//! Who may read, write and administer what in a datasite (wire section 7).
//!
//! All of it is decided by permission files; what no file speaks of is the owner's alone, and so is
//! all below a file that cannot be read.

mod decision;
mod edit;
mod file;
mod glob;
mod pattern;

pub use decision::{Because, Decision, Level, Permissions};
pub use edit::{Deciding, EditError, Edited, Target};
pub use file::{Access, PermissionFile, PermissionFileError, Rule};
pub use pattern::{Pattern, PatternError};

pub use crate::wire::names::PERMISSION_FILE;
