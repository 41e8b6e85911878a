//! The program killed at any request and at any change of a file, answers lost, searches that lag:
//! the story goes on, and ends as if nothing had happened.
//!
//! A kill here drops everything the program does at that moment, between two requests or before a
//! file is put in place; the next program starts from what is on disk.

mod fate;
mod outcome;
mod story;
mod world;

use self::{
    fate::Mishap,
    outcome::Outcome,
    world::{Ended, Saved, Step, World},
};

/// The world before each step, and how the story ends.
fn reference(steps: &[Step]) -> (Vec<Saved>, Outcome) {
    let mut before = Vec::new();
    let mut world = World::new();
    for step in steps {
        let saved = world.save();
        world = saved.wake();
        before.push(saved);
        world.do_step(step);
    }
    story::settle(&world);
    (before, Outcome::of(&world))
}

/// Plays the story with one mishap in step `number`; `false` when the step ends before it happens.
fn ends_well(
    steps: &[Step],
    (before, expected): &(Vec<Saved>, Outcome),
    number: usize,
    mishap: Mishap,
    search_lags: bool,
) -> bool {
    let step = &steps[number];
    let world = before[number].wake();
    world.lag_search(search_lags);
    let (ended, fate) = world.play(step, mishap);
    let was_killed = matches!(ended, Ended::Killed);
    if let Ended::Itself(result) = ended {
        result.unwrap_or_else(|error| panic!("{}, {mishap:?}: {error}", step.name));
    }
    if !fate.is_met() {
        return false;
    }
    if was_killed {
        story::again(&world, step);
    }
    world.lag_search(false);
    for step in &steps[number + 1..] {
        world.do_step(step);
    }
    story::settle(&world);
    let outcome = Outcome::of(&world);
    assert!(
        outcome == *expected || outcome.differs_by_the_failed_run(expected),
        "{}, {mishap:?}:\n{outcome:#?}\ninstead of\n{expected:#?}",
        step.name
    );
    true
}

/// Every mishap of a kind, in every step of `steps`.
fn every(steps: std::ops::Range<usize>, mishaps: &[fn(usize) -> Mishap]) {
    every_of(&story::steps(), steps, mishaps, false);
}

fn every_of(
    story: &[Step],
    steps: std::ops::Range<usize>,
    mishaps: &[fn(usize) -> Mishap],
    search_lags: bool,
) {
    let reference = reference(story);
    for step in steps {
        for mishap in mishaps {
            let mut count = 0;
            while ends_well(story, &reference, step, mishap(count), search_lags) {
                count += 1;
            }
            println!("{}: {:?} and {count} before it", story[step].name, mishap(count));
        }
    }
}

const KILLED_AT_REQUESTS: [fn(usize) -> Mishap; 2] = [Mishap::BeforeRequest, Mishap::AfterRequest];
const KILLED_AT_WRITES: [fn(usize) -> Mishap; 1] = [Mishap::BeforeWrite];
const ANSWERS_LOST: [fn(usize) -> Mishap; 1] = [Mishap::LostAnswer];

#[test]
fn killed_at_any_request_while_becoming_peers() {
    every(0..4, &KILLED_AT_REQUESTS);
}

#[test]
fn killed_at_any_request_while_publishing_a_dataset() {
    every(4..7, &KILLED_AT_REQUESTS);
}

#[test]
fn killed_at_any_request_while_submitting() {
    every(7..9, &KILLED_AT_REQUESTS);
}

#[test]
fn killed_at_any_request_while_running_a_job() {
    every(9..12, &KILLED_AT_REQUESTS);
}

#[test]
fn killed_at_any_request_while_editing_and_deleting() {
    every(12..17, &KILLED_AT_REQUESTS);
}

#[test]
fn killed_at_any_write_while_becoming_peers() {
    every(0..4, &KILLED_AT_WRITES);
}

#[test]
fn killed_at_any_write_while_publishing_a_dataset() {
    every(4..7, &KILLED_AT_WRITES);
}

#[test]
fn killed_at_any_write_while_submitting() {
    every(7..9, &KILLED_AT_WRITES);
}

#[test]
fn killed_at_any_write_while_running_a_job() {
    every(9..12, &KILLED_AT_WRITES);
}

#[test]
fn killed_at_any_write_while_editing_and_deleting() {
    every(12..17, &KILLED_AT_WRITES);
}

#[test]
fn any_answer_lost() {
    every(0..story::steps().len(), &ANSWERS_LOST);
}

#[test]
fn killed_at_any_request_while_searches_lag() {
    every_of(&story::steps(), 0..6, &[Mishap::AfterRequest], true);
}

#[test]
fn killed_at_any_request_while_making_a_checkpoint() {
    every(17..18, &KILLED_AT_REQUESTS);
}

#[test]
fn killed_at_any_write_while_making_a_checkpoint() {
    every(17..18, &KILLED_AT_WRITES);
}

#[test]
fn killed_at_any_request_while_deleting_everything() {
    every_of(&story::steps_to_the_end(), 18..19, &KILLED_AT_REQUESTS, false);
}

#[test]
fn killed_at_any_write_while_deleting_everything() {
    every_of(&story::steps_to_the_end(), 18..19, &KILLED_AT_WRITES, false);
}
