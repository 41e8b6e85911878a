//! Whole-program tests: two people, the program, and the local Drive between them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod bad_input;
mod checkpoints;
mod conversation;
mod crash;
mod delete;
mod deterministic;
mod encryption;
mod feed;
mod generations;
mod hostile_peers;
mod jobs;
mod limits;
mod machine;
mod manager;
mod outboxes;
mod packages;
mod permission_reference;
mod permissions;
mod readers;
mod receipts;
mod recovery;
mod requests;
mod restores;
mod scene;
mod sealed;
mod section11;
mod status;
mod two_machines;
mod workers;
