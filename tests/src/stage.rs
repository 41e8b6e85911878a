//! A local Drive with a data owner and a data scientist before it.

use syftbox_localdrive::{Accounts, RunningDrive};
use tempfile::TempDir;

use crate::{Person, PythonGeneration, PythonPeer};

/// The data owner's address.
pub const OWNER: &str = "do@test.org";
/// The data scientist's address.
pub const SCIENTIST: &str = "ds@test.org";

/// A local Drive with a data owner and a data scientist before it. All of it ends with the test.
pub struct Stage {
    /// The data owner.
    pub owner: Person,
    /// The data scientist.
    pub scientist: Person,
    drive: RunningDrive,
    accounts: Accounts,
    // After the Drive, which keeps files there.
    _folder: TempDir,
}

impl Stage {
    /// Two strangers: neither has logged in.
    pub fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::new([("do-token", OWNER), ("ds-token", SCIENTIST)]).unwrap();
        let drive = RunningDrive::start(folder.path(), accounts.clone()).unwrap();
        let url = drive.url().to_owned();
        Self {
            owner: Person::new(OWNER, Some("do"), &url, "do-token"),
            scientist: Person::new(SCIENTIST, Some("ds"), &url, "ds-token"),
            drive,
            accounts,
            _folder: folder,
        }
    }

    /// The Drive between them: what was asked of it, and what is to go wrong with it.
    pub fn drive(&self) -> &RunningDrive {
        &self.drive
    }

    /// Somebody else with an account on the same Drive.
    pub fn newcomer(&self, email: &str, role: Option<&'static str>) -> Person {
        let token = self.accounts.add(email).unwrap();
        Person::new(email, role, self.drive.url(), &token)
    }

    /// A machine with a Python peer, whose account is on the same Drive.
    pub fn python(&self, generation: PythonGeneration, email: &str) -> PythonPeer {
        let token = self.accounts.add(email).unwrap();
        PythonPeer::start(generation, email, self.drive.url(), &token)
    }

    /// Logs both in and makes them peers who approved each other.
    #[track_caller]
    pub fn make_peers(&self) {
        self.owner.run(&["login"]).done();
        self.scientist.run(&["login"]).done();
        self.scientist.run(&["peer", "add", OWNER]).done();
        self.owner.run(&["sync"]).done();
        self.owner.run(&["peer", "approve", SCIENTIST]).done();
        self.scientist.run(&["sync"]).done();
    }
}
