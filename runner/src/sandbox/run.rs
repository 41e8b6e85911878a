//! A job from start to end, as the runner sees it.

use std::{
    fs,
    io::{self, Read},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, ExitStatus},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    Ending, GuestRuntime, JobSpec, Launcher, Limits, LogLine, Outcome, SandboxError,
    child::{Assignment, GuestLimits, Mount},
    collect::{self, Collected},
    frame::{self, Frame, GuestEnd, Report},
    guest::PACKAGES,
    job::{OUTPUTS, SYFTBOX_FOLDER, WORKING_DIRECTORY},
    record::Record,
    scratch::Scratch,
    witness::Witness,
};

/// How often a running job looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(50);
/// How much of what the job's process itself says in trouble is kept, in bytes.
const DIAGNOSTICS: u64 = 4 << 10;

/// Ends a running job from another thread. Clones are the same switch.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends the jobs that were started with this switch; their ending is [`Ending::Killed`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs jobs in one runtime, each in a process of its own.
#[derive(Clone, Debug)]
pub struct Sandbox {
    launcher: Launcher,
    runtime: GuestRuntime,
}

impl Sandbox {
    /// A sandbox whose jobs run in `runtime`, in processes that `launcher` starts.
    #[must_use]
    pub fn new(launcher: Launcher, runtime: GuestRuntime) -> Self {
        Self { launcher, runtime }
    }

    /// Runs a job to its end, blocking this thread. Its lines come to `on_log` as they are written.
    ///
    /// # Errors
    /// When the job can't be started, or its logs or outputs can't be kept. However badly the job
    /// itself ends, that is an [`Outcome`].
    pub fn run(
        &self,
        spec: &JobSpec,
        cancel: &Cancel,
        on_log: &mut dyn FnMut(LogLine),
    ) -> Result<Outcome, SandboxError> {
        let before = check(spec)?;
        let scratch = Scratch::new(&spec.scratch)
            .map_err(|source| SandboxError::Scratch { path: spec.scratch.clone(), source })?;
        let assignment = self
            .prepare(spec, &scratch)
            .map_err(|source| SandboxError::Scratch { path: spec.scratch.clone(), source })?;
        let mut record = Record::create(&spec.stdout, &spec.stderr, spec.limits.log_bytes_per_stream)?;

        let started = Instant::now();
        let child = self.launcher.start(&assignment).map_err(|source| SandboxError::Start {
            program: self.launcher.program().to_path_buf(),
            source,
        })?;
        let seen = watch(child, spec.limits, started, cancel, &mut record, on_log)?;
        let wall_time = started.elapsed();
        record.finish(on_log);

        let mut verdict = seen.verdict(spec.limits);
        if check(spec).ok().as_ref() != Some(&before) {
            let why = "the job's code or a dataset changed while it ran; run it again";
            verdict = Verdict::new(Ending::Broken(why.to_owned()), why);
        }
        let collected = match verdict.ending {
            Ending::OutputTooLarge => Collected::default(),
            _ => keep_outputs(&scratch.outputs(), spec, &mut verdict)?,
        };
        if !verdict.ending.is_finished() {
            record.reason(&verdict.reason)?;
        }
        Ok(Outcome {
            ending: verdict.ending,
            reason: verdict.reason,
            wall_time,
            peak_memory: seen.report.map(|report| report.peak_memory),
            output_files: collected.files,
            output_bytes: collected.bytes,
        })
    }

    /// Everything that the guest sees.
    fn prepare(&self, spec: &JobSpec, scratch: &Scratch) -> io::Result<Assignment> {
        for (path, content) in self.runtime.packages {
            let file = scratch.packages().join(path);
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(file, content)?;
        }
        let read_only = |host: &Path, guest: &str| Mount {
            host: host.to_path_buf(),
            guest: guest.to_owned(),
            writable: false,
        };
        let mut mounts =
            vec![read_only(&scratch.packages(), PACKAGES), read_only(&spec.code, WORKING_DIRECTORY)];
        mounts.extend(self.runtime.mounts.iter().map(|(host, guest)| read_only(host, guest)));
        for dataset in &spec.datasets {
            mounts.extend(dataset.folders().map(|(host, guest)| read_only(host, &guest)));
        }
        let outputs = format!("{WORKING_DIRECTORY}/{OUTPUTS}");
        mounts.push(Mount { host: scratch.outputs(), guest: outputs, writable: true });
        mounts.push(Mount { host: scratch.tmp(), guest: "/tmp".to_owned(), writable: true });
        // Empty folders at the places of the mounts, so that listing their parents shows them.
        for mount in &mounts {
            fs::create_dir_all(scratch.root().join(mount.guest.trim_start_matches('/')))?;
        }
        mounts.push(read_only(&scratch.root(), "/"));

        let mut arguments = self.runtime.arguments.clone();
        arguments.push(spec.entrypoint.to_string());
        arguments.extend(spec.arguments.iter().cloned());
        let mut environment = self.runtime.environment.clone();
        environment.extend([
            ("SYFT_IS_IN_JOB".to_owned(), "true".to_owned()),
            ("SYFTBOX_EMAIL".to_owned(), spec.owner.to_string()),
            ("SYFTBOX_FOLDER".to_owned(), SYFTBOX_FOLDER.to_owned()),
        ]);
        Ok(Assignment {
            module: self.runtime.module.clone(),
            arguments,
            environment,
            mounts,
            counted: vec![scratch.outputs(), scratch.tmp()],
            limits: GuestLimits {
                memory: spec.limits.memory,
                output_bytes: spec.limits.output_bytes,
                output_files: spec.limits.output_files,
            },
        })
    }
}

