//! An owner reviews jobs: receives them, approves exactly what it saw, or rejects.

use super::{Job, JobId};
use crate::{
    domain::DatasitePath,
    manager::{ManagerError, SyftboxManager},
    sync::SyncReport,
    wire::{
        job::{
            Approval, ApprovalMethod, ApprovedPackage, JobSide, JobState, JobStatus, STATE_FILE,
            approval_file,
        },
        yaml::MAX_YAML_BYTES,
    },
};

impl SyftboxManager {
    /// Approves a pending job as it is now: if anything of it changes, the approval is void. The
    /// owner's role. It gets no Python packages beside those of its runtime, and has failed when a crash cuts off
    /// its run.
    ///
    /// # Errors
    /// [`ManagerError::NoJob`], or [`ManagerError::WrongStatus`] when it isn't pending.
    pub async fn approve_job(&mut self, name: &str, reason: Option<String>) -> Result<Job, ManagerError> {
        self.approve_job_with(name, reason, Vec::new(), false).await
    }

    /// Approves a job with exactly these Python packages, otherwise like [`approve_job`](Self::approve_job). When it
    /// is `repeatable`, a run that a crash cuts off is done again.
    ///
    /// # Errors
    /// As there.
    pub async fn approve_job_with(
        &mut self,
        name: &str,
        reason: Option<String>,
        packages: Vec<ApprovedPackage>,
        repeatable: bool,
    ) -> Result<Job, ManagerError> {
        self.need_owner("approving a job")?;
        let mut job = self.own_job(name, &[JobStatus::Pending], "pending", "approved").await?;
        let hash = self.submission_hash(&job.id).await?;
        let approval = Approval { submission: hash, approved_at: self.now(), packages, repeatable };
        self.write_text(&Self::approval_path(&job.id)?, approval.to_yaml()?).await?;
        let mut state = self.state_of(&job);
        state.status = JobStatus::Approved;
        state.approved_by = Some(self.email().clone());
        state.approved_at = Some(self.now());
        state.approval_method = Some(ApprovalMethod::Manual);
        state.review_reason = reason;
        self.write_state(&job.id, &state).await?;
        job.state = Some(state);
        Ok(job)
    }

    /// Rejects a job that hasn't run. The owner's role.
    ///
    /// # Errors
    /// [`ManagerError::NoJob`], or [`ManagerError::WrongStatus`] when it ran or was rejected.
    pub async fn reject_job(&mut self, name: &str, reason: Option<String>) -> Result<Job, ManagerError> {
        self.need_owner("rejecting a job")?;
        let may = [JobStatus::Pending, JobStatus::Approved];
        let mut job = self.own_job(name, &may, "pending or approved", "rejected").await?;
        let state = self.rejected(&job, reason);
        self.write_state(&job.id, &state).await?;
        job.state = Some(state);
        Ok(job)
    }

    fn rejected(&self, job: &Job, reason: Option<String>) -> JobState {
        let mut state = self.state_of(job);
        state.status = JobStatus::Rejected;
        state.rejected_by = Some(self.email().clone());
        state.rejected_at = Some(self.now());
        state.review_reason = reason;
        state
    }

    pub(super) async fn own_job(
        &mut self,
        name: &str,
        may: &[JobStatus],
        needed: &'static str,
        verb: &'static str,
    ) -> Result<Job, ManagerError> {
        self.receive_jobs(&mut SyncReport::default()).await?;
        let job = self.job(name).await?;
        if job.id.datasite != *self.email() {
            return Err(ManagerError::NotOurJob { name: name.to_owned(), datasite: job.id.datasite, verb });
        }
        if may.contains(&job.status()) {
            Ok(job)
        } else {
            Err(ManagerError::WrongStatus { name: name.to_owned(), status: job.status(), needed, verb })
        }
    }

