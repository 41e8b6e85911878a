//! A local Drive with three accounts, and clients of it.

use std::sync::Arc;

use serde_json::json;
use syftbox_core::{
    drive::{Content, Drive, DriveFile, FileId, NewFile},
    platform::Platform,
    tokens::{AuthorizedUser, UserTokens},
};
use syftbox_localdrive::{Accounts, Faults, RunningDrive};
use syftbox_runner::native;
use tempfile::TempDir;

pub(crate) struct Scene {
    pub(crate) platform: Platform,
    pub(crate) server: RunningDrive,
    pub(crate) folder: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let emails = [("ann", "ann@example.org"), ("ben", "ben@example.org"), ("cleo", "cleo@example.org")];
        let server =
            RunningDrive::start(&folder.path().join("drive"), Accounts::new(emails).unwrap()).unwrap();
        let platform = native::platform(folder.path().join("SyftBox")).unwrap();
        Self { platform, server, folder }
    }

    /// The Drive of the account with `token`.
    pub(crate) fn drive(&self, token: &str) -> Drive {
        self.drive_at(token, self.server.url())
    }

    pub(crate) fn drive_at(&self, token: &str, url: &str) -> Drive {
        let user = AuthorizedUser::parse(json!({ "token": token }).to_string().as_bytes()).unwrap();
        let tokens = UserTokens::new(&self.platform, user, None);
        Drive::new(&self.platform, &url.parse().unwrap(), Arc::new(tokens))
    }

    pub(crate) fn faults(&self) -> Faults {
        self.server.faults()
    }

    /// Requests of this method so far.
    pub(crate) fn requests(&self, method: &str) -> usize {
        self.server.requests().lines().iter().filter(|line| line.method == method && !line.batched).count()
    }
}

pub(crate) async fn new_file(drive: &Drive, name: &str, parent: &FileId) -> NewFile {
    let id = drive.generate_ids(1).await.unwrap().remove(0);
    NewFile::new(id, name, parent.clone())
}

pub(crate) async fn folder(drive: &Drive, name: &str) -> DriveFile {
    let new = new_file(drive, name, &NewFile::my_drive()).await;
    drive.create_folder(new).await.unwrap()
}

pub(crate) async fn text(drive: &Drive, name: &str, parent: &FileId, content: &'static str) -> DriveFile {
    let new = new_file(drive, name, parent).await;
    drive.upload(new, Content::Bytes(content.into())).await.unwrap()
}
