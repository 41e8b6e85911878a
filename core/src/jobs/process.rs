//! An owner runs what it approved, and shares of the result what it chooses.

use std::time::Duration;

use super::{Job, JobId};
use crate::{
    domain::{DatasitePath, Email},
    manager::{ManagerError, SyftboxManager},
    permissions::{Access, PERMISSION_FILE, Pattern, PermissionFile},
    platform::{BoxFuture, MaybeSend, tree},
    sync::{SyncOptions, SyncReport},
    wire::{
        dataset::DatasetName,
        job::{
            ApprovedPackage, CODE_FOLDER, JobKind, JobSide, JobStatus, LOG_FILES, OUTPUTS_FOLDER,
            RETURN_CODE_FILE, STDERR_FILE, STDOUT_FILE, review_folder,
        },
        yaml::MAX_YAML_BYTES,
    },
};

/// Runs a job where it can do no harm. The native sandbox is one.
pub trait JobRunner: MaybeSend {
    /// Runs `request` to its end and leaves logs and outputs where it says.
    ///
    /// # Errors
    /// When it couldn't be started at all: then the job stays approved. However a started job
    /// ends is an outcome.
    fn run<'a>(&'a self, request: &'a RunRequest) -> BoxFuture<'a, Result<RunOutcome, RunnerError>>;
}

/// What to run. Paths are relative to the `SyftBox` folder.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Which job.
    pub id: JobId,
    /// What runs its code.
    pub kind: JobKind,
    /// The file to run, relative to `code`.
    pub entrypoint: Option<DatasitePath>,
    /// The job's code.
    pub code: DatasitePath,
    /// The Python packages that its config asks for.
    pub dependencies: Vec<String>,
    /// Those that were approved with it.
    pub packages: Vec<ApprovedPackage>,
    /// The datasets it may use.
    pub datasets: Vec<RunDataset>,
    /// Where its standard output goes.
    pub stdout: DatasitePath,
    /// Where its standard error goes.
    pub stderr: DatasitePath,
    /// The folder for what it leaves in its `outputs/`; empty before the run.
    pub outputs: DatasitePath,
    /// How long it may run; `None` for the runner's own limit.
    pub timeout: Option<Duration>,
}

/// A dataset of ours that a job may use.
#[derive(Clone, Debug)]
pub struct RunDataset {
    /// Its name.
    pub name: DatasetName,
    /// Where its mock half is.
    pub mock: DatasitePath,
    /// Where its private half is; `None` when it isn't on this machine, as on a new one.
    pub private: Option<DatasitePath>,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOutcome {
    /// 0 when it did what it should, -1 when it was stopped (wire section 5).
    pub return_code: i32,
    /// One line that says how it ended.
    pub reason: String,
}

/// A job that couldn't be started.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RunnerError {
    /// The runner itself doesn't work.
    #[error("{0}")]
    NotReady(String),
}

/// How approved jobs are processed. The default shares nothing.
#[derive(Clone, Debug, Default)]
pub struct ProcessOptions {
    /// Let the submitter read what the job wrote to `outputs/`.
    pub share_outputs_with_submitter: bool,
    /// Let the submitter read stdout, stderr and return code.
    pub share_logs_with_submitter: bool,
    /// How long each job may run; `None` for the runner's own limit.
    pub timeout: Option<Duration>,
    /// Also run jobs of peers that we can't talk to for now; each is in [`Processed::forced`].
    pub force_execution: bool,
}

/// What processing did.
#[derive(Debug, Default)]
pub struct Processed {
    /// The jobs that ran, as they are now.
    pub jobs: Vec<Job>,
    /// The jobs that didn't run though they are approved, with the reason.
    pub not_run: Vec<(JobId, String)>,
    /// The jobs that were run though nothing is exchanged with their submitter, with the reason.
    pub forced: Vec<(JobId, String)>,
    /// The sync around it, which published the results.
    pub sync: SyncReport,
}

impl SyftboxManager {
    /// Syncs, running every approved job when all that is new has come in (a job that another machine
    /// of ours ran isn't run again) and before the results go out: with the next sync, where
    /// [`Settings::pre_sync`](crate::Settings::pre_sync) says so. The owner's role.
    ///
    /// # Errors
    /// When the local folder or Drive can't be used. A job that can't be run is in the result.
    pub async fn process_approved_jobs(
        &mut self,
        runner: &dyn JobRunner,
        options: &ProcessOptions,
    ) -> Result<Processed, ManagerError> {
        self.need_owner("processing jobs")?;
        let mut processed = Processed::default();
        let me = self.email().clone();
        let sync = SyncOptions::default();
        let incoming = self.sync_in(&sync, &mut processed.sync).await?;
        for id in self.job_ids(&me).await? {
            let job = self.read_job(id).await?;
            if job.status() != JobStatus::Approved {
                continue;
            }
            if let Err(why) = self.peers.check_version(&job.id.submitted_by, self.generation()) {
                if !options.force_execution {
                    processed.not_run.push((job.id, format!("{why}; or run it anyway with --force")));
                    continue;
                }
                processed.forced.push((job.id.clone(), why.to_string()));
            }
            match self.run_job(&job, runner, options).await {
                Ok(()) => processed.jobs.push(self.read_job(job.id).await?),
                Err(ManagerError::Runner(error)) => processed.not_run.push((job.id, error.to_string())),
                Err(error) => return Err(error),
            }
        }
        if self.settings.pre_sync {
            self.sync_out(&sync, incoming, &mut processed.sync).await?;
        }
        Ok(processed)
    }

