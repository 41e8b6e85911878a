//! A Google Drive v3 compatible server over a folder on disk: the Drive of those who have no Google
//! account, and of every test.
//!
//! [`LocalDrive::open`] reads a folder and [`LocalDrive::serve`] answers for it; [`RunningDrive`] does both on
//! a free port for tests. What a client was told is stored stays stored: every answer to a change
//! follows a durable commit. [`Faults`] makes it behave as badly as a real Drive can (wire section 10).
//!
//! ```
//! # fn main() -> Result<(), syftbox_localdrive::LocalDriveError> {
//! use syftbox_localdrive::{Accounts, RunningDrive};
//!
//! let dir = tempfile::tempdir().expect("a folder");
//! let drive = RunningDrive::start(dir.path(), Accounts::new([("token", "ann@example.org")])?)?;
//! assert!(drive.url().starts_with("http://127.0.0.1:"));
//! assert_eq!(drive.requests().count(), 0);
//! # Ok(())
//! # }
//! ```

mod access;
mod accounts;
mod api;
mod errors;
mod faults;
mod fields;
mod ids;
mod multipart;
mod order;
mod query;
mod requests;
mod resource;
mod schema;
mod server;
mod store;

use std::{path::Path, sync::Arc};

use axum::Router;

pub use self::{
    accounts::Accounts,
    errors::LocalDriveError,
    faults::{Fault, Faults, When},
    requests::{RequestLine, RequestLog},
    server::RunningDrive,
};

/// A drive with many accounts, in one folder. Clones are the same drive.
#[derive(Clone)]
pub struct LocalDrive(Arc<Parts>);

struct Parts {
    store: store::Store,
    accounts: Accounts,
    requests: RequestLog,
    faults: Faults,
    uploads: api::Sessions,
    codes: api::Codes,
}

impl LocalDrive {
    /// Opens the drive in `dir`, making it when it isn't there. Uploads that never ended are cleared away.
    ///
    /// # Errors
    /// When the folder can't be used, is served by another process, or holds what this version can't read.
    pub fn open(dir: &Path, accounts: Accounts) -> Result<Self, LocalDriveError> {
        let faults = Faults::default();
        let store = store::Store::open(dir, faults.clone())?;
        Ok(Self(Arc::new(Parts {
            store,
            accounts,
            requests: RequestLog::default(),
            faults,
            uploads: api::Sessions::default(),
            codes: api::Codes::default(),
        })))
    }

    /// All routes, for a server of one's own. Faults that close connections need [`LocalDrive::serve`].
    pub fn router(&self) -> Router {
        api::router(self)
    }

    /// The requests since the start or the last reset.
    #[must_use]
    pub fn requests(&self) -> RequestLog {
        self.0.requests.clone()
    }

    /// The faults that are planned.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.0.faults.clone()
    }

    /// Who may use it.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    fn store(&self) -> &store::Store {
        &self.0.store
    }

    fn uploads(&self) -> &api::Sessions {
        &self.0.uploads
    }

    fn codes(&self) -> &api::Codes {
        &self.0.codes
    }
}
