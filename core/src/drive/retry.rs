//! When and how often a failed request is tried again (wire section 10): exponential backoff with
//! full jitter, never before `Retry-After`, a bounded number of times within a bounded time.

use std::time::Duration;

use super::DriveError;
use crate::{
    domain::Timestamp,
    platform::{Platform, Random},
};

/// Tries of one request.
const MAX_ATTEMPTS: u32 = 8;
/// Tries while nothing answers at all: a wrong address should be told soon.
const MAX_UNREACHABLE: u32 = 5;
/// The longest first wait.
const BASE: Duration = Duration::from_millis(500);
/// The longest wait that Drive didn't ask for.
const CAP: Duration = Duration::from_secs(32);
/// No wait ends later than this after the first try.
const TOTAL: Duration = Duration::from_mins(10);

/// The tries of one request, or of one piece of a transfer.
pub(super) struct Attempts<'a> {
    platform: &'a Platform,
    started: Timestamp,
    failures: u32,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(platform: &'a Platform) -> Self {
        Self { platform, started: platform.clock.now(), failures: 0 }
    }

    /// Waits before the next try; gives `error` back when there is none.
    pub(super) async fn after(&mut self, error: DriveError) -> Result<(), DriveError> {
        self.failures += 1;
        let most =
            if matches!(error, DriveError::Unreachable { .. }) { MAX_UNREACHABLE } else { MAX_ATTEMPTS };
        if !error.may_retry() || self.failures >= most {
            return Err(error);
        }
        let jitter = backoff(self.failures, &*self.platform.random);
        let wait = error.retry_after().map_or(jitter, |asked| asked.saturating_add(jitter));
        if self.platform.clock.now().since(self.started).saturating_add(wait) > TOTAL {
            return Err(error);
        }
        tracing::debug!(%error, failures = self.failures, wait_ms = wait.as_millis(), "Drive request is retried");
        self.platform.clock.sleep(wait).await;
        Ok(())
    }

    /// A transfer got on: what failed before no longer counts.
    pub(super) fn progressed(&mut self) {
        *self = Self::new(self.platform);
    }
}

/// Anything from nothing to `BASE * 2^(failures - 1)`, at most [`CAP`].
fn backoff(failures: u32, random: &dyn Random) -> Duration {
    let most = BASE.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(CAP);
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    most.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

/// What a `Retry-After` header asks for: seconds, or an HTTP date.
pub(super) fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
    let date = Timestamp::from_seconds(date.as_duration().as_secs_f64()).ok()?;
    Some(date.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::memory::MemoryRandom;

    #[test]
    fn backoff_grows_to_its_cap_and_jitters() {
        let random = MemoryRandom::default();
        let waits = |failures| -> Vec<_> { (0..200).map(|_| backoff(failures, &random)).collect() };
        assert!(waits(1).iter().all(|wait| *wait <= BASE));
        let late = waits(40);
        assert!(late.iter().all(|wait| *wait <= CAP));
        assert!(late.iter().any(|wait| *wait > CAP / 2) && late.iter().any(|wait| *wait < CAP / 2));
    }

    #[test]
    fn reads_both_forms_of_retry_after() {
        let now = Timestamp::from_iso("2026-11-23T05:00:00Z").unwrap();
        assert_eq!(retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 05:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 04:00:00 GMT", now), Some(Duration::ZERO));
        for odd in ["", "soon", "-3", "1e9", "99999999999999999999999"] {
            assert_eq!(retry_after(odd, now), None, "{odd}");
        }
    }
}
