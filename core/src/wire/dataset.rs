//! Datasets: their names, their metadata and their URLs (wire section 8).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    payload::cut,
    yaml::{self, YamlError},
};
use crate::domain::{DatasitePath, Email, Timestamp};

/// Where datasets are in a datasite: the mock half.
pub const PUBLIC_DATASETS: &str = "public/syft_datasets";
/// Where datasets are in a datasite: the private half.
pub const PRIVATE_DATASETS: &str = "private/syft_datasets";
/// The file of [`DatasetYaml`], beside the mock files.
pub const DATASET_FILE: &str = "dataset.yaml";
/// The file of [`PrivateMetadata`], beside the private files.
pub const PRIVATE_METADATA_FILE: &str = "private_metadata.yaml";

/// What a dataset is called: letters and digits of any script, `_` and `-`.
///
/// Safe as one component of a path. `v1` and the like are refused, which the Python peers take for
/// folders of a format.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetName(String);

/// A text that no dataset may be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a dataset's name; use up to {max} letters, digits, _ and -, and not v1 or the like",
    max = DatasetName::MAX_BYTES
)]
pub struct DatasetNameError(String);

impl DatasetName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `v` and digits: what the Python peers take for the folder of a format's version.
pub(super) fn is_version_folder(name: &str) -> bool {
    name.strip_prefix('v')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

impl FromStr for DatasetName {
    type Err = DatasetNameError;

    fn from_str(name: &str) -> Result<Self, DatasetNameError> {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let good = !name.is_empty()
            && name.len() <= Self::MAX_BYTES
            && name.chars().all(word)
            && !is_version_folder(name);
        if good { Ok(Self(name.to_owned())) } else { Err(DatasetNameError(cut(name))) }
    }
}

impl TryFrom<String> for DatasetName {
    type Error = DatasetNameError;

    fn try_from(name: String) -> Result<Self, DatasetNameError> {
        name.parse()
    }
}

impl From<DatasetName> for String {
    fn from(name: DatasetName) -> Self {
        name.0
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `syft://{owner}/{path}`: a file or folder of a datasite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SyftUrl {
    /// Whose datasite.
    pub owner: Email,
    /// Where in it.
    pub path: DatasitePath,
}

/// A text that is no `syft://` URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a URL like syft://name@example.org/public/syft_datasets/name")]
pub struct SyftUrlError(String);

impl FromStr for SyftUrl {
    type Err = SyftUrlError;

    fn from_str(url: &str) -> Result<Self, SyftUrlError> {
        let parse = || {
            let (owner, path) = url.strip_prefix("syft://")?.split_once('/')?;
            Some(Self { owner: owner.parse().ok()?, path: path.parse().ok()? })
        };
        parse().ok_or_else(|| SyftUrlError(cut(url)))
    }
}

impl TryFrom<String> for SyftUrl {
    type Error = SyftUrlError;

    fn try_from(url: String) -> Result<Self, SyftUrlError> {
        url.parse()
    }
}

impl From<SyftUrl> for String {
    fn from(url: SyftUrl) -> Self {
        url.to_string()
    }
}

impl fmt::Display for SyftUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "syft://{}/{}", self.owner, self.path)
    }
}

/// `dataset.yaml`: what everyone who sees a dataset learns of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetYaml {
    /// Its id, which stays when its content changes.
    pub uid: Uuid,
    /// When it was created.
    #[serde(with = "super::iso")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(with = "super::iso")]
    pub updated_at: Timestamp,
    /// Its name.
    pub name: DatasetName,
    /// What it is about, in a few words.
    #[serde(default)]
    pub summary: Option<String>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Of no meaning yet.
    #[serde(default)]
    pub location: Option<String>,
    /// The folder of the mock half.
    pub mock_url: SyftUrl,
    /// The folder of the private half, on the owner's machine only.
    pub private_url: SyftUrl,
    /// The readme, which is in the mock half.
    #[serde(default)]
    pub readme_url: Option<SyftUrl>,
    /// The mock files but for this one and the readme.
    #[serde(default)]
    pub mock_files_urls: Vec<SyftUrl>,
}

impl DatasetYaml {
    /// Reads the file. Its URLs and name are the owner's to choose: whoever uses them checks that
    /// they are of the dataset's owner.
    ///
    /// # Errors
    /// When it is not YAML of this shape.
    pub fn parse(yaml: &[u8]) -> Result<Self, YamlError> {
        yaml::read(yaml)
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice: all of it has a YAML form.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        yaml::write(self)
    }
}

/// `private_metadata.yaml`: beside the private files, never sent to anyone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateMetadata {
    /// The dataset's id.
    pub uid: Uuid,
    /// The folder of the private files on the owner's machine.
    pub data_dir: String,
}

impl PrivateMetadata {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not YAML of this shape.
    pub fn parse(yaml: &[u8]) -> Result<Self, YamlError> {
        yaml::read(yaml)
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice: all of it has a YAML form.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        yaml::write(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["census", "open_data", "a-b", "été", "数据", "2024", "v1x", "_"] {
            assert!(good.parse::<DatasetName>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "../x", "a/b", ".", "a.b", "a\n", "v1", "a#b", "a'b", &"a".repeat(129)] {
            let error = bad.parse::<DatasetName>().unwrap_err().to_string();
            assert!(error.contains("letters, digits"), "{error}");
        }
    }

    #[test]
    fn urls() {
        let url: SyftUrl = "syft://do@test.org/public/syft_datasets/census/mock.csv".parse().unwrap();
        assert_eq!((url.owner.as_str(), url.path.file_name()), ("do@test.org", "mock.csv"));
        assert_eq!(url.to_string(), "syft://do@test.org/public/syft_datasets/census/mock.csv");
        for bad in [
            "",
            "syft://",
            "syft://do@test.org",
            "syft://do@test.org/../x",
            "syft://x/a",
            "http://do@test.org/a",
        ] {
            assert!(bad.parse::<SyftUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn metadata_with_a_path_that_leaves_is_refused() {
        let yaml = "uid: 99d9f6c5-b450-4f92-a3b4-1d3c4f5d4272\ncreated_at: '2026-11-23T04:29:51.636801Z'\n\
                    updated_at: '2026-11-23T04:29:51.636804Z'\nname: x\nmock_url: syft://do@test.org/public/x\n\
                    private_url: syft://do@test.org/private/x\n";
        assert_eq!(DatasetYaml::parse(yaml.as_bytes()).unwrap().tags, Vec::<String>::new());
        for (good, bad) in [("name: x", "name: ../x"), ("/public/x", "/../x"), ("uid: 99", "uid: x")] {
            assert!(DatasetYaml::parse(yaml.replace(good, bad).as_bytes()).is_err(), "{bad}");
        }
    }
}
