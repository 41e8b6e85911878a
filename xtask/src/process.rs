//! Starting other programs, with the command line shown before it runs.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// The cargo that runs this task.
///
/// What `cargo run` told this program about its own package is taken out, so that nothing is rebuilt for it.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let about_this_package = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if about_this_package {
            command.env_remove(name);
        }
    }
    command
}

/// The folder that holds this program, and so the other programs of the workspace.
pub(crate) fn programs_folder() -> Result<PathBuf> {
    let this = env::current_exe().map_err(|source| Error::Start { program: "xtask".into(), source })?;
    Ok(this.parent().unwrap_or(&this).to_owned())
}

/// Runs a program to its end with its output on the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = start(command)?.wait().map_err(|source| cannot_start(command, source))?;
    succeeded(command, status)
}

/// Runs a program with its output on the terminal, and ends it when it takes longer than `limit`.
pub(crate) fn run_at_most(command: &mut Command, limit: Duration) -> Result<()> {
    show(command);
    let mut child = start(command)?;
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|source| cannot_start(command, source))? {
            return succeeded(command, status);
        }
        if began.elapsed() > limit {
            // It may have ended by itself in between, which is as good.
            let _ = child.kill();
            let _ = child.wait();
            return Err(Error::TookTooLong { command: line(command), limit });
        }
        sleep(Duration::from_millis(50));
    }
}

/// Runs a program, hands each line of its standard output to `each` and shows it too.
///
/// How the program ended is the caller's to judge, since the lines may say more.
pub(crate) fn run_and_read(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    show(command);
    command.stdout(Stdio::piped());
    let mut child = start(command)?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
            println!("{line}");
            each(&line);
        }
    }
    child.wait().map_err(|source| cannot_start(command, source))
}

/// What a program prints, or nothing when it isn't there or fails. For asking for versions.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `Ok` when the program said that it succeeded.
pub(crate) fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { Err(Error::Failed { command: line(command), status }) }
}

fn start(command: &mut Command) -> Result<Child> {
    command.stdin(Stdio::null()).spawn().map_err(|source| cannot_start(command, source))
}

fn cannot_start(command: &Command, source: std::io::Error) -> Error {
    Error::Start { program: command.get_program().to_string_lossy().into_owned(), source }
}

fn show(command: &Command) {
    println!("$ {}", line(command));
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(OsStr::new("?"));
    let mut line = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
