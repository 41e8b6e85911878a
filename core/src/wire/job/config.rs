//! `config.yaml`: what a data scientist says of a job.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    domain::{DatasitePath, Generation, Timestamp},
    wire::{
        iso,
        yaml::{self, YamlError},
    },
};

/// What runs a job's code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Python runs the entry point.
    #[default]
    Python,
    /// Bash runs the script.
    Bash,
}

/// What a data scientist says of a job. Who submitted it and what it is called are not taken from
/// here: the folder says so.
#[derive(Clone, Debug, PartialEq)]
pub struct JobConfig {
    /// The layout it is written for: 0.10 names the format in every file.
    pub generation: Generation,
    /// What the scientist calls the job.
    pub name: String,
    /// What runs the code.
    pub kind: JobKind,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// The file to run, below `code/`, as far as it says so; see [`entry`](Self::entry).
    pub entrypoint: Option<DatasitePath>,
    /// What `run.sh` installs: the peer's own package, then what the scientist asked for.
    pub dependencies: Vec<String>,
    /// The files below `code/`.
    pub files: Vec<String>,
    /// Whether the code was given as a folder.
    pub is_folder_submission: bool,
    /// Where the code came from. We write the bare name, not a path of the scientist's machine.
    pub code_path: Option<String>,
    /// `local`
    pub job_type: String,
    /// The datasets it wants, by their owners; `None` for all that its submitter may use.
    pub datasets: Option<BTreeMap<String, Vec<String>>>,
    /// Of no meaning yet.
    pub headers: Map<String, Value>,
}

/// The file as YAML has it, keys ascending as the Python peers write them.
#[derive(Serialize, Deserialize)]
struct Shape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canonical_name: Option<String>,
    #[serde(default)]
    code_path: Option<String>,
    #[serde(default)]
    datasets: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    entrypoint: Option<DatasitePath>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    is_folder_submission: bool,
    #[serde(default = "local")]
    job_type: String,
    name: String,
    #[serde(with = "iso")]
    submitted_at: Timestamp,
    #[serde(default, rename = "type")]
    kind: JobKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

fn local() -> String {
    "local".to_owned()
}

impl JobConfig {
    /// A Python job that starts at `entrypoint` and needs `dependencies` beside `install_source`
    /// (see [`VersionFile::install_source`](crate::wire::VersionFile::install_source)).
    #[must_use]
    pub fn python(
        generation: Generation,
        name: String,
        entrypoint: DatasitePath,
        install_source: String,
        dependencies: Vec<String>,
        submitted_at: Timestamp,
    ) -> Self {
        Self {
            kind: JobKind::Python,
            entrypoint: Some(entrypoint),
            dependencies: std::iter::once(install_source).chain(dependencies).collect(),
            ..Self::empty(generation, name, submitted_at)
        }
    }

    /// A bash job.
    #[must_use]
    pub fn bash(generation: Generation, name: String, submitted_at: Timestamp) -> Self {
        Self {
            files: vec![super::BASH_SCRIPT_FILE.to_owned()],
            ..Self::empty(generation, name, submitted_at)
        }
    }

    fn empty(generation: Generation, name: String, submitted_at: Timestamp) -> Self {
        Self {
            generation,
            name,
            kind: JobKind::Bash,
            submitted_at,
            entrypoint: None,
            dependencies: Vec::new(),
            files: Vec::new(),
            is_folder_submission: false,
            code_path: None,
            job_type: local(),
            datasets: None,
            headers: Map::new(),
        }
    }

    /// The file that is run, below `code/`: its entry point, or for bash the script. `None` for a
    /// Python job that names none.
    #[must_use]
    pub fn entry(&self) -> Option<DatasitePath> {
        match self.kind {
            JobKind::Python => self.entrypoint.clone(),
            JobKind::Bash => self.entrypoint.clone().or_else(|| super::BASH_SCRIPT_FILE.parse().ok()),
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it is not YAML of this shape, or its entry point leaves the code folder.
    pub fn parse(yaml: &[u8]) -> Result<Self, YamlError> {
        let shape: Shape = yaml::read(yaml)?;
        Ok(Self {
            generation: if shape.version.is_some() { Generation::V0_10 } else { Generation::V0_1 },
            name: shape.name,
            kind: shape.kind,
            submitted_at: shape.submitted_at,
            entrypoint: shape.entrypoint,
            dependencies: shape.dependencies,
            files: shape.files,
            is_folder_submission: shape.is_folder_submission,
            code_path: shape.code_path,
            job_type: shape.job_type,
            datasets: shape.datasets,
            headers: shape.headers,
        })
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice: all of it has a YAML form.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        let since_0_10 = |text: &str| (self.generation == Generation::V0_10).then(|| text.to_owned());
        yaml::write(&Shape {
            canonical_name: since_0_10("JobSubmissionMetadata"),
            code_path: self.code_path.clone(),
            datasets: self.datasets.clone(),
            dependencies: self.dependencies.clone(),
            entrypoint: self.entrypoint.clone(),
            files: self.files.clone(),
            headers: self.headers.clone(),
            is_folder_submission: self.is_folder_submission,
            job_type: self.job_type.clone(),
            name: self.name.clone(),
            submitted_at: self.submitted_at,
            kind: self.kind,
            version: since_0_10("1"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_point_outside_the_code_is_refused() {
        let yaml = |entrypoint: &str| {
            format!("name: x\nsubmitted_at: '2026-11-23T04:29:51.994099Z'\nentrypoint: {entrypoint}\n")
        };
        assert_eq!(JobConfig::parse(yaml("main.py").as_bytes()).unwrap().kind, JobKind::Python);
        for bad in ["../main.py", "/etc/passwd", "a/../../b.py", "''", "[a]"] {
            assert!(JobConfig::parse(yaml(bad).as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn bash_runs_its_script() {
        let mut config = JobConfig::bash(Generation::V0_10, "x".to_owned(), Timestamp::EPOCH);
        assert_eq!(config.entry().unwrap().as_str(), "script.sh");
        assert_eq!(config.files, ["script.sh"]);
        config.kind = JobKind::Python;
        assert_eq!(config.entry(), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let mut config = JobConfig::python(
            Generation::V0_10,
            "yes".to_owned(),
            "src/1e3".parse().unwrap(),
            "syft==0.10.0".to_owned(),
            vec!["null".to_owned(), "a: b # c".to_owned(), String::new()],
            Timestamp::from_iso("2026-11-23T04:29:51.994099Z").unwrap(),
        );
        config.datasets = Some([("do@x.org".to_owned(), vec!["007".to_owned()])].into());
        config.headers.insert("x".to_owned(), serde_json::json!({"deep": [1, true, null]}));
        let yaml = config.to_yaml().unwrap();
        assert_eq!(JobConfig::parse(yaml.as_bytes()).unwrap(), config, "{yaml}");
        config.generation = Generation::V0_1;
        let yaml = config.to_yaml().unwrap();
        assert!(!yaml.contains("canonical_name") && !yaml.contains("version"));
        assert_eq!(JobConfig::parse(yaml.as_bytes()).unwrap(), config);
    }
}
