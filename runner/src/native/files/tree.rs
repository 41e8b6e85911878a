//! The system calls: every path is walked folder by folder from the root's descriptor, and no
//! step follows a link, so nothing that changes meanwhile leads outside.

use std::{
    fs::{DirBuilder, File},
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::{DirBuilderExt, FileExt},
    },
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use rustix::{
    fs::{
        AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Stat, flock, fstat, fsync, mkdirat, open,
        openat, renameat, statat, unlinkat,
    },
    io::Errno,
};
use syftbox_core::{
    domain::DatasitePath,
    platform::{Entry, FileError, FileErrorKind, FileKind, FileStat, uuid},
};

use super::Access;
use crate::native::SystemRandom;

/// Names of files that aren't at their path yet. They are hidden, and no path may have one.
pub(super) const TEMPORARY: &str = ".syftbox-tmp-";
/// A temporary file that nobody wrote to for so long, and nobody locks, was left by a crash.
const LEFT_OVER_SECONDS: u64 = 60;

/// The mode of a file that only the user who runs the program may read.
pub(super) const PRIVATE_FILE: u16 = 0o600;

const FOLDER_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    access: Access,
}

impl Tree {
    pub(super) fn new(root: PathBuf, access: Access) -> Self {
        Self { root, access }
    }

    /// As `u16`, which the mode types of all systems can hold.
    pub(super) fn file_mode(&self) -> u16 {
        match self.access {
            Access::Owner => PRIVATE_FILE,
            Access::Umask => 0o666,
        }
    }

    fn folder_mode(&self) -> u16 {
        match self.access {
            Access::Owner => 0o700,
            Access::Umask => 0o777,
        }
    }

    /// The root; `None` when it isn't there.
    fn open_root(&self) -> Result<Option<OwnedFd>, FileError> {
        match open(&self.root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(root) => Ok(Some(root)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.root_failed(&error.into())),
        }
    }

    fn root_failed(&self, error: &io::Error) -> FileError {
        FileError { path: self.root.display().to_string(), kind: FileErrorKind::System(error.to_string()) }
    }

    /// A folder, or the root; `None` when it isn't there.
    fn open_folder(&self, folder: Option<&DatasitePath>) -> Result<Option<OwnedFd>, FileError> {
        let Some(mut at) = self.open_root()? else { return Ok(None) };
        let Some(path) = folder else { return Ok(Some(at)) };
        refuse_temporary(path)?;
        for name in path.components() {
            at = match openat(&at, name, FOLDER_FLAGS, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(not_a_folder(path, at.as_fd(), name, error)),
            };
        }
        Ok(Some(at))
    }

    /// The folder that `path` is in; `None` when it isn't there, or a file is there instead.
    fn open_parent(&self, path: &DatasitePath) -> Result<Option<OwnedFd>, FileError> {
        refuse_temporary(path)?;
        match self.open_folder(path.parent().as_ref()) {
            Err(FileError { kind: FileErrorKind::NotFolder, .. }) => Ok(None),
            opened => opened,
        }
    }

    pub(super) fn make_parent(&self, path: &DatasitePath) -> Result<OwnedFd, FileError> {
        refuse_temporary(path)?;
        match path.parent() {
            Some(parent) => self.make_folder(&parent).map_err(|error| FileError::new(path, error.kind)),
            None => self.make_root(),
        }
    }

    fn make_root(&self) -> Result<OwnedFd, FileError> {
        if let Some(root) = self.open_root()? {
            return Ok(root);
        }
        let made = DirBuilder::new().recursive(true).mode(self.folder_mode().into()).create(&self.root);
        made.map_err(|error| self.root_failed(&error))?;
        self.open_root()?.ok_or_else(|| self.root_failed(&io::ErrorKind::NotFound.into()))
    }

