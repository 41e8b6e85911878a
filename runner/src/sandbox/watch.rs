//! Following a job's process: its lines go on, its limits on time and logs are kept, and in the end it
//! is gone.

use std::{
    io::{self, Read},
    process::{Child, ExitStatus},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    Limits, LogLine, SandboxError,
    frame::{self, Frame, Report},
    record::Record,
};

/// How often a running job looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(50);
/// How much of what the job's process itself says in trouble is kept, in bytes.
const DIAGNOSTICS: u64 = 4 << 10;

/// Ends a running job from another thread. Clones are the same switch.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends the jobs that were started with this switch; their ending is [`Killed`](super::Ending::Killed).
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody did.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why the runner itself ended a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Deadline,
    Compiling,
    /// It would have brought a stream to this many bytes.
    Log(u64),
    Cancelled,
}

/// What the runner saw of a job's process.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) stopped: Option<Stopped>,
    /// When it was over, since its start.
    pub(super) after: Duration,
    pub(super) report: Option<Report>,
    pub(super) status: ExitStatus,
    /// Whether it was still compiling the job's own program.
    pub(super) compiling: bool,
    /// What the process said itself: a panic, say.
    pub(super) diagnostics: String,
}

/// Follows a job's process until it is gone.
pub(super) fn watch(
    mut child: Child,
    mut compiling: bool,
    limits: Limits,
    started: Instant,
    cancel: &Cancel,
    record: &mut Record,
    on_log: &mut dyn FnMut(LogLine),
) -> Result<Seen, SandboxError> {
    let frames = read_frames(child.stdout.take());
    let diagnostics = read_diagnostics(child.stderr.take());
    let mut report = None;
    let mut kept = Ok(());
    let stopped = loop {
        let left = limits.time.saturating_sub(started.elapsed());
        if left.is_zero() {
            break Some(Stopped::Deadline);
        }
        if compiling && started.elapsed() > limits.compile_time {
            break Some(Stopped::Compiling);
        }
        if cancel.is_cancelled() {
            break Some(Stopped::Cancelled);
        }
        match frames.recv_timeout(left.min(TICK)) {
            Ok(Frame::Log(stream, bytes)) => match record.write(stream, &bytes, on_log) {
                Ok(None) => {}
                Ok(Some(asked)) => break Some(Stopped::Log(asked)),
                Err(error) => {
                    kept = Err(error);
                    break None;
                }
            },
            Ok(Frame::Compiled) => compiling = false,
            Ok(Frame::Report(ended)) => {
                report = Some(ended);
                break None;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    // Whatever it says of itself, after this it is gone. A process that is already gone keeps the
    // status it ended with.
    let after = started.elapsed();
    let _ = child.kill();
    let status = child.wait().map_err(|source| SandboxError::Lost { source })?;
    kept?;
    drop(frames);
    let diagnostics = diagnostics.join().unwrap_or_default();
    Ok(Seen { stopped, after, report, status, compiling, diagnostics })
}

fn read_frames(output: Option<impl Read + Send + 'static>) -> Receiver<Frame> {
    // A few frames ahead at most: a job that writes faster than the disk waits.
    let (sender, frames) = mpsc::sync_channel(16);
    thread::spawn(move || {
        let mut output = io::BufReader::new(output?);
        while let Ok(Some(frame)) = frame::read_frame(&mut output) {
            sender.send(frame).ok()?;
        }
        Some(())
    });
    frames
}

fn read_diagnostics(output: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut output) = output {
            let _ = output.by_ref().take(DIAGNOSTICS).read_to_end(&mut said);
            let _ = io::copy(&mut output, &mut io::sink());
        }
        String::from_utf8_lossy(&said).into_owned()
    })
}
