//! What is fixed for a deterministic job: time is how many instructions its guest executed, randomness
//! comes from a seed, and files are all as old as each other.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use syftbox_core::domain::ContentHash;
use wasmtime::{Caller, Linker};
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtxBuilder, p1::wasi_snapshot_preview1 as preview1,
    random::Deterministic, runtime::in_tokio,
};
use wiggle::GuestMemory;

use super::{instance::Guest, quota};

const PREVIEW1: &str = "wasi_snapshot_preview1";
const SUCCESS: i32 = 0;
const ERRNO_FAULT: i32 = 21;
const ERRNO_INVAL: i32 = 28;
/// 2000-01-01, in seconds since 1970: when every job starts, and every file was last changed.
pub(super) const START: u64 = 946_684_800;
const SECOND: u64 = 1_000_000_000;
/// How far a clock of a component goes on whenever it is read, in nanoseconds.
const TICK: u64 = 1_000_000;
/// Bytes of randomness before it begins again.
const RANDOM_BYTES: usize = 256 << 10;

/// The time of one guest, in nanoseconds since its start: one for each instruction, and all that it slept.
#[derive(Clone, Copy, Debug)]
pub(super) struct GuestTime {
    fuel: u64,
    slept: u64,
}

impl GuestTime {
    /// The time of a guest that starts with this much fuel.
    pub(super) fn new(fuel: u64) -> Self {
        Self { fuel, slept: 0 }
    }

    /// How many instructions it executed when it has this much fuel left.
    pub(super) fn instructions(&self, left: u64) -> u64 {
        self.fuel.saturating_sub(left)
    }

    /// What a clock of preview 1 shows; `None` for one that there isn't.
    fn now(&self, clock: u32, left: u64) -> Option<u64> {
        let since_start = self.instructions(left).saturating_add(self.slept);
        match clock {
            0 => Some(since_start.saturating_add(START * SECOND)),
            1 => Some(since_start),
            2 | 3 => Some(self.instructions(left)),
            _ => None,
        }
    }
}

/// The inode numbers that a guest sees: 1 for the first file that it looks at, and so on.
#[derive(Debug, Default)]
pub(super) struct Inodes(BTreeMap<u64, u64>);

impl Inodes {
    /// So many are told apart before numbers are given out anew.
    const MOST: usize = 100_000;

    pub(super) fn number(&mut self, inode: u64) -> u64 {
        if self.0.len() >= Self::MOST {
            self.0.clear();
        }
        let next = self.0.len() as u64 + 1;
        *self.0.entry(inode).or_insert(next)
    }

    /// Puts the number in the place of the inode at `at`.
    fn replace(&mut self, memory: &mut [u8], at: usize) -> i32 {
        let there = memory.get(at..at.saturating_add(8)).and_then(|bytes| bytes.try_into().ok());
        match there.map(u64::from_le_bytes) {
            Some(inode) => put(memory, at, &self.number(inode).to_le_bytes()),
            None => ERRNO_FAULT,
        }
    }
}

/// Gives a guest its randomness and, where its calls aren't ours, its clocks.
pub(super) fn fix(builder: &mut WasiCtxBuilder, process: u32) {
    let bytes = |what: &str| {
        let hash = |number: usize| ContentHash::of(format!("syftbox {what} {process} {number}").as_bytes());
        let blocks = (0..RANDOM_BYTES / 32).map(hash);
        Deterministic::new(blocks.flat_map(|block| *block.as_bytes()).collect())
    };
    let ticks = Ticks(Arc::default());
    builder
        .secure_random(bytes("secure"))
        .insecure_random(bytes("insecure"))
        .insecure_random_seed(u128::from(process))
        .wall_clock(ticks.clone())
        .monotonic_clock(ticks);
}

/// A clock that goes on when it is read.
#[derive(Clone, Debug)]
struct Ticks(Arc<AtomicU64>);

impl HostWallClock for Ticks {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(START) + Duration::from_nanos(HostMonotonicClock::now(self))
    }
}

impl HostMonotonicClock for Ticks {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.fetch_add(TICK, Ordering::Relaxed)
    }
}