/// Looks at what the job may only read: that it is there, and how it is.
fn check(spec: &JobSpec) -> Result<Vec<Witness>, SandboxError> {
    let no_entrypoint = |source| SandboxError::Entrypoint {
        entrypoint: spec.entrypoint.to_string(),
        code: spec.code.clone(),
        source,
    };
    let script = fs::symlink_metadata(spec.code.join(spec.entrypoint.as_str())).map_err(no_entrypoint)?;
    if !script.is_file() {
        return Err(no_entrypoint(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")));
    }
    let mut seen = vec![Witness::of(&spec.code).map_err(no_entrypoint)?];
    for dataset in &spec.datasets {
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if dataset.name.is_empty() || !dataset.name.chars().all(plain) {
            return Err(SandboxError::DatasetName { name: dataset.name.clone() });
        }
        for (host, _) in dataset.folders() {
            let unreadable =
                |source| SandboxError::Dataset { name: dataset.name.clone(), path: host.clone(), source };
            seen.push(Witness::of(host).map_err(unreadable)?);
        }
    }
    Ok(seen)
}

fn keep_outputs(from: &Path, spec: &JobSpec, verdict: &mut Verdict) -> Result<Collected, SandboxError> {
    let unreadable = |source| SandboxError::Keep { path: from.to_path_buf(), source };
    let mut usage = super::quota::Usage::default();
    super::quota::add_folder(from, &mut usage).map_err(unreadable)?;
    let limits = &spec.limits;
    if usage.bytes > limits.output_bytes || usage.files > limits.output_files {
        *verdict =
            Verdict::new(Ending::OutputTooLarge, &format!("{} bytes in {} files", usage.bytes, usage.files));
        return Ok(Collected::default());
    }
    fs::create_dir_all(&spec.outputs)
        .map_err(|source| SandboxError::Keep { path: spec.outputs.clone(), source })?;
    let collected = collect::collect(from, &spec.outputs)?;
    if collected.refused > 0 {
        tracing::warn!(refused = collected.refused, "outputs that no peer could take were left out");
    }
    Ok(collected)
}

/// Why the runner itself ended a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    Deadline,
    Log,
    Cancelled,
}

/// What the runner saw of a job's process.
#[derive(Debug)]
struct Seen {
    stopped: Option<Stopped>,
    report: Option<Report>,
    status: ExitStatus,
    /// What the process said itself: a panic, say.
    diagnostics: String,
}

/// Follows a job's process until it is gone.
fn watch(
    mut child: Child,
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
        if cancel.is_cancelled() {
            break Some(Stopped::Cancelled);
        }
        match frames.recv_timeout(left.min(TICK)) {
            Ok(Frame::Log(stream, bytes)) => match record.write(stream, &bytes, on_log) {
                Ok(true) => {}
                Ok(false) => break Some(Stopped::Log),
                Err(error) => {
                    kept = Err(error);
                    break None;
                }
            },
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
    let _ = child.kill();
    let status = child.wait().map_err(|source| SandboxError::Lost { source })?;
    kept?;
    drop(frames);
    let diagnostics = diagnostics.join().unwrap_or_default();
    Ok(Seen { stopped, report, status, diagnostics })
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

/// An ending and its words.
#[derive(Debug)]
struct Verdict {
    ending: Ending,
    reason: String,
}

impl Verdict {
    /// `detail` may be empty.
    fn new(ending: Ending, detail: &str) -> Self {
        let reason = if detail.is_empty() { ending.to_string() } else { format!("{ending}: {detail}") };
        Self { ending, reason: super::printable(&reason.replace(['\n', '\r'], " ")) }
    }
}

impl Seen {
    fn verdict(&self, limits: Limits) -> Verdict {
        match self.stopped {
            Some(Stopped::Deadline) => {
                return Verdict::new(
                    Ending::TimedOut,
                    &format!("ran longer than {} s", limits.time.as_secs_f64()),
                );
            }
            Some(Stopped::Log) => {
                let cap = limits.log_bytes_per_stream;
                return Verdict::new(Ending::LogTooLarge, &format!("more than {cap} bytes in one stream"));
            }
            Some(Stopped::Cancelled) => return Verdict::new(Ending::Killed, "cancelled"),
            None => {}
        }
        match &self.report {
            Some(report) => of_report(report, limits),
            None => self.of_status(),
        }
    }

    /// A process that ended without a report: by a signal, or by a fault of our own.
    fn of_status(&self) -> Verdict {
        match self.status.signal() {
            Some(signal) if signal == Signal::XFSZ.as_raw() => {
                Verdict::new(Ending::OutputTooLarge, "a file grew past the limit")
            }
            Some(signal) => Verdict::new(Ending::Killed, &format!("by signal {signal}")),
            None => {
                let said = self
                    .diagnostics
                    .lines()
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or("it gave no reason");
                let why = format!("the job's process ended by itself: {said}");
                Verdict::new(Ending::Broken(why.clone()), &why)
            }
        }
    }
}

fn of_report(report: &Report, limits: Limits) -> Verdict {
    let failed = |code, detail: &str| {
        if report.memory_refused {
            return Verdict::new(Ending::OutOfMemory, &format!("more than {} bytes", limits.memory));
        }
        Verdict::new(Ending::FailedWithCode(code), detail)
    };
    match &report.end {
        GuestEnd::Exited(0) => Verdict::new(Ending::Finished, ""),
        GuestEnd::Exited(code) => failed(*code, ""),
        GuestEnd::Crashed(why) => failed(134, &format!("crashed: {why}")),
        GuestEnd::OutputTooLarge(why) => Verdict::new(Ending::OutputTooLarge, why),
        GuestEnd::Broken(why) => Verdict::new(Ending::Broken(why.clone()), why),
    }
}
