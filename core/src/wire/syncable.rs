//! Which paths of a datasite travel as events (wire section 4).

use crate::domain::DatasitePath;

/// Names that are never synced, wherever in a path they are.
const NEVER_SYNCED: [&str; 8] = [
    ".venv",
    ".git",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    "node_modules",
    ".DS_Store",
];

/// Whether `path`, relative to a datasite's root, travels as events.
///
/// Not what tools leave behind, not the private half of anything, and not datasets, which travel
/// as collections.
#[must_use]
pub fn is_syncable(path: &DatasitePath) -> bool {
    let mut components = path.components();
    let datasets = path.components().take(2).eq(["public", "syft_datasets"]);
    path.components().next() != Some("private")
        && !datasets
        && !components.any(|name| NEVER_SYNCED.contains(&name))
}
