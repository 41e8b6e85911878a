//! The manager's jobs in the sandbox: core's [`JobRunner`] for this machine.

mod memory;

use std::path::{Path, PathBuf};

use syftbox_core::{
    domain::DatasitePath,
    jobs::{JobId, JobRunner, RunOutcome, RunRequest, RunnerError},
    permissions::PERMISSION_FILE,
    platform::BoxFuture,
    wire::{
        job::{BASH_SCRIPT_FILE, JobKind},
        receipt::{ExceededRecord, Measured, OutcomeRecord, RunRecord, RuntimeRecord},
    },
};

use crate::{
    packages,
    policy::{Policy, SomeLimits},
    runtime::{Progress, RuntimeStore, TerminalProgress},
    sandbox::{Cancel, DatasetMount, Ending, JobSpec, Launcher, Limit, LogLine, Outcome, Sandbox},
};

pub use self::memory::{Share, SharedMemory};

/// The runtime of Python jobs.
pub const PYTHON: &str = "python";
/// The runtime of bash jobs.
const BASH: &str = "bash";

/// What runs a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The Python runtime.
    Python,
    /// The bash runtime.
    Bash,
    /// Nothing else: it is a WebAssembly program.
    Wasm,
}

impl Language {
    /// The language of a file, as its name says; Python without a word of its own.
    #[must_use]
    pub fn of(file: &DatasitePath) -> Self {
        match file.file_name().rsplit_once('.') {
            Some((_, "sh")) => Self::Bash,
            Some((_, "wasm")) => Self::Wasm,
            _ => Self::Python,
        }
    }

    /// The language of a submitted job. Others know a WebAssembly program as a bash job (wire section 5).
    fn of_job(kind: JobKind, entrypoint: &DatasitePath) -> Self {
        match (kind, Self::of(entrypoint)) {
            (JobKind::Python, _) => Self::Python,
            (JobKind::Bash, Self::Wasm) => Self::Wasm,
            (JobKind::Bash, _) => Self::Bash,
        }
    }

    /// What has to be installed for it.
    fn runtime(self) -> Option<&'static str> {
        match self {
            Self::Python => Some(PYTHON),
            Self::Bash => Some(BASH),
            Self::Wasm => None,
        }
    }
}

/// A sandbox for jobs in this language; installs what they need when it isn't there.
///
/// # Errors
/// [`RunnerError::NotReady`] when that can't be installed.
pub fn sandbox(
    store: &RuntimeStore,
    language: Language,
    progress: &dyn Progress,
) -> Result<Sandbox, RunnerError> {
    let launcher = Launcher::current().map_err(not_ready)?;
    Ok(match language.runtime() {
        Some(name) => Sandbox::new(launcher, store.ensure(name, progress).map_err(not_ready)?.guest()),
        None => Sandbox::without_runtime(launcher),
    })
}
/// Where jobs have their private files while they run, in the `SyftBox` folder: beside the manager's
/// own state, where no peer's files go.
const SCRATCH: &str = ".syftbox/running";

/// What happens to a job, as it happens.
#[derive(Debug)]
pub enum JobEvent<'a> {
    /// Its runtime isn't there and is being installed.
    Installing {
        /// What the runtime is called.
        runtime: &'static str,
    },
    /// It starts.
    Started,
    /// It wrote a line.
    Line(LogLine),
    /// It is over.
    Ended(&'a Outcome),
}

