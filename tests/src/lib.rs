//! The stage for whole-program tests: the built `syftbox`, the people who call it and the Drive between them.
//!
//! What a person can see is what a test may look at: exit codes, stdout, stderr, and the files in their folders.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::return_self_not_must_use,
    clippy::missing_panics_doc,
    reason = "what goes wrong on the stage is the failure of the test that stands on it"
)]

mod answer;
mod person;
mod program;
mod python;
mod stage;

pub use answer::Answer;
pub use person::Person;
pub use program::program;
pub use python::{PythonGeneration, PythonPeer, python_environment};
pub use stage::{OWNER, SCIENTIST, Stage};
