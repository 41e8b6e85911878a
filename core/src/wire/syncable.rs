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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_travels() {
        for (path, travels) in [
            ("app_data/job/inbox/ds@x.org/v1/j/run.sh", true),
            ("public/a.txt", true),
            ("syft.pub.yaml", true),
            ("private_notes", true),
            ("public/syft_datasets_old/a", true),
            ("a/private/b", true),
            ("a/.hidden", true),
            ("private", false),
            ("private/syft_datasets/x/a.csv", false),
            ("public/syft_datasets/x/mock.csv", false),
            ("public/syft_datasets", false),
            ("a/.git/config", false),
            ("a/.venv", false),
            ("a/__pycache__/b.pyc", false),
            ("node_modules/x", false),
            ("a/.DS_Store", false),
        ] {
            assert_eq!(is_syncable(&path.parse().unwrap()), travels, "{path}");
        }
    }
}
