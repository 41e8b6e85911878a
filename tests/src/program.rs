//! Finding the program under test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The built `syftbox`: the one that `SYFTBOX_BIN` names, as `cargo xtask test` does, or else one that cargo makes
/// now, so that a test never meets an old one.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| env::var_os("SYFTBOX_BIN").map_or_else(build, PathBuf::from))
}

// The whole workspace, since a package alone would have other features and so build its dependencies once more.
fn build() -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo told this test about its own package would have dependencies built once more.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    let built = cargo
        .args(["build", "--quiet", "--workspace", "--bin", "syftbox"])
        .args(["--message-format", "json-render-diagnostics"])
        .output()
        .unwrap();
    assert!(built.status.success(), "syftbox doesn't build:\n{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).unwrap();
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap()
}
