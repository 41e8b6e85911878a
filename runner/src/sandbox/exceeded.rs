//! Which limit a job went past, and by how much.

use std::{
    fmt::{self, Write},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{ByteSize, Limit, limits::Unit};

/// What a job asked for past a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exceeded {
    /// Which limit.
    pub limit: Limit,
    /// How much it would have had, in the limit's unit; `None` when that isn't known.
    pub asked: Option<u64>,
    /// How much it may have, in the limit's unit.
    pub allowed: u64,
    /// When, in milliseconds since the job's start.
    pub at: Option<u64>,
}

impl Exceeded {
    /// A request for `asked` of `allowed`, now. The greatest number stands for what can't be counted.
    pub(super) fn now(limit: Limit, asked: u64, allowed: u64, clock: Stopwatch) -> Self {
        Self { limit, asked: (asked < u64::MAX).then_some(asked), allowed, at: clock.milliseconds() }
    }

    /// A job that was stopped at its limit; who knows how much more it would have taken.
    pub(super) fn stopped(limit: Limit, allowed: u64) -> Self {
        Self { limit, asked: None, allowed, at: None }
    }

    /// Without the limit's name.
    pub(super) fn detail(&self) -> String {
        let allowed = self.limit.show(self.allowed);
        let show = |asked: u64| match self.limit.unit() {
            Unit::Bytes => ByteSize(asked).rounded_up(),
            Unit::Milliseconds | Unit::Count => self.limit.show(asked),
        };
        let mut detail = match (self.limit, self.asked) {
            (Limit::Time, _) => format!("ran longer than {allowed}"),
            (Limit::CompileTime, _) => format!("compiling took longer than {allowed}"),
            (Limit::CompileMemory, _) => format!("compiling took more than {allowed}"),
            (_, Some(asked)) => format!("asked for {} of {allowed}", show(asked)),
            (_, None) => format!("asked for more than {allowed}"),
        };
        match self.limit {
            Limit::OutputFiles => detail.push_str(" files"),
            Limit::Instructions => detail.push_str(" instructions"),
            Limit::OpenFiles => detail.push_str(" open files"),
            Limit::Processes => detail.push_str(" processes"),
            Limit::OutputBytes => detail.push_str(" of files"),
            _ => {}
        }
        if let Some(at) = self.at {
            let seconds = Duration::from_millis(at).as_secs_f64();
            // Writing to a String can't fail.
            let _ = write!(detail, " at {seconds:.1} s");
        }
        detail
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.limit, self.detail())
    }
}

/// The time since a job's start, as one of its processes sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch(Option<Instant>);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Some(Instant::now()))
    }

    /// For jobs that tell of no moment.
    pub(super) fn stopped() -> Self {
        Self(None)
    }

    fn milliseconds(self) -> Option<u64> {
        Some(u64::try_from(self.0?.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_and_by_how_much() {
        let past = |limit, asked, allowed, at| Exceeded { limit, asked, allowed, at }.to_string();
        for (said, words) in [
            (
                past(Limit::Memory, Some((4 << 30) + 1), 4 << 30, Some(12_340)),
                "memory: asked for 4.1 GiB of 4 GiB at 12.3 s",
            ),
            (past(Limit::Time, None, 1500, None), "time: ran longer than 1.5 s"),
            (
                past(Limit::OutputFiles, Some(51), 50, Some(80)),
                "output files: asked for 51 of 50 files at 0.1 s",
            ),
            (
                past(Limit::OutputBytes, None, 1 << 20, None),
                "output bytes: asked for more than 1 MiB of files",
            ),
            (
                past(Limit::CompileMemory, None, 2 << 30, None),
                "compile memory: compiling took more than 2 GiB",
            ),
        ] {
            assert_eq!(said, words);
        }
    }
}
