//! Asking pip: the user's own, with its settings. It only downloads; nothing of a package is run.

use std::{
    ffi::OsStr,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{PackageError, PackageName, Requirement, wheel::LARGEST};

/// How long one question may take.
const TIME: Duration = Duration::from_secs(60);
/// How much of what pip says is kept, in bytes.
const SAID: u64 = 64 << 10;
/// The sandbox's Python.
const PYTHON: &str = "3.15";

/// What pip answered.
pub(super) enum Got {
    /// The wheel that it took.
    Wheel(PathBuf),
    /// No wheel without native code fits; these versions have one.
    Nothing { versions: Vec<String> },
    /// It is larger than any wheel that is taken.
    TooLarge,
    /// pip doesn't take it, in its words.
    Failed { said: String },
}

/// Where pip looks.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Where the user's pip looks: the registry, unless its settings say otherwise.
    Registry,
    /// In this folder alone.
    Folder(PathBuf),
}

/// What there is of a package beside wheels without native code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// Wheels with native code.
    Native,
    /// Only its source.
    Source,
    /// Nothing has this name.
    Nothing,
}

/// Gets the newest wheel without native code that fits into an empty folder.
pub(super) fn download(requirement: &Requirement, source: &Source, into: &Path) -> Result<Got, PackageError> {
    let plain = Requirement { extras: Vec::new(), marker: None, ..requirement.clone() };
    let mut pip = pip(into);
    pip.arg("download").args(source.options());
    pip.args(["--no-deps", "--only-binary=:all:", "--platform", "any", "--implementation", "py"])
        .args(["--abi", "none", "--python-version", PYTHON, "--quiet", "--dest"])
        .arg(into)
        .arg(plain.to_string());
    let (succeeded, said) = match ask(pip, Some(into), &plain.to_string())? {
        Answer::Said { succeeded, said } => (succeeded, said),
        Answer::TooLarge => return Ok(Got::TooLarge),
    };
    let files = fs::read_dir(into).into_iter().flatten().flatten().map(|entry| entry.path());
    let wheel = files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    match wheel {
        Some(wheel) if succeeded => Ok(Got::Wheel(wheel)),
        _ => nothing(&said),
    }
}

/// What there is of a package that has no wheel without native code.
pub(super) fn otherwise(
    name: &PackageName,
    source: &Source,
    folder: &Path,
) -> Result<Otherwise, PackageError> {
    let native = ["--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp"];
    let platforms = ["--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64"];
    let any = ["--platform", "manylinux_2_17_x86_64", "--abi", "cp312", "--abi", "abi3", "--abi", "none"];
    let wheels: Vec<_> = native.into_iter().chain(platforms).chain(any).collect();
    for (found, arguments) in [(Otherwise::Native, wheels), (Otherwise::Source, Vec::new())] {
        let mut pip = pip(folder);
        pip.args(["index", "versions"]).args(source.options()).args(arguments).arg(name.as_str());
        match ask(pip, None, name.as_str())? {
            Answer::Said { succeeded: true, .. } => return Ok(found),
            Answer::Said { said, .. } if is_unreachable(&said) => {
                return Err(PackageError::Unreachable { said: last_lines(&said) });
            }
            _ => {}
        }
    }
    Ok(Otherwise::Nothing)
}

impl Source {
    fn options(&self) -> Vec<&OsStr> {
        match self {
            Self::Registry => Vec::new(),
            Self::Folder(folder) => {
                vec!["--no-index".as_ref(), "--find-links".as_ref(), folder.as_os_str()]
            }
        }
    }
}

/// pip, at work in a folder of ours: Python would take modules from one of the user's.
fn pip(folder: &Path) -> Command {
    let mut command = Command::new("python3");
    command.current_dir(folder).args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
    command.args(["--retries", "1", "--timeout", "15"]);
    command
}

enum Answer {
    Said { succeeded: bool, said: String },
    TooLarge,
}

/// Waits for pip, but not for ever; with a folder, also not for more than a wheel's size in it.
fn ask(mut pip: Command, folder: Option<&Path>, what: &str) -> Result<Answer, PackageError> {
    let started = Instant::now();
    let child = pip.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|source| PackageError::NoPip { source })?;
    let said = read(&mut child);
    loop {
        if let Some(status) = child.try_wait().map_err(|source| PackageError::NoPip { source })? {
            let said = said.join().unwrap_or_default();
            return Ok(Answer::Said { succeeded: status.success(), said });
        }
        let too_long = started.elapsed() > TIME;
        let too_large = folder.is_some_and(|folder| size_of(folder) > LARGEST);
        if too_long || too_large {
            // It may have ended by itself in between, which is as good.
            let _ = child.kill();
            let _ = child.wait();
            if too_large {
                return Ok(Answer::TooLarge);
            }
            return Err(PackageError::TookTooLong { requirement: what.to_owned(), seconds: TIME.as_secs() });
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn read(child: &mut Child) -> thread::JoinHandle<String> {
    let output = child.stderr.take();
    thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut output) = output {
            let _ = output.by_ref().take(SAID).read_to_end(&mut said);
            let _ = std::io::copy(&mut output, &mut std::io::sink());
        }
        String::from_utf8_lossy(&said).into_owned()
    })
}

fn size_of(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// What it means that pip got nothing.
fn nothing(said: &str) -> Result<Got, PackageError> {
    // pip says the same of a package that it couldn't ask for, after warnings.
    if is_unreachable(said) {
        return Err(PackageError::Unreachable { said: last_lines(said) });
    }
    let versions = said.split_once("(from versions: ").and_then(|(_, rest)| rest.split_once(')'));
    let versions = versions.map_or("none", |(versions, _)| versions);
    if said.contains("No matching distribution") || said.contains("Could not find a version") {
        let versions = versions.split(", ").filter(|version| *version != "none").map(str::to_owned).collect();
        return Ok(Got::Nothing { versions });
    }
    if said.contains("No module named pip") {
        return Err(PackageError::NoPip { source: std::io::Error::other(last_lines(said)) });
    }
    Ok(Got::Failed { said: last_lines(said) })
}

fn is_unreachable(said: &str) -> bool {
    ["connection broken", "Max retries", "Could not fetch URL", "Connection", "HTTP error", "timed out"]
        .iter()
        .any(|sign| said.contains(sign))
}

fn last_lines(said: &str) -> String {
    let lines: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(2)..].join(" / ");
    crate::sandbox::printable(&last.chars().take(400).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_is_away_is_not_a_package_that_is_missing() {
        let away = "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n\
                    ERROR: Could not find a version that satisfies the requirement a (from versions: none)\n\
                    ERROR: No matching distribution found for a\n";
        assert!(matches!(nothing(away), Err(PackageError::Unreachable { .. })));
        let missing = "ERROR: Could not find a version that satisfies the requirement a>9 (from versions: 1.0, 2.0)\n\
                       ERROR: No matching distribution found for a>9\n";
        assert!(matches!(nothing(missing), Ok(Got::Nothing { versions }) if versions == ["1.0", "2.0"]));
        let none = "ERROR: Could not find a version that satisfies the requirement a (from versions: none)\n";
        assert!(matches!(nothing(none), Ok(Got::Nothing { versions }) if versions.is_empty()));
        assert!(matches!(nothing("No module named pip"), Err(PackageError::NoPip { .. })));
        assert!(matches!(nothing("a.whl is not a zip"), Ok(Got::Failed { .. })));
    }
}
