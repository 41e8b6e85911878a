//! How a sync goes about it.

/// The choices of one [`sync`](crate::SyftboxManager::sync). The default is what everyday syncs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct SyncOptions {
    pub(super) full: bool,
    pub(super) auto_checkpoint: bool,
    pub(super) checkpoint_threshold: usize,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self { full: false, auto_checkpoint: true, checkpoint_threshold: Self::CHECKPOINT_THRESHOLD }
    }
}

impl SyncOptions {
    /// How many events since the last checkpoint make the next one due, unless said otherwise.
    pub const CHECKPOINT_THRESHOLD: usize = 50;

    /// Lists Drive anew instead of asking it for changes: for when the changes feed is suspected to
    /// have missed something. Default: no.
    pub fn full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }

    /// Whether an owner makes the checkpoint that is due (wire section 6). Default: yes.
    pub fn auto_checkpoint(mut self, auto: bool) -> Self {
        self.auto_checkpoint = auto;
        self
    }

    /// How many events make a checkpoint due. Default:
    /// [`CHECKPOINT_THRESHOLD`](Self::CHECKPOINT_THRESHOLD).
    pub fn checkpoint_threshold(mut self, events: usize) -> Self {
        self.checkpoint_threshold = events;
        self
    }
}
