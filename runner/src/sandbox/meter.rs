//! The memory of a job's guests, counted together and kept below the job's limit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::ResourceLimiter;

use super::{
    exceeded::{Exceeded, Stopwatch},
    limits::Limit,
};

/// Entries of one table.
const TABLE_ELEMENTS: usize = 1 << 20;

/// What the guests of a job hold together, in bytes. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Memory(Arc<Mutex<Held>>);

#[derive(Debug)]
struct Held {
    limit: usize,
    now: usize,
    peak: usize,
    refused: Option<Exceeded>,
    clock: Stopwatch,
}

impl Memory {
    pub(super) fn new(limit: usize, clock: Stopwatch) -> Self {
        Self(Arc::new(Mutex::new(Held { limit, now: 0, peak: 0, refused: None, clock })))
    }

    /// The most that was held at once.
    pub(super) fn peak(&self) -> u64 {
        self.held().peak as u64
    }

    /// What a guest was refused last, if any was.
    pub(super) fn refused(&self) -> Option<Exceeded> {
        self.held().refused
    }

    /// The share of one guest, which is given back when it is dropped.
    pub(super) fn meter(&self) -> Meter {
        Meter { memory: self.clone(), mine: 0, asked: 0 }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn refuse(&mut self, asked: usize) {
        let (asked, limit) = (asked as u64, self.limit as u64);
        self.refused = Some(Exceeded::now(Limit::Memory, asked, limit, self.clock));
    }
}

/// One guest's part of the memory.
#[derive(Debug)]
pub(super) struct Meter {
    memory: Memory,
    mine: usize,
    asked: usize,
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.memory.held().now -= self.mine;
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let asked = desired.saturating_sub(current);
        let mut held = self.memory.held();
        let now = held.now.saturating_add(asked);
        if now > held.limit || maximum.is_some_and(|maximum| desired > maximum) {
            held.refuse(now);
            return Ok(false);
        }
        held.now = now;
        held.peak = held.peak.max(now);
        self.asked = asked;
        self.mine += asked;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        let asked = std::mem::take(&mut self.asked);
        let mut held = self.memory.held();
        let now = held.now;
        held.refuse(now);
        held.now -= asked;
        self.mine -= asked;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            return Ok(false);
        }
        // A guest may have many tables, and they are the host's memory as much as the other.
        let bytes = |elements: usize| elements.saturating_mul(size_of::<usize>());
        self.memory_growing(bytes(current), bytes(desired), maximum.map(bytes))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_grow_failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_share_the_limit_and_give_back_what_they_held() {
        let memory = Memory::new(100, Stopwatch::start());
        let mut first = memory.meter();
        let mut second = memory.meter();
        assert!(first.memory_growing(0, 60, None).unwrap());
        assert!(!second.memory_growing(0, 60, None).unwrap());
        assert_eq!(memory.refused().unwrap().asked, Some(120));
        assert!(second.memory_growing(0, 40, None).unwrap());
        drop(first);
        assert!(second.memory_growing(40, 100, None).unwrap());
        assert_eq!(memory.peak(), 100);
    }

    #[test]
    fn what_the_system_did_not_give_does_not_count() {
        let memory = Memory::new(100, Stopwatch::start());
        let mut meter = memory.meter();
        assert!(meter.memory_growing(0, 80, None).unwrap());
        meter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert!(meter.memory_growing(0, 100, None).unwrap());
    }
}
