//! The process of one job. The runner starts itself again with [`CHILD_ARGUMENT`]; what to run comes
//! over standard input, what the guest says goes out over standard output in frames.

use std::{
    ffi::OsStr,
    io::{self, Read, Write},
    iter,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    confine, engine,
    exceeded::Stopwatch,
    frame::{self, GuestEnd, Report},
    instance,
    kernel::{self, Files},
};

/// The hidden first argument that makes the program a job's process.
pub const CHILD_ARGUMENT: &str = "__job-process";

/// How far the process's own deadline is behind the runner's, which starts to count earlier.
const BEHIND: Duration = Duration::from_millis(500);

/// The argument behind it that leaves out what the kernel adds.
pub(super) const BARE_ARGUMENT: &str = "bare";

/// What the runner tells a job's process: one JSON document behind its length in four bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub(super) program: Program,
    /// The Python that the program may start; what comes first on its import path, its working
    /// directory and its command line go behind the arguments.
    pub(super) python: Option<Program>,
    pub(super) mounts: Vec<Mount>,
    /// The host folders whose content counts as output.
    pub(super) counted: Vec<PathBuf>,
    pub(super) limits: GuestLimits,
    /// Whether its instructions are counted, and clocks and randomness fixed.
    pub(super) deterministic: bool,
}

/// Where a program is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Code {
    /// A module that was compiled ahead of time, by us.
    Compiled(PathBuf),
    /// The same of a Python that has started and goes on with a turn.
    Snapshot(PathBuf),
    /// A module or component of a stranger, to be compiled in the job's process.
    Wasm(PathBuf),
}

impl Code {
    fn path(&self) -> &Path {
        let (Self::Compiled(path) | Self::Snapshot(path) | Self::Wasm(path)) = self;
        path
    }
}

/// A program and what it is started with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Program {
    pub(super) code: Code,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    /// The how manieth process of its job it is, for the seed of its randomness.
    pub(super) number: u32,
}

/// A host folder that the guest sees.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mount {
    pub(super) host: PathBuf,
    pub(super) guest: String,
    pub(super) writable: bool,
}

impl Mount {
    pub(super) fn read_only(host: &Path, guest: &str) -> Self {
        Self { host: host.to_path_buf(), guest: guest.to_owned(), writable: false }
    }

    pub(super) fn writable(host: &Path, guest: &str) -> Self {
        Self { writable: true, ..Self::read_only(host, guest) }
    }
}

/// The limits that the job's process keeps itself; the runner keeps the others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct GuestLimits {
    /// The process's own deadline, behind the runner's.
    pub(super) time: Duration,
    pub(super) memory: u64,
    pub(super) instructions: u64,
    pub(super) output_bytes: u64,
    pub(super) output_files: u64,
    pub(super) open_files: u64,
    pub(super) processes: u64,
    pub(super) wasm_bytes: u64,
    pub(super) compile_memory: u64,
}

impl Assignment {
    const LONGEST: u32 = 4 << 20;

    pub(super) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let document = serde_json::to_vec(self)?;
        let length = u32::try_from(document.len()).ok().filter(|length| *length <= Self::LONGEST);
        let length = length.ok_or(io::ErrorKind::InvalidInput)?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(&document)?;
        to.flush()
    }

    /// The files that the job's process has to open.
    fn files(&self) -> Files<'_> {
        let programs = iter::once(&self.program).chain(&self.python).map(|program| program.code.path());
        let mounts = |writable| {
            let mounts = self.mounts.iter().filter(move |mount| mount.writable == writable);
            mounts.map(|mount| mount.host.as_path())
        };
        Files { read: programs.chain(mounts(false)).collect(), write: mounts(true).collect() }
    }

    fn read(from: &mut dyn Read) -> io::Result<Self> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > Self::LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut document = vec![0; length as usize];
        from.read_exact(&mut document)?;
        Ok(serde_json::from_slice(&document)?)
    }
}

/// Whether this process was started to be a job's process; then `main` is [`child_main`] and nothing
/// else.
#[must_use]
pub fn is_child() -> bool {
    std::env::args_os().nth(1).as_deref() == Some(OsStr::new(CHILD_ARGUMENT))
}

/// Runs the one job of this process and reports how it ended.
#[must_use]
pub fn child_main() -> ExitCode {
    let report = run().unwrap_or_else(|error| Report {
        end: GuestEnd::Broken(error.to_string().chars().take(500).collect()),
        peak_memory: 0,
        instructions: None,
        memory_refused: None,
        files_refused: None,
    });
    match frame::write_report(&mut io::stdout().lock(), &report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<Report> {
    let started = Stopwatch::start();
    confine::confine()?;
    let assignment = Assignment::read(&mut io::stdin().lock())?;
    let clock = if assignment.deterministic { Stopwatch::stopped() } else { started };
    if !std::env::args_os().any(|argument| argument == BARE_ARGUMENT) {
        kernel::confine(&assignment.files())?;
    }
    confine::die_with_runner()?;
    confine::die_after(assignment.limits.time.saturating_add(BEHIND))?;
    confine::limit_open_files(assignment.limits.open_files)?;
    confine::limit_file_size(assignment.limits.output_bytes)?;
    let guest = thread::Builder::new()
        .name("job".to_owned())
        .stack_size(engine::THREAD_STACK)
        .spawn(move || instance::run(assignment, clock))?;
    guest.join().map_err(|_| io::Error::other("the job's thread panicked"))
}
