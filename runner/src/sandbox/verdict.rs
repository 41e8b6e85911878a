//! From what was seen of a job's process to an ending and its words.

use std::{os::unix::process::ExitStatusExt, time::Duration};

use rustix::process::Signal;

use super::{
    Ending, Exceeded, Limit, Limits,
    frame::{GuestEnd, Report},
    watch::{Seen, Stopped},
};

/// An ending and its words.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) ending: Ending,
    pub(super) reason: String,
    pub(super) exceeded: Option<Exceeded>,
}

impl Verdict {
    /// `detail` may be empty.
    pub(super) fn new(ending: Ending, detail: &str) -> Self {
        let reason = if detail.is_empty() { ending.to_string() } else { format!("{ending}: {detail}") };
        let reason = super::printable(&reason.replace(['\n', '\r'], " "));
        Self { ending, reason, exceeded: None }
    }

    /// A job that a limit ended.
    pub(super) fn past(exceeded: Exceeded) -> Self {
        let ending = match exceeded.limit {
            Limit::Time | Limit::CompileTime => Ending::TimedOut,
            Limit::Memory | Limit::CompileMemory => Ending::OutOfMemory,
            Limit::OutputBytes | Limit::OutputFiles => Ending::OutputTooLarge,
            Limit::LogBytes => Ending::LogTooLarge,
            Limit::Processes => Ending::TooManyProcesses,
            Limit::Instructions => Ending::TooManyInstructions,
            // These never end a job by themselves.
            Limit::OpenFiles | Limit::WasmBytes => Ending::FailedWithCode(126),
        };
        Self { exceeded: Some(exceeded), ..Self::new(ending, &exceeded.detail()) }
    }
}

impl Seen {
    /// The ending that what was seen amounts to.
    pub(super) fn verdict(&self, limits: Limits, deterministic: bool) -> Verdict {
        match self.stopped {
            Some(Stopped::Deadline) => {
                return Verdict::past(Exceeded::stopped(Limit::Time, milliseconds(limits.time)));
            }
            Some(Stopped::Compiling) => {
                let limit = milliseconds(limits.compile_time);
                return Verdict::past(Exceeded::stopped(Limit::CompileTime, limit));
            }
            Some(Stopped::Log(asked)) => {
                return Verdict::past(Exceeded {
                    limit: Limit::LogBytes,
                    asked: Some(asked),
                    allowed: limits.log_bytes_per_stream,
                    at: (!deterministic).then(|| milliseconds(self.after)),
                });
            }
            Some(Stopped::Cancelled) => return Verdict::new(Ending::Killed, "cancelled"),
            None => {}
        }
        match &self.report {
            Some(report) => of_report(report),
            None => self.of_status(limits),
        }
    }

    /// A process that ended without a report: by a signal, or by a fault of our own.
    fn of_status(&self, limits: Limits) -> Verdict {
        match self.status.signal() {
            Some(signal) if signal == Signal::XFSZ.as_raw() => {
                Verdict::past(Exceeded::stopped(Limit::OutputBytes, limits.output_bytes))
            }
            Some(signal) if self.compiling && signal == Signal::ABORT.as_raw() => {
                Verdict::past(Exceeded::stopped(Limit::CompileMemory, limits.compile_memory))
            }
            // By its own clock, when the runner was held up.
            Some(_) if self.after >= limits.time => {
                Verdict::past(Exceeded::stopped(Limit::Time, milliseconds(limits.time)))
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

fn of_report(report: &Report) -> Verdict {
    let failed = |code, detail: &str| {
        if let Some(refused) = &report.memory_refused {
            return Verdict::past(*refused);
        }
        match &report.files_refused {
            Some(refused) => {
                let detail = format!("{detail}{}{refused}", if detail.is_empty() { "" } else { "; " });
                let exceeded = Some(*refused);
                Verdict { exceeded, ..Verdict::new(Ending::FailedWithCode(code), &detail) }
            }
            None => Verdict::new(Ending::FailedWithCode(code), detail),
        }
    };
    match &report.end {
        GuestEnd::Exited(0) => Verdict::new(Ending::Finished, ""),
        GuestEnd::Exited(code) => failed(*code, ""),
        GuestEnd::Crashed(why) => failed(134, &format!("crashed: {why}")),
        GuestEnd::Exceeded(exceeded) => Verdict::past(*exceeded),
        GuestEnd::NotRunnable(why) => failed(126, why),
        GuestEnd::Broken(why) => Verdict::new(Ending::Broken(why.clone()), why),
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
