//! The system's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use syftbox_core::{
    domain::Timestamp,
    platform::{BoxFuture, Clock},
};

/// The system's clock, with sleeps of the tokio runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 is a clock that was never set.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_duration(since)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}
