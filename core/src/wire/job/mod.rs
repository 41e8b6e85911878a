//! Jobs as they are in a datasite: their paths, their files and how they start (wire section 5).

mod approval;
mod config;
mod entrypoint;
mod path;
mod run_script;
mod state;

pub use approval::{Approval, ApprovedPackage};
pub use config::{JobConfig, JobKind};
pub use entrypoint::{EntrypointError, detect_entrypoint};
pub use path::{
    APPROVALS_FOLDER, JobName, JobNameError, JobPath, JobSide, approval_file, inbox_folder, is_approval,
    job_folder, review_folder,
};
pub use run_script::{run_sh, wasm_run_sh};
pub use state::{ApprovalMethod, JobState, JobStatus};

/// The file of [`JobConfig`] in a job's inbox folder.
pub const CONFIG_FILE: &str = "config.yaml";
/// What a Python peer would run, in a job's inbox folder.
pub const RUN_SCRIPT_FILE: &str = "run.sh";
/// The folder of the code in a job's inbox folder.
pub const CODE_FOLDER: &str = "code";
/// The code of a bash job, in its code folder.
pub const BASH_SCRIPT_FILE: &str = "script.sh";
/// The code of a WebAssembly job, in its code folder; to others it is a bash job.
pub const WASM_FILE: &str = "program.wasm";
/// The file of [`JobState`] in a job's review folder.
pub const STATE_FILE: &str = "state.yaml";
/// What the job wrote to its standard output, in its review folder.
pub const STDOUT_FILE: &str = "stdout.txt";
/// What the job wrote to its standard error, in its review folder.
pub const STDERR_FILE: &str = "stderr.txt";
/// How the job ended, in its review folder.
pub const RETURN_CODE_FILE: &str = "returncode.txt";
/// What ran and what came of it, signed, in its review folder: a [`Receipt`](crate::wire::receipt::Receipt).
/// Of our making.
pub const RECEIPT_FILE: &str = "receipt.json";
/// The three files of what a job printed and how it ended.
pub const LOG_FILES: [&str; 3] = [STDOUT_FILE, STDERR_FILE, RETURN_CODE_FILE];
/// The folder of what the job wrote, in its review folder.
pub const OUTPUTS_FOLDER: &str = "outputs";
