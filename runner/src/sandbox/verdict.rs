//! From what was seen of a job's process to an ending and its words.

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;

use super::{
    Ending, Limits,
    frame::{GuestEnd, Report},
    watch::{Seen, Stopped},
};

/// An ending and its words.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) ending: Ending,
    pub(super) reason: String,
}

impl Verdict {
    /// `detail` may be empty.
    pub(super) fn new(ending: Ending, detail: &str) -> Self {
        let reason = if detail.is_empty() { ending.to_string() } else { format!("{ending}: {detail}") };
        Self { ending, reason: super::printable(&reason.replace(['\n', '\r'], " ")) }
    }
}

impl Seen {
    /// The ending that what was seen amounts to.
    pub(super) fn verdict(&self, limits: Limits) -> Verdict {
        match self.stopped {
            Some(Stopped::Deadline) => {
                return Verdict::new(
                    Ending::TimedOut,
                    &format!("ran longer than {} s", limits.time.as_secs_f64()),
                );
            }
            Some(Stopped::Compiling) => {
                let limit = limits.compile_time.as_secs_f64();
                return Verdict::new(Ending::TimedOut, &format!("compiling took longer than {limit} s"));
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
            None => self.of_status(limits),
        }
    }

    /// A process that ended without a report: by a signal, or by a fault of our own.
    fn of_status(&self, limits: Limits) -> Verdict {
        match self.status.signal() {
            Some(signal) if signal == Signal::XFSZ.as_raw() => {
                Verdict::new(Ending::OutputTooLarge, "a file grew past the limit")
            }
            Some(signal) if self.compiling && signal == Signal::ABORT.as_raw() => {
                let limit = limits.compile_memory;
                Verdict::new(Ending::OutOfMemory, &format!("compiling took more than {limit} bytes"))
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
        GuestEnd::NotRunnable(why) => failed(126, why),
        GuestEnd::Broken(why) => Verdict::new(Ending::Broken(why.clone()), why),
    }
}
