//! Versions of the Python client that peers advertise, and the two generations of folders and job
//! paths that follow from them (wire sections 1, 2 and 5).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A version `X.Y.Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// X
    pub major: u32,
    /// Y
    pub minor: u32,
    /// Z
    pub patch: u32,
}

/// A text that is not `X.Y.Z`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a version of the form X.Y.Z")]
pub struct VersionError(String);

impl Version {
    /// Whether folders named with the one count for the other: X and Y are equal (wire section 1).
    #[must_use]
    pub fn shares_folders_with(self, other: Self) -> bool {
        (self.major, self.minor) == (other.major, other.minor)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let refused = || VersionError(text.chars().take(80).collect());
        let number = |part: Option<&str>| match part {
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| refused())
            }
            _ => Err(refused()),
        };
        let mut parts = text.split('.');
        let version =
            Self { major: number(parts.next())?, minor: number(parts.next())?, patch: number(parts.next())? };
        parts.next().is_none().then_some(version).ok_or_else(refused)
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The two generations of Python peers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Generation {
    /// `syft-client` 0.1.x
    #[serde(rename = "0.1")]
    V0_1,
    /// `syft` 0.10.x
    #[default]
    #[serde(rename = "0.10")]
    V0_10,
}

impl Generation {
    /// All there are, the older first.
    pub const ALL: [Self; 2] = [Self::V0_1, Self::V0_10];

    /// The version a peer of this generation advertises until it knows better.
    #[must_use]
    pub fn version(self) -> Version {
        match self {
            Self::V0_1 => Version { major: 0, minor: 1, patch: 117 },
            Self::V0_10 => Version { major: 0, minor: 10, patch: 0 },
        }
    }

    /// The generation of a peer with `version`; `None` for one that never was.
    #[must_use]
    pub fn of(version: Version) -> Option<Self> {
        Self::ALL.into_iter().find(|generation| generation.version().shares_folders_with(version))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V0_1 => "0.1",
            Self::V0_10 => "0.10",
        })
    }
}

impl FromStr for Generation {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        match text {
            "0.1" => Ok(Self::V0_1),
            "0.10" => Ok(Self::V0_10),
            _ => Err(VersionError(text.chars().take(80).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_compares() {
        let version: Version = "0.1.117".parse().unwrap();
        assert_eq!(version.to_string(), "0.1.117");
        assert_eq!(Generation::of(version), Some(Generation::V0_1));
        assert_eq!(Generation::of("0.10.9".parse().unwrap()), Some(Generation::V0_10));
        assert_eq!(Generation::of("0.2.0".parse().unwrap()), None);
        for bad in ["", "0.1", "0.1.2.3", "0.1.x", "0.1.+2", "v0.1.2", "0.1.99999999999"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
