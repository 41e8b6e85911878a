//! A machine of somebody, in this process: the library on a folder, for stories of many steps.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use serde_json::json;
use syftbox_core::{
    Settings, SyftboxManager,
    domain::Generation,
    drive::{Drive, FileId, Query},
    manager::Roles,
    platform::Platform,
    sync::{SyncOptions, SyncReport},
    tokens::{AuthorizedUser, UserTokens},
};
use syftbox_localdrive::{Accounts, RunningDrive};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A Drive that ends with the test.
pub(crate) struct Cloud {
    pub(crate) drive: RunningDrive,
    _folder: TempDir,
}

impl Cloud {
    /// A Drive with an account for each of `emails`; its token is the address.
    pub(crate) fn new(emails: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::new(emails.iter().map(|email| (*email, *email))).unwrap();
        Self { drive: RunningDrive::start(folder.path(), accounts).unwrap(), _folder: folder }
    }

    /// How many requests `work` takes.
    pub(crate) fn requests(&self, work: impl FnOnce()) -> u64 {
        self.drive.requests().reset();
        work();
        self.drive.requests().count()
    }

    /// A new machine of `email`, whose folder is empty.
    pub(crate) fn machine(&self, email: &str, roles: Roles) -> Machine {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Machine {
            email: email.to_owned(),
            roles,
            drive_url: self.drive.url().to_owned(),
            encrypt: None,
            home: tempfile::tempdir().unwrap(),
            runtime,
        }
    }
}

/// A folder of one account.
pub(crate) struct Machine {
    email: String,
    roles: Roles,
    drive_url: String,
    encrypt: Option<bool>,
    home: TempDir,
    runtime: Runtime,
}

impl Machine {
    /// The same machine with encryption on.
    pub(crate) fn encrypting(self) -> Self {
        Self { encrypt: Some(true), ..self }
    }

    /// What a program that is started now has.
    pub(crate) fn manager(&self) -> SyftboxManager {
        let (platform, tokens) = self.parts();
        let settings = Settings {
            email: self.email.parse().unwrap(),
            roles: self.roles,
            generation: Generation::V0_10,
            drive_url: self.drive_url.parse().unwrap(),
            folder: self.home.path().to_string_lossy().into_owned(),
            list_every: Settings::LIST_EVERY,
            pre_sync: true,
            encrypt: self.encrypt,
        };
        self.wait(SyftboxManager::open(settings, platform, tokens)).unwrap()
    }

    /// The same machine, set up for the Drive of `cloud`.
    pub(crate) fn turned_to(mut self, cloud: &Cloud) -> Self {
        cloud.drive.url().clone_into(&mut self.drive_url);
        self
    }

    fn parts(&self) -> (Platform, Arc<UserTokens>) {
        let platform = syftbox_runner::native::platform(self.home.path()).unwrap();
        let user = json!({
            "token": self.email, "refresh_token": self.email, "token_uri": format!("{}/token", self.drive_url),
            "client_id": "c", "client_secret": "s", "expiry": "2100-01-01T00:00:00Z",
        });
        let user = AuthorizedUser::parse(user.to_string().as_bytes()).unwrap();
        let tokens = Arc::new(UserTokens::new(&platform, user, None));
        (platform, tokens)
    }

    /// The account's Drive, without the manager.
    pub(crate) fn drive(&self) -> Drive {
        let (platform, tokens) = self.parts();
        Drive::new(&platform, &self.drive_url.parse().unwrap(), tokens)
    }

    /// A folder on Drive by its name.
    pub(crate) fn folder_on_drive(&self, name: &str) -> FileId {
        let found = self.wait(self.drive().list(&Query::new().folders().name_is(name))).unwrap();
        found.into_iter().next().unwrap().id
    }

    /// Waits for a call of the manager.
    pub(crate) fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }

    /// A sync that refuses nothing.
    #[track_caller]
    pub(crate) fn sync(&self) -> SyncReport {
        let report = self.sync_with(&SyncOptions::default());
        assert!(report.refused.is_empty() && report.skipped_peers.is_empty(), "{report:?}");
        report
    }

    #[track_caller]
    pub(crate) fn sync_with(&self, options: &SyncOptions) -> SyncReport {
        let mut manager = self.manager();
        self.wait(manager.sync(options)).unwrap()
    }

    /// Writes a file of our datasite.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.datasite().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Removes a file of our datasite, and folders that become empty, as a user would.
    pub(crate) fn remove(&self, path: &str) {
        let path = self.datasite().join(path);
        fs::remove_file(&path).unwrap();
        let mut folder = path.parent().unwrap();
        while folder != self.datasite() && fs::remove_dir(folder).is_ok() {
            folder = folder.parent().unwrap();
        }
    }

    /// The folder of our datasite.
    pub(crate) fn datasite(&self) -> std::path::PathBuf {
        self.home.path().join(&self.email)
    }

    /// All files of the datasite of `owner` here.
    pub(crate) fn tree_of(&self, owner: &str) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let root = self.home.path().join(owner);
        collect(&root, &root, &mut found);
        found
    }

    /// All files of our datasite.
    pub(crate) fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        self.tree_of(&self.email)
    }
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Makes `scientist` and `owner` peers.
pub(crate) fn make_peers(owner: &Machine, scientist: &Machine) {
    let (do_email, ds_email) = (owner.email.parse().unwrap(), scientist.email.parse().unwrap());
    owner.sync();
    let mut ds = scientist.manager();
    scientist.wait(ds.add_peer(&do_email, false)).unwrap();
    let mut manager = owner.manager();
    owner.wait(manager.approve_peer_request(&ds_email, true)).unwrap();
    owner.sync();
    scientist.sync();
}
