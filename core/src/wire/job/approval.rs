//! Approvals: which content of a job its owner approved. Ours alone; the Python peers don't know them.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{ContentHash, Timestamp},
    wire::{
        iso,
        yaml::{self, YamlError},
    },
};

/// One approval. It is for exact content: of any other, it says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The hash of all that was submitted, names and contents.
    pub submission: ContentHash,
    /// When it was approved.
    #[serde(with = "iso")]
    pub approved_at: Timestamp,
    /// The Python packages that were approved with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<ApprovedPackage>,
    /// Whether a run that was cut off may simply be done again.
    #[serde(default, skip_serializing_if = "is_not")]
    pub repeatable: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_not(value: &bool) -> bool {
    !value
}

/// A wheel that a job may have on its import path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedPackage {
    /// What it is called.
    pub name: String,
    /// Which version.
    pub version: String,
    /// The wheel's file name.
    pub file: String,
    /// The SHA-256 of the wheel.
    pub sha256: ContentHash,
    /// The wheel's size in bytes.
    pub bytes: u64,
}

impl Approval {
    /// Reads an approval.
    ///
    /// # Errors
    /// When `yaml` is none.
    pub fn parse(yaml: &[u8]) -> Result<Self, YamlError> {
        yaml::read(yaml)
    }

    /// The approval as its file has it.
    ///
    /// # Errors
    /// Never for a real one.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        yaml::write(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        let approval = Approval {
            submission: ContentHash::of(b"x"),
            approved_at: Timestamp::from_iso("2026-11-23T04:29:58.117326Z").unwrap(),
            packages: Vec::new(),
            repeatable: false,
        };
        let mut with_packages = approval.clone();
        with_packages.packages.push(ApprovedPackage {
            name: "humanize".to_owned(),
            version: "4.10".to_owned(),
            file: "humanize-4.10-py3-none-any.whl".to_owned(),
            sha256: ContentHash::of(b"wheel"),
            bytes: 7,
        });
        let yaml = with_packages.to_yaml().unwrap();
        assert_eq!(Approval::parse(yaml.as_bytes()).unwrap(), with_packages);
        let yaml = approval.to_yaml().unwrap();
        assert!(!yaml.contains("repeatable"));
        let again = Approval { repeatable: true, ..approval.clone() };
        for approval in [approval, again] {
            let yaml = approval.to_yaml().unwrap();
            assert_eq!(Approval::parse(yaml.as_bytes()).unwrap(), approval);
        }
        assert!(Approval::parse(b"submission: yes").is_err());
    }
}
