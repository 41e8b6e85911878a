//! Starting a job's process: this program again, with nothing of its own but three pipes.

use std::{
    ffi::OsString,
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::child::{Assignment, BARE_ARGUMENT, CHILD_ARGUMENT};

/// The program that job processes are started from.
#[derive(Clone, Debug)]
pub struct Launcher {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Launcher {
    /// The running program itself. Its `main` must begin with [`is_child`](super::is_child).
    ///
    /// # Errors
    /// When the system can't tell where the program is.
    pub fn current() -> io::Result<Self> {
        // On Linux this name still means the running program when its file was replaced meanwhile.
        if cfg!(target_os = "linux") {
            return Ok(Self::of(Path::new("/proc/self/exe")));
        }
        Ok(Self::of(&std::env::current_exe()?))
    }

    /// The `syftbox` program at this path, for a caller that is another program.
    #[must_use]
    pub fn of(program: &Path) -> Self {
        Self { program: program.to_path_buf(), arguments: vec![CHILD_ARGUMENT.into()] }
    }

    /// Leaves out what the kernel adds ([`KernelLayers`](super::KernelLayers)), to see that the rest holds
    /// without it, and what it costs.
    #[must_use]
    pub fn without_kernel_layers(mut self) -> Self {
        self.arguments.push(BARE_ARGUMENT.into());
        self
    }

    /// Where the program is.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Starts a process and tells it what to run. It dies with the calling thread.
    pub(super) fn start(&self, assignment: &Assignment) -> io::Result<Child> {
        let mut child = Command::new(&self.program)
            .arg0("syftbox")
            .args(&self.arguments)
            .env_clear()
            .current_dir("/")
            // Ctrl-C in a terminal is for the runner, which decides what becomes of its jobs.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let told = match child.stdin.as_mut() {
            Some(input) => assignment.write(input),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        if let Err(error) = told {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        Ok(child)
    }
}
