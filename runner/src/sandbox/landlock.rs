//! Landlock, Linux's way for a process to give up files: its three system calls, which need no crate of their
//! own. The numbers are those of `linux/landlock.h`.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::Path,
    ptr,
};

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use super::kernel::Files;

const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;

const READ: u64 = READ_FILE | READ_DIR;
const WRITE: u64 = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE;
/// The rights that there are for what is no folder.
const OF_FILES: u64 = WRITE_FILE | READ_FILE | TRUNCATE;

/// The argument that asks for the version.
const VERSION: u32 = 1;
/// The kind of rule that is about a path and all below it.
const PATH_BENEATH: i32 = 1;

/// What is refused unless a rule allows it: `landlock_ruleset_attr`.
#[repr(C)]
#[derive(Debug, Default, PartialEq, Eq)]
struct Handled {
    files: u64,
    tcp: u64,
    scopes: u64,
}

/// A rule: `landlock_path_beneath_attr`.
#[repr(C, packed)]
struct Rule {
    rights: u64,
    folder: i32,
}

impl Handled {
    /// All that this version knows.
    fn of(version: i64) -> Self {
        let files = match version {
            ..=2 => 14,
            3 | 4 => 15,
            _ => 16,
        };
        let bits = |count: u32, since: i64| if version >= since { (1 << count) - 1 } else { 0 };
        Self { files: bits(files, 1), tcp: bits(2, 4), scopes: bits(2, 6) }
    }
}

/// The version that the kernel has; `None` below the second, which is the first that lets files be moved from
/// folder to folder.
pub(super) fn version() -> Option<i64> {
    #[expect(unsafe_code, reason = "there is no safe way to make this call")]
    // SAFETY: with this argument the call takes no pointer.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<Handled>(), 0_usize, VERSION) };
    Some(version).filter(|version| *version >= 2)
}

/// Leaves this thread, and those that it starts from now on, these files, and neither TCP nor signals to
/// others as far as the kernel's version knows of them. Without Landlock it does nothing.
///
/// # Errors
/// When a file isn't there or the kernel refuses.
pub(super) fn restrict(files: &Files<'_>) -> io::Result<()> {
    let Some(version) = version() else { return Ok(()) };
    let handled = Handled::of(version);
    #[expect(unsafe_code, reason = "there is no safe way to make this call")]
    // SAFETY: the pointer is to a whole `landlock_ruleset_attr` of the size given.
    let rules = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, ptr::from_ref(&handled), size_of::<Handled>(), 0_u32)
    };
    let rules = i32::try_from(checked(rules)?).map_err(io::Error::other)?;
    #[expect(unsafe_code, reason = "the kernel gives the file as a number")]
    // SAFETY: the kernel just opened it for us.
    let rules = unsafe { OwnedFd::from_raw_fd(rules) };
    for (paths, rights) in [(&files.read, READ), (&files.write, WRITE)] {
        for path in paths {
            allow(&rules, path, rights & handled.files)?;
        }
    }
    #[expect(unsafe_code, reason = "there is no safe way to make these calls")]
    // SAFETY: neither takes a pointer.
    unsafe {
        // The kernel wants a promise that no program with more rights is started.
        checked(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1_u64, 0_u64, 0_u64, 0_u64).into())?;
        checked(libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0_u32))?;
    }
    Ok(())
}

fn allow(rules: &OwnedFd, path: &Path, rights: u64) -> io::Result<()> {
    let folder = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let is_folder = FileType::from_raw_mode(fstat(&folder)?.st_mode).is_dir();
    let rights = if is_folder { rights } else { rights & OF_FILES };
    let rule = Rule { rights, folder: folder.as_raw_fd() };
    #[expect(unsafe_code, reason = "there is no safe way to make this call")]
    // SAFETY: the pointer is to a whole `landlock_path_beneath_attr`, and both files are open.
    let added = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            rules.as_raw_fd(),
            PATH_BENEATH,
            ptr::from_ref(&rule),
            0_u32,
        )
    };
    checked(added).map(|_| ())
}

fn checked(answer: i64) -> io::Result<i64> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_asked_for_what_it_knows() {
        assert_eq!(Handled::of(2), Handled { files: 0x3fff, tcp: 0, scopes: 0 });
        assert_eq!(Handled::of(3), Handled { files: 0x7fff, tcp: 0, scopes: 0 });
        assert_eq!(Handled::of(4), Handled { files: 0x7fff, tcp: 3, scopes: 0 });
        assert_eq!(Handled::of(7), Handled { files: 0xffff, tcp: 3, scopes: 3 });
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        if version().is_some() {
            let files = Files { read: vec![Path::new("/nowhere/at/all")], write: Vec::new() };
            restrict(&files).unwrap_err();
        }
    }
}
