//! How many files the guests of a job have open together, counted where their calls come in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    exceeded::{Exceeded, Stopwatch},
    limits::Limit,
};

/// The files that the guests of a job hold open. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct OpenFiles(Arc<Mutex<Held>>);

#[derive(Debug)]
struct Held {
    limit: u64,
    now: u64,
    refused: Option<Exceeded>,
    clock: Stopwatch,
}

impl OpenFiles {
    pub(super) fn new(limit: u64, clock: Stopwatch) -> Self {
        Self(Arc::new(Mutex::new(Held { limit, now: 0, refused: None, clock })))
    }

    /// What was refused last, if anything was.
    pub(super) fn refused(&self) -> Option<Exceeded> {
        self.held().refused
    }

    /// The share of one guest, which is given back when it is dropped.
    pub(super) fn of_guest(&self) -> GuestFiles {
        GuestFiles { files: self.clone(), mine: 0 }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One guest's part of the open files.
#[derive(Debug)]
pub(super) struct GuestFiles {
    files: OpenFiles,
    mine: u64,
}

impl GuestFiles {
    /// Takes the place of one file more; `false` when there is none.
    pub(super) fn open(&mut self) -> bool {
        let mut held = self.files.held();
        if held.now >= held.limit {
            held.refused = Some(Exceeded::now(Limit::OpenFiles, held.now + 1, held.limit, held.clock));
            return false;
        }
        held.now += 1;
        self.mine += 1;
        true
    }

    /// Gives the place of one file back. What the guest had open from its start never took one.
    pub(super) fn close(&mut self) {
        if let Some(mine) = self.mine.checked_sub(1) {
            self.mine = mine;
            self.files.held().now -= 1;
        }
    }
}

impl Drop for GuestFiles {
    fn drop(&mut self) {
        self.files.held().now -= self.mine;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_share_the_places_and_give_them_back() {
        let files = OpenFiles::new(3, Stopwatch::start());
        let (mut first, mut second) = (files.of_guest(), files.of_guest());
        assert!(first.open() && first.open() && second.open());
        assert!(!second.open());
        let refused = files.refused().unwrap();
        assert_eq!((refused.asked, refused.allowed), (Some(4), 3));
        first.close();
        assert!(second.open() && !second.open());
        drop(first);
        assert!(second.open());
        for _ in 0..9 {
            second.close();
        }
        assert!(files.of_guest().open());
    }
}
