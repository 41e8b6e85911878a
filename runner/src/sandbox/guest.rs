//! A language runtime as the sandbox sees it: a compiled module and what it needs around it.

use std::path::PathBuf;

use syftbox_core::domain::DatasitePath;

use super::{
    child::{Code, Program},
    job::WORKING_DIRECTORY,
};

/// Where the guest finds the packages that come with the sandbox.
pub const PACKAGES: &str = "/usr/local/share/syftbox";

/// A language runtime, ready to run scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestRuntime {
    /// What it is called.
    pub name: String,
    /// The version of what it is made of.
    pub version: String,
    /// The SHA-256 of what it is made of, in hex.
    pub digest: String,
    /// The file that the sandbox's engine compiled. It is native code: only this user may be able to
    /// write it.
    pub module: PathBuf,
    /// Where jobs begin that have the memory for it.
    pub snapshot: Option<GuestSnapshot>,
    /// Host folders that the runtime needs, with their guest paths; read-only.
    pub mounts: Vec<(PathBuf, String)>,
    /// Environment variables that the runtime needs.
    pub environment: Vec<(String, String)>,
    /// The arguments that stand before those of [`calling`](Self::calling), the program's name
    /// included.
    pub arguments: Vec<String>,
    /// How it is told what to run.
    pub calling: Calling,
    /// Files that appear below [`PACKAGES`], by relative path.
    pub packages: &'static [(&'static str, &'static str)],
    /// The runtime behind `python3` in a script; only bash can start another.
    pub python3: Option<Box<GuestRuntime>>,
}

/// A runtime that has started already and imported what most jobs import. It is called like the runtime
/// itself, but for the runtime's own arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestSnapshot {
    /// The file that the sandbox's engine compiled, as private as [`GuestRuntime::module`].
    pub module: PathBuf,
    /// The guest's memory at the start, in bytes.
    pub memory: u64,
}

impl GuestRuntime {
    /// What runs a script of the job's code in this much memory, in bytes.
    pub(super) fn program_for(&self, entrypoint: &DatasitePath, memory: u64) -> Program {
        let mut program = self.program(memory);
        program.arguments.extend(self.calling.script(entrypoint.as_str()));
        program
    }

    /// What the job's process needs to know of it. The snapshot is for jobs that may have as much again.
    pub(super) fn program(&self, memory: u64) -> Program {
        let snapshot = self.snapshot.as_ref().filter(|snapshot| memory / 2 >= snapshot.memory);
        Program {
            code: match snapshot {
                Some(snapshot) => Code::Snapshot(snapshot.module.clone()),
                None => Code::Compiled(self.module.clone()),
            },
            arguments: if snapshot.is_some() { Vec::new() } else { self.arguments.clone() },
            environment: self.environment.clone(),
            number: 0,
        }
    }
}

/// How a runtime is told which script to run, and where that starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calling {
    /// What comes first on the import path, the working directory, then a command line of Python. The
    /// job starts in its code.
    Python,
    /// The script's name in the folder of the job, which is where the job starts.
    Bash,
}

impl Calling {
    /// The arguments that run a script of the job's code.
    fn script(self, entrypoint: &str) -> Vec<String> {
        match self {
            Self::Python => {
                let folder = match entrypoint.rsplit_once('/') {
                    Some((folder, _)) => format!("{WORKING_DIRECTORY}/{folder}"),
                    None => WORKING_DIRECTORY.to_owned(),
                };
                vec![folder, WORKING_DIRECTORY.to_owned(), entrypoint.to_owned()]
            }
            Self::Bash => vec![format!("code/{entrypoint}")],
        }
    }
}
