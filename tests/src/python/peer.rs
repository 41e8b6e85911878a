//! A person who uses a Python peer, at their own machine.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::python_environment;
use crate::person::token;

/// The two generations of Python peers (wire section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PythonGeneration {
    /// `syft-client` 0.1.117.
    V0_1,
    /// `syft` 0.10.0 with `syft-rds` 0.6.1.
    V0_10,
}

impl PythonGeneration {
    /// As `--generation` of the program takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V0_1 => "0.1",
            Self::V0_10 => "0.10",
        }
    }

    fn python(self) -> PathBuf {
        python_environment(&format!("interop/python-{}.txt", self.as_str()))
    }
}

/// A person with a Python peer: a process that takes commands, and a folder as its home. Both end with it.
#[derive(Debug)]
pub struct PythonPeer {
    email: String,
    home: TempDir,
    process: RefCell<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl PythonPeer {
    /// A Python peer that has imported its packages and whose account on the Drive at `drive_url` answers to `token`.
    pub fn start(generation: PythonGeneration, email: &str, drive_url: &str, access: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let drive_url = drive_url.trim_end_matches('/');
        let token_file = home.path().join("token.json");
        fs::write(&token_file, token(drive_url, access).to_string()).unwrap();
        let python = generation.python();
        let programs = home.path().join("bin");
        stand_in_for_uv(&programs);
        let path = env::join_paths(
            std::iter::once(programs).chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
        );
        let mut child = Command::new(&python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/peer.py"))
            .env("HOME", home.path())
            .env("PATH", path.unwrap())
            .env("DRIVE_URL", drive_url)
            .env("PEER_EMAIL", email)
            .env("PEER_TOKEN_FILE", token_file)
            .env("PEER_PYTHON", &python)
            .current_dir(home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(home.path().join("stderr.txt")).unwrap())
            .spawn()
            .unwrap();
        let process = Process {
            commands: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        let peer = Self { email: email.to_owned(), home, process: RefCell::new(process) };
        peer.answer();
        peer
    }

    /// The e-mail address.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The local `SyftBox` folder.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join(format!("SyftBox_{}", self.email))
    }

    /// Google's authorized-user JSON.
    pub fn token_file(&self) -> PathBuf {
        self.home.path().join("token.json")
    }

    /// Writes a file on this person's machine, with the folders above it, and says where it is.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Calls `call` of `interop/peer.py`, which must succeed, and returns what it returned.
    #[track_caller]
    pub fn ask(&self, call: &str, arguments: Value) -> Value {
        self.timed(call, arguments).0
    }

    /// The same, and how long the call took inside the process: without its start, and without its imports.
    #[track_caller]
    pub fn timed(&self, call: &str, arguments: Value) -> (Value, Duration) {
        match self.attempt(call, arguments) {
            Ok(answered) => answered,
            Err(error) => panic!("{call} of the Python peer {}: {error}\n{}", self.email, self.said()),
        }
    }

    /// Calls `call`, which must fail, and returns the Python exception's type and text.
    #[track_caller]
    pub fn fails(&self, call: &str, arguments: Value) -> String {
        match self.attempt(call, arguments) {
            Ok((value, _)) => panic!("{call} of the Python peer {} succeeded: {value}", self.email),
            Err(error) => error,
        }
    }

    /// What the packages printed so far.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.path().join("stderr.txt")).unwrap_or_default())
            .into_owned()
    }

    fn attempt(&self, call: &str, arguments: Value) -> Result<(Value, Duration), String> {
        let mut command = json!({"call": call});
        if let (Value::Object(command), Value::Object(arguments)) = (&mut command, arguments) {
            command.extend(arguments);
        }
        writeln!(self.process.borrow_mut().commands, "{command}").unwrap();
        let mut answer = self.answer();
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok((
                answer["value"].take(),
                Duration::from_secs_f64(answer["seconds"].as_f64().unwrap_or_default()),
            )),
        }
    }

    #[track_caller]
    fn answer(&self) -> Value {
        let mut line = String::new();
        self.process.borrow_mut().answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("no answer of the Python peer: {error}: {line}\n{}", self.said()))
    }
}

impl Drop for PythonPeer {
    fn drop(&mut self) {
        let child = &mut self.process.get_mut().child;
        // What it still does is of no interest, and a process that has ended can't be killed.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A Python owner's jobs build themselves an environment with `uv`.
fn stand_in_for_uv(programs: &Path) {
    use std::os::unix::fs::PermissionsExt;

    let uv = programs.join("uv");
    fs::create_dir_all(programs).unwrap();
    fs::write(&uv, include_str!("../../interop/uv.sh")).unwrap();
    fs::set_permissions(&uv, fs::Permissions::from_mode(0o755)).unwrap();
}
