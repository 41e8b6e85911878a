//! The manager of one account: the calls that people and programs make.

mod delete;
mod environment;
mod error;
mod identity;
mod login;
mod permissions;
mod status;
mod views;

use std::time::Duration;

pub use self::{
    delete::{DeleteOptions, Deleted},
    environment::NotebookOptions,
    error::ManagerError,
    login::{Roles, Settings},
    permissions::{ListedPermissions, PermissionAnswer, PermissionChange},
    status::{PeerStatus, Status, WaitingJob},
};
use crate::{
    catalog::{Catalog, Listing, SpareIds},
    datasite,
    domain::{DatasitePath, Email, Generation, Timestamp},
    drive::{BatchCall, Drive, DriveFile, FileId, NewFile, Opening},
    encryption::{Bundles, Sealing},
    peers::Peers,
    platform::{FileStore, Platform},
    state::{Document, State},
};

/// One account's view of its peers, datasets and jobs, and all it can do with them.
///
/// Calls that need a role the account doesn't have are errors that name the role. Every call that
/// changes something on Drive is safe to repeat after it failed.
pub struct SyftboxManager {
    pub(crate) settings: Settings,
    pub(crate) platform: Platform,
    pub(crate) drive: Drive,
    pub(crate) state: State,
    pub(crate) catalog: Catalog,
    pub(crate) ids: SpareIds,
    pub(crate) peers: Peers,
    pub(crate) bundles: Bundles,
    /// How payloads are sealed; `None` until it is asked for, and after keys or bundles changed.
    pub(crate) sealing: Option<Sealing>,
    /// When [`open`](Self::open) had to log in, until the first sync.
    opened_at: Option<Timestamp>,
}

/// For so long the first sync makes do with what the login before it saw.
const JUST_OPENED: Duration = Duration::from_secs(10);

impl SyftboxManager {
    /// The account.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.settings.email
    }

    /// What the account may do here.
    #[must_use]
    pub fn roles(&self) -> Roles {
        self.settings.roles
    }

    pub(crate) fn generation(&self) -> Generation {
        self.settings.generation
    }

    pub(crate) fn files(&self) -> &dyn FileStore {
        self.platform.files.as_ref()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.platform.clock.now()
    }

    /// The local folder of `owner`'s datasite.
    pub(crate) fn datasite_folder(owner: &Email) -> Result<DatasitePath, ManagerError> {
        Ok(datasite::folder_of(owner)?)
    }

    pub(crate) fn need_owner(&self, call: &'static str) -> Result<(), ManagerError> {
        if self.settings.roles.owner { Ok(()) } else { Err(ManagerError::RoleNeeded { call, role: "do" }) }
    }

    pub(crate) fn need_scientist(&self, call: &'static str) -> Result<(), ManagerError> {
        if self.settings.roles.scientist {
            Ok(())
        } else {
            Err(ManagerError::RoleNeeded { call, role: "ds" })
        }
    }

    /// Asks Drive what changed and remembers it; with `full`, and now and then by itself, Drive is
    /// listed too.
    pub(crate) async fn refresh_catalog(&mut self, full: bool) -> Result<(), ManagerError> {
        self.refresh_catalog_with(full, None).await
    }

    /// The same, where Drive was just asked for what comes first.
    async fn refresh_catalog_with(
        &mut self,
        full: bool,
        opening: Option<Opening>,
    ) -> Result<(), ManagerError> {
        let listing = if full { Listing::Now } else { Listing::After(self.settings.list_every) };
        self.catalog
            .refresh(&self.drive, self.platform.clock.now(), listing, &self.settings.email, opening)
            .await?;
        self.save_catalog().await?;
        let catalog = &self.catalog;
        Ok(self.ids.made(|id| catalog.get(id).is_some(), &self.state).await?)
    }

    /// The same before a sync: one that follows on the heels of a login that `open` made asks nothing
    /// again.
    pub(crate) async fn refresh_for_sync(&mut self, full: bool) -> Result<(), ManagerError> {
        let is_fresh = self
            .opened_at
            .take()
            .is_some_and(|time| time <= self.now() && self.now().since(time) < JUST_OPENED);
        if is_fresh && !full { Ok(()) } else { self.refresh_catalog(full).await }
    }

    pub(crate) async fn save_catalog(&self) -> Result<(), ManagerError> {
        Ok(self.state.save(Document::Catalog, &self.catalog).await?)
    }

    pub(crate) async fn new_id(&mut self) -> Result<FileId, ManagerError> {
        let mut ids = self.ids.take(1, &self.drive, &self.state).await?;
        ids.pop().ok_or(ManagerError::NoIds)
    }

    /// The id for the one file or folder of ours that is called `name`.
    pub(crate) async fn id_for(&mut self, name: &str) -> Result<FileId, ManagerError> {
        let mut ids = self.ids.take_for(&[name], &self.drive, &self.state).await?;
        ids.pop().ok_or(ManagerError::NoIds)
    }

    /// Our `SyftBox` folder.
    pub(crate) fn root(&self) -> Result<FileId, ManagerError> {
        self.catalog.root().map(|root| root.id.clone()).ok_or(ManagerError::NoSyftboxFolder)
    }

    /// The folder of ours called `name` in `SyftBox`, made when it isn't there.
    pub(crate) async fn own_folder(&mut self, name: &str) -> Result<FileId, ManagerError> {
        let root = self.root()?;
        if let Some(folder) = self.catalog.child(&root, name) {
            return Ok(folder.id.clone());
        }
        let new = NewFile::new(self.id_for(name).await?, name, root);
        Ok(self.make_folder(new).await?.id)
    }

    /// The same, for folders whose children we follow. At most one request.
    pub(crate) async fn own_listed_folders(&mut self, names: &[String]) -> Result<Vec<FileId>, ManagerError> {
        let root = self.root()?;
        let missing: Vec<&String> =
            names.iter().filter(|name| self.catalog.child(&root, name).is_none()).collect();
        let ids = self.ids.take_for(&missing, &self.drive, &self.state).await?;
        let creates = ids
            .into_iter()
            .zip(&missing)
            .map(|(id, name)| BatchCall::CreateFolder(NewFile::new(id, name.as_str(), root.clone())))
            .collect();
        for made in self.all_of(creates).await?.into_iter().flatten() {
            self.catalog.note_new_folder(made);
        }
        if !missing.is_empty() {
            self.save_catalog().await?;
        }
        let found = names.iter().map(|name| self.catalog.child(&root, name).map(|folder| folder.id.clone()));
        found.collect::<Option<_>>().ok_or(ManagerError::NoSyftboxFolder)
    }

    pub(crate) async fn make_folder(&mut self, new: NewFile) -> Result<DriveFile, ManagerError> {
        let folder = self.drive.create_folder(new).await?;
        // Not as one whose children we follow: an event log would fill the catalog.
        self.catalog.note(folder.clone());
        self.save_catalog().await?;
        Ok(folder)
    }
}