/// Puts fixed answers before the calls of preview 1 that ask for the time. To be called after the calls
/// themselves were added.
///
/// # Errors
/// When the linker refuses a definition.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap(
        PREVIEW1,
        "clock_time_get",
        |mut caller: Caller<'_, Guest>, clock: u32, _: i64, at: u32| {
            let left = caller.get_fuel()?;
            let (memory, guest) = quota::enter(&mut caller)?;
            let Some(now) = guest.time.and_then(|time| time.now(clock, left)) else { return Ok(ERRNO_INVAL) };
            Ok(put(memory, at as usize, &now.to_le_bytes()))
        },
    )?;
    linker.func_wrap(
        PREVIEW1,
        "poll_oneoff",
        |mut caller: Caller<'_, Guest>, subscriptions: i32, events: i32, count: i32, stored: i32| {
            let left = caller.get_fuel()?;
            let (memory, guest) = quota::enter(&mut caller)?;
            if let Some(time) = &mut guest.time
                && let Some(timers) = timers(memory, subscriptions, count, time, left)
            {
                return Ok(sleep(memory, time, &timers, events, stored));
            }
            let mut memory = GuestMemory::Unshared(memory);
            in_tokio(preview1::poll_oneoff(
                &mut guest.wasi,
                &mut memory,
                subscriptions,
                events,
                count,
                stored,
            ))
        },
    )?;
    linker.func_wrap(PREVIEW1, "fd_filestat_get", |mut caller: Caller<'_, Guest>, fd: i32, at: i32| {
        let (memory, guest) = quota::enter(&mut caller)?;
        let mut shared = GuestMemory::Unshared(&mut *memory);
        let done = in_tokio(preview1::fd_filestat_get(&mut guest.wasi, &mut shared, fd, at))?;
        Ok(with_fixed_status(done, memory, at, &mut guest.inodes))
    })?;
    linker.func_wrap(
        PREVIEW1,
        "path_filestat_get",
        |mut caller: Caller<'_, Guest>, fd: i32, flags: i32, path: i32, length: i32, at: i32| {
            let (memory, guest) = quota::enter(&mut caller)?;
            let mut shared = GuestMemory::Unshared(&mut *memory);
            let done = in_tokio(preview1::path_filestat_get(
                &mut guest.wasi,
                &mut shared,
                fd,
                flags,
                path,
                length,
                at,
            ))?;
            Ok(with_fixed_status(done, memory, at, &mut guest.inodes))
        },
    )?;
    linker.func_wrap(
        PREVIEW1,
        "fd_readdir",
        |mut caller: Caller<'_, Guest>, fd: i32, at: i32, length: i32, cookie: i64, used: i32| {
            let (memory, guest) = quota::enter(&mut caller)?;
            let mut shared = GuestMemory::Unshared(&mut *memory);
            let done =
                in_tokio(preview1::fd_readdir(&mut guest.wasi, &mut shared, fd, at, length, cookie, used))?;
            let used = used.cast_unsigned() as usize;
            let bytes = memory.get(used..used.saturating_add(4)).and_then(|bytes| bytes.try_into().ok());
            if done == SUCCESS
                && let Some(bytes) = bytes.map(u32::from_le_bytes)
            {
                number_entries(memory, at.cast_unsigned() as usize, bytes as usize, &mut guest.inodes);
            }
            Ok(done)
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// One timer that a guest waits for: its own mark, and in how many nanoseconds it rings.
struct Timer {
    mark: [u8; 8],
    rings_in: u64,
}

/// The timers that a guest waits for, when it waits for nothing else.
fn timers(memory: &[u8], at: i32, count: i32, time: &GuestTime, left: u64) -> Option<Vec<Timer>> {
    const SUBSCRIPTION: usize = 48;
    let at = at.cast_unsigned() as usize;
    let count = usize::try_from(count).ok().filter(|count| (1..=64).contains(count))?;
    (0..count)
        .map(|index| {
            let one = memory.get(at.checked_add(index * SUBSCRIPTION)?..)?.get(..SUBSCRIPTION)?;
            let number = |at: usize| Some(u64::from_le_bytes(one.get(at..at + 8)?.try_into().ok()?));
            // The kind of a clock.
            if *one.get(8)? != 0 {
                return None;
            }
            let clock = u32::from_le_bytes(one.get(16..20)?.try_into().ok()?);
            let (when, is_absolute) = (number(24)?, one.get(40)? & 1 == 1);
            let rings_in = if is_absolute { when.saturating_sub(time.now(clock, left)?) } else { when };
            Some(Timer { mark: one.get(..8)?.try_into().ok()?, rings_in })
        })
        .collect()
}

/// Lets the time pass until the first of the timers rings: nobody waits for it.
fn sleep(memory: &mut [u8], time: &mut GuestTime, timers: &[Timer], events: i32, stored: i32) -> i32 {
    const EVENT: usize = 32;
    let passed = timers.iter().map(|timer| timer.rings_in).min().unwrap_or(0);
    time.slept = time.slept.saturating_add(passed);
    let mut rung = 0_u32;
    for timer in timers.iter().filter(|timer| timer.rings_in <= passed) {
        let mut event = [0; EVENT];
        event[..8].copy_from_slice(&timer.mark);
        let at = (events.cast_unsigned() as usize).saturating_add(rung as usize * EVENT);
        if put(memory, at, &event) != SUCCESS {
            return ERRNO_FAULT;
        }
        rung += 1;
    }
    put(memory, stored.cast_unsigned() as usize, &rung.to_le_bytes())
}

/// In a file's status, all files are as old as each other, and numbered in the order in which they are seen.
fn with_fixed_status(done: i32, memory: &mut [u8], at: i32, inodes: &mut Inodes) -> i32 {
    const INODE: usize = 8;
    const TIMES: usize = 40;
    let at = at.cast_unsigned() as usize;
    if done != SUCCESS {
        return done;
    }
    let times = [(START * SECOND).to_le_bytes(); 3].concat();
    match put(memory, at.saturating_add(TIMES), &times) {
        SUCCESS => inodes.replace(memory, at.saturating_add(INODE)),
        fault => fault,
    }
}

/// The same for the entries of a folder, as far as they are in the guest's buffer.
fn number_entries(memory: &mut [u8], at: usize, used: usize, inodes: &mut Inodes) {
    const HEAD: usize = 24;
    let end = at.saturating_add(used);
    let mut at = at;
    while at.saturating_add(HEAD) <= end {
        let length = memory.get(at + 16..at + 20).and_then(|bytes| bytes.try_into().ok());
        let Some(length) = length.map(u32::from_le_bytes) else { return };
        inodes.replace(memory, at + 8);
        at = at.saturating_add(HEAD).saturating_add(length as usize);
    }
}

fn put(memory: &mut [u8], at: usize, bytes: &[u8]) -> i32 {
    let end = at.saturating_add(bytes.len());
    match memory.get_mut(at..end) {
        Some(place) => {
            place.copy_from_slice(bytes);
            SUCCESS
        }
        None => ERRNO_FAULT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_count_instructions_and_sleep() {
        let mut time = GuestTime::new(100);
        assert_eq!(time.now(1, 90), Some(10));
        assert_eq!(time.now(0, 90), Some(START * SECOND + 10));
        assert_eq!(time.now(4, 90), None);
        // One second, and a moment of the monotonic clock.
        let mut memory = vec![0; 256];
        memory[0] = 7;
        memory[24..32].copy_from_slice(&SECOND.to_le_bytes());
        memory[48] = 8;
        memory[64] = 1;
        memory[72..80].copy_from_slice(&15_u64.to_le_bytes());
        memory[88] = 1;
        let waited = timers(&memory, 0, 2, &time, 90).unwrap();
        assert_eq!(waited.iter().map(|timer| timer.rings_in).collect::<Vec<_>>(), [SECOND, 5]);
        assert_eq!(sleep(&mut memory, &mut time, &waited, 128, 200), SUCCESS);
        assert_eq!((memory[128], memory[200]), (8, 1));
        assert_eq!(time.now(1, 90), Some(15));
        assert_eq!(sleep(&mut memory, &mut time, &waited, 250, 200), ERRNO_FAULT);
        // Two entries with names of 3 and 1 bytes, and half of a third.
        let mut inodes = Inodes::default();
        let mut entries = vec![0; 24 + 3 + 24 + 1 + 12];
        (entries[8], entries[16], entries[27 + 8], entries[27 + 16]) = (9, 3, 8, 1);
        let used = entries.len();
        number_entries(&mut entries, 0, used, &mut inodes);
        assert_eq!((entries[8], entries[27 + 8]), (1, 2));
        assert_eq!((inodes.number(8), inodes.number(7)), (2, 3));
        number_entries(&mut entries, used, usize::MAX, &mut inodes);
        // Waiting for input is none of ours.
        memory[8] = 1;
        assert!(timers(&memory, 0, 2, &time, 90).is_none());
        assert!(timers(&memory, 240, 2, &time, 90).is_none());
    }
}
