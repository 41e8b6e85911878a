//! Jobs (wire section 5): code that a scientist submits and an owner reviews and runs.

mod again;
mod list;
mod new_job;
mod process;
mod receipt;
mod results;
mod review;
mod submission;
mod submit;
mod verify;

use serde::Serialize;

pub use self::{
    new_job::{BashScript, NewBashJob, NewPythonJob, NewWasmJob},
    process::{JobRunner, ProcessOptions, Processed, RunDataset, RunOutcome, RunRequest, RunnerError},
    results::{JobFile, JobLogs},
    verify::{Found, ReceiptCheck, ReceiptError, VerifiedReceipt},
};
use crate::{
    domain::{DatasitePath, Email, Generation, PathError},
    manager::ManagerError,
    permissions::{Access, PERMISSION_FILE, Pattern, PermissionFile},
    platform::FileStore,
    wire::job::{JobConfig, JobName, JobSide, JobState, JobStatus, inbox_folder, job_folder, review_folder},
};

/// Which job: its name alone isn't unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId {
    /// Whose data it is about.
    pub datasite: Email,
    /// Who submitted it: the folder it lies in, never what it says.
    pub submitted_by: Email,
    /// In which layout.
    pub generation: Generation,
    /// What it is called.
    pub name: JobName,
}

impl JobId {
    /// One half of the job, in the `SyftBox` folder.
    pub(crate) fn folder(&self, side: JobSide) -> Result<DatasitePath, PathError> {
        let in_datasite = job_folder(self.generation, side, &self.submitted_by, &self.name)?;
        format!("{}/{in_datasite}", self.datasite).parse()
    }

    /// A name that means this job alone, as `--json` users and messages write it.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.submitted_by, self.name)
    }
}

/// A job as people see it.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which one.
    pub id: JobId,
    /// What its submitter says of it; `None` when that can't be understood.
    pub config: Option<JobConfig>,
    /// What its owner decided; `None` before it was received.
    pub state: Option<JobState>,
}

impl Job {
    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> JobStatus {
        self.state.as_ref().map_or(JobStatus::Received, |state| state.status)
    }
}

impl Serialize for Job {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            name: &'a str,
            status: &'a str,
            submitted_by: &'a Email,
            datasite: &'a Email,
        }
        Shape {
            name: self.id.name.as_str(),
            status: self.status().as_str(),
            submitted_by: &self.id.submitted_by,
            datasite: &self.id.datasite,
        }
        .serialize(serializer)
    }
}

/// Gives `scientist` its folders in our datasite: one to propose jobs in, one to read results from
/// (wire section 5). Rules that are there already stay.
pub(crate) async fn make_job_folders(
    files: &dyn FileStore,
    me: &Email,
    scientist: &Email,
) -> Result<(), ManagerError> {
    let everything = Pattern::everything;
    for (folder, access) in [
        (inbox_folder(scientist)?, Access::write([scientist])),
        (review_folder(scientist)?, Access::read([scientist])),
    ] {
        let path: DatasitePath = format!("{me}/{folder}/{PERMISSION_FILE}").parse()?;
        if files.stat(&path).await?.is_none() {
            let rules = PermissionFile::single(everything(), access).to_yaml()?;
            files.write(&path, rules.into()).await?;
        }
    }
    Ok(())
}
