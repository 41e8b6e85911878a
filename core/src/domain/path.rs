//! Where a file is, relative to a root it cannot leave (wire sections 1 and 11).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A path relative to a root (a datasite's, or the `SyftBox` folder's), with `/` between components.
///
/// It cannot be absolute, has no empty, `.` or `..` component, no control character and no
/// backslash, so joining it to the root on any platform stays below the root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasitePath(String);

/// Why a text is not a path below a root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path {path:?} is refused: {reason}")]
pub struct PathError {
    path: String,
    reason: &'static str,
}

impl DatasitePath {
    /// The longest path, in bytes.
    pub const MAX_BYTES: usize = 1024;
    /// The longest component, in bytes: what common file systems hold.
    pub const MAX_COMPONENT_BYTES: usize = 255;

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names from the root down.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.split('/')
    }

    /// The last name.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder it is in; `None` at the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// This path with `below` (one or more names) behind it.
    ///
    /// # Errors
    /// When `below` is no path, or both together are too long.
    pub fn join(&self, below: &str) -> Result<Self, PathError> {
        format!("{}/{below}", self.0).parse()
    }

    /// This path seen from `folder`: `None` when it is not below it.
    #[must_use]
    pub fn below(&self, folder: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&folder.0)?.strip_prefix('/')?;
        Some(Self(rest.to_owned()))
    }
}

fn reason_against(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.len() > DatasitePath::MAX_BYTES {
        return Some("it is longer than 1024 bytes");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    if path.contains('\\') {
        return Some("it has a backslash");
    }
    if path.contains(char::is_control) {
        return Some("it has a control character");
    }
    path.split('/').find_map(|component| match component {
        "" => Some("it has an empty component"),
        "." | ".." => Some("it has a . or .. component"),
        name if name.len() > DatasitePath::MAX_COMPONENT_BYTES => {
            Some("it has a component longer than 255 bytes")
        }
        // A drive letter makes a path absolute on Windows.
        name if name.as_bytes().get(1) == Some(&b':') => Some("it has a drive letter"),
        _ => None,
    })
}

impl FromStr for DatasitePath {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        match reason_against(path) {
            None => Ok(Self(path.to_owned())),
            Some(reason) => Err(PathError { path: path.chars().take(120).collect(), reason }),
        }
    }
}

impl TryFrom<String> for DatasitePath {
    type Error = PathError;

    fn try_from(path: String) -> Result<Self, PathError> {
        path.parse()
    }
}

impl From<DatasitePath> for String {
    fn from(path: DatasitePath) -> Self {
        path.0
    }
}

impl fmt::Display for DatasitePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_leaves_the_root() {
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a/./b",
            "a//b",
            "a/",
            ".",
            "..",
            "a\\b",
            "C:/x",
            "a\0b",
            "a\nb",
        ] {
            assert!(bad.parse::<DatasitePath>().is_err(), "{bad:?}");
        }
        assert!("a/".repeat(600).parse::<DatasitePath>().is_err());
        assert!("a".repeat(256).parse::<DatasitePath>().is_err());
    }

    #[test]
    fn takes_apart_and_joins() {
        let path: DatasitePath = "app_data/job/été.txt".parse().unwrap();
        assert_eq!(path.file_name(), "été.txt");
        assert_eq!(path.parent().unwrap().as_str(), "app_data/job");
        assert_eq!(path.parent().unwrap().join("été.txt").unwrap(), path);
        assert_eq!(path.below(&"app_data".parse().unwrap()).unwrap().as_str(), "job/été.txt");
        assert_eq!(path.below(&"app".parse().unwrap()), None);
        assert!(path.join("../x").is_err());
    }

    proptest! {
        #[test]
        fn what_parses_stays_below_any_root(text in "[a./\\\\:é\u{0}]{0,12}") {
            if let Ok(path) = text.parse::<DatasitePath>() {
                let joined = std::path::Path::new("/root").join(path.as_str());
                prop_assert!(joined.components().all(|c| c != std::path::Component::ParentDir));
                prop_assert!(joined.starts_with("/root") && joined != std::path::Path::new("/root"));
                prop_assert_eq!(path.components().count(), joined.components().count() - 2);
            }
        }
    }
}
