//! The machine that the `syftbox` program runs on, as the manager sees it: HTTP through reqwest,
//! files of the system, its clock and its randomness.

mod clock;
mod files;
mod http;
mod lock;
mod random;
mod token_file;

use std::{path::PathBuf, sync::Arc};

use syftbox_core::platform::{HttpError, Platform};

pub use self::{
    clock::SystemClock,
    files::{Access, StdFiles},
    http::ReqwestClient,
    lock::{FolderLock, LockError},
    random::SystemRandom,
    token_file::{TokenFile, TokenFileError},
};

/// This machine, with the local `SyftBox` folder at `root`. The folder holds private data, so what
/// is made there is only for its owner.
///
/// # Errors
/// When the system's TLS certificates can't be set up.
pub fn platform(root: impl Into<PathBuf>) -> Result<Platform, HttpError> {
    Ok(Platform {
        http: Arc::new(ReqwestClient::new()?),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        files: Arc::new(StdFiles::new(root, Access::Owner)),
    })
}
