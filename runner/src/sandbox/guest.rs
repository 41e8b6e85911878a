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
    /// The file that the sandbox's engine compiled. It is native code: only this user may be able to
    /// write it.
    pub module: PathBuf,
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

impl GuestRuntime {
    /// What runs a script of the job's code.
    pub(super) fn program_for(&self, entrypoint: &DatasitePath) -> Program {
        let mut program = self.program();
        program.arguments.extend(self.calling.script(entrypoint.as_str()));
        program
    }

    /// What the job's process needs to know of it.
    pub(super) fn program(&self) -> Program {
        Program {
            code: Code::Compiled(self.module.clone()),
            arguments: self.arguments.clone(),
            environment: self.environment.clone(),
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
