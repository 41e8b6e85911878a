//! An owner runs a job once more, or accepts it by depositing the result itself.

use super::Job;
use crate::{
    datasets::Source,
    manager::{ManagerError, SyftboxManager},
    permissions::PERMISSION_FILE,
    platform::tree,
    sync::MAX_FILE_BYTES,
    wire::{
        is_syncable,
        job::{JobSide, JobStatus, OUTPUTS_FOLDER},
    },
};

impl SyftboxManager {
    /// Makes a job that ended ready to run once more: its logs and outputs go, and it is approved
    /// again; when its files aren't those that were approved, it is pending. The owner's role. No
    /// request: the next sync tells its submitter.
    ///
    /// # Errors
    /// [`ManagerError::NoJob`], or [`ManagerError::WrongStatus`] when it is neither done nor failed.
    pub async fn rerun_job(&mut self, name: &str) -> Result<Job, ManagerError> {
        self.need_owner("running a job again")?;
        let may = [JobStatus::Done, JobStatus::Failed];
        let mut job = self.own_job(name, &may, "done or failed", "run again").await?;
        let mut state = self.state_of(&job);
        let is_approved = self.approval_holds(&job.id).await?;
        state.status = if is_approved { JobStatus::Approved } else { JobStatus::Pending };
        state.completed_at = None;
        state.return_code = None;
        // The state first: a crash leaves old results beside it, which the run replaces.
        self.write_state(&job.id, &state).await?;
        self.remove_results(&job.id).await?;
        job.state = Some(state);
        Ok(job)
    }

    /// Accepts a job without running it: `result`, a file or a folder, becomes its output, which its
    /// submitter may read, and the job is done. The owner's role. No request: the next sync sends it.
    ///
    /// # Errors
    /// [`ManagerError::NoJob`], [`ManagerError::WrongStatus`] when it is neither pending nor approved,
    /// or [`ManagerError::BadSource`] when the result can't be sent.
    pub async fn deposit_result(&mut self, name: &str, result: &Source) -> Result<Job, ManagerError> {
        self.need_owner("depositing a result")?;
        let may = [JobStatus::Pending, JobStatus::Approved];
        let mut job = self.own_job(name, &may, "pending or approved", "accepted").await?;
        let files = result.list(is_syncable).await?;
        for file in &files {
            if file.name.file_name().eq_ignore_ascii_case(PERMISSION_FILE) {
                return Err(
                    result.bad(format!("{} would decide who reads the result; leave it out", file.name))
                );
            }
            if file.len > MAX_FILE_BYTES {
                let why = format!(
                    "{} has {} bytes, and {MAX_FILE_BYTES} can be sent at most; make it smaller",
                    file.name, file.len
                );
                return Err(result.bad(why));
            }
        }
        let outputs = job.id.folder(JobSide::Review)?.join(OUTPUTS_FOLDER)?;
        let folder = match result.folder_name() {
            Some(name) => outputs.join(&name).map_err(|_| result.bad("its name can't be sent; rename it"))?,
            None => outputs,
        };
        for file in files.iter().filter(|file| is_syncable(&file.name)) {
            let target = folder.join(file.name.as_str())?;
            tree::copy(result.files.as_ref(), &file.path, self.files(), &target).await?;
        }
        let me = self.email().clone();
        self.set_result_access(&job.id, OUTPUTS_FOLDER, &[&me, &job.id.submitted_by]).await?;
        let mut state = self.state_of(&job);
        state.status = JobStatus::Done;
        state.approved_by = state.approved_by.or(Some(me));
        state.approved_at = state.approved_at.or(Some(self.now()));
        state.completed_at = Some(self.now());
        state.return_code = Some(0);
        self.write_state(&job.id, &state).await?;
        job.state = Some(state);
        Ok(job)
    }
}
