//! The time, and waiting.

use std::{future::Future, time::Duration};

use futures_util::future::{Either, select};

use super::{BoxFuture, MaybeSend};
use crate::domain::Timestamp;

/// A clock.
pub trait Clock: MaybeSend {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// Ends after `time`.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// Work took longer than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no end after {} s", .0.as_secs_f64())]
pub struct TimedOut(pub Duration);

/// Gives `work` the time `limit`, then drops it.
///
/// # Errors
/// [`TimedOut`] when the limit came first.
pub async fn timeout<T>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, TimedOut> {
    match select(std::pin::pin!(work), clock.sleep(limit)).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right(((), _)) => Err(TimedOut(limit)),
    }
}
