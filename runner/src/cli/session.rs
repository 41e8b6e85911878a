//! The manager of the account that a command is about, with its folder held for this program.

use std::{path::Path, sync::Arc, time::Duration};

use syftbox_core::{
    SyftboxManager,
    tokens::{TokenKeeper, UserTokens},
};

use super::{CliError, options::Options, settings::Settings};
use crate::{
    native::{self, FolderLock, TokenFile},
    notebook::pre_sync,
};

/// How long a command waits for another one in the same folder. Most are done by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// What shows that a folder is an account's.
const ACCOUNT: &str = ".syftbox/account.json";

/// One command's hold on an account. Other commands of the account wait until it is dropped.
pub(crate) struct Session {
    pub(crate) manager: SyftboxManager,
    pub(crate) settings: Settings,
    _lock: FolderLock,
}

impl Session {
    /// The account as it was left; logs in when it never was.
    pub(crate) async fn open(options: &Options) -> Result<Self, CliError> {
        let settings = Settings::resolve(options).await?;
        let lock = FolderLock::acquire(&settings.folder, PATIENCE).await?;
        let (core, platform, tokens) = parts(&settings).await?;
        let manager = SyftboxManager::open(core, platform, tokens).await?;
        if !settings.is_remembered {
            settings.remember().await?;
        }
        Ok(Self { manager, settings, _lock: lock })
    }

    /// The account as it was left, for a command that asks nothing of Drive.
    pub(crate) async fn look(options: &Options) -> Result<Self, CliError> {
        let settings = Settings::resolve(options).await?;
        if !settings.folder.join(ACCOUNT).exists() {
            return Err(CliError::NeverLoggedIn { folder: settings.folder });
        }
        Self::open(options).await
    }

    /// Logs in anew, and remembers what led to the account.
    pub(crate) async fn login(settings: Settings) -> Result<Self, CliError> {
        let lock = FolderLock::acquire(&settings.folder, PATIENCE).await?;
        let (core, platform, tokens) = parts(&settings).await?;
        let manager = SyftboxManager::login(core, platform, tokens).await?;
        settings.remember().await?;
        Ok(Self { manager, settings, _lock: lock })
    }

    /// The local `SyftBox` folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.settings.folder
    }
}

type Parts = (syftbox_core::Settings, syftbox_core::platform::Platform, Arc<UserTokens>);

async fn parts(settings: &Settings) -> Result<Parts, CliError> {
    if !settings.token_path.exists() {
        return Err(CliError::NoToken { path: settings.token_path.clone() });
    }
    let platform = native::platform(&settings.folder)?;
    let file = TokenFile::at(&settings.token_path)?;
    let user = file.read().await?;
    let keeper = settings.keeps_token.then(|| Arc::new(file) as Arc<dyn TokenKeeper>);
    let tokens = Arc::new(UserTokens::new(&platform, user, keeper));
    let core = syftbox_core::Settings {
        email: settings.email.clone(),
        roles: settings.roles,
        generation: settings.generation,
        drive_url: settings.drive_url.clone(),
        folder: settings.folder.to_string_lossy().into_owned(),
        list_every: settings.list_every,
        pre_sync: pre_sync(),
        encrypt: settings.encrypt,
    };
    Ok((core, platform, tokens))
}
