//! `SYFT_version.json`: what a peer runs (wire section 1).

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::domain::{Generation, Timestamp, Version};

const PROTOCOL_VERSION: &str = "1.0.0";

/// What a peer tells of its version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionFile {
    /// The version that counts.
    #[serde(rename = "syft_client_version")]
    pub version: Version,
    /// The oldest version it says it can talk to. Nobody obeys it.
    #[serde(rename = "min_supported_syft_client_version")]
    pub min_supported_version: String,
    /// `1.0.0`
    pub protocol_version: String,
    /// `1.0.0`
    pub min_supported_protocol_version: String,
    /// When the file was written.
    #[serde(with = "super::iso")]
    pub updated_at: Timestamp,
    /// What 0.10 added; `None` in files of 0.1.
    #[serde(flatten)]
    pub since_0_10: Option<Since010>,
    /// The generations that it speaks, the preferred one first: of our making. Empty in files of
    /// the Python peers, which speak their own only and ignore the field.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "known_generations")]
    pub generations: Vec<Generation>,
}

/// The fields that 0.10 added to the version file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Since010 {
    /// What `uv pip install` needs to get this version, such as `syft==0.10.0`. It goes into
    /// `run.sh` of jobs for this peer, so it is code that the peer itself would run.
    // Without a function of its own, a missing field would be as good as null.
    #[serde(rename = "syft_client_install_source", deserialize_with = "Option::deserialize")]
    pub install_source: Option<String>,
    /// Of no meaning yet.
    #[serde(default)]
    pub attestation_token: Option<Value>,
}

/// Those that we know, each once; whatever else is there means nothing to us.
fn known_generations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Generation>, D::Error> {
    let mut known = Vec::new();
    if let Value::Array(told) = Value::deserialize(deserializer)? {
        for generation in told.iter().filter_map(|text| text.as_str()?.parse().ok()) {
            if !known.contains(&generation) {
                known.push(generation);
            }
        }
    }
    Ok(known)
}

/// A version file that tells no version.
#[derive(Debug, thiserror::Error)]
#[error("SYFT_version.json is of another shape: {0}")]
pub struct VersionFileError(#[from] serde_json::Error);

impl VersionFile {
    /// The file of an account that takes part as `version`, as a Python peer writes it.
    #[must_use]
    pub fn new(version: Version, now: Timestamp) -> Self {
        let of_0_10 = Generation::of(version) != Some(Generation::V0_1);
        let since_0_10 =
            Since010 { install_source: Some(format!("syft=={version}")), attestation_token: None };
        Self {
            version,
            min_supported_version: if of_0_10 { "0.10.0" } else { "0.1.93" }.to_owned(),
            protocol_version: PROTOCOL_VERSION.to_owned(),
            min_supported_protocol_version: PROTOCOL_VERSION.to_owned(),
            updated_at: now,
            since_0_10: of_0_10.then_some(since_0_10),
            generations: Vec::new(),
        }
    }

    /// The file of an account that takes part as `version` and speaks all generations, `preferred`
    /// before the others.
    #[must_use]
    pub fn speaking_all(version: Version, preferred: Generation, now: Timestamp) -> Self {
        let others = Generation::ALL.into_iter().filter(|generation| *generation != preferred);
        Self { generations: std::iter::once(preferred).chain(others).collect(), ..Self::new(version, now) }
    }

    /// Reads a peer's file.
    ///
    /// # Errors
    /// When a field is missing or of another shape: the peer's version is unknown then.
    pub fn parse(json: &[u8]) -> Result<Self, VersionFileError> {
        Ok(serde_json::from_slice(json)?)
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// Never in practice: all of it has a JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>, VersionFileError> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// What a job for this peer installs in its `run.sh` (wire section 5).
    #[must_use]
    pub fn install_source(&self) -> String {
        let advertised = self.since_0_10.as_ref().and_then(|since| since.install_source.clone());
        advertised.unwrap_or_else(|| match Generation::of(self.version) {
            Some(Generation::V0_1) => format!("syft-client=={}", self.version),
            _ => format!("syft=={}", self.version),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(version: &str) -> Result<VersionFile, VersionFileError> {
        let json = json!({
            "syft_client_version": version,
            "min_supported_syft_client_version": "0.1.0",
            "protocol_version": "1.0.0",
            "min_supported_protocol_version": "1.0.0",
            "updated_at": "2026-11-23T04:29:51Z",
        });
        VersionFile::parse(json.to_string().as_bytes())
    }

    #[test]
    fn a_version_that_is_none_is_an_error() {
        for bad in ["", "0.1", "0.10.0.dev1", "latest"] {
            assert!(file(bad).is_err(), "{bad}");
        }
        assert!(VersionFile::parse(b"{}").is_err());
    }

    #[test]
    fn jobs_install_what_the_peer_advertises() {
        assert_eq!(file("0.1.117").unwrap().install_source(), "syft-client==0.1.117");
        assert_eq!(file("0.10.0").unwrap().install_source(), "syft==0.10.0");
        let mut advertised = VersionFile::new("0.10.0".parse().unwrap(), Timestamp::EPOCH);
        advertised.since_0_10 =
            Some(Since010 { install_source: Some("/src/syft".to_owned()), attestation_token: None });
        assert_eq!(advertised.install_source(), "/src/syft");
    }

    #[test]
    fn generations_are_told_and_unknown_ones_ignored() {
        let ours = VersionFile::speaking_all("0.10.3".parse().unwrap(), Generation::V0_1, Timestamp::EPOCH);
        assert_eq!(ours.generations, [Generation::V0_1, Generation::V0_10]);
        let json = String::from_utf8(ours.to_json().unwrap()).unwrap();
        assert_eq!(VersionFile::parse(json.as_bytes()).unwrap(), ours);
        for (told, known) in
            [(r#"["7.1", "0.10", 3, "0.10"]"#, vec![Generation::V0_10]), ("{}", vec![]), ("null", vec![])]
        {
            let mut json: Value = serde_json::from_str(&json).unwrap();
            json["generations"] = serde_json::from_str(told).unwrap();
            assert_eq!(VersionFile::parse(json.to_string().as_bytes()).unwrap().generations, known, "{told}");
        }
        assert!(file("0.10.0").unwrap().generations.is_empty());
    }

    #[test]
    fn null_and_missing_are_told_apart() {
        let since = Some(Since010::default());
        let mut with = VersionFile::new("0.10.0".parse().unwrap(), Timestamp::EPOCH);
        with.since_0_10.clone_from(&since);
        assert_eq!(VersionFile::parse(&with.to_json().unwrap()).unwrap().since_0_10, since);
        assert_eq!(file("0.10.0").unwrap().since_0_10, None);
    }
}
