//! A person at their own machine: an e-mail address, a folder and a token file.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Answer, program};

/// A person at their own machine, which is a folder that goes away with them.
#[derive(Debug)]
pub struct Person {
    email: String,
    role: Option<&'static str>,
    drive_url: String,
    options: Vec<String>,
    home: TempDir,
}

impl Person {
    /// A person whose account on the Drive at `drive_url` answers to `token`.
    pub fn new(email: &str, role: Option<&'static str>, drive_url: &str, access: &str) -> Self {
        let person = Self {
            email: email.to_owned(),
            role,
            drive_url: drive_url.trim_end_matches('/').to_owned(),
            options: Vec::new(),
            home: tempfile::tempdir().unwrap(),
        };
        fs::write(person.token_file(), token(&person.drive_url, access).to_string()).unwrap();
        person
    }

    /// The same person, who gives `options` with every command.
    pub fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(|&option| option.to_owned()));
        self
    }

    /// The e-mail address.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The local `SyftBox` folder.
    pub fn folder(&self) -> PathBuf {
        self.path("SyftBox")
    }

    /// Google's authorized-user JSON.
    pub fn token_file(&self) -> PathBuf {
        self.path("token.json")
    }

    /// A path on this person's machine.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file on this person's machine, with the folders above it, and says where it is.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A file in the local `SyftBox` folder, as text.
    #[track_caller]
    pub fn read(&self, below: impl AsRef<Path>) -> String {
        let path = self.folder().join(below);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The program, told who calls; its command is still to be added.
    ///
    /// What the machine that runs the tests has set for itself doesn't reach it, but for the runtime's cache.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program());
        for setting in ["EMAIL", "ROLE", "FOLDER", "TOKEN_PATH", "DRIVE_URL", "POLICY", "ENCRYPT"] {
            command.env_remove(format!("SYFTBOX_{setting}"));
        }
        command.args(["--email", &self.email, "--drive-url", &self.drive_url]);
        command.arg("--folder").arg(self.folder()).arg("--token-path").arg(self.token_file());
        command.args(self.role.iter().flat_map(|role| ["--role", role])).args(&self.options);
        command.current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    /// Calls the program, however it may end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Answer {
        let mut command = self.command();
        command.args(arguments);
        let line: Vec<_> = arguments.iter().map(|argument| argument.as_ref().to_string_lossy()).collect();
        Answer::new(format!("syftbox {}", line.join(" ")), command.output().unwrap())
    }

    /// Calls the program, which must succeed, and returns the JSON document that it prints.
    #[track_caller]
    pub fn ask<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Value {
        let arguments: Vec<&OsStr> =
            std::iter::once(OsStr::new("--json")).chain(arguments.iter().map(AsRef::as_ref)).collect();
        self.run(&arguments).done().json()
    }
}

/// Google's authorized-user JSON for the account that answers to `access`.
pub(crate) fn token(drive_url: &str, access: &str) -> Value {
    json!({
        "token": access,
        "refresh_token": access,
        "token_uri": format!("{drive_url}/token"),
        "client_id": "client",
        "client_secret": "secret",
        "expiry": "2100-01-01T00:00:00Z",
    })
}