    pub(super) fn make_folder(&self, path: &DatasitePath) -> Result<OwnedFd, FileError> {
        refuse_temporary(path)?;
        let mut at = self.make_root()?;
        for name in path.components() {
            let opened = match openat(&at, name, FOLDER_FLAGS, Mode::empty()) {
                Err(Errno::NOENT) => {
                    match mkdirat(&at, name, Mode::from_raw_mode(self.folder_mode().into())) {
                        // Somebody else may have made it meanwhile.
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(error) => return Err(failed(path, error)),
                    }
                    fsync(&at).map_err(|error| failed(path, error))?;
                    openat(&at, name, FOLDER_FLAGS, Mode::empty())
                }
                opened => opened,
            };
            at = opened.map_err(|error| not_a_folder(path, at.as_fd(), name, error))?;
        }
        Ok(at)
    }

    pub(super) fn stat(&self, path: &DatasitePath) -> Result<Option<FileStat>, FileError> {
        let Some(folder) = self.open_parent(path)? else { return Ok(None) };
        stat_in(folder.as_fd(), path.file_name()).map_err(|error| failed(path, error))
    }

    pub(super) fn list(&self, folder: Option<&DatasitePath>) -> Result<Vec<Entry>, FileError> {
        let Some(at) = self.open_folder(folder)? else { return Ok(Vec::new()) };
        let shown = |error: Errno| FileError {
            path: folder.map_or_else(|| self.root.display().to_string(), ToString::to_string),
            kind: kind_of(error),
        };
        let mut entries = Vec::new();
        for name in names(at.as_fd()).map_err(shown)? {
            if name.starts_with(TEMPORARY) {
                clean_up(at.as_fd(), &name);
                continue;
            }
            let is_component = name.parse::<DatasitePath>().is_ok();
            // A name that is gone by now is no error.
            if is_component && let Some(stat) = stat_in(at.as_fd(), &name).map_err(shown)? {
                entries.push(Entry { name, stat });
            }
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    pub(super) fn read_at(&self, path: &DatasitePath, offset: u64, len: usize) -> Result<Bytes, FileError> {
        let missing = || FileError::new(path, FileErrorKind::Missing);
        let folder = self.open_parent(path)?.ok_or_else(missing)?;
        // NONBLOCK: a pipe without a writer would hold us for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file =
            openat(&folder, path.file_name(), flags, Mode::empty()).map_err(|error| failed(path, error))?;
        let stat = fstat(&file).map_err(|error| failed(path, error))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(FileError::new(path, FileErrorKind::IsFolder)),
            _ => return Err(FileError::new(path, FileErrorKind::Special)),
        }
        let rest = u64::try_from(stat.st_size).unwrap_or(0).saturating_sub(offset);
        let mut content = vec![0; len.min(usize::try_from(rest).unwrap_or(usize::MAX))];
        let file = File::from(file);
        let mut filled = 0;
        while filled < content.len() {
            match file.read_at(&mut content[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::new(path, FileErrorKind::System(error.to_string()))),
            }
        }
        content.truncate(filled);
        Ok(content.into())
    }

    pub(super) fn remove(&self, path: &DatasitePath) -> Result<(), FileError> {
        let Some(folder) = self.open_parent(path)? else { return Ok(()) };
        let removed = remove_in(folder.as_fd(), path.file_name()).and_then(|()| fsync(&folder));
        removed.map_err(|error| failed(path, error))
    }

    pub(super) fn rename(&self, from: &DatasitePath, to: &DatasitePath) -> Result<(), FileError> {
        let missing = || FileError::new(from, FileErrorKind::Missing);
        let source = self.open_parent(from)?.ok_or_else(missing)?;
        let stat = stat_in(source.as_fd(), from.file_name()).map_err(|error| failed(from, error))?;
        stat.ok_or_else(missing)?;
        let target = self.make_parent(to)?;
        let there = stat_in(target.as_fd(), to.file_name()).map_err(|error| failed(to, error))?;
        if there.is_some_and(|there| there.kind == FileKind::Folder) {
            return Err(FileError::new(to, FileErrorKind::IsFolder));
        }
        renameat(&source, from.file_name(), &target, to.file_name())
            .and_then(|()| fsync(&target))
            .and_then(|()| fsync(&source))
            .map_err(|error| failed(to, error))
    }
}

/// What `name` in `folder` is; `None` when nothing is there.
pub(super) fn stat_in(folder: BorrowedFd<'_>, name: &str) -> Result<Option<FileStat>, Errno> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(described(&stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

fn described(stat: &Stat) -> FileStat {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Folder,
        _ => FileKind::Other,
    };
    let len = if kind == FileKind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
    let stamp = format!(
        "{}.{:09}-{}-{}.{:09}",
        stat.st_mtime, stat.st_mtime_nsec, stat.st_ino, stat.st_ctime, stat.st_ctime_nsec
    );
    FileStat { kind, len, stamp }
}

/// The names in `folder` that are text.
fn names(folder: BorrowedFd<'_>) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        match entry?.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) => names.push(name.to_owned()),
        }
    }
    Ok(names)
}

