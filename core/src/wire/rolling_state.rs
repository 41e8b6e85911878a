//! The rolling state: the latest event of every path since the last checkpoint (wire section 6).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{entries::Entries, event::Event};
use crate::domain::{DatasitePath, Email, Timestamp};

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

    /// Takes in what another machine of the account noted: of each path the later event counts.
    /// Says whether anything of `other` was new.
    pub fn merge(&mut self, other: Self, now: Timestamp) -> bool {
        let mut held: BTreeMap<&DatasitePath, _> = BTreeMap::new();
        for event in &self.events.accepted {
            held.insert(&event.path, (event.timestamp, event.new_hash()));
        }
        let is_new = |event: &Event| {
            held.get(&event.path).is_none_or(|known| (event.timestamp, event.new_hash()) > *known)
        };
        let mut new: Vec<Event> = other.events.accepted.into_iter().filter(is_new).collect();
        new.sort_by_key(|event| event.timestamp);
        let base = self.base_checkpoint_timestamp.max(other.base_checkpoint_timestamp);
        let is_changed = !new.is_empty() || base != self.base_checkpoint_timestamp;
        self.base_checkpoint_timestamp = base;
        self.last_event_timestamp = self.last_event_timestamp.max(other.last_event_timestamp);
        if !new.is_empty() {
            self.add(new, now);
        }
        is_changed
    }

    /// Drops the events up to `through`: a checkpoint holds them now, and this goes on from there.
    pub fn go_on_from(&mut self, through: Timestamp, now: Timestamp) {
        self.events.accepted.retain(|event| event.timestamp > through);
        self.base_checkpoint_timestamp = self.base_checkpoint_timestamp.max(through);
        self.last_event_timestamp = self.events.accepted.iter().map(|event| event.timestamp).max();
        self.timestamp = now;
    }

    /// The bytes of all content in it, on which its size on the wire depends.
    #[must_use]
    pub fn content_bytes(&self) -> u64 {
        let contents = self.events.accepted.iter().filter_map(|event| event.content.as_ref());
        contents.map(|content| content.as_bytes().len() as u64).sum()
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

    #[test]
    fn two_machines_come_to_the_same() {
        let now = Timestamp::from_seconds(9.0).unwrap();
        let state = |events: Vec<Event>| {
            let mut state = RollingState::new("do@test.org".parse().unwrap(), Timestamp::EPOCH, now);
            state.add(events, now);
            state
        };
        let (a, b) =
            ([event("x", "a", 1.0), event("y", "a", 4.0)], [event("x", "b", 2.0), event("y", "b", 3.0)]);
        let sorted = |mut state: RollingState| {
            state.events.accepted.sort_by(|a, b| a.path.cmp(&b.path));
            state
        };
        let (mut one, mut other) = (state(a.to_vec()), state(b.to_vec()));
        assert!(one.merge(state(b.to_vec()), now) && other.merge(state(a.to_vec()), now));
        assert_eq!(sorted(one.clone()), sorted(other));
        assert_eq!(one.last_event_timestamp, Timestamp::from_seconds(4.0).ok());
        assert!(!one.clone().merge(state(b.to_vec()), now), "nothing new");
        one.go_on_from(Timestamp::from_seconds(2.0).unwrap(), now);
        assert_eq!(one.events.accepted.iter().map(|event| event.path.as_str()).collect::<Vec<_>>(), ["y"]);
        assert_eq!(one.base_checkpoint_timestamp, Timestamp::from_seconds(2.0).unwrap());
    }
}
