//! The way of the Python peers: an environment for each job, on this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::median;

/// uv with a cache that has the packages, and an environment that stays.
pub(crate) struct Native {
    folder: TempDir,
    uv: PathBuf,
    python: PathBuf,
}

impl Native {
    /// `None`, with the reason on standard error, where uv or the packages can't be had.
    pub(crate) fn new() -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let tools = folder.path().join("tools");
        let made = run(Command::new("python3").args(["-m", "venv"]).arg(&tools))
            && run(Command::new(tools.join("bin/pip")).args(["install", "-q", "uv"]));
        let native =
            Self { uv: tools.join("bin/uv"), python: folder.path().join("kept/.venv/bin/python"), folder };
        let kept = native.folder.path().join("kept");
        let made = made
            && fs::create_dir(&kept).is_ok()
            && native.set_up(&kept, &["pandas", "scikit-learn", "matplotlib"]);
        if !made {
            eprintln!("the native way isn't measured: uv and its packages can't be had");
        }
        made.then_some(native)
    }

    fn set_up(&self, job: &Path, packages: &[&str]) -> bool {
        let uv = || {
            let mut uv = Command::new(&self.uv);
            uv.current_dir(job).env("UV_CACHE_DIR", self.folder.path().join("cache"));
            uv
        };
        run(uv().args(["venv", "--quiet", "--python", "python3"]))
            && run(uv().args(["pip", "install", "--quiet"]).args(packages))
    }

    /// A fresh environment with these packages, then the script in it.
    pub(crate) fn environment(&self, files: &[(&str, String)], packages: &[&str]) -> Duration {
        median(|| {
            let job = tempfile::tempdir_in(self.folder.path()).unwrap();
            for (name, content) in files {
                fs::write(job.path().join(name), content).unwrap();
            }
            let started = Instant::now();
            assert!(self.set_up(job.path(), packages));
            let mut python = Command::new(job.path().join(".venv/bin/python"));
            assert!(run(python.current_dir(job.path()).arg("main.py")));
            started.elapsed()
        })
    }

    /// The time that a script prints.
    pub(crate) fn seconds(&self, script: &str) -> Duration {
        let output = Command::new(&self.python).args(["-c", script]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        Duration::from_secs_f64(said.trim().parse().unwrap())
    }
}

/// One run of the machine's bash.
pub(crate) fn bash(script: &str) -> Duration {
    let started = Instant::now();
    assert!(run(Command::new("bash").args(["-c", script])));
    started.elapsed()
}

fn run(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A time with three digits.
pub(crate) fn tidy(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    match milliseconds {
        small if small < 100.0 => format!("{small:.1} ms"),
        middle if middle < 10_000.0 => format!("{middle:.0} ms"),
        large => format!("{:.1} s", large / 1000.0),
    }
}
