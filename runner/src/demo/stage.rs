//! Where the demo plays: a folder that goes away, and a local Drive in it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::{DemoError, Narrator};
use crate::runtime::default_cache_dir;

/// How long the Drive may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder and the programs of a demo.
pub(super) struct Stage {
    folder: TempDir,
    program: PathBuf,
    cache: PathBuf,
    narrator: Narrator,
}

/// A served Drive; it ends with this value.
pub(super) struct Served {
    pub(super) url: String,
    _process: Child,
}

impl Stage {
    pub(super) fn new(keep: bool, narrator: Narrator) -> Result<Self, DemoError> {
        let mut folder = tempfile::Builder::new()
            .prefix("syftbox-demo-")
            .tempdir()
            .map_err(|source| DemoError::File { path: std::env::temp_dir(), source })?;
        folder.disable_cleanup(keep);
        let program = std::env::current_exe()
            .map_err(|source| DemoError::Start { program: PathBuf::from("syftbox"), source })?;
        Ok(Self { folder, program, cache: default_cache_dir()?, narrator })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) fn cache(&self) -> &Path {
        &self.cache
    }

    pub(super) fn narrator(&self) -> Narrator {
        self.narrator
    }

    /// Starts a local Drive, as anybody would.
    pub(super) async fn serve(&self) -> Result<Served, DemoError> {
        let dir = self.folder().join("drive");
        self.narrator.command("drive", "syftbox drive serve --dir drive");
        let mut process = Command::new(&self.program)
            .args(["drive", "serve", "--dir"])
            .arg(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| DemoError::Start { program: self.program.clone(), source })?;
        let stdout = process.stdout.take().ok_or(DemoError::NoDrive)?;
        let mut lines = BufReader::new(stdout).lines();
        match timeout(PATIENCE, lines.next_line()).await {
            Ok(Ok(Some(url))) => {
                self.narrator.said(&url);
                Ok(Served { url, _process: process })
            }
            _ => Err(DemoError::NoDrive),
        }
    }

    /// Runs a command of nobody's, with its progress for all to see.
    pub(super) async fn runs(&self, arguments: &[&str]) -> Result<(), DemoError> {
        let command = format!("syftbox {}", arguments.join(" "));
        self.narrator.command("olivia", &command);
        let status = Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await
            .map_err(|source| DemoError::Start { program: self.program.clone(), source })?;
        if status.success() { Ok(()) } else { Err(DemoError::Command { who: "olivia", command }) }
    }
}