    /// Gives every new job of our datasite a state, and takes back what can't be true any more:
    /// approvals of content that changed, and runs that a crash cut off. Returns how many were new.
    pub(crate) async fn receive_jobs(&mut self, report: &mut SyncReport) -> Result<usize, ManagerError> {
        let me = self.email().clone();
        let mut new = 0;
        for id in self.job_ids(&me).await? {
            let job = self.read_job(id).await?;
            let state = match job.status() {
                JobStatus::Received => {
                    new += 1;
                    Some(self.received(&job, report).await?)
                }
                JobStatus::Approved if !self.approval_holds(&job.id).await? => {
                    let why = "its files are not those that were approved; review and approve it again";
                    report.refuse(&job.id.submitted_by, format!("job {:?}", job.id.name.as_str()), why);
                    let received_at = job.state.as_ref().and_then(|state| state.received_at);
                    let mut state = JobState::received(job.id.generation, received_at.unwrap_or(self.now()));
                    state.status = JobStatus::Pending;
                    state.review_reason = Some(why.to_owned());
                    Some(state)
                }
                JobStatus::Running if self.may_repeat(&job.id).await? => {
                    let mut state = self.state_of(&job);
                    state.status = JobStatus::Approved;
                    Some(state)
                }
                JobStatus::Running => {
                    let mut state = self.state_of(&job);
                    state.status = JobStatus::Failed;
                    state.completed_at = Some(self.now());
                    state.return_code = Some(-1);
                    state.review_reason = Some("the program that ran it ended before it did".to_owned());
                    Some(state)
                }
                _ => None,
            };
            if let Some(state) = state {
                self.write_state(&job.id, &state).await?;
            }
        }
        Ok(new)
    }

    /// The first state of a job: pending, or rejected when it is no valid submission.
    async fn received(&self, job: &Job, report: &mut SyncReport) -> Result<JobState, ManagerError> {
        match self.check_submission(&job.id, job.config.as_ref()).await? {
            Ok(()) => {
                let mut state = self.state_of(job);
                state.status = JobStatus::Pending;
                Ok(state)
            }
            Err(reason) => {
                report.refuse(&job.id.submitted_by, format!("job {:?}", job.id.name.as_str()), &reason);
                Ok(self.rejected(job, Some(reason.to_string())))
            }
        }
    }

    /// Where the approval of a job is. It is a file of our datasite, so that it reaches the other
    /// machines of ours like everything; no peer can read or propose it.
    fn approval_path(id: &JobId) -> Result<DatasitePath, ManagerError> {
        let path = approval_file(id.generation, &id.submitted_by, &id.name)?;
        Ok(Self::datasite_folder(&id.datasite)?.join(path.as_str())?)
    }

    /// Whether the job is still exactly what was approved, and may be run again after a crash.
    async fn may_repeat(&self, id: &JobId) -> Result<bool, ManagerError> {
        let approval = self.approval(id).await?;
        Ok(approval.is_some_and(|approval| approval.repeatable) && self.approval_holds(id).await?)
    }

    /// Whether the job is still exactly what was approved. A state file alone approves nothing.
    pub(super) async fn approval_holds(&self, id: &JobId) -> Result<bool, ManagerError> {
        match self.approval(id).await? {
            Some(approval) => Ok(self.submission_hash(id).await? == approval.submission),
            None => Ok(false),
        }
    }

    /// What was approved of a job.
    pub(super) async fn approval(&self, id: &JobId) -> Result<Option<Approval>, ManagerError> {
        let approval = self.files().read(&Self::approval_path(id)?, MAX_YAML_BYTES as u64).await.ok();
        Ok(approval.and_then(|yaml| Approval::parse(&yaml).ok()))
    }

    pub(super) fn state_of(&self, job: &Job) -> JobState {
        job.state.clone().unwrap_or_else(|| JobState::received(job.id.generation, self.now()))
    }

    pub(super) async fn write_state(&self, id: &JobId, state: &JobState) -> Result<(), ManagerError> {
        self.write_text(&id.folder(JobSide::Review)?.join(STATE_FILE)?, state.to_yaml()?).await
    }
}
