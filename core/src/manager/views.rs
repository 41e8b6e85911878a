//! What a manager knows, the way a notebook asks for it: each list syncs first unless told not to.

use super::{ManagerError, SyftboxManager};
use crate::{
    datasets::Dataset,
    jobs::Job,
    peers::Peer,
    sync::{SyncOptions, SyncReport},
    wire::{PeerState, dataset::SyftUrl},
};

impl SyftboxManager {
    /// The local `SyftBox` folder, as the machine names it.
    #[must_use]
    pub fn syftbox_folder(&self) -> &str {
        &self.settings.folder
    }

    /// Whether the account is a data owner here.
    #[must_use]
    pub fn is_do(&self) -> bool {
        self.settings.roles.owner
    }

    /// All peers and requests: those accepted first, then who asked us, then whom we asked. Syncs
    /// first, unless [`Settings::pre_sync`](super::Settings::pre_sync) says not to. Both roles.
    ///
    /// # Errors
    /// Those of [`sync`](Self::sync).
    pub async fn peers(&mut self) -> Result<Vec<Peer>, ManagerError> {
        self.sync_before().await?;
        self.sorted_peers().await
    }

    /// Asks Drive for peers, requests and their versions, without a sync. Both roles.
    ///
    /// # Errors
    /// When Drive can't be asked.
    pub async fn load_peers(&mut self) -> Result<Vec<Peer>, ManagerError> {
        self.known_peers(true).await?;
        self.sorted_peers().await
    }

    async fn sorted_peers(&mut self) -> Result<Vec<Peer>, ManagerError> {
        let mut peers = self.known_peers(false).await?;
        peers.sort_by_key(|peer| match peer.state {
            PeerState::Accepted => 0,
            PeerState::RequestedByPeer => 1,
            PeerState::RequestedByMe => 2,
            PeerState::Rejected => 3,
        });
        Ok(peers)
    }

    /// All jobs, the newest first. Syncs first, like [`peers`](Self::peers). Both roles.
    ///
    /// # Errors
    /// Those of [`sync`](Self::sync).
    pub async fn jobs(&mut self) -> Result<Vec<Job>, ManagerError> {
        self.sync_before().await?;
        self.known_jobs().await
    }

    /// Our datasets and those that peers share with us. Syncs first, like [`peers`](Self::peers). Both
    /// roles.
    ///
    /// # Errors
    /// Those of [`sync`](Self::sync).
    pub async fn datasets(&mut self) -> Result<Vec<Dataset>, ManagerError> {
        self.sync_before().await?;
        self.known_datasets().await
    }

    /// Where what a `syft://` address names lies on this machine, whether it is there or not. Both
    /// roles. No request.
    ///
    /// # Errors
    /// [`ManagerError::Url`] when it is no such address.
    pub fn resolve_path(&self, url: &str) -> Result<String, ManagerError> {
        let SyftUrl { owner, path } = url.parse()?;
        Ok(format!("{}/{owner}/{path}", self.settings.folder.trim_end_matches('/')))
    }

    async fn sync_before(&mut self) -> Result<(), ManagerError> {
        if self.settings.pre_sync {
            let report: SyncReport = self.sync(&SyncOptions::default()).await?;
            tracing::debug!(refused = report.refused.len(), "synced first");
        }
        Ok(())
    }

    /// Syncs after a change, when the caller wants that.
    pub(crate) async fn sync_after(&mut self, wanted: bool) -> Result<(), ManagerError> {
        if wanted {
            self.sync(&SyncOptions::default()).await?;
        }
        Ok(())
    }
}
