//! Folders that a stranger made. They may be deeper than a path can say and than a process can have files
//! open, so everything here goes from a folder to the next one by its name alone.

use std::{
    ffi::{CStr, CString},
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, openat, statat, unlinkat};

use super::quota::Usage;

/// How many folders may lie in each other and still be counted. Outputs may be less deep.
const DEEPEST: usize = 64;

/// Why the files below a folder can't be counted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Uncountable {
    /// There is no end in sight.
    #[error("more than {DEEPEST} folders in each other")]
    TooDeep,
    /// The system says no, such as when this process has too many files open.
    #[error("files that can't be counted: {0}")]
    Unreadable(#[from] io::Error),
}

/// Counts what is below a folder, without following links. It holds up to `DEEPEST` files open.
///
/// # Errors
/// When it can't be counted: then it has to be taken for more than any limit.
pub(super) fn usage(folder: &Path) -> Result<Usage, Uncountable> {
    let mut usage = Usage::default();
    add(&open(CWD, folder)?, 0, &mut usage)?;
    Ok(usage)
}

fn add(folder: &OwnedFd, depth: usize, usage: &mut Usage) -> Result<(), Uncountable> {
    let mut folders = Vec::new();
    each(folder, |name, stat| {
        usage.files += 1;
        if is_folder(stat) {
            folders.push(name.to_owned());
        } else {
            usage.bytes = usage.bytes.saturating_add(u64::try_from(stat.st_size).unwrap_or(u64::MAX));
        }
        Ok(())
    })?;
    for name in folders {
        if depth == DEEPEST {
            return Err(Uncountable::TooDeep);
        }
        match open(folder, name.as_c_str()) {
            Ok(below) => add(&below, depth + 1, usage)?,
            // The guest moved or removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Removes a folder and all below it. Nothing else may change it meanwhile.
///
/// # Errors
/// When something in it can't be removed.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    let mut here = open(CWD, folder)?;
    // The folders that are still to be removed, level by level; the last of each is the one we are in.
    let mut levels: Vec<Vec<CString>> = Vec::new();
    let mut below = clear(&here)?;
    loop {
        if let Some(name) = below.last() {
            here = open(&here, name.as_c_str())?;
            levels.push(below);
            below = clear(&here)?;
            continue;
        }
        let Some(level) = levels.pop() else {
            return fs::remove_dir(folder);
        };
        here = open(&here, c"..")?;
        below = level;
        if let Some(done) = below.pop() {
            unlinkat(&here, done.as_c_str(), AtFlags::REMOVEDIR)?;
        }
    }
}

/// Removes what is no folder, and gives the names of the folders.
fn clear(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut folders = Vec::new();
    each(folder, |name, stat| {
        if is_folder(stat) {
            folders.push(name.to_owned());
            return Ok(());
        }
        Ok(unlinkat(folder, name, AtFlags::empty())?)
    })?;
    Ok(folders)
}

fn each(folder: &OwnedFd, mut visit: impl FnMut(&CStr, &Stat) -> io::Result<()>) -> io::Result<()> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => visit(name, &stat)?,
            Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_dir()
}

fn open(above: impl AsFd, name: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    let above: BorrowedFd<'_> = above.as_fd();
    let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(above, name, how, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use rustix::fs::mkdirat;

    use super::*;

    /// Makes folders in each other, each with a file in it.
    fn dig(folder: &Path, name: &CStr, depth: usize) {
        let mut here = open(CWD, folder).unwrap();
        for _ in 0..depth {
            let how = OFlags::CREATE | OFlags::WRONLY;
            openat(&here, "file", how, Mode::RWXU).unwrap();
            mkdirat(&here, name, Mode::RWXU).unwrap();
            here = open(&here, name).unwrap();
        }
    }

    #[test]
    fn folders_deeper_than_a_path_can_say_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (deep, other) = (folder.path().join("deep"), folder.path().join("other"));
        fs::create_dir_all(&deep).unwrap();
        fs::create_dir_all(&other).unwrap();
        fs::write(other.join("kept"), "x").unwrap();
        std::os::unix::fs::symlink(&other, deep.join("link")).unwrap();
        let long = CString::new("d".repeat(200)).unwrap();
        for name in [c"a", c"b", long.as_c_str()] {
            dig(&deep, name, 2000);
            fs::remove_file(deep.join("file")).unwrap();
        }
        remove(&deep).unwrap();
        assert!(!deep.exists() && other.join("kept").exists());
    }

    #[test]
    fn what_is_counted_is_what_is_there_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/c"), "123").unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("root")).unwrap();
        assert_eq!(usage(folder.path()).unwrap(), Usage { bytes: 4, files: 4 });
    }

    #[test]
    fn what_is_too_deep_is_not_counted_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        dig(folder.path(), c"d", DEEPEST);
        assert_eq!(usage(folder.path()).unwrap().files, 2 * DEEPEST as u64);
        fs::remove_file(folder.path().join("file")).unwrap();
        fs::rename(folder.path().join("d"), folder.path().join("x")).unwrap();
        fs::create_dir(folder.path().join("d")).unwrap();
        fs::rename(folder.path().join("x"), folder.path().join("d/d")).unwrap();
        assert!(matches!(usage(folder.path()), Err(Uncountable::TooDeep)));
        assert!(matches!(usage(&folder.path().join("none")), Err(Uncountable::Unreadable(_))));
    }
}
