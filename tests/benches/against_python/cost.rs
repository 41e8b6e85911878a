//! What a step costs, and the table of it.

use std::time::{Duration, Instant};

use serde_json::Value;
use syftbox_tests::{Person, PythonPeer, Stage};

/// Requests to Drive (a batch is one) and wall time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    pub(crate) time: Duration,
}

/// What calls of the program cost, one after the other.
pub(crate) fn ours(stage: &Stage, person: &Person, calls: &[&[&str]]) -> Cost {
    stage.drive().requests().reset();
    let began = Instant::now();
    for call in calls {
        person.run(call).done();
    }
    Cost { time: began.elapsed(), requests: stage.drive().requests().count() }
}

/// What a call of a Python peer costs.
pub(crate) fn theirs(stage: &Stage, peer: &PythonPeer, call: &str, arguments: Value) -> Cost {
    stage.drive().requests().reset();
    let (_, time) = peer.timed(call, arguments);
    Cost { time, requests: stage.drive().requests().count() }
}

/// Prints the head of the table.
pub(crate) fn heading() {
    println!(
        "{:<52} {:>8} {:>8} {:>6}   {:>9} {:>9} {:>6}",
        "", "requests", "Python", "ratio", "time", "Python", "ratio"
    );
}

/// Prints the line of a step.
pub(crate) fn row(step: &str, ours: Cost, theirs: Cost) {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand requests")]
    let requests = ours.requests as f64 / theirs.requests as f64;
    println!(
        "{step:<52} {:>8} {:>8} {requests:>6.2}   {:>6} ms {:>6} ms {:>6.2}",
        ours.requests,
        theirs.requests,
        ours.time.as_millis(),
        theirs.time.as_millis(),
        ratio(ours, theirs),
    );
}

/// Our wall time as a part of theirs.
pub(crate) fn ratio(ours: Cost, theirs: Cost) -> f64 {
    ours.time.as_secs_f64() / theirs.time.as_secs_f64()
}
