//! Runs a stranger's job: a description goes in, lines of log and one outcome come out.
//!
//! A job runs in a process of its own (this program again, see [`child_main`]) in one wasmtime
//! instance; a bash job in one more for each `python3` of its script. It sees its code and its
//! datasets, read-only, and writes to `outputs/` and `/tmp`; it has no network, no other process, no
//! environment but what `docs/wire.md`, section 5 names. The job's
//! process keeps the limits on memory and on what is written; the runner keeps those on time and logs,
//! and kills the process at the first that is passed. When the runner dies, so does the process.
//!
//! Nothing here knows of Drive, peers or managers.

mod child;
mod collect;
mod component;
mod confine;
mod ending;
pub(crate) mod engine;
mod error;
mod exceeded;
mod fixed;
mod frame;
mod guest;
mod instance;
mod job;
mod kernel;
#[cfg(target_os = "linux")]
mod landlock;
mod launch;
mod limits;
mod log;
mod meter;
mod open_files;
mod python;
mod quota;
mod record;
mod run;
mod scratch;
mod size;
mod streams;
mod tree;
pub(crate) mod turn;
mod verdict;
mod wasm;
mod watch;
mod witness;

pub use child::{CHILD_ARGUMENT, child_main, is_child};
pub use ending::{Ending, Outcome};
pub use error::SandboxError;
pub use exceeded::Exceeded;
pub use guest::{Calling, GuestRuntime, GuestSnapshot, PACKAGES};
pub use job::{DatasetMount, JOB_FOLDER, JobSpec, OUTPUTS, SYFTBOX_FOLDER, WORKING_DIRECTORY};
pub use kernel::KernelLayers;
pub use launch::Launcher;
pub use limits::{Limit, Limits, Unit};
pub use log::{LogLine, LogStream, printable};
pub use run::Sandbox;
pub use size::{ByteSize, ByteSizeError};
pub use watch::Cancel;
