//! What the tests need beyond a Rust toolchain, checked and, where it can be, installed.

use std::process::Command;

use super::tools;
use crate::error::{Error, Result};
use crate::process::{ask, run};

/// wasm32-unknown-unknown is the browser's; the others are those of the sandbox's guests.
const COMPILE_TARGETS: [&str; 3] = ["wasm32-unknown-unknown", "wasm32-wasip1", "wasm32-wasip2"];

/// A program or a part of one that comes from the system's packages.
struct SystemPart {
    /// What it is and what for.
    what: &'static str,
    /// Succeeds when it is there.
    check: &'static [&'static str],
    /// The Debian package that holds it.
    package: &'static str,
}

const SYSTEM_PARTS: [SystemPart; 5] = [
    SystemPart { what: "Python 3", check: &["python3", "--version"], package: "python3" },
    SystemPart {
        what: "pip, for the Python runtime",
        check: &["python3", "-m", "pip", "--version"],
        package: "python3-pip",
    },
    SystemPart {
        what: "Python's venv, for clients in Python",
        check: &["python3", "-c", "import ensurepip, venv"],
        package: "python3-venv",
    },
    SystemPart { what: "Node, for clients in JavaScript", check: &["node", "--version"], package: "nodejs" },
    SystemPart { what: "npm, for clients in JavaScript", check: &["npm", "--version"], package: "npm" },
];

/// Sets everything up. One part that can't be had doesn't keep the others from being installed.
pub(super) fn run_all() -> Result<()> {
    let parts = [
        compile_targets(),
        system_parts(),
        tools::NEXTEST.installed().map(drop),
        tools::DENY.installed().map(drop),
    ];
    let mut failed = parts.into_iter().filter_map(Result::err);
    let Some(first) = failed.next() else { return Ok(()) };
    for other in failed {
        println!("{other}");
    }
    Err(first)
}

fn compile_targets() -> Result<()> {
    let Some(installed) = ask(Command::new("rustup").args(["target", "list", "--installed"])) else {
        println!(
            "There is no rustup here: the targets {} must come with your Rust.",
            COMPILE_TARGETS.join(", ")
        );
        return Ok(());
    };
    let missing: Vec<_> =
        COMPILE_TARGETS.into_iter().filter(|target| !installed.lines().any(|line| line == *target)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    run(Command::new("rustup").args(["target", "add"]).args(missing))
}

fn system_parts() -> Result<()> {
    let missing = missing_parts();
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = ask(Command::new("id").arg("-u")).as_deref() == Some("0");
    if is_root && ask(Command::new("apt-get").arg("--version")).is_some() {
        let apt = |arguments: &[&str]| {
            run(Command::new("apt-get").arg("-y").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
        };
        let mut install = vec!["install", "--no-install-recommends"];
        install.extend(missing.iter().map(|part| part.package));
        // What it could not do shows below, in what is still missing.
        if let Err(error) = apt(&["update"]).and_then(|()| apt(&install)) {
            println!("{error}");
        }
    }
    let missing = missing_parts();
    if missing.is_empty() {
        return Ok(());
    }
    let list = |field: fn(&SystemPart) -> &'static str, between| {
        missing.iter().map(|part| field(part)).collect::<Vec<_>>().join(between)
    };
    Err(Error::Missing {
        what: list(|part| part.what, "; "),
        remedy: format!(
            "Install them, on Debian with: sudo apt-get install {}",
            list(|part| part.package, " ")
        ),
    })
}

fn missing_parts() -> Vec<&'static SystemPart> {
    SYSTEM_PARTS
        .iter()
        .filter(|part| match part.check {
            [program, arguments @ ..] => ask(Command::new(program).args(arguments)).is_none(),
            [] => false,
        })
        .collect()
}
