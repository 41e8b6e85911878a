//! Somebody at a machine of their own, who types commands.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use serde_json::Value;
use tokio::process::Command;

use super::{DemoError, Narrator, stage::Stage};

/// One of the two. Their machine is a folder, which is their home.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    home: PathBuf,
    program: PathBuf,
    cache: PathBuf,
    narrator: Narrator,
}

impl Person {
    pub(super) fn new(name: &'static str, email: &'static str, stage: &Stage) -> Result<Self, DemoError> {
        let home = stage.folder().join(name);
        std::fs::create_dir(&home).map_err(|source| DemoError::File { path: home.clone(), source })?;
        let (program, cache) = (stage.program().to_owned(), stage.cache().to_owned());
        Ok(Self { name, email, home, program, cache, narrator: stage.narrator() })
    }

    /// A path on this person's machine.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// The local `SyftBox` folder, where it is by default.
    pub(super) fn folder(&self) -> PathBuf {
        self.path(&format!("SyftBox_{}", self.email))
    }

    pub(super) fn write(&self, name: &str, content: &str) -> Result<(), DemoError> {
        let path = self.path(name);
        std::fs::write(&path, content).map_err(|source| DemoError::File { path, source })
    }

    /// The content of a file on this person's machine.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Result<String, DemoError> {
        let path = self.home.join(path);
        std::fs::read_to_string(&path).map_err(|source| DemoError::File { path, source })
    }

    /// Types a command, for all to see, with what it says and how long it took. Gives what it said:
    /// messages and data in their order, as in a terminal.
    pub(super) async fn types(&self, arguments: &[&str]) -> Result<String, DemoError> {
        let shown = shown(arguments);
        self.narrator.command(self.name, &shown);
        let start = Instant::now();
        let (reader, writer) = std::io::pipe().map_err(|source| self.cannot_start(source))?;
        let both = writer.try_clone().map_err(|source| self.cannot_start(source))?;
        let mut process = self
            .command(arguments)
            .stdout(writer)
            .stderr(both)
            .spawn()
            .map_err(|source| self.cannot_start(source))?;
        let said = tokio::task::spawn_blocking(move || {
            let mut said = Vec::new();
            let mut reader = reader;
            reader.read_to_end(&mut said).map(|_| String::from_utf8_lossy(&said).into_owned())
        });
        let said = said.await.map_err(std::io::Error::other).flatten();
        let said = said.map_err(|source| self.cannot_start(source))?;
        let status = process.wait().await.map_err(|source| self.cannot_start(source))?;
        self.narrator.said(&said);
        self.narrator.took(start.elapsed());
        if status.success() { Ok(said) } else { Err(DemoError::Command { who: self.name, command: shown }) }
    }

    /// Looks at something without showing it: how the demo checks what happened.
    pub(super) async fn looks(&self, arguments: &[&str]) -> Result<Value, DemoError> {
        let arguments: Vec<&str> = std::iter::once("--json").chain(arguments.iter().copied()).collect();
        let output = self.command(&arguments).output().await.map_err(|source| self.cannot_start(source))?;
        match serde_json::from_slice(&output.stdout) {
            Ok(value) if output.status.success() => Ok(value),
            _ => {
                self.narrator.said(&String::from_utf8_lossy(&output.stderr));
                Err(DemoError::Command { who: self.name, command: shown(&arguments) })
            }
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            let is_setting = name.to_str().is_some_and(|name| name.starts_with("SYFTBOX_"));
            if is_setting || name == "XDG_CONFIG_HOME" || name == "XDG_CACHE_HOME" {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(&self.home)
            .env("HOME", &self.home)
            .env("SYFTBOX_EMAIL", self.email)
            .env("SYFTBOX_CACHE_DIR", &self.cache)
            // What a careless person has in their environment.
            .env("DATABASE_PASSWORD", super::PASSWORD)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    fn cannot_start(&self, source: std::io::Error) -> DemoError {
        DemoError::Start { program: self.program.clone(), source }
    }
}

/// A command line as one would type it.
fn shown(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| {
        let is_plain = |c: char| c.is_alphanumeric() || "-_./:@,".contains(c);
        if argument.chars().all(is_plain) { (*argument).to_owned() } else { format!("'{argument}'") }
    });
    std::iter::once("syftbox".to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_shown_can_be_typed() {
        let line = super::shown(&["dataset", "create", "x", "--summary", "two words"]);
        assert_eq!(line, "syftbox dataset create x --summary 'two words'");
    }
}
