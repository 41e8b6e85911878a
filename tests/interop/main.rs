//! Conversations with Python peers: the real packages in processes of their own, on one local Drive with our program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod cast;
mod conversation;
mod player;
mod python;
mod rust;
mod trees;

use cast::{Cast, Program::*};
use syftbox_tests::PythonGeneration::{V0_1, V0_10};

#[test]
fn rust_owner_and_rust_scientist() {
    conversation::hold(&Cast::new(V0_10, Rust, Rust));
}

#[test]
fn rust_owner_and_python_0_10_scientist() {
    conversation::hold(&Cast::new(V0_10, Rust, Python));
}

#[test]
fn rust_owner_and_python_0_1_scientist() {
    conversation::hold(&Cast::new(V0_1, Rust, Python));
}

#[test]
fn python_0_10_owner_and_rust_scientist() {
    conversation::hold(&Cast::new(V0_10, Python, Rust));
}

#[test]
fn python_0_1_owner_and_rust_scientist() {
    conversation::hold(&Cast::new(V0_1, Python, Rust));
}

#[test]
fn encrypted_rust_owner_and_python_0_10_scientist() {
    conversation::hold(&Cast::new(V0_10, Rust, Python).encrypted());
}

#[test]
fn encrypted_rust_owner_and_rust_scientist() {
    conversation::hold(&Cast::new(V0_10, Rust, Rust).encrypted());
}

#[test]
fn encrypted_rust_owner_and_python_0_1_scientist() {
    conversation::dataless::hold(&Cast::new(V0_1, Rust, Python).encrypted());
}

#[test]
fn encrypted_python_0_10_owner_and_rust_scientist() {
    conversation::hold(&Cast::new(V0_10, Python, Rust).encrypted());
}

#[test]
fn encrypted_python_0_1_owner_and_rust_scientist() {
    conversation::hold(&Cast::new(V0_1, Python, Rust).encrypted());
}

#[test]
fn rust_owner_and_a_python_scientist_of_each_generation() {
    conversation::both::serve(&Cast::new(V0_10, Rust, Python));
}
