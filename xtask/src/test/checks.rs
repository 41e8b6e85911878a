//! The steps that judge the code without running it.

use std::path::Path;
use std::time::Duration;

use super::tools;
use crate::error::{Error, Result};
use crate::process::{cargo, run, run_at_most};

pub(super) fn formatting() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().current_dir(BASH).args(["fmt", "--check"]))
}

pub(super) fn clippy() -> Result<()> {
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // Its settings, its target among them, are in its folder; what it builds stays with all the rest.
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let target = std::path::absolute(Path::new(&target).join("bash"))
        .map_err(|source| Error::File { path: target.into(), source })?;
    run(cargo().current_dir(BASH).env("CARGO_TARGET_DIR", target).args(["clippy", "--", "-D", "warnings"]))
}

/// The bash of jobs, a crate outside of the workspace.
const BASH: &str = "runner/bash";

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
    let check = ["check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    run(tools::DENY.command()?.args(check))?;
    // What is let in for the workspace alone isn't missed there.
    let bash = ["--manifest-path", "runner/bash/Cargo.toml"];
    run(tools::DENY.command()?.args(bash).args(check).args(["--allow", "unmatched-skip"]))?;

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