    async fn run_job(
        &mut self,
        job: &Job,
        runner: &dyn JobRunner,
        options: &ProcessOptions,
    ) -> Result<(), ManagerError> {
        let request = self.run_request(job, options).await?;
        let scientist = &job.id.submitted_by;
        let me = self.email().clone();
        self.set_result_access(&job.id, OUTPUTS_FOLDER, &[&me]).await?;
        for log in LOG_FILES {
            self.set_result_access(&job.id, log, &[&me]).await?;
        }
        self.files().remove(&request.outputs).await?;
        let mut state = self.state_of(job);
        state.status = JobStatus::Running;
        self.write_state(&job.id, &state).await?;
        let outcome = match runner.run(&request).await {
            Ok(outcome) => outcome,
            Err(error) => {
                state.status = JobStatus::Approved;
                self.write_state(&job.id, &state).await?;
                return Err(error.into());
            }
        };
        self.drop_permission_files(&request.outputs).await?;
        let review = job.id.folder(JobSide::Review)?;
        self.write_text(&review.join(RETURN_CODE_FILE)?, outcome.return_code.to_string()).await?;
        if options.share_outputs_with_submitter {
            self.set_result_access(&job.id, OUTPUTS_FOLDER, &[&me, scientist]).await?;
        }
        for log in LOG_FILES.iter().filter(|_| options.share_logs_with_submitter) {
            self.set_result_access(&job.id, log, &[&me, scientist]).await?;
        }
        state.status = if outcome.return_code == 0 { JobStatus::Done } else { JobStatus::Failed };
        state.completed_at = Some(self.now());
        state.return_code = Some(outcome.return_code);
        self.write_state(&job.id, &state).await
    }

    async fn run_request(&self, job: &Job, options: &ProcessOptions) -> Result<RunRequest, ManagerError> {
        let config = job.config.as_ref();
        let config =
            config.ok_or_else(|| ManagerError::BadSubmission("its config.yaml can't be read".to_owned()))?;
        let (inbox, review) = (job.id.folder(JobSide::Inbox)?, job.id.folder(JobSide::Review)?);
        Ok(RunRequest {
            id: job.id.clone(),
            kind: config.kind,
            entrypoint: config.entry(),
            code: inbox.join(CODE_FOLDER)?,
            dependencies: config.dependencies.clone(),
            packages: self.approval(&job.id).await?.map(|approval| approval.packages).unwrap_or_default(),
            datasets: self.datasets_for(job).await?,
            stdout: review.join(STDOUT_FILE)?,
            stderr: review.join(STDERR_FILE)?,
            outputs: review.join(OUTPUTS_FOLDER)?,
            timeout: options.timeout,
        })
    }

    /// The datasets that the job may use: those shared with its submitter; fewer when it names them.
    async fn datasets_for(&self, job: &Job) -> Result<Vec<RunDataset>, ManagerError> {
        let me = self.email();
        let named = job.config.as_ref().and_then(|config| config.datasets.as_ref());
        let is_wanted = |name: &DatasetName| {
            named.is_none_or(|by_owner| {
                let ours = by_owner
                    .iter()
                    .filter(|(owner, _)| owner.parse::<Email>().is_ok_and(|owner| owner == *me));
                ours.flat_map(|(_, names)| names).any(|wanted| wanted == name.as_str())
            })
        };
        let mut datasets = Vec::new();
        for dataset in self.datasets_of(me).await? {
            if is_wanted(&dataset.name)
                && self.dataset_is_shared_with(&dataset.name, &job.id.submitted_by).await?
            {
                let mock = crate::datasets::public_folder(me, &dataset.name)?;
                let private = crate::datasets::private_folder(me, &dataset.name)?;
                let private = self.files().stat(&private).await?.map(|_| private);
                datasets.push(RunDataset { name: dataset.name, mock, private });
            }
        }
        Ok(datasets)
    }

    /// Says who may read one result of a job: a log file, or all below `outputs`.
    pub(super) async fn set_result_access(
        &self,
        id: &JobId,
        what: &str,
        readers: &[&Email],
    ) -> Result<(), ManagerError> {
        let scientists = review_folder(&id.submitted_by)?;
        let datasite = Self::datasite_folder(&id.datasite)?;
        let file = datasite.join(scientists.as_str())?.join(PERMISSION_FILE)?;
        let mut rules = match self.files().read(&file, MAX_YAML_BYTES as u64).await {
            Ok(yaml) => PermissionFile::parse(&yaml)?,
            // Without the file the scientist reads nothing there, not even the job's state.
            Err(_) => PermissionFile::single(Pattern::everything(), Access::read([&id.submitted_by])),
        };
        let review = id.folder(JobSide::Review)?;
        let job = review.below(&datasite.join(scientists.as_str())?);
        let job = job.ok_or_else(|| ManagerError::NoJob(id.full_name()))?;
        let path = job.join(what)?;
        let pattern = if what == OUTPUTS_FOLDER { Pattern::below(&path) } else { Pattern::literal(&path) };
        rules.set(pattern, Access::read(readers.iter().copied()));
        self.write_text(&file, rules.to_yaml()?).await
    }

    /// A permission file among the outputs would let the job decide who reads them.
    async fn drop_permission_files(&self, outputs: &DatasitePath) -> Result<(), ManagerError> {
        for (path, _) in tree::walk(self.files(), Some(outputs), |_| true).await? {
            if path.file_name().eq_ignore_ascii_case(PERMISSION_FILE) {
                self.files().remove(&path).await?;
            }
        }
        Ok(())
    }
}
