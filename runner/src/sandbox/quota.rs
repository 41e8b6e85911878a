//! How much a job may write: counted where the guest's calls come in, so that it holds at any moment,
//! also for files that it has deleted and still holds open.

use std::{io, ops::AddAssign, os::fd::BorrowedFd, path::PathBuf};

use rustix::{
    fs::{FileType, fstat},
    process::{Resource, getrlimit},
};

use wasmtime::{Caller, Extern, Linker};
use wasmtime_wasi::{
    I32Exit,
    p1::wasi_snapshot_preview1::{self as preview1, WasiSnapshotPreview1},
    runtime::in_tokio,
};
use wiggle::GuestMemory;

use super::{
    exceeded::{Exceeded, Stopwatch},
    instance::Guest,
    limits::Limit,
    tree::{self, Uncountable},
};

const PREVIEW1: &str = "wasi_snapshot_preview1";
/// Preview 1's number for what went well.
const SUCCESS: i32 = 0;
/// Preview 1's number for "too many open files".
const ERRNO_MFILE: i32 = 33;
/// Preview 1's number for "operation not permitted".
const ERRNO_PERM: i32 = 63;
/// Preview 1's flag of `path_open` that makes a file.
const OFLAGS_CREAT: i32 = 1;
/// The most buffers of one write that are looked at; no libc sends more.
const MOST_BUFFERS: u32 = 1024;
/// More files than a job's process can ever have open.
const MOST_FILES: u64 = 4096;

/// The guest went over its quota; ends it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct OverQuota(pub(super) Exceeded);

/// What is left of a job's quota. Writes are subtracted as they come; when nothing is left, the
/// folders are measured, since a job may have replaced or deleted what it wrote.
#[derive(Debug)]
pub(super) struct Quota {
    folders: Vec<PathBuf>,
    limit: Usage,
    left: Usage,
    /// Bytes that guests are about to write, and that measuring may not see yet.
    in_flight: u64,
    clock: Stopwatch,
}

/// Bytes and entries of folders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) bytes: u64,
    pub(super) files: u64,
}

impl Usage {
    /// What can't be counted is more than any limit: a job could make it so.
    const UNCOUNTABLE: Self = Self { bytes: u64::MAX, files: u64::MAX };
}

impl AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.files = self.files.saturating_add(more.files);
    }
}

impl Quota {
    pub(super) fn new(folders: Vec<PathBuf>, limit: Usage, clock: Stopwatch) -> Self {
        Self { folders, limit, left: limit, in_flight: 0, clock }
    }

    /// A guest is about to write; [`wrote`](Self::wrote) follows.
    fn write(&mut self, bytes: u64) -> Result<(), OverQuota> {
        if bytes > self.left.bytes {
            let used = self.measure().bytes.saturating_add(self.in_flight);
            self.left.bytes = self.limit.bytes.saturating_sub(used);
            if bytes > self.left.bytes {
                return Err(self.over_bytes(used.saturating_add(bytes)));
            }
        }
        self.left.bytes -= bytes;
        self.in_flight += bytes;
        Ok(())
    }

    /// Whether what is there is within the limits, for guests whose calls aren't counted.
    pub(super) fn check(&self) -> Result<(), OverQuota> {
        let used = self.measure();
        if used.bytes > self.limit.bytes {
            return Err(self.over_bytes(used.bytes));
        }
        if used.files > self.limit.files {
            return Err(self.over_files(used.files));
        }
        Ok(())
    }

    fn over_bytes(&self, asked: u64) -> OverQuota {
        OverQuota(Exceeded::now(Limit::OutputBytes, asked, self.limit.bytes, self.clock))
    }

    fn over_files(&self, asked: u64) -> OverQuota {
        OverQuota(Exceeded::now(Limit::OutputFiles, asked, self.limit.files, self.clock))
    }

    fn wrote(&mut self, bytes: u64) {
        self.in_flight -= bytes;
    }

    fn make(&mut self) -> Result<(), OverQuota> {
        if self.left.files == 0 {
            let used = self.measure().files;
            self.left.files = self.limit.files.saturating_sub(used);
            if self.left.files == 0 {
                return Err(self.over_files(used.saturating_add(1)));
            }
        }
        self.left.files -= 1;
        Ok(())
    }

    fn measure(&self) -> Usage {
        let measure = || -> Result<Usage, Uncountable> {
            let mut used = deleted_but_open();
            for folder in &self.folders {
                used += tree::usage(folder)?;
            }
            Ok(used)
        };
        measure().unwrap_or_else(|why| {
            tracing::debug!(%why, "what a job wrote counts as more than any limit");
            Usage::UNCOUNTABLE
        })
    }
}

