//! An owner runs what it approved, and shares of the result what it chooses.

use std::{collections::VecDeque, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{Job, JobId, receipt::Begun};
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
            RECEIPT_FILE, RETURN_CODE_FILE, STDERR_FILE, STDOUT_FILE, review_folder,
        },
        receipt::RunRecord,
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
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutcome {
    /// 0 when it did what it should, -1 when it was stopped (wire section 5).
    pub return_code: i32,
    /// What is told of it in its receipt.
    pub record: RunRecord,
}

/// A job that couldn't be started.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RunnerError {
    /// It was told to end, and ended the job before that was over.
    #[error("the run was interrupted; the job is approved as before")]
    Interrupted,
    /// The runner itself doesn't work.
    #[error("{0}")]
    NotReady(String),
}

/// How approved jobs are processed. The default shares nothing.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct ProcessOptions {
    /// Let the submitter read what the job wrote to `outputs/`.
    pub share_outputs_with_submitter: bool,
    /// Let the submitter read stdout, stderr and return code.
    pub share_logs_with_submitter: bool,
    /// Let the submitter read the receipt. It may when outputs and logs are both shared, since then it tells
    /// little more; alone it gives away hashes of what isn't shared, and how the job ended.
    pub share_receipt_with_submitter: bool,
    /// How long each job may run; `None` for the runner's own limit.
    pub timeout: Option<Duration>,
    /// How many jobs run at once; 0 is 1.
    pub workers: usize,
    /// Also run jobs of peers that we can't talk to for now; each is in [`Processed::forced`].
    pub force_execution: bool,
}

/// A job that runs.
struct Run {
    /// As it was before.
    job: Job,
    request: RunRequest,
    begun: Begun,
}

/// What a run leaves, each shared by itself.
const RESULTS: [&str; 5] = [OUTPUTS_FOLDER, LOG_FILES[0], LOG_FILES[1], LOG_FILES[2], RECEIPT_FILE];

impl ProcessOptions {
    /// Whether the submitter may read this result.
    fn shares(&self, result: &str) -> bool {
        let (outputs, logs) = (self.share_outputs_with_submitter, self.share_logs_with_submitter);
        match result {
            OUTPUTS_FOLDER => outputs,
            RECEIPT_FILE => self.share_receipt_with_submitter || (outputs && logs),
            _ => logs,
        }
    }
}

/// What processing did.
#[derive(Debug, Default)]
pub struct Processed {
    /// The jobs that ran, as they are now.
    pub jobs: Vec<Job>,
    /// The jobs that didn't run though they are approved, with the reason.
    pub not_run: Vec<(JobId, String)>,
    /// The jobs that were running when the runner was told to end. They are approved as before, as are those
    /// that hadn't begun.
    pub interrupted: Vec<JobId>,
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
        let mut waiting = VecDeque::new();
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
            waiting.push_back(job);
        }
        self.run_jobs(waiting, runner, options, &mut processed).await?;
        if self.settings.pre_sync {
            self.sync_out(&sync, incoming, &mut processed.sync).await?;
        }
        Ok(processed)
    }

    /// Runs jobs, several at once. After an error none is started any more, and those that run are waited for.
    async fn run_jobs(
        &mut self,
        mut waiting: VecDeque<Job>,
        runner: &dyn JobRunner,
        options: &ProcessOptions,
        processed: &mut Processed,
    ) -> Result<(), ManagerError> {
        let mut running = FuturesUnordered::new();
        let mut failed = None;
        loop {
            while running.len() < options.workers.max(1)
                && let Some(job) = waiting.pop_front()
            {
                match self.begin_run(job, options).await {
                    Ok(run) => running.push(async move {
                        let outcome = runner.run(&run.request).await;
                        (run, outcome)
                    }),
                    Err(error) => {
                        failed = Some(error);
                        waiting.clear();
                    }
                }
            }
            let Some((run, outcome)) = running.next().await else { break };
            let id = run.job.id.clone();
            if matches!(outcome, Err(RunnerError::Interrupted)) {
                waiting.clear();
            }
            match self.end_run(run, outcome, options).await {
                Ok(()) => processed.jobs.push(self.read_job(id).await?),
                Err(ManagerError::Runner(RunnerError::Interrupted)) => processed.interrupted.push(id),
                Err(ManagerError::Runner(error)) => processed.not_run.push((id, error.to_string())),
                Err(error) => {
                    failed = failed.or(Some(error));
                    waiting.clear();
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Gets everything ready for a run, and says that it runs.
    async fn begin_run(&mut self, job: Job, options: &ProcessOptions) -> Result<Run, ManagerError> {
        let request = self.run_request(&job, options).await?;
        self.publish_key().await?;
        let begun = self.begin_receipt(&request).await?;
        let me = self.email().clone();
        for result in RESULTS {
            self.set_result_access(&job.id, result, &[&me]).await?;
        }
        self.remove_results(&job.id).await?;
        let mut state = self.state_of(&job);
        state.status = JobStatus::Running;
        self.write_state(&job.id, &state).await?;
        Ok(Run { job, request, begun })
    }

    /// Says how a run ended, and shares its results. One that couldn't be is as if it never began.
    async fn end_run(
        &mut self,
        run: Run,
        outcome: Result<RunOutcome, RunnerError>,
        options: &ProcessOptions,
    ) -> Result<(), ManagerError> {
        let Run { job, request, begun } = run;
        let mut state = self.state_of(&job);
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.remove_results(&job.id).await?;
                state.status = JobStatus::Approved;
                self.write_state(&job.id, &state).await?;
                return Err(error.into());
            }
        };
        self.drop_permission_files(&request.outputs).await?;
        let return_code = outcome.return_code;
        let review = job.id.folder(JobSide::Review)?;
        self.write_text(&review.join(RETURN_CODE_FILE)?, return_code.to_string()).await?;
        let completed_at = self.now();
        self.write_receipt(&job, &request, begun, outcome, completed_at).await?;
        let me = self.email().clone();
        for result in RESULTS.into_iter().filter(|result| options.shares(result)) {
            self.set_result_access(&job.id, result, &[&me, &job.id.submitted_by]).await?;
        }
        state.status = if return_code == 0 { JobStatus::Done } else { JobStatus::Failed };
        state.completed_at = Some(completed_at);
        state.return_code = Some(return_code);
        self.write_state(&job.id, &state).await
    }

    /// Removes what an earlier run left.
    pub(super) async fn remove_results(&self, id: &JobId) -> Result<(), ManagerError> {
        let review = id.folder(JobSide::Review)?;
        for result in RESULTS {
            self.files().remove(&review.join(result)?).await?;
        }
        Ok(())
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
    pub(super) async fn datasets_for(&self, job: &Job) -> Result<Vec<RunDataset>, ManagerError> {
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
