//! One job in the real runtime, and what came of it.

#![cfg(test)]
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
};

use syftbox_runner::{
    runtime::{RuntimeStore, TerminalProgress, default_cache_dir},
    sandbox::{
        Cancel, DatasetMount, Ending, JobSpec, Launcher, Limits, LogLine, Outcome, Sandbox, SandboxError,
    },
};
use tempfile::TempDir;

pub(crate) const OWNER: &str = "do@test.org";

/// The sandbox with an installed runtime; installs it when it isn't there. `none` is for programs.
pub(crate) fn sandbox(runtime: &'static str) -> &'static Sandbox {
    static SANDBOXES: OnceLock<Mutex<BTreeMap<&str, &'static Sandbox>>> = OnceLock::new();
    SANDBOXES.get_or_init(Mutex::default).lock().unwrap().entry(runtime).or_insert_with(|| {
        let launcher = Launcher::of(Path::new(env!("CARGO_BIN_EXE_syftbox")));
        if runtime == "none" {
            return Box::leak(Box::new(Sandbox::without_runtime(launcher)));
        }
        let store = RuntimeStore::open(&default_cache_dir().unwrap());
        let installed = store.ensure(runtime, &TerminalProgress::default()).unwrap();
        Box::leak(Box::new(Sandbox::new(launcher, installed.guest())))
    })
}

/// A job to be run.
pub(crate) struct Case {
    pub(crate) folder: TempDir,
    pub(crate) spec: JobSpec,
    pub(crate) cancel: Cancel,
}

/// A job that was run.
pub(crate) struct Run {
    pub(crate) folder: TempDir,
    pub(crate) outcome: Outcome,
    pub(crate) lines: Vec<LogLine>,
}

impl Case {
    /// A job of one script of `tests/guests`.
    pub(crate) fn script(name: &str) -> Self {
        let case = Self::empty(name);
        fs::copy(guests().join(name), case.spec.code.join(name)).unwrap();
        case
    }

    /// A bash job of this text.
    pub(crate) fn bash(text: &str) -> Self {
        Self::files("script.sh", &[("script.sh", text)])
    }

    /// A job of the files given here.
    pub(crate) fn files(entrypoint: &str, files: &[(&str, &str)]) -> Self {
        files.iter().fold(Self::empty(entrypoint), |case, (path, content)| case.file(path, content))
    }

    /// Adds a file to the job's code.
    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        let path = self.spec.code.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn empty(entrypoint: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let spec = JobSpec {
            code: at("code"),
            entrypoint: entrypoint.parse().unwrap(),
            arguments: Vec::new(),
            owner: OWNER.parse().unwrap(),
            datasets: Vec::new(),
            packages: Vec::new(),
            outputs: at("review/outputs"),
            withheld: &[],
            stdout: at("review/stdout.txt"),
            stderr: at("review/stderr.txt"),
            scratch: at("scratch"),
            limits: Limits::default(),
            deterministic: false,
        };
        fs::create_dir(&spec.code).unwrap();
        Self { folder, spec, cancel: Cancel::default() }
    }

    /// Gives the job a dataset with these files in its mock and its private half.
    pub(crate) fn dataset(mut self, name: &str, mock: &[(&str, &str)], private: &[(&str, &str)]) -> Self {
        let half = |half: &str, files: &[(&str, &str)]| -> PathBuf {
            let folder = self.folder.path().join("datasets").join(name).join(half);
            for (path, content) in files {
                let path = folder.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            folder
        };
        let (mock, private) = (half("mock", mock), half("private", private));
        self.spec.datasets.push(DatasetMount {
            name: name.to_owned(),
            owner: OWNER.parse().unwrap(),
            mock: Some(mock),
            private: Some(private),
        });
        self
    }

    /// Changes the limits.
    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.spec.limits);
        self
    }

    /// Runs the job to its end.
    pub(crate) fn run(self) -> Run {
        self.try_run().unwrap()
    }

    /// Runs the job and hears its lines as they come.
    pub(crate) fn run_with(self, hear: &mut dyn FnMut(&LogLine)) -> Run {
        self.try_run_with(hear).unwrap()
    }

    /// Runs the job, if it can be run at all.
    pub(crate) fn try_run(self) -> Result<Run, SandboxError> {
        self.try_run_with(&mut |_| {})
    }

    fn try_run_with(self, hear: &mut dyn FnMut(&LogLine)) -> Result<Run, SandboxError> {
        let mut lines = Vec::new();
        let runtime = match self.spec.entrypoint.file_name().rsplit_once('.') {
            Some((_, "sh")) => "bash",
            Some((_, "wasm")) => "none",
            _ => "python",
        };
        let outcome = sandbox(runtime).run(&self.spec, &self.cancel, &mut |line| {
            hear(&line);
            lines.push(line);
        })?;
        let left: Vec<_> =
            fs::read_dir(&self.spec.scratch).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(left, ["lock"], "the job's private folders are gone");
        Ok(Run { folder: self.folder, outcome, lines })
    }
}

impl Run {
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.folder.path().join("review/stdout.txt")).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("review/stderr.txt")).unwrap()
    }

    pub(crate) fn output(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("review/outputs").join(name)).unwrap()
    }

    /// The paths of the collected outputs, sorted.
    pub(crate) fn outputs(&self) -> Vec<String> {
        let root = self.folder.path().join("review/outputs");
        let mut folders = vec![root.clone()];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    found.push(entry.path().strip_prefix(&root).unwrap().display().to_string());
                }
            }
        }
        found.sort();
        found
    }

    #[track_caller]
    pub(crate) fn assert_ending(&self, ending: &Ending) {
        assert_eq!(&self.outcome.ending, ending, "{}\n--- stderr\n{}", self.outcome.reason, self.stderr());
        if *ending != Ending::Finished {
            let last = format!("reason: {}\n", self.outcome.reason);
            assert!(self.stderr().ends_with(&last), "{}", self.stderr());
            assert!(self.outcome.reason.starts_with(&ending.to_string()), "{}", self.outcome.reason);
        }
    }
}

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests")
}
