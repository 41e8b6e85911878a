//! How a sync goes about it.

/// The choices of one [`sync`](crate::SyftboxManager::sync). The default is what everyday syncs use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct SyncOptions {
    pub(super) full: bool,
}

impl SyncOptions {
    /// Lists Drive anew instead of asking it for changes: for when the changes feed is suspected to
    /// have missed something. Default: no.
    pub fn full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }
}
