//! Becoming one account's manager (wire section 1).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{ManagerError, SyftboxManager};
use crate::{
    catalog::{Catalog, SpareIds},
    domain::{Email, Generation},
    drive::{Drive, FileId, NewFile},
    encryption::Bundles,
    peers::Peers,
    platform::Platform,
    state::{Document, State},
    tokens::TokenSource,
    wire::names::{SYFTBOX_FOLDER, VERSION_FILE},
};

/// What an account may do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Publish datasets, review and run jobs.
    pub owner: bool,
    /// Submit jobs, receive results.
    pub scientist: bool,
}

impl Roles {
    /// Data owner and data scientist in one.
    pub const BOTH: Self = Self { owner: true, scientist: true };
    /// Data owner only.
    pub const OWNER: Self = Self { owner: true, scientist: false };
    /// Data scientist only.
    pub const SCIENTIST: Self = Self { owner: false, scientist: true };
}

/// Who we are and where Drive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The account, as its token says too.
    pub email: Email,
    /// What it may do here.
    pub roles: Roles,
    /// The generation it belongs to: the one in the names of its own folders on Drive, and the
    /// first choice with peers that speak both or show no version yet. Peers of the other are
    /// talked to all the same.
    pub generation: Generation,
    /// The root of Drive; see [`Drive::new`].
    pub drive_url: Url,
    /// The local `SyftBox` folder as the machine names it, for files that say where data lies.
    pub folder: String,
    /// How old the last list of our part of Drive may become before a sync makes a new one, in case
    /// the changes feed missed something. [`Self::LIST_EVERY`] mostly; zero lists at every sync.
    pub list_every: Duration,
    /// Whether asking for peers, jobs or datasets syncs first, and processing jobs syncs at its end:
    /// what the Python peers take from `PRE_SYNC`. Yes mostly.
    pub pre_sync: bool,
    /// Whether what is exchanged is encrypted (wire section 9). `None`: as the account did before,
    /// that is when it has keys.
    pub encrypt: Option<bool>,
}

impl Settings {
    /// An hour: the lists cost two requests, one for an owner's event log, and one more for every
    /// fifty peers.
    pub const LIST_EVERY: Duration = Duration::from_mins(60);
}

/// What login leaves behind: the proof that this folder is this account's.
#[derive(Serialize, Deserialize)]
struct Account {
    email: Email,
    drive_url: Url,
}

impl SyftboxManager {
    /// Logs in: checks that the token is `settings.email`'s, makes the `SyftBox` folder on Drive
    /// when there is none, and publishes our version.
    ///
    /// # Errors
    /// [`ManagerError::OtherAccount`] when the token is somebody else's,
    /// [`ManagerError::OtherFolder`] when the local folder is, or whatever Drive says.
    pub async fn login(
        settings: Settings,
        platform: Platform,
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self, ManagerError> {
        let mut manager = Self::remembered(settings, platform, tokens).await?;
        let opening = manager.drive.opening(&Catalog::opening_query(manager.email())).await?;
        if opening.account != manager.settings.email {
            let found = opening.account;
            return Err(ManagerError::OtherAccount { wanted: manager.settings.email, found });
        }
        manager.take_folder().await?;
        manager.refresh_catalog_with(false, Some(opening)).await?;
        manager.make_syftbox_folder().await?;
        manager.publish_version().await?;
        manager.identity().await?;
        Ok(manager)
    }

    /// Writes down whose folder this is, before anything else: what is remembered from now on counts
    /// when we are killed.
    async fn take_folder(&self) -> Result<(), ManagerError> {
        let drive_url = self.settings.drive_url.clone();
        let before = self.state.load::<Account>(Document::Account).await?;
        if before.is_some_and(|before| before.drive_url != drive_url) {
            self.state.forget().await?;
        }
        let account = Account { email: self.settings.email.clone(), drive_url };
        Ok(self.state.save(Document::Account, &account).await?)
    }

    /// The manager of an account that logged in before, without a request; logs in when it didn't.
    ///
    /// # Errors
    /// As [`login`](Self::login).
    pub async fn open(
        settings: Settings,
        platform: Platform,
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self, ManagerError> {
        let state = State::new(platform.files.clone());
        match state.load::<Account>(Document::Account).await? {
            Some(account) if account.drive_url == settings.drive_url => {
                let manager = Self::remembered(settings.clone(), platform.clone(), tokens.clone()).await?;
                // A login that was cut off isn't one.
                if manager.catalog.version_file().is_some() {
                    return Ok(manager);
                }
            }
            _ => {}
        }
        let mut manager = Self::login(settings, platform, tokens).await?;
        manager.opened_at = Some(manager.now());
        Ok(manager)
    }

    async fn remembered(
        settings: Settings,
        platform: Platform,
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self, ManagerError> {
        let state = State::new(platform.files.clone());
        let account = state.load::<Account>(Document::Account).await?;
        if let Some(account) = &account
            && account.email != settings.email
        {
            return Err(ManagerError::OtherFolder { wanted: settings.email, found: account.email.clone() });
        }
        // What was remembered of one Drive says nothing of another.
        let same_drive = account.is_none_or(|account| account.drive_url == settings.drive_url);
        let drive = Drive::new(&platform, &settings.drive_url, tokens);
        let mut manager = Self {
            settings,
            platform,
            drive,
            state,
            catalog: Catalog::default(),
            ids: SpareIds::default(),
            peers: Peers::default(),
            bundles: Bundles::default(),
            sealing: None,
            opened_at: None,
        };
        if same_drive {
            manager.catalog = manager.state.load(Document::Catalog).await?.unwrap_or_default();
            manager.ids = manager.state.load(Document::SpareIds).await?.unwrap_or_default();
            manager.peers = manager.state.load(Document::Peers).await?.unwrap_or_default();
            manager.bundles = manager.state.load(Document::Bundles).await?.unwrap_or_default();
        }
        Ok(manager)
    }

    async fn make_syftbox_folder(&mut self) -> Result<(), ManagerError> {
        if self.catalog.root().is_none() {
            let new = NewFile::new(self.id_for(SYFTBOX_FOLDER).await?, SYFTBOX_FOLDER, NewFile::my_drive());
            let root = self.drive.create_folder(new).await?;
            self.catalog.note_new_folder(root);
        }
        let roots: Vec<FileId> = self.catalog.roots().cloned().collect();
        self.catalog.ensure_listed(&self.drive, roots).await?;
        self.save_catalog().await
    }

    /// Keeps our version file true (wire section 1).
    async fn publish_version(&mut self) -> Result<(), ManagerError> {
        let ours = self.version_file_of_ours(self.generation().version());
        let existing = self.catalog.version_file().map(|file| file.id.clone());
        let Some(id) = existing else {
            let new = NewFile::new(self.id_for(VERSION_FILE).await?, VERSION_FILE, self.root()?);
            let written = self.drive.upload(new, Bytes::from(ours.to_json()?).into()).await?;
            self.catalog.note(written);
            return self.save_catalog().await;
        };
        let account = self.settings.email.clone();
        self.read_version_file(&account, &id).await?;
        let told = self.peers.version_file_of(&account);
        if told.is_some_and(|told| told.version == ours.version && told.generations == ours.generations) {
            return Ok(());
        }
        self.rewrite_version_files().await
    }
}
