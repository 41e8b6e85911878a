//! Our program against the Python peers, step by step, on one local Drive: requests, and wall time.
//!
//! Each side has an owner and a scientist of its own, who do the same. A step of ours is one call of the program, or two,
//! with its start; a step of theirs is the call inside a running Python, without its start and its imports.
//!
//! Run it with `cargo xtask bench --against-python`, which installs the runtime first.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that meets a failure has nothing to print")]

mod cost;
mod plant;
mod steps;

use std::process::ExitCode;

/// An owner's first login without a checkpoint may take this part of a Python peer's wall time.
const FIRST_LOGIN: f64 = 1.0 / 20.0;

fn main() -> ExitCode {
    cost::heading();
    let sides = steps::Sides::new();
    steps::become_peers(&sides);
    steps::exchange(&sides);
    steps::new_machine(&sides);
    let first_login = steps::thousand_events(&sides);
    steps::many_peers(&sides);

    println!(
        "\nAn owner's first login with 1,000 events takes {first_login:.4} of the Python peer's wall time."
    );
    if first_login > FIRST_LOGIN {
        println!("That is more than {FIRST_LOGIN}.");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
