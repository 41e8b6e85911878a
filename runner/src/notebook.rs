//! The manager for programs on this machine, opened as the Python peers' notebooks do: from a token
//! file, or on Google Colab with the machine's default credentials.

use std::{
    env,
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use syftbox_core::{
    ManagerError, SyftboxManager,
    manager::NotebookOptions,
    platform::{HttpError, Platform},
    tokens::{TokenKeeper, UserTokens},
};

use crate::native::{self, FolderLock, LockError, TokenFile, TokenFileError};

/// How long a notebook waits for another program in its folder.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where Google's libraries say that their credentials are.
const CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// Where Google's command line has its files; Colab sets it when its user allows the access.
const CLOUD_CONFIG: &str = "CLOUDSDK_CONFIG";
/// What the file is called there.
const DEFAULT_CREDENTIALS: &str = "application_default_credentials.json";

/// A manager that holds its folder until it is dropped.
pub struct Notebook {
    manager: SyftboxManager,
    _lock: FolderLock,
}

/// A notebook that can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum NotebookError {
    /// The system doesn't tell where the user's files are.
    #[error("the system doesn't say where your home folder is; set HOME")]
    NoHome,
    /// There are no default credentials.
    #[error(
        "there are no default credentials at {}; on Colab run `google.colab.auth.authenticate_user()` first, elsewhere `gcloud auth application-default login` with the scope of Drive",
        path.display()
    )]
    NoCredentials {
        /// Where they were looked for.
        path: PathBuf,
    },
    /// The manager.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// The token file.
    #[error(transparent)]
    Token(#[from] TokenFileError),
    /// HTTP can't be set up.
    #[error("secure connections can't be set up: {0}; check the system's certificates")]
    Http(#[from] HttpError),
    /// Another program works in the folder.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl Notebook {
    /// The account of `options` on this machine, with the token file that Google's libraries wrote. Its
    /// folder is `SyftBox_{email}` in the user's home. `PRE_SYNC=false` in the environment keeps lists
    /// from syncing first.
    ///
    /// # Errors
    /// When the token is somebody else's, another program works in the folder, or Drive says no.
    pub async fn for_jupyter(options: NotebookOptions, token_path: &Path) -> Result<Self, NotebookError> {
        let home = home()?;
        let home = home.to_string_lossy();
        let options = options.pre_sync(pre_sync());
        let folder = PathBuf::from(options.jupyter_folder(&home));
        let lock = FolderLock::acquire(&folder, PATIENCE).await?;
        let platform = native::platform(&folder)?;
        let tokens = tokens(&platform, token_path, true).await?;
        let manager = SyftboxManager::for_jupyter(options, &home, platform, tokens).await?;
        Ok(Self { manager, _lock: lock })
    }

    /// The account of `options` on Google Colab, with the machine's default credentials. Its folder is
    /// `/content/SyftBox_{email}`.
    ///
    /// # Errors
    /// As [`for_jupyter`](Self::for_jupyter), and when there are no default credentials.
    pub async fn for_colab(options: NotebookOptions) -> Result<Self, NotebookError> {
        let options = options.pre_sync(pre_sync());
        let path = default_credentials()?;
        if !path.exists() {
            return Err(NotebookError::NoCredentials { path });
        }
        let folder = PathBuf::from(options.colab_folder());
        let lock = FolderLock::acquire(&folder, PATIENCE).await?;
        let platform = native::platform(&folder)?;
        // The file is the machine's: a renewed token isn't written there.
        let tokens = tokens(&platform, &path, false).await?;
        let manager = SyftboxManager::for_colab(options, platform, tokens).await?;
        Ok(Self { manager, _lock: lock })
    }
}

impl Deref for Notebook {
    type Target = SyftboxManager;

    fn deref(&self) -> &SyftboxManager {
        &self.manager
    }
}

impl DerefMut for Notebook {
    fn deref_mut(&mut self) -> &mut SyftboxManager {
        &mut self.manager
    }
}

/// What `PRE_SYNC` says: only `true`, in any case, and its absence are yes.
#[must_use]
pub fn pre_sync() -> bool {
    env::var("PRE_SYNC").map_or(true, |value| value.eq_ignore_ascii_case("true"))
}

/// Where Google's libraries find the machine's default credentials.
///
/// # Errors
/// When that depends on the home folder and there is none.
pub fn default_credentials() -> Result<PathBuf, NotebookError> {
    let said = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = said(CREDENTIALS) {
        return Ok(file);
    }
    let config = match said(CLOUD_CONFIG) {
        Some(config) => config,
        None => home()?.join(".config").join("gcloud"),
    };
    Ok(config.join(DEFAULT_CREDENTIALS))
}

fn home() -> Result<PathBuf, NotebookError> {
    directories::BaseDirs::new().map(|user| user.home_dir().to_owned()).ok_or(NotebookError::NoHome)
}

async fn tokens(platform: &Platform, path: &Path, keep: bool) -> Result<Arc<UserTokens>, NotebookError> {
    let file = TokenFile::at(path)?;
    let user = file.read().await?;
    let keeper = keep.then(|| Arc::new(file) as Arc<dyn TokenKeeper>);
    Ok(Arc::new(UserTokens::new(platform, user, keeper)))
}
