//! The rolling state: the latest event of every path since the last checkpoint (wire section 6).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{entries::Entries, event::Event};
use crate::domain::{Email, Timestamp};

/// The one shape there is of rolling states and checkpoints.
pub(super) const SHAPE_VERSION: u32 = 1;

/// What happened since the last checkpoint, each path once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollingState {
    version: u32,
    /// When it was last changed.
    pub timestamp: Timestamp,
    /// Whose datasite.
    pub email: Email,
    /// The time of the checkpoint it goes on from; [`Timestamp::EPOCH`] when there is none.
    pub base_checkpoint_timestamp: Timestamp,
    /// The time of the newest event in it.
    #[serde(default)]
    pub last_event_timestamp: Option<Timestamp>,
    /// The events, those of each path replaced by its latest.
    #[serde(default)]
    pub events: Entries<Event>,
}

impl RollingState {
    /// A rolling state without events.
    #[must_use]
    pub fn new(email: Email, base_checkpoint_timestamp: Timestamp, now: Timestamp) -> Self {
        Self {
            version: SHAPE_VERSION,
            timestamp: now,
            email,
            base_checkpoint_timestamp,
            last_event_timestamp: None,
            events: Entries::default(),
        }
    }

    /// Takes `events` in, in their order: each replaces an earlier one of its path.
    pub fn add(&mut self, events: impl IntoIterator<Item = Event>, now: Timestamp) {
        let kept = std::mem::take(&mut self.events.accepted);
        let mut newest = self.last_event_timestamp;
        let new = events.into_iter().inspect(|event| newest = newest.max(Some(event.timestamp)));
        let all: Vec<Event> = kept.into_iter().chain(new).collect();
        let mut seen = BTreeSet::new();
        let mut latest: Vec<Event> =
            all.into_iter().rev().filter(|event| seen.insert(event.path.clone())).collect();
        latest.reverse();
        self.events.accepted = latest;
        self.last_event_timestamp = newest;
        self.timestamp = now;
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::wire::ProposedChange;

    fn event(path: &str, content: &str, seconds: f64) -> Event {
        let time = Timestamp::from_seconds(seconds).unwrap();
        let change = ProposedChange::new(
            Uuid::nil(),
            "do@test.org".parse().unwrap(),
            path.parse().unwrap(),
            Some(content.into()),
            None,
            time,
        );
        Event::from_change(change, time)
    }

    #[test]
    fn keeps_the_latest_event_of_each_path() {
        let mut state = RollingState::new("do@test.org".parse().unwrap(), Timestamp::EPOCH, Timestamp::EPOCH);
        state.add([event("a", "1", 1.0), event("b", "1", 2.0), event("a", "2", 3.0)], Timestamp::EPOCH);
        let now = Timestamp::from_seconds(9.0).unwrap();
        state.add([event("b", "2", 4.0), event("c", "1", 5.0)], now);
        let held: Vec<_> = state
            .events
            .accepted
            .iter()
            .map(|event| (event.path.as_str(), event.content.as_ref().unwrap().as_bytes()))
            .collect();
        assert_eq!(held, [("a", &b"2"[..]), ("b", b"2"), ("c", b"1")]);
        assert_eq!(state.last_event_timestamp, Timestamp::from_seconds(5.0).ok());
        assert_eq!(state.timestamp, now);
    }
}