/// The bytes of files that this process holds open and that have no name any more.
fn deleted_but_open() -> Usage {
    let mut usage = Usage::default();
    let last = getrlimit(Resource::Nofile).current.map_or(MOST_FILES, |last| last.min(MOST_FILES));
    // No list of them is read: a process that has as many open as it may couldn't, nor one that may open
    // nothing but the job's files.
    for fd in (0..last).filter_map(|fd| i32::try_from(fd).ok()) {
        #[expect(unsafe_code, reason = "there is no safe way to ask for a file by its number")]
        // SAFETY: it is used for `fstat` alone, which gives an error for a number that is no open file.
        let file = unsafe { BorrowedFd::borrow_raw(fd) };
        if let Ok(stat) = fstat(file)
            && FileType::from_raw_mode(stat.st_mode).is_file()
            && stat.st_nlink == 0
        {
            usage.bytes = usage.bytes.saturating_add(u64::try_from(stat.st_size).unwrap_or(u64::MAX));
        }
    }
    usage
}

/// Puts the quota in front of every call of preview 1 that writes, makes or opens a file, refuses links, and
/// lets a guest leave with any code. To be called after the calls themselves were added.
///
/// # Errors
/// When the linker refuses a definition.
pub(super) fn guard(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap(
        PREVIEW1,
        "fd_write",
        |mut caller: Caller<'_, Guest>, fd, buffers, count, written| {
            let (memory, guest) = enter(&mut caller)?;
            let bytes = length_of(memory, buffers, count);
            guest.quota().write(bytes)?;
            let mut memory = GuestMemory::Unshared(memory);
            let done =
                in_tokio(preview1::fd_write(&mut guest.wasi, &mut memory, fd, buffers, count, written));
            guest.quota().wrote(bytes);
            done
        },
    )?;
    linker.func_wrap(
        PREVIEW1,
        "fd_pwrite",
        |mut caller: Caller<'_, Guest>, fd, buffers, count, offset, written| {
            let (memory, guest) = enter(&mut caller)?;
            let bytes = length_of(memory, buffers, count);
            guest.quota().write(bytes)?;
            let mut memory = GuestMemory::Unshared(memory);
            let done = in_tokio(preview1::fd_pwrite(
                &mut guest.wasi,
                &mut memory,
                fd,
                buffers,
                count,
                offset,
                written,
            ));
            guest.quota().wrote(bytes);
            done
        },
    )?;
    linker.func_wrap(
        PREVIEW1,
        "fd_filestat_set_size",
        |mut caller: Caller<'_, Guest>, fd: i32, size: i64| {
            let (memory, guest) = enter(&mut caller)?;
            let bytes = size.cast_unsigned();
            guest.quota().write(bytes)?;
            let mut memory = GuestMemory::Unshared(memory);
            let done = in_tokio(preview1::fd_filestat_set_size(&mut guest.wasi, &mut memory, fd, size));
            guest.quota().wrote(bytes);
            done
        },
    )?;
    linker.func_wrap(
        PREVIEW1,
        "path_create_directory",
        |mut caller: Caller<'_, Guest>, fd, path, length| {
            let (memory, guest) = enter(&mut caller)?;
            guest.quota().make()?;
            let mut memory = GuestMemory::Unshared(memory);
            in_tokio(preview1::path_create_directory(&mut guest.wasi, &mut memory, fd, path, length))
        },
    )?;
    guard_open(linker)?;
    linker.func_wrap(PREVIEW1, "path_link", |_: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32| {
        ERRNO_PERM
    })?;
    linker.func_wrap(PREVIEW1, "path_symlink", |_: i32, _: i32, _: i32, _: i32, _: i32| ERRNO_PERM)?;
    // Preview 1 itself refuses codes above 125.
    linker.func_wrap(PREVIEW1, "proc_exit", |code: i32| -> wasmtime::Result<()> {
        Err(I32Exit(code).into())
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

fn guard_open(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        PREVIEW1,
        "path_open",
        |mut caller: Caller<'_, Guest>,
         fd: i32,
         lookup: i32,
         path: i32,
         length: i32,
         how: i32,
         rights: i64,
         inherited: i64,
         flags: i32,
         opened: i32| {
            let (memory, guest) = enter(&mut caller)?;
            if !guest.files.open() {
                return Ok(ERRNO_MFILE);
            }
            if how & OFLAGS_CREAT != 0 {
                guest.quota().make()?;
            }
            let mut memory = GuestMemory::Unshared(memory);
            let done = in_tokio(preview1::path_open(
                &mut guest.wasi,
                &mut memory,
                fd,
                lookup,
                path,
                length,
                how,
                rights,
                inherited,
                flags,
                opened,
            ));
            if !matches!(done, Ok(SUCCESS)) {
                guest.files.close();
            }
            done
        },
    )?;
    linker.func_wrap(PREVIEW1, "fd_close", |mut caller: Caller<'_, Guest>, fd: i32| {
        let (memory, guest) = enter(&mut caller)?;
        let done = in_tokio(preview1::fd_close(&mut guest.wasi, &mut GuestMemory::Unshared(memory), fd));
        if matches!(done, Ok(SUCCESS)) {
            guest.files.close();
        }
        done
    })?;
    linker.func_wrap(PREVIEW1, "fd_renumber", |mut caller: Caller<'_, Guest>, from: i32, to: i32| {
        let (memory, guest) = enter(&mut caller)?;
        let mut memory = GuestMemory::Unshared(memory);
        let done = in_tokio(preview1::fd_renumber(&mut guest.wasi, &mut memory, from, to));
        // What `to` was is closed.
        if matches!(done, Ok(SUCCESS)) && from != to {
            guest.files.close();
        }
        done
    })?;
    Ok(())
}

