//! The system's randomness.

use syftbox_core::platform::Random;

/// The system's source of unpredictable bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // Ids and names that somebody can guess are worse than no program.
            tracing::error!(%error, "the system gives no randomness");
            std::process::abort();
        }
    }
}