/// Is told what happens to jobs. Called on the thread that runs the job.
type Watcher = dyn Fn(&JobId, JobEvent<'_>) + Send + Sync;

/// Runs the jobs of one `SyftBox` folder in the sandbox.
#[derive(Clone)]
pub struct SandboxRunner(std::sync::Arc<Parts>);

struct Parts {
    folder: PathBuf,
    store: RuntimeStore,
    policy: Policy,
    asked: SomeLimits,
    memory: SharedMemory,
    cancel: Cancel,
    watcher: Box<Watcher>,
}

impl SandboxRunner {
    /// A runner for the jobs in `folder`, an absolute path, with the limits that `policy` gives each when
    /// `asked` is asked for. Those that run at once share `memory`. A runtime that isn't there when the first job comes is installed then.
    pub fn new(
        folder: &Path,
        store: RuntimeStore,
        policy: Policy,
        asked: SomeLimits,
        memory: SharedMemory,
        cancel: Cancel,
        watcher: impl Fn(&JobId, JobEvent<'_>) + Send + Sync + 'static,
    ) -> Self {
        let (folder, watcher) = (folder.to_owned(), Box::new(watcher));
        Self(std::sync::Arc::new(Parts { folder, store, policy, asked, memory, cancel, watcher }))
    }
}

impl JobRunner for SandboxRunner {
    fn run<'a>(&'a self, request: &'a RunRequest) -> BoxFuture<'a, Result<RunOutcome, RunnerError>> {
        let (parts, request) = (self.0.clone(), request.clone());
        Box::pin(async move {
            let spec = parts.spec(&request)?;
            let _share = parts.memory.take(spec.limits.memory).await;
            let run = tokio::task::spawn_blocking(move || parts.run(&request, spec)).await;
            run.unwrap_or_else(|error| {
                Err(not_ready(format!("the job's thread ended: {error}; run it again")))
            })
        })
    }
}

impl Parts {
    fn run(&self, request: &RunRequest, mut spec: JobSpec) -> Result<RunOutcome, RunnerError> {
        if self.cancel.is_cancelled() {
            return Err(RunnerError::Interrupted);
        }
        if request.kind == JobKind::Python {
            let wanted = packages::wanted(&request.dependencies);
            spec.packages = self.store.packages().for_job(wanted, &request.packages).map_err(not_ready)?;
        }
        let tell = |event: JobEvent<'_>| (self.watcher)(&request.id, event);
        let language = Language::of_job(request.kind, &spec.entrypoint);
        if let Some(runtime) = language.runtime()
            && self.store.installed(runtime).map_err(not_ready)?.is_none()
        {
            tell(JobEvent::Installing { runtime });
        }
        let sandbox = sandbox(&self.store, language, &TerminalProgress::default())?;
        tell(JobEvent::Started);
        let outcome =
            sandbox.run(&spec, &self.cancel, &mut |line| tell(JobEvent::Line(line))).map_err(not_ready)?;
        tell(JobEvent::Ended(&outcome));
        if outcome.ending == Ending::Killed && self.cancel.is_cancelled() {
            return Err(RunnerError::Interrupted);
        }
        Ok(RunOutcome { return_code: outcome.return_code(), record: record(&sandbox, &spec, &outcome) })
    }

    /// The request with the paths of this machine.
    fn spec(&self, request: &RunRequest) -> Result<JobSpec, RunnerError> {
        let entrypoint = match (request.kind, &request.entrypoint) {
            (_, Some(entrypoint)) => entrypoint.clone(),
            (JobKind::Python, None) => {
                return Err(RunnerError::NotReady("the job names no entry point; reject it".to_owned()));
            }
            (JobKind::Bash, None) => BASH_SCRIPT_FILE.parse().map_err(not_ready)?,
        };
        let here = |path: &DatasitePath| self.folder.join(path.as_str());
        let datasets = request
            .datasets
            .iter()
            .map(|dataset| DatasetMount {
                name: dataset.name.to_string(),
                owner: request.id.datasite.clone(),
                mock: Some(here(&dataset.mock)),
                private: dataset.private.as_ref().map(here),
            })
            .collect();
        let mut asked = self.asked.clone();
        if let Some(timeout) = request.timeout {
            asked.insert(Limit::Time, u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        }
        let limits = self.policy.limits_for(&request.id.submitted_by, &asked).map_err(not_ready)?;
        Ok(JobSpec {
            code: here(&request.code),
            entrypoint,
            arguments: Vec::new(),
            owner: request.id.datasite.clone(),
            datasets,
            packages: Vec::new(),
            outputs: here(&request.outputs),
            // Permission files there would let the job decide who reads them.
            withheld: &[PERMISSION_FILE],
            stdout: here(&request.stdout),
            stderr: here(&request.stderr),
            scratch: self.folder.join(SCRATCH),
            limits,
            deterministic: self.store.is_deterministic(),
        })
    }
}

/// A run as its receipt tells of it.
fn record(sandbox: &Sandbox, spec: &JobSpec, outcome: &Outcome) -> RunRecord {
    let exceeded = outcome.exceeded.as_ref().map(|exceeded| ExceededRecord {
        limit: exceeded.limit.name().to_owned(),
        asked: exceeded.asked,
        allowed: exceeded.allowed,
    });
    let limits = Limit::ALL.into_iter().map(|limit| (limit.name().to_owned(), spec.limits.get(limit)));
    RunRecord {
        runtimes: sandbox
            .runtimes()
            .map(|origin| {
                let (version, digest) = (origin.version.clone(), origin.digest.clone());
                (origin.name.clone(), RuntimeRecord { version, digest })
            })
            .collect(),
        compiler: sandbox.compiler(spec.deterministic),
        deterministic: spec.deterministic,
        limits: limits.collect(),
        outcome: OutcomeRecord {
            ending: outcome.ending.to_string(),
            return_code: outcome.return_code(),
            exceeded,
            instructions: outcome.instructions,
        },
        measured: Measured {
            seconds: outcome.wall_time.as_secs_f64(),
            peak_memory: outcome.peak_memory,
            reason: outcome.reason.clone(),
        },
    }
}

/// A failure of the runner, in words.
pub(crate) fn not_ready(error: impl std::fmt::Display) -> RunnerError {
    RunnerError::NotReady(error.to_string())
}

#[cfg(test)]
mod tests {
    use syftbox_core::{domain::Generation, jobs::RunDataset};

    use super::*;
    use crate::sandbox::Limits;

    fn request(kind: JobKind) -> RunRequest {
        let review = "do@x.org/app_data/job/review/ds@x.org/v1/j";
        let at = |path: &str| path.parse().unwrap();
        RunRequest {
            id: JobId {
                datasite: "do@x.org".parse().unwrap(),
                submitted_by: "ds@x.org".parse().unwrap(),
                generation: Generation::V0_10,
                name: "j".parse().unwrap(),
            },
            kind,
            entrypoint: (kind == JobKind::Python).then(|| at("main.py")),
            code: at("do@x.org/app_data/job/inbox/ds@x.org/v1/j/code"),
            datasets: vec![RunDataset {
                name: "d".parse().unwrap(),
                mock: at("do@x.org/public/syft_datasets/d"),
                private: Some(at("do@x.org/private/syft_datasets/d")),
            }],
            dependencies: Vec::new(),
            packages: Vec::new(),
            stdout: at(&format!("{review}/stdout.txt")),
            stderr: at(&format!("{review}/stderr.txt")),
            outputs: at(&format!("{review}/outputs")),
            timeout: None,
        }
    }

    fn runner() -> SandboxRunner {
        let store = RuntimeStore::open(Path::new("/nowhere"));
        let (policy, asked) = (Policy::default(), SomeLimits::new());
        let memory = SharedMemory::new(1 << 30);
        SandboxRunner::new(Path::new("/box"), store, policy, asked, memory, Cancel::default(), |_, _| {})
    }

    #[test]
    fn paths_are_those_of_the_folder() {
        let spec = runner().0.spec(&request(JobKind::Python)).unwrap();
        assert_eq!(spec.code, Path::new("/box/do@x.org/app_data/job/inbox/ds@x.org/v1/j/code"));
        assert_eq!(spec.outputs, Path::new("/box/do@x.org/app_data/job/review/ds@x.org/v1/j/outputs"));
        assert_eq!(
            spec.datasets[0].private.as_deref(),
            Some(Path::new("/box/do@x.org/private/syft_datasets/d"))
        );
        assert_eq!(spec.limits.time, Limits::default().time);
    }

    #[test]
    fn a_bash_job_runs_its_script() {
        let spec = runner().0.spec(&request(JobKind::Bash)).unwrap();
        assert_eq!(spec.entrypoint.as_str(), "script.sh");
        for (kind, file, language) in [
            (JobKind::Bash, "script.sh", Language::Bash),
            (JobKind::Bash, "main", Language::Bash),
            (JobKind::Bash, "program.wasm", Language::Wasm),
            (JobKind::Python, "program.wasm", Language::Python),
        ] {
            assert_eq!(Language::of_job(kind, &file.parse().unwrap()), language, "{file}");
        }
    }
}