/// The guest's memory and state, with the fuel that one host call may use.
pub(super) fn enter<'a>(
    caller: &'a mut Caller<'_, Guest>,
) -> wasmtime::Result<(&'a mut [u8], &'a mut Guest)> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the guest exports no memory").into());
    };
    let (memory, guest) = memory.data_and_store_mut(caller);
    let fuel = guest.hostcall_fuel;
    guest.wasi.set_hostcall_fuel(fuel);
    Ok((memory, guest))
}

/// The bytes that a list of buffers asks to write. What lies outside of the memory counts as nothing:
/// the call itself refuses it.
fn length_of(memory: &[u8], buffers: i32, count: i32) -> u64 {
    let start = buffers.cast_unsigned() as usize;
    (0..count.cast_unsigned().min(MOST_BUFFERS) as usize)
        .filter_map(|index| {
            let at = start.checked_add(index * 8 + 4)?;
            let length: [u8; 4] = memory.get(at..at.checked_add(4)?)?.try_into().ok()?;
            Some(u64::from(u32::from_le_bytes(length)))
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    #[test]
    fn what_was_deleted_can_be_written_again_and_what_is_held_open_cannot() {
        let folder = tempfile::tempdir().unwrap();
        let mut quota =
            Quota::new(vec![folder.path().to_path_buf()], Usage { bytes: 100, files: 2 }, Stopwatch::start());
        let file = folder.path().join("a");
        fs::write(&file, [0; 80]).unwrap();
        quota.write(80).unwrap();
        quota.wrote(80);
        quota.write(30).unwrap_err();
        fs::remove_file(&file).unwrap();
        quota.write(30).unwrap();
        quota.wrote(30);

        let mut open = fs::File::create(&file).unwrap();
        open.write_all(&[0; 90]).unwrap();
        fs::remove_file(&file).unwrap();
        quota.left.bytes = 0;
        quota.write(30).unwrap_err();
        drop(open);
        quota.write(30).unwrap();
    }

    #[test]
    fn what_is_about_to_be_written_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut quota =
            Quota::new(vec![folder.path().to_path_buf()], Usage { bytes: 100, files: 2 }, Stopwatch::start());
        quota.write(80).unwrap();
        quota.write(30).unwrap_err();
        quota.wrote(80);
        quota.write(30).unwrap();
    }

    #[test]
    fn folders_count_as_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut quota =
            Quota::new(vec![folder.path().to_path_buf()], Usage { bytes: 1, files: 2 }, Stopwatch::start());
        for name in ["a", "a/b"] {
            quota.make().unwrap();
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let OverQuota(over) = quota.make().unwrap_err();
        assert_eq!((over.limit, over.asked, over.allowed), (Limit::OutputFiles, Some(3), 2));
    }

    #[test]
    fn buffers_outside_of_memory_count_as_nothing() {
        let mut memory = vec![0; 24];
        memory[4] = 7;
        memory[12] = 5;
        assert_eq!(length_of(&memory, 0, 2), 12);
        assert_eq!(length_of(&memory, 20, 2), 0);
        assert_eq!(length_of(&memory, -1, -1), 0);
    }
}
