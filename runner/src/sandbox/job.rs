//! What a job is made of: its code, its datasets, where its results go, and its limits.

use std::path::PathBuf;

use syftbox_core::domain::{DatasitePath, Email};

use super::Limits;

/// The root in the guest under which datasets lie: `SYFTBOX_FOLDER` (wire section 5).
pub const SYFTBOX_FOLDER: &str = "/syftbox";
/// The folder of a job in the guest, around its code. A bash job starts there.
pub const JOB_FOLDER: &str = "/job";
/// The submission's `code/` in the guest, read-only. A Python job starts there.
pub const WORKING_DIRECTORY: &str = "/job/code";
/// The folder in the guest that has the folders of a job's own Python packages.
pub(super) const WHEELS: &str = "/usr/local/share/packages";
/// The folder for results, in the job's folder and again in its code.
pub const OUTPUTS: &str = "outputs";

/// One run of one job. All paths are absolute and of the host.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// The submission's `code/`, which the job sees read-only.
    pub code: PathBuf,
    /// The script to run, relative to `code`.
    pub entrypoint: DatasitePath,
    /// What the script finds behind its own name.
    pub arguments: Vec<String>,
    /// The data owner who runs the job: `SYFTBOX_EMAIL` in the guest.
    pub owner: Email,
    /// The datasets that the job may read. What is not named here does not exist for it.
    pub datasets: Vec<DatasetMount>,
    /// Folders with Python packages, which the job sees read-only behind everything else on its import path.
    pub packages: Vec<PathBuf>,
    /// Where the files that the job wrote to `outputs/` go once it has ended. Made when missing;
    /// what is there already stays, unless a file of the same name replaces it.
    pub outputs: PathBuf,
    /// Names of files, in any case of letters, that stay behind wherever they are in `outputs/`: those
    /// that mean something to whoever the outputs go to.
    pub withheld: &'static [&'static str],
    /// The file that gets the bytes of standard output as they were written; replaced.
    pub stdout: PathBuf,
    /// The file that gets the bytes of standard error and, unless the job finished, a last line
    /// `reason: …`; replaced.
    pub stderr: PathBuf,
    /// A folder for the job's private files while it runs; best on the disk of `outputs`. What jobs
    /// of runners that were killed left in it is removed.
    pub scratch: PathBuf,
    /// How much the job may use.
    pub limits: Limits,
    /// Whether the same job gives the same bytes every time: its instructions are counted, and clocks and
    /// randomness are fixed. The sandbox's runtime must be compiled for that.
    pub deterministic: bool,
}

/// A dataset as a job sees it, read-only.
#[derive(Clone, Debug)]
pub struct DatasetMount {
    /// The dataset's name, `[\w-]+`.
    pub name: String,
    /// Whose datasite it is in.
    pub owner: Email,
    /// The host folder seen at `{SYFTBOX_FOLDER}/{owner}/public/syft_datasets/{name}`.
    pub mock: Option<PathBuf>,
    /// The host folder seen at `{SYFTBOX_FOLDER}/{owner}/private/syft_datasets/{name}`.
    pub private: Option<PathBuf>,
}

impl DatasetMount {
    /// The dataset's folders: the host's and the guest's path of each half that is there.
    pub(super) fn folders(&self) -> impl Iterator<Item = (&PathBuf, String)> {
        let guest =
            |half: &str| format!("{SYFTBOX_FOLDER}/{}/{half}/syft_datasets/{}", self.owner, self.name);
        let mock = self.mock.as_ref().map(|host| (host, guest("public")));
        let private = self.private.as_ref().map(|host| (host, guest("private")));
        mock.into_iter().chain(private)
    }
}
