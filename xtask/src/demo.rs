//! `cargo demo`: the whole conversation, from a checkout.

use std::process::Command;

use crate::error::Result;
use crate::process::{self, cargo, programs_folder};

/// What the demo is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Options of `syftbox demo`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Builds the program and plays its demo.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    // The whole workspace is named, so that the tests find what was built here, and cargo shows how far it is.
    process::run(cargo().args(["build", "--workspace", "--bin", "syftbox"]))?;
    process::run(Command::new(programs_folder()?.join("syftbox")).arg("demo").args(&arguments.options))
}
