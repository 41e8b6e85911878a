//! Taking what a job wrote out of its private folder: regular files with harmless names, nothing else.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use syftbox_core::domain::DatasitePath;

use super::SandboxError;

/// How many folders deep an output may lie.
const DEEPEST: usize = 32;

/// What was taken, and what was not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Collected {
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Names that were refused: links, special files, names that are withheld or that no peer could take.
    pub(super) refused: u64,
}

/// Moves the files below `from` to below `to`, but for those with a name of `withheld`. The job is over: nothing changes `from` meanwhile, and no
/// link in it is followed.
///
/// # Errors
/// When a folder can't be read or a file can't be moved.
pub(super) fn collect(from: &Path, to: &Path, withheld: &[&str]) -> Result<Collected, SandboxError> {
    let mut collected = Collected::default();
    let mut folders = vec![(from.to_path_buf(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let unreadable = |source| SandboxError::Keep { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let metadata = entry.metadata().map_err(unreadable)?;
            let path = entry.file_name().to_str().and_then(|name| {
                let path: DatasitePath = format!("{prefix}{name}").parse().ok()?;
                if withheld.iter().any(|withheld| withheld.eq_ignore_ascii_case(name)) {
                    return None;
                }
                Some(path)
            });
            match path {
                Some(path) if metadata.is_dir() && depth < DEEPEST => {
                    folders.push((entry.path(), format!("{path}/"), depth + 1));
                }
                Some(path) if metadata.is_file() && metadata.nlink() == 1 => {
                    let target = to.join(path.as_str());
                    take(&entry.path(), &target)
                        .map_err(|source| SandboxError::Keep { path: target, source })?;
                    collected.files += 1;
                    collected.bytes += metadata.len();
                }
                _ => collected.refused += 1,
            }
        }
    }
    Ok(collected)
}

fn take(from: &PathBuf, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(from, to)?;
            fs::remove_file(from)
        }
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_files_and_leaves_everything_else() {
        let from = tempfile::tempdir().unwrap();
        let to = tempfile::tempdir().unwrap();
        let secret = tempfile::tempdir().unwrap();
        fs::write(secret.path().join("token"), "secret").unwrap();
        fs::create_dir_all(from.path().join("a/b")).unwrap();
        fs::write(from.path().join("a/b/r.txt"), "result").unwrap();
        fs::write(from.path().join("empty"), "").unwrap();
        fs::write(from.path().join("a/Rules.yaml"), "x").unwrap();
        fs::write(from.path().join("back\\slash"), "x").unwrap();
        std::os::unix::fs::symlink(secret.path().join("token"), from.path().join("link")).unwrap();
        std::os::unix::fs::symlink(secret.path(), from.path().join("folder")).unwrap();
        fs::hard_link(secret.path().join("token"), from.path().join("hard")).unwrap();
        let deep = from.path().join("d/".repeat(DEEPEST + 2));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("too-deep"), "x").unwrap();

        let collected = collect(from.path(), to.path(), &["rules.yaml"]).unwrap();
        assert_eq!(collected, Collected { files: 2, bytes: 6, refused: 6 });
        assert_eq!(fs::read_to_string(to.path().join("a/b/r.txt")).unwrap(), "result");
        assert_eq!(fs::read_dir(to.path()).unwrap().count(), 2);
        assert_eq!(fs::read_to_string(secret.path().join("token")).unwrap(), "secret");
    }
}
