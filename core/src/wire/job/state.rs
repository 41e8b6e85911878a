//! `state.yaml`: what a data owner says of a job.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Email, Generation, Timestamp},
    wire::{
        iso,
        yaml::{self, YamlError},
    },
};

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// It arrived and was not looked at yet.
    #[default]
    Received,
    /// It is valid and waits for the data owner.
    Pending,
    /// The data owner approved exactly this content.
    Approved,
    /// The data owner, or validation, said no.
    Rejected,
    /// It runs.
    Running,
    /// It ended with return code 0.
    Done,
    /// It ended otherwise.
    Failed,
}

impl JobStatus {
    /// The status as it is on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// Who approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMethod {
    /// A person.
    Manual,
    /// A rule that a person made.
    Auto,
}

/// What a data owner says of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobState {
    /// The layout it is written for: 0.10 names the format in every file.
    pub generation: Generation,
    /// How far it is.
    pub status: JobStatus,
    /// When it arrived.
    pub received_at: Option<Timestamp>,
    /// By whom it was approved.
    pub approved_by: Option<Email>,
    /// When it was approved.
    pub approved_at: Option<Timestamp>,
    /// How it was approved.
    pub approval_method: Option<ApprovalMethod>,
    /// By whom it was rejected.
    pub rejected_by: Option<Email>,
    /// When it was rejected.
    pub rejected_at: Option<Timestamp>,
    /// Why it was approved or rejected.
    pub review_reason: Option<String>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// What it ended with; -1 when it hit its time limit.
    pub return_code: Option<i32>,
}

/// The file as YAML has it, keys ascending as the Python peers write them.
#[derive(Serialize, Deserialize)]
struct Shape {
    #[serde(default)]
    approval_method: Option<ApprovalMethod>,
    #[serde(default, with = "iso::optional")]
    approved_at: Option<Timestamp>,
    #[serde(default)]
    approved_by: Option<Email>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canonical_name: Option<String>,
    #[serde(default, with = "iso::optional")]
    completed_at: Option<Timestamp>,
    #[serde(default, with = "iso::optional")]
    received_at: Option<Timestamp>,
    #[serde(default, with = "iso::optional")]
    rejected_at: Option<Timestamp>,
    #[serde(default)]
    rejected_by: Option<Email>,
    #[serde(default)]
    return_code: Option<i32>,
    #[serde(default)]
    review_reason: Option<String>,
    #[serde(default)]
    status: JobStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl JobState {
    /// The state of a job that arrived at `now`.
    #[must_use]
    pub fn received(generation: Generation, now: Timestamp) -> Self {
        Self {
            generation,
            status: JobStatus::Received,
            received_at: Some(now),
            approved_by: None,
            approved_at: None,
            approval_method: None,
            rejected_by: None,
            rejected_at: None,
            review_reason: None,
            completed_at: None,
            return_code: None,
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it is not YAML of this shape.
    pub fn parse(yaml: &[u8]) -> Result<Self, YamlError> {
        let shape: Shape = yaml::read(yaml)?;
        Ok(Self {
            generation: if shape.version.is_some() { Generation::V0_10 } else { Generation::V0_1 },
            status: shape.status,
            received_at: shape.received_at,
            approved_by: shape.approved_by,
            approved_at: shape.approved_at,
            approval_method: shape.approval_method,
            rejected_by: shape.rejected_by,
            rejected_at: shape.rejected_at,
            review_reason: shape.review_reason,
            completed_at: shape.completed_at,
            return_code: shape.return_code,
        })
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice: all of it has a YAML form.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        let since_0_10 = |text: &str| (self.generation == Generation::V0_10).then(|| text.to_owned());
        yaml::write(&Shape {
            approval_method: self.approval_method,
            approved_at: self.approved_at,
            approved_by: self.approved_by.clone(),
            canonical_name: since_0_10("JobState"),
            completed_at: self.completed_at,
            received_at: self.received_at,
            rejected_at: self.rejected_at,
            rejected_by: self.rejected_by.clone(),
            return_code: self.return_code,
            review_reason: self.review_reason.clone(),
            status: self.status,
            version: since_0_10("1"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut state = JobState::received(Generation::V0_10, Timestamp::from_seconds(1.5).unwrap());
        state.status = JobStatus::Failed;
        state.approval_method = Some(ApprovalMethod::Manual);
        state.review_reason = Some("no: it's\n\"bad\" #1\t\u{7f}".to_owned());
        state.return_code = Some(-1);
        let yaml = state.to_yaml().unwrap();
        assert_eq!(JobState::parse(yaml.as_bytes()).unwrap(), state, "{yaml}");
        assert!(JobState::parse(b"status: sleeping").is_err());
        assert_eq!(JobState::parse(b"{}").unwrap().status, JobStatus::Received);
    }
}
