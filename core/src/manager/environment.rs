//! Where a manager is used, as the Python peers tell it: a notebook on one's own machine, or Colab.

use std::sync::Arc;

use super::{ManagerError, Roles, Settings, SyftboxManager};
use crate::{
    domain::{Email, Generation},
    drive::GOOGLE_ROOT,
    platform::Platform,
    tokens::TokenSource,
};

/// Where Colab has the files that stay while a notebook is open.
const COLAB_FILES: &str = "/content";

/// What a notebook says of its account.
#[derive(Clone, Debug)]
#[must_use]
pub struct NotebookOptions {
    email: Email,
    only_ds: bool,
    only_datasite_owner: bool,
    pre_sync: bool,
    encryption: Option<bool>,
    generation: Generation,
    drive_url: String,
}

impl NotebookOptions {
    /// The account of `email` in both roles.
    pub fn new(email: Email) -> Self {
        Self {
            email,
            only_ds: false,
            only_datasite_owner: false,
            pre_sync: true,
            encryption: None,
            generation: Generation::default(),
            drive_url: GOOGLE_ROOT.to_owned(),
        }
    }

    /// Whose account it is.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// As a data scientist only. Default: no.
    pub fn only_ds(mut self, only: bool) -> Self {
        self.only_ds = only;
        self
    }

    /// As a data owner only. Default: no.
    pub fn only_datasite_owner(mut self, only: bool) -> Self {
        self.only_datasite_owner = only;
        self
    }

    /// See [`Settings::pre_sync`]. Default: yes.
    pub fn pre_sync(mut self, pre_sync: bool) -> Self {
        self.pre_sync = pre_sync;
        self
    }

    /// Whether what is exchanged is encrypted. Default: as the account did before.
    pub fn encryption(mut self, encryption: bool) -> Self {
        self.encryption = Some(encryption);
        self
    }

    /// See [`Settings::generation`].
    pub fn generation(mut self, generation: Generation) -> Self {
        self.generation = generation;
        self
    }

    /// The root of Drive. Default: Google's.
    pub fn drive_url(mut self, url: impl Into<String>) -> Self {
        self.drive_url = url.into();
        self
    }

    /// The `SyftBox` folder on Colab.
    #[must_use]
    pub fn colab_folder(&self) -> String {
        self.folder_in(COLAB_FILES)
    }

    /// The `SyftBox` folder elsewhere, in the user's `home`.
    #[must_use]
    pub fn jupyter_folder(&self, home: &str) -> String {
        self.folder_in(home)
    }

    fn folder_in(&self, parent: &str) -> String {
        format!("{}/SyftBox_{}", parent.trim_end_matches('/'), self.email)
    }

    fn settings(self, folder: String) -> Result<Settings, ManagerError> {
        let url = self.drive_url;
        Ok(Settings {
            roles: Roles::of(self.only_ds, self.only_datasite_owner)?,
            email: self.email,
            generation: self.generation,
            drive_url: url.parse().map_err(|_| ManagerError::DriveUrl(url))?,
            folder,
            list_every: Settings::LIST_EVERY,
            pre_sync: self.pre_sync,
            encrypt: self.encryption,
        })
    }
}

impl Roles {
    /// The roles of an account that says which one it has only; both when it says neither.
    ///
    /// # Errors
    /// [`ManagerError::BothOnly`] when it says both.
    pub fn of(only_ds: bool, only_datasite_owner: bool) -> Result<Self, ManagerError> {
        match (only_ds, only_datasite_owner) {
            (false, false) => Ok(Self::BOTH),
            (true, false) => Ok(Self::SCIENTIST),
            (false, true) => Ok(Self::OWNER),
            (true, true) => Err(ManagerError::BothOnly),
        }
    }
}

impl SyftboxManager {
    /// The manager of a notebook on the user's own machine, whose `home` the folder is in.
    /// `platform` has its files in [`NotebookOptions::jupyter_folder`], and `tokens` are those of a
    /// token file. Without a request when the account logged in before.
    ///
    /// # Errors
    /// [`ManagerError::BothOnly`], and those of [`login`](Self::login).
    pub async fn for_jupyter(
        options: NotebookOptions,
        home: &str,
        platform: Platform,
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self, ManagerError> {
        let folder = options.jupyter_folder(home);
        Self::open(options.settings(folder)?, platform, tokens).await
    }

    /// The manager of a notebook on Google Colab. `platform` has its files in
    /// [`NotebookOptions::colab_folder`], and `tokens` are the machine's default credentials. Otherwise
    /// like [`for_jupyter`](Self::for_jupyter).
    ///
    /// # Errors
    /// As there.
    pub async fn for_colab(
        options: NotebookOptions,
        platform: Platform,
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self, ManagerError> {
        let folder = options.colab_folder();
        Self::open(options.settings(folder)?, platform, tokens).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> NotebookOptions {
        NotebookOptions::new("ann@x.org".parse().unwrap())
    }

    #[test]
    fn only_one_role_can_be_the_only_one() {
        let roles = |ds, owner| Roles::of(ds, owner).ok();
        assert_eq!(roles(false, false), Some(Roles::BOTH));
        assert_eq!(roles(true, false), Some(Roles::SCIENTIST));
        assert_eq!(roles(false, true), Some(Roles::OWNER));
        let error = options().only_ds(true).only_datasite_owner(true).settings(String::new()).unwrap_err();
        assert!(error.to_string().contains("only_ds"), "{error}");
    }

    #[test]
    fn folders_are_where_the_python_peers_have_them() {
        assert_eq!(options().colab_folder(), "/content/SyftBox_ann@x.org");
        assert_eq!(options().jupyter_folder("/home/ann/"), "/home/ann/SyftBox_ann@x.org");
        let settings = options().settings("/f".to_owned()).unwrap();
        assert_eq!((settings.drive_url.as_str(), settings.pre_sync), (GOOGLE_ROOT, true));
        assert_eq!(settings.roles, Roles::BOTH);
    }
}
