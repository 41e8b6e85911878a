//! Randomness.

use uuid::Uuid;

use super::MaybeSend;

/// A source of unpredictable bytes.
pub trait Random: MaybeSend {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// A new random (version 4) UUID.
pub fn uuid(random: &dyn Random) -> Uuid {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
