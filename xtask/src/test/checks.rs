//! The steps that judge the code without running it.

use std::time::Duration;

use super::tools;
use crate::error::Result;
use crate::process::{cargo, run, run_at_most};

pub(super) fn formatting() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))
}

pub(super) fn clippy() -> Result<()> {
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// The core and the browser package must compile where there are no files, threads or sockets.
pub(super) fn wasm() -> Result<()> {
    let packages = ["-p", "syftbox-core", "-p", "syftbox-web"];
    run(cargo().arg("check").args(packages).args(["--target", "wasm32-unknown-unknown"]))
}

/// The documentation of public and private items, with a broken link as an error.
pub(super) fn documentation() -> Result<()> {
    let what = ["doc", "--workspace", "--no-deps", "--document-private-items"];
    run(cargo().args(what).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Licences, duplicates and sources; known vulnerabilities too where their database can be had.
pub(super) fn dependencies() -> Result<()> {
    run(tools::DENY.command()?.args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))?;

    let fetched = run_at_most(
        tools::DENY.command()?.args(["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0"),
        Duration::from_secs(60),
    );
    if fetched.is_err() {
        println!("SKIPPED: known vulnerabilities. The advisory database can't be fetched from this machine.");
        return Ok(());
    }
    run(tools::DENY.command()?.args(["check", "--disable-fetch", "advisories"]))
}
