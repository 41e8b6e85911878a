//! The memory that jobs which run at once may take together.

use std::{fs, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// It is given out in pieces of this many bytes.
const PIECE: u64 = 1 << 20;
/// Where the system doesn't say how much memory it has.
const UNKNOWN: u64 = 8 << 30;

/// Memory for jobs. Each takes as much as it is allowed before it starts, and waits until that is there.
#[derive(Clone, Debug)]
pub struct SharedMemory {
    pieces: Arc<Semaphore>,
    all: u32,
}

/// A job's share, which is given back when it is dropped.
pub type Share = Option<OwnedSemaphorePermit>;

impl SharedMemory {
    /// This many bytes for all jobs together.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let all = pieces(bytes);
        Self { pieces: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Three quarters of the machine's memory.
    #[must_use]
    pub fn of_machine() -> Self {
        Self::new(machine_memory().unwrap_or(UNKNOWN) / 4 * 3)
    }

    /// Waits for this many bytes. A job that may have more than there is for all runs alone.
    pub async fn take(&self, bytes: u64) -> Share {
        let wanted = pieces(bytes).min(self.all);
        // It is never closed.
        Arc::clone(&self.pieces).acquire_many_owned(wanted).await.ok()
    }
}

fn pieces(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(u32::MAX).clamp(1, u32::MAX >> 4)
}

fn machine_memory() -> Option<u64> {
    let told = fs::read_to_string("/proc/meminfo").ok()?;
    let kilobytes = told.lines().find_map(|line| line.strip_prefix("MemTotal:")?.strip_suffix("kB"))?;
    kilobytes.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_job_waits_until_its_memory_is_there() {
        let memory = SharedMemory::new(3 << 20);
        let waits =
            async |bytes| tokio::time::timeout(Duration::from_millis(20), memory.take(bytes)).await.is_err();
        let first = memory.take(2 << 20).await;
        assert!(waits(2 << 20).await);
        assert!(!waits(1 << 20).await);
        assert!(waits(100 << 20).await);
        drop(first);
        assert!(!waits(100 << 20).await, "more than all is all");
    }
}
