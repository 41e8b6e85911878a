//! What a Python package is called.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a Python package, as all of its spellings are compared (PEP 503): lower case, `-` for any run
/// of `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageName(String);

/// A text that is no name of a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a Python package: use letters, digits, -, _ and .")]
pub struct InvalidName(String);

/// The longest name, in bytes.
const LONGEST: usize = 128;

impl PackageName {
    /// The name in its normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PackageName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let plain = |c: char| c.is_ascii_alphanumeric();
        let valid = text.len() <= LONGEST
            && text.starts_with(plain)
            && text.ends_with(plain)
            && text.chars().all(|c| plain(c) || matches!(c, '-' | '_' | '.'));
        if !valid {
            return Err(InvalidName(text.chars().take(LONGEST).collect()));
        }
        let parts = text.split(['-', '_', '.']).filter(|part| !part.is_empty());
        Ok(Self(parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()))
    }
}

impl TryFrom<String> for PackageName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<PackageName> for String {
    fn from(name: PackageName) -> Self {
        name.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_the_same() {
        for spelling in ["scikit-learn", "Scikit_Learn", "scikit.learn", "scikit-_-learn"] {
            assert_eq!(spelling.parse::<PackageName>().unwrap().as_str(), "scikit-learn");
        }
    }

    #[test]
    fn options_paths_and_addresses_are_no_names() {
        for bad in ["", "-r", "--index-url=x", "../x", "a/b", "a b", "a;b", ".", "a-", "é", &"a".repeat(129)]
        {
            assert!(bad.parse::<PackageName>().is_err(), "{bad}");
        }
    }
}
