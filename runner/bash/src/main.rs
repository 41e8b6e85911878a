//! The bash of jobs: `bash SCRIPT ARGUMENT…` in the sandbox.
//!
//! What a job may use is kept by the sandbox around this program, so bashkit's own limits are raised
//! to where they never end a script that the sandbox would let go on, but for those that keep its
//! stack whole.

mod files;
mod python;

use std::{
    env, fs,
    io::{self, Write},
    pin::Pin,
    process::ExitCode,
    task::{Context, Poll},
    time::Duration,
};

use bashkit::{Bash, ExecOptions, ExecutionLimits, MemoryLimits, PosixFs, SessionLimits};
use tokio::io::AsyncWrite;

/// The folder of the job, where its script starts.
const JOB: &str = "/job";
/// A time that no job has.
const NEVER: Duration = Duration::from_hours(365 * 24);

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(name) = arguments.next() else {
        eprintln!("bash: name a script");
        return ExitCode::from(2);
    };
    let script = match fs::read(format!("{JOB}/{name}")) {
        Ok(script) => String::from_utf8_lossy(&script).into_owned(),
        Err(error) => {
            eprintln!("bash: {name}: {error}");
            return ExitCode::from(127);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("bash: {error}");
            return ExitCode::from(125);
        }
    };
    let code = runtime.block_on(run(&name, &script, arguments));
    // A process has eight bits to say how it ended.
    ExitCode::from(u8::try_from(code & 0xff).unwrap_or(u8::MAX))
}

async fn run(name: &str, script: &str, arguments: impl Iterator<Item = String>) -> i32 {
    let mut bash = shell();
    let options = ExecOptions::new().arg0(name).positional(arguments);
    let (mut stdout, mut stderr) = (Stream(io::stdout()), Stream(io::stderr()));
    match bash.execute(script).options(options).stdout(&mut stdout).stderr(&mut stderr).await {
        Ok(result) => result.exit_code,
        Err(error) => {
            // Nobody is left to hear it when this fails.
            let _ = writeln!(io::stderr(), "bash: {error}");
            if matches!(error, bashkit::Error::Parse { .. }) { 2 } else { 1 }
        }
    }
}

fn shell() -> Bash {
    let mut builder = Bash::builder()
        .fs(std::sync::Arc::new(PosixFs::new(files::JobFiles::default())))
        .cwd(JOB)
        .username("job")
        .hostname("sandbox")
        .limits(limits())
        .session_limits(SessionLimits::unlimited())
        .memory_limits(memory_limits());
    for name in ["python3", "python"] {
        builder = builder.command(name, python::Python);
    }
    // After the name, which sets some of them too.
    for (name, value) in env::vars() {
        builder = builder.env(name, value);
    }
    builder.build()
}

fn limits() -> ExecutionLimits {
    ExecutionLimits {
        max_work_units: u64::MAX,
        max_aggregate_input_bytes: u64::MAX,
        max_live_intermediate_bytes: u64::MAX,
        max_commands: usize::MAX,
        max_loop_iterations: usize::MAX,
        max_total_loop_iterations: usize::MAX,
        timeout: NEVER,
        parser_timeout: NEVER,
        max_input_bytes: usize::MAX,
        max_parser_operations: usize::MAX,
        max_stdout_bytes: usize::MAX,
        max_stderr_bytes: usize::MAX,
        max_word_split_fields: usize::MAX,
        max_word_split_bytes: usize::MAX,
        max_background_jobs: 1000,
        // These keep the stack whole.
        ..ExecutionLimits::default()
    }
}

fn memory_limits() -> MemoryLimits {
    MemoryLimits {
        max_variable_count: usize::MAX,
        max_total_variable_bytes: usize::MAX,
        max_array_entries: usize::MAX,
        max_function_count: usize::MAX,
        max_function_body_bytes: usize::MAX,
    }
}

/// One of the process's own streams. A write blocks until the sandbox has taken it.
struct Stream<W>(W);

impl<W: Write + Unpin> AsyncWrite for Stream<W> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.write(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