/// Removes `name`, with all in it. A job's outputs may be nested deeper than any stack or table of
/// open files, so a folder is made flat: what is in its folders moves up into it, until it is empty.
fn remove_in(folder: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // Linux says ISDIR of a folder, other systems PERM.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    let top = openat(folder, name, FOLDER_FLAGS, Mode::empty())?;
    while !raw_names(top.as_fd())?.is_empty() {
        for entry in raw_names(top.as_fd())? {
            match unlinkat(&top, &entry, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => continue,
                Err(Errno::ISDIR | Errno::PERM) => {}
                Err(error) => return Err(error),
            }
            let inner = openat(&top, &entry, FOLDER_FLAGS, Mode::empty())?;
            for below in raw_names(inner.as_fd())? {
                match unlinkat(&inner, &below, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(Errno::ISDIR | Errno::PERM) => renameat(&inner, &below, &top, temporary_name())?,
                    Err(error) => return Err(error),
                }
            }
            unlinkat(&top, &entry, AtFlags::REMOVEDIR)?;
        }
    }
    unlinkat(folder, name, AtFlags::REMOVEDIR)
}

/// All names in `folder`, also those that are no text.
fn raw_names(folder: BorrowedFd<'_>) -> Result<Vec<std::ffi::CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if ![&b"."[..], b".."].contains(&entry.file_name().to_bytes()) {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

pub(super) fn temporary_name() -> String {
    format!("{TEMPORARY}{}", uuid(&SystemRandom).simple())
}

/// Removes a temporary file that a crash left.
fn clean_up(folder: BorrowedFd<'_>, name: &str) {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = openat(folder, name, flags, Mode::empty()) else { return };
    let Ok(stat) = fstat(&file) else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let written = u64::try_from(stat.st_mtime).unwrap_or(0);
    if now.saturating_sub(written) < LEFT_OVER_SECONDS {
        return;
    }
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        let _ = remove_in(folder, name);
    }
}

fn refuse_temporary(path: &DatasitePath) -> Result<(), FileError> {
    if path.components().any(|name| name.starts_with(TEMPORARY)) {
        let why =
            format!("names that start with {TEMPORARY} are for files that are being written; rename it");
        return Err(FileError::new(path, FileErrorKind::System(why)));
    }
    Ok(())
}

/// Why `name` couldn't be opened as a folder.
fn not_a_folder(path: &DatasitePath, folder: BorrowedFd<'_>, name: &str, error: Errno) -> FileError {
    let kind = match (error, stat_in(folder, name)) {
        (Errno::NOTDIR | Errno::LOOP, Ok(Some(stat))) if stat.kind == FileKind::File => {
            FileErrorKind::NotFolder
        }
        (Errno::NOTDIR | Errno::LOOP, _) => FileErrorKind::Special,
        _ => kind_of(error),
    };
    FileError::new(path, kind)
}

pub(super) fn failed(path: &DatasitePath, error: Errno) -> FileError {
    FileError::new(path, kind_of(error))
}

fn kind_of(error: Errno) -> FileErrorKind {
    match error {
        Errno::NOENT => FileErrorKind::Missing,
        Errno::ISDIR => FileErrorKind::IsFolder,
        Errno::NOTDIR => FileErrorKind::NotFolder,
        // A link, or a pipe or socket that nobody holds the other end of.
        Errno::LOOP | Errno::NXIO => FileErrorKind::Special,
        error => FileErrorKind::System(io::Error::from(error).to_string()),
    }
}
