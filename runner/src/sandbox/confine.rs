//! What a job's process gives up before it touches the job: the files it inherited, the size of
//! what it may write, and its life when the runner dies.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileExt,
    path::Path,
    sync::OnceLock,
    thread,
    time::Duration,
};

use rustix::process::{
    Resource, Rlimit, Signal, getpid, getrlimit, kill_process, set_parent_process_death_signal, setrlimit,
};

/// How many files the process may have open beside those of the job: what the job sees, again for each of
/// its guests, and its own.
const OWN_FILES: u64 = 512;
/// Address space in bytes. Each guest reserves some 8 GiB, for its memory and for that of its exceptions,
/// with guard regions; what is reserved isn't used, so this only stops a runaway.
const ADDRESS_SPACE: u64 = 128 << 30;

/// Confines this process; to be called before anything else in it, with one thread.
///
/// # Errors
/// When the system refuses a limit.
pub(super) fn confine() -> io::Result<()> {
    close_inherited_files()?;
    if let Ok(status) = File::open("/proc/self/status") {
        STATUS.get_or_init(|| status);
    }
    #[cfg(target_os = "linux")]
    set_parent_process_death_signal(Some(Signal::KILL))?;
    limit(Resource::Core, 0)?;
    limit(Resource::As, ADDRESS_SPACE)?;
    Ok(())
}

/// A limit on this process's memory, kept until it is dropped.
pub(super) struct MemoryLimit(Rlimit);

/// Lets this process have at most this many bytes more than it has: past them it aborts. Where the
/// system doesn't say how much it has, there is no limit but the one on time.
///
/// # Errors
/// When the system refuses the limit.
pub(super) fn limit_memory(bytes: u64) -> io::Result<MemoryLimit> {
    let before = getrlimit(Resource::As);
    if let Some(now) = address_space() {
        let current = Some(now.saturating_add(bytes)).min(before.maximum.or(Some(u64::MAX)));
        setrlimit(Resource::As, Rlimit { current, maximum: before.maximum })?;
    }
    Ok(MemoryLimit(before))
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        // Raising it to what it was is always allowed.
        let _ = setrlimit(Resource::As, self.0);
    }
}

/// What Linux says of this process: opened before it can open no such files any more.
static STATUS: OnceLock<File> = OnceLock::new();

/// The bytes of addresses that this process has.
fn address_space() -> Option<u64> {
    let mut status = vec![0; 16 << 10];
    let length = STATUS.get()?.read_at(&mut status, 0).ok()?;
    let status = String::from_utf8_lossy(&status[..length]);
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.strip_suffix("kB"))?;
    kilobytes.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Ends the process, by SIGXFSZ, when a file would grow past this many bytes.
///
/// # Errors
/// When the system refuses the limit.
pub(super) fn limit_file_size(bytes: u64) -> io::Result<()> {
    limit(Resource::Fsize, bytes)
}

/// Lets this process have this many files open, and what it needs itself.
///
/// # Errors
/// When the system refuses the limit.
pub(super) fn limit_open_files(files: u64) -> io::Result<()> {
    limit(Resource::Nofile, files.saturating_add(OWN_FILES))
}

/// Ends this process at its deadline, also when the runner is held up: stopped, or waiting for whoever
/// reads what the job says.
pub(super) fn die_after(time: Duration) -> io::Result<()> {
    thread::Builder::new().name("deadline".to_owned()).spawn(move || {
        thread::sleep(time);
        let _ = kill_process(getpid(), Signal::KILL);
    })?;
    Ok(())
}

/// Ends this process when the runner's end of its standard input is gone, and with it the runner.
pub(super) fn die_with_runner() -> io::Result<()> {
    thread::Builder::new().name("watch".to_owned()).spawn(|| {
        let mut input = io::stdin().lock();
        let mut ignored = [0; 64];
        while matches!(input.read(&mut ignored), Ok(1..)) {}
        // An exit would run what other threads may be in the middle of.
        let _ = kill_process(getpid(), Signal::KILL);
    })?;
    Ok(())
}

fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let hard = getrlimit(resource).maximum;
    let value = hard.map_or(value, |hard| hard.min(value));
    Ok(setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })?)
}

/// Files that the runner's own starter left open for its children are not for a job.
fn close_inherited_files() -> io::Result<()> {
    let open: Vec<i32> = fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in open {
        // The listing's own file is closed by now.
        if !Path::new("/dev/fd").join(fd.to_string()).exists() {
            continue;
        }
        #[expect(unsafe_code, reason = "there is no safe way to close a file that nobody here opened")]
        // SAFETY: this is the start of the process, with one thread; nothing in it owns a file but
        // the standard three.
        unsafe {
            rustix::io::close(fd);
        }
    }
    Ok(())
}
