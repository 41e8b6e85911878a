//! What a job shows: its code, its logs, its outputs, as far as they are here.

use bytes::Bytes;

use super::Job;
use crate::{
    domain::DatasitePath,
    manager::{ManagerError, SyftboxManager},
    platform::{FileError, FileErrorKind, tree},
    wire::job::{CODE_FOLDER, JobSide, OUTPUTS_FOLDER, RETURN_CODE_FILE, STDERR_FILE, STDOUT_FILE},
};

/// More of a log or a code file isn't shown.
const MAX_SHOWN_BYTES: u64 = 64 * 1024 * 1024;

/// A file of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFile {
    /// Its path below `code/` or `outputs/`.
    pub name: DatasitePath,
    /// Where it is in the `SyftBox` folder.
    pub path: DatasitePath,
    /// Its length in bytes.
    pub len: u64,
}

/// What a job printed; `None` where it isn't here: not run yet, or not shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobLogs {
    /// Standard output.
    pub stdout: Option<Bytes>,
    /// Standard error, with the reason when it didn't end well.
    pub stderr: Option<Bytes>,
    /// The return code.
    pub return_code: Option<i32>,
}

impl SyftboxManager {
    /// The files of the job's code.
    ///
    /// # Errors
    /// When they can't be read.
    pub async fn job_code(&self, job: &Job) -> Result<Vec<JobFile>, ManagerError> {
        self.job_files_below(&job.id.folder(JobSide::Inbox)?.join(CODE_FOLDER)?).await
    }

    /// The files that the job left, as far as they were shared with us.
    ///
    /// # Errors
    /// When they can't be read.
    pub async fn job_outputs(&self, job: &Job) -> Result<Vec<JobFile>, ManagerError> {
        self.job_files_below(&job.id.folder(JobSide::Review)?.join(OUTPUTS_FOLDER)?).await
    }

    /// The content of one of those files.
    ///
    /// # Errors
    /// When it can't be read, or has more than 64 MiB.
    pub async fn read_job_file(&self, file: &JobFile) -> Result<Bytes, ManagerError> {
        Ok(self.files().read(&file.path, MAX_SHOWN_BYTES).await?)
    }

    /// What the job printed, as far as it was shared with us.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn job_logs(&self, job: &Job) -> Result<JobLogs, ManagerError> {
        let review = job.id.folder(JobSide::Review)?;
        let return_code = self.read_if_there(&review.join(RETURN_CODE_FILE)?).await?;
        Ok(JobLogs {
            stdout: self.read_if_there(&review.join(STDOUT_FILE)?).await?,
            stderr: self.read_if_there(&review.join(STDERR_FILE)?).await?,
            return_code: return_code.and_then(|bytes| str::from_utf8(&bytes).ok()?.trim().parse().ok()),
        })
    }

    async fn read_if_there(&self, path: &DatasitePath) -> Result<Option<Bytes>, ManagerError> {
        match self.files().read(path, MAX_SHOWN_BYTES).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(FileError { kind: FileErrorKind::Missing, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn job_files_below(&self, folder: &DatasitePath) -> Result<Vec<JobFile>, ManagerError> {
        let found = tree::walk(self.files(), Some(folder), |_| true).await?;
        Ok(found
            .into_iter()
            .filter_map(|(path, stat)| Some(JobFile { name: path.below(folder)?, path, len: stat.len }))
            .collect())
    }
}
