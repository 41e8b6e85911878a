//! Why a command failed, and with which exit code.

use std::{io, path::PathBuf};

use syftbox_core::{
    ManagerError,
    domain::EmailError,
    encryption::FingerprintError,
    platform::{FileError, HttpError},
    wire::{dataset::DatasetNameError, job::JobNameError},
};
use syftbox_localdrive::LocalDriveError;

use crate::{
    demo::DemoError,
    native::{LockError, TokenFileError},
    notebook::NotebookError,
    oauth::OAuthError,
    packages::{PackageError, Refusal},
    policy::{OverCeiling, PolicyError},
    runtime::RuntimeError,
    sandbox::printable,
};

/// A command that wasn't done. Every message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Nobody said whose account it is. Wrong usage.
    #[error("whose account is it? Say it with --email ADDRESS, or set SYFTBOX_EMAIL")]
    NoEmail,
    /// A deletion that wasn't confirmed. Wrong usage.
    #[error("{what} would be deleted for good; add --yes if that is what you want")]
    NotConfirmed {
        /// What would be gone.
        what: String,
    },
    /// A step that can't be taken back, and wasn't confirmed. Wrong usage.
    #[error("this would {what}; add --yes if that is what you want")]
    NotAgreed {
        /// What would happen.
        what: &'static str,
    },
    /// Nobody is told to see the dataset. Wrong usage.
    #[error("--users names nobody; write addresses with commas between them, or `any`")]
    NoUsers,
    /// An argument is no e-mail address.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// An argument is no fingerprint of keys.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// An argument is no name for a dataset.
    #[error(transparent)]
    DatasetName(#[from] DatasetNameError),
    /// An argument is no name for a job.
    #[error(transparent)]
    JobName(#[from] JobNameError),
    /// The root of Drive is no address.
    #[error("{url:?} is not the address of a Drive ({why}); give --drive-url like http://127.0.0.1:8080")]
    DriveUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system doesn't tell where the user's files are.
    #[error("the system doesn't say where your home folder is; give --folder and --token-path")]
    NoHome,
    /// There is no token yet.
    #[error(
        "there is no token file at {}; run `syftbox login --client-secret FILE` to log in with a browser, or name another file with --token-path",
        path.display()
    )]
    NoToken {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is nothing to show yet.
    #[error("{} is not the folder of an account yet; run `syftbox login`, or name another with --folder", folder.display())]
    NeverLoggedIn {
        /// The local `SyftBox` folder.
        folder: PathBuf,
    },
    /// What `login` was given can't be read or written.
    #[error("{} can't be used ({why}); remove it and run `syftbox login` again", path.display())]
    Remembered {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file or folder that was named can't be used.
    #[error("{} can't be used: {why}; check the path", path.display())]
    Source {
        /// What was named.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Approved jobs that could not be run; the others were.
    #[error("{count} approved {} not run; see above", if *count == 1 { "job was" } else { "jobs were" })]
    NotRun {
        /// How many.
        count: usize,
    },
    /// What is here isn't what a receipt says.
    #[error(
        "the receipt is genuine, and what is here isn't what it says: {what}; sync, or ask the owner what changed"
    )]
    NotAsSigned {
        /// What differs.
        what: String,
    },
    /// Somebody ended the command while jobs ran.
    #[error(
        "interrupted; the jobs that hadn't ended are approved as before, and `syftbox job process` runs them"
    )]
    Interrupted,
    /// A dataset that isn't here.
    #[error(
        "there is no dataset {name:?} here; `syftbox sync` fetches what is shared, `syftbox dataset list` shows it"
    )]
    NoSuchDataset {
        /// As it was named.
        name: String,
    },
    /// A job that isn't any more what it was when the command began.
    #[error("the job {name} changed meanwhile; look at it again with `syftbox job show`, then approve it")]
    JobChanged {
        /// As it was named.
        name: String,
    },
    /// A job asks for packages that it can't have.
    #[error("the job asks for packages that it can't have here:{}", refusals(refused))]
    Packages {
        /// Which, and why.
        refused: Vec<Refusal>,
    },
    /// Packages couldn't be looked up.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A trial can't be at several owners' at once.
    #[error("the datasets here are of several owners, and a job runs at one; name one with --owner ADDRESS")]
    SeveralOwners,
    /// The job could not be tried at all.
    #[error("{why}")]
    NotTried {
        /// Why not.
        why: String,
    },
    /// The job was tried and didn't finish.
    #[error("the job {why}; an owner would get the same")]
    TrialFailed {
        /// How it ended.
        why: String,
    },
    /// The local Drive's address isn't known.
    #[error(
        "the local Drive in {} was never started; run `syftbox drive serve --dir {}` first",
        dir.display(),
        dir.display()
    )]
    NeverServed {
        /// The Drive's folder.
        dir: PathBuf,
    },
    /// The port can't be had.
    #[error(
        "port {port} of this machine can't be opened ({source}); choose another with --port, or 0 for any"
    )]
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the local Drive can't be written.
    #[error("{} can't be written: {source}; check the free space and the permissions there", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// stdout can't be written.
    #[error("the result can't be printed: {source}")]
    Stdout {
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no threads.
    #[error("the program can't start its threads: {source}; try again when the machine is less busy")]
    NoThreads {
        /// What the system said.
        source: io::Error,
    },
    /// A call of the manager.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// The token file.
    #[error(transparent)]
    Token(#[from] TokenFileError),
    /// The login in the browser.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// HTTP can't be set up.
    #[error("secure connections can't be set up: {0}; check the system's certificates")]
    Http(#[from] HttpError),
    /// The machine's default credentials.
    #[error(transparent)]
    Notebook(#[from] NotebookError),
    /// Another program works in the folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A local file.
    #[error("local file {0}")]
    File(#[from] FileError),
    /// The runtime of jobs.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The site's policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// More is asked for than any job here may have. Wrong usage.
    #[error(transparent)]
    OverCeiling(#[from] OverCeiling),
    /// The local Drive.
    #[error(transparent)]
    LocalDrive(#[from] LocalDriveError),
    /// The demo.
    #[error(transparent)]
    Demo(#[from] DemoError),
}

/// One line for each.
fn refusals(refused: &[Refusal]) -> String {
    let lines = refused.iter().map(|refusal| printable(&format!("{}: {}", refusal.wanted, refusal.why)));
    lines.flat_map(|line| ["\n  ".to_owned(), line]).collect()
}

impl CliError {
    /// 2 for wrong usage, 130 when somebody ended the command, 1 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoEmail
            | Self::NotConfirmed { .. }
            | Self::NotAgreed { .. }
            | Self::NoUsers
            | Self::OverCeiling(_) => 2,
            Self::Interrupted => 130,
            _ => 1,
        }
    }
}
