//! What we know of our part of Drive, remembered between runs.
//!
//! Looking things up by search costs a request each time and lags behind writes (wire section 10).
//! So the catalog keeps the folders and files that matter to us, is told of every write of ours,
//! and learns the rest from the changes feed in one request ([`Catalog::refresh`]).

mod ids;
mod refresh;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::{
    ids::{SpareIds, SpareIdsError},
    refresh::Listing,
};
use crate::{
    domain::{Email, Generation, Timestamp, Version},
    drive::{DriveFile, FileId, PageToken},
    wire::names::{
        CollectionFolderName, DatasiteFolderName, EncryptionBundleName, PEERS_FILE, SYFTBOX_FOLDER,
        VERSION_FILE, VersionFolderName,
    },
};

/// Known folders and files of Drive, ours and those that others share with us.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Catalog {
    /// Where the changes feed goes on; `None` before the first listing.
    page_token: Option<PageToken>,
    files: BTreeMap<FileId, DriveFile>,
    /// The folders whose children are all in `files`.
    listed: BTreeSet<FileId>,
    /// When the catalog was last held against lists; `None` before the first.
    listed_at: Option<Timestamp>,
    /// When that is to happen again whatever the schedule says.
    list_again: Option<Timestamp>,
    /// Whether folders were listed for the first time since the last refresh.
    has_new_lists: bool,
    /// The last version that we knew of files that we moved or deleted: what lags still shows them.
    taken_away: BTreeMap<FileId, Option<u64>>,
    /// The folders of which only what is new is in `files`, until it was dealt with.
    watched: BTreeSet<FileId>,
}

impl Catalog {
    /// Our `SyftBox` folder. Where a lost answer once made two, the older one counts for everybody.
    #[must_use]
    pub fn root(&self) -> Option<&DriveFile> {
        oldest(self.files.values().filter(|file| is_root(file)))
    }

    /// All our `SyftBox` folders. What is read counts in each of them, what is written goes to
    /// [`root`](Self::root).
    pub(crate) fn roots(&self) -> impl Iterator<Item = &FileId> {
        self.files.values().filter(|file| is_root(file)).map(|file| &file.id)
    }

    fn is_in_root(&self, file: &DriveFile) -> bool {
        self.roots().any(|root| file.parents.contains(root))
    }

    /// The file or folder of ours called `name` in `folder`.
    #[must_use]
    pub fn child<'a>(&'a self, folder: &FileId, name: &str) -> Option<&'a DriveFile> {
        let inside = self.files.values().filter(|file| file.parents.contains(folder));
        oldest(inside.filter(|file| file.owned_by_me && file.name == name))
    }

    /// The folders of ours in `SyftBox` whose names `is_wanted`, the oldest first. There is one, but
    /// where two machines made theirs at the same time: then the oldest counts for what is written,
    /// and all for what is read.
    pub(crate) fn own_folders(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<FileId> {
        let is_wanted = |file: &&DriveFile| {
            file.owned_by_me && file.is_folder() && is_wanted(&file.name) && self.is_in_root(file)
        };
        let mut found: Vec<&DriveFile> = self.files.values().filter(is_wanted).collect();
        found.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
        found.into_iter().map(|file| file.id.clone()).collect()
    }

    /// What is known to lie in `folder`.
    pub fn children<'a>(&'a self, folder: &'a FileId) -> impl Iterator<Item = &'a DriveFile> {
        self.files.values().filter(move |file| file.parents.contains(folder))
    }

    /// `SYFT_peers.json` of ours.
    #[must_use]
    pub fn peers_file(&self) -> Option<&DriveFile> {
        self.peers_files().into_iter().next()
    }

    /// The same where two machines made one at the same time, the oldest first.
    pub(crate) fn peers_files(&self) -> Vec<&DriveFile> {
        let is_one = |file: &&DriveFile| file.owned_by_me && file.name == PEERS_FILE && self.is_in_root(file);
        let mut found: Vec<&DriveFile> = self.files.values().filter(is_one).collect();
        found.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
        found
    }

    /// `SYFT_version.json` of ours.
    #[must_use]
    pub fn version_file(&self) -> Option<&DriveFile> {
        self.child(&self.root()?.id, VERSION_FILE)
    }

    /// The `SYFT_version.json` of ours for peers that need `version`, beside our own one.
    #[must_use]
    pub fn version_file_for(&self, version: Version) -> Option<&DriveFile> {
        self.child(&self.version_folder(version)?.id, VERSION_FILE)
    }

    /// The folder of that file.
    #[must_use]
    pub fn version_folder(&self, version: Version) -> Option<&DriveFile> {
        self.child(&self.root()?.id, &VersionFolderName { version }.to_string())
    }

    /// The folders of all such files, with their versions.
    pub fn version_folders(&self) -> impl Iterator<Item = (&DriveFile, Version)> {
        self.root().into_iter().flat_map(|root| self.children(&root.id)).filter_map(|folder| {
            let name: VersionFolderName = folder.name.parse().ok()?;
            (folder.owned_by_me && folder.is_folder()).then_some((folder, name.version))
        })
    }

    /// `SYFT_version.json` that `peer` shares with us.
    #[must_use]
    pub fn version_file_of(&self, peer: &Email) -> Option<&DriveFile> {
        oldest(self.files.values().filter(|file| {
            !file.owned_by_me && file.name == VERSION_FILE && file.owner.as_ref() == Some(peer)
        }))
    }

    /// The encryption bundle of `owner` for `peer`, as `owner` made it.
    #[must_use]
    pub fn bundle(&self, owner: &Email, peer: &Email) -> Option<&DriveFile> {
        let wanted = EncryptionBundleName { owner: owner.clone(), peer: peer.clone() };
        oldest(self.files.values().filter(|file| {
            file.owner.as_ref() == Some(owner)
                && file.name.parse().is_ok_and(|name: EncryptionBundleName| name == wanted)
        }))
    }

    /// The inbox or outbox that `wanted` names, where `owner` is who made it. The version in the
    /// name counts up to X.Y (wire section 1).
    #[must_use]
    pub fn pair_folder(&self, owner: &Email, wanted: &DatasiteFolderName) -> Option<&DriveFile> {
        oldest(self.pair_folders().filter_map(|(file, name)| {
            let same = name.version.shares_folders_with(wanted.version)
                && (name.kind, &name.datasite, &name.other) == (wanted.kind, &wanted.datasite, &wanted.other);
            (same && file.owner.as_ref() == Some(owner)).then_some(file)
        }))
    }

    /// All inboxes and outboxes of any generation, with their names taken apart.
    pub fn pair_folders(&self) -> impl Iterator<Item = (&DriveFile, DatasiteFolderName)> {
        self.files
            .values()
            .filter(|file| file.is_folder())
            .filter_map(|file| Some((file, file.name.parse().ok()?)))
    }

    /// The collections that `owner` shares with us, or that are ours.
    pub fn collections_of(&self, owner: &Email) -> impl Iterator<Item = (&DriveFile, CollectionFolderName)> {
        self.files
            .values()
            .filter(move |file| file.is_folder() && file.owner.as_ref() == Some(owner))
            .filter_map(|file| Some((file, file.name.parse().ok()?)))
    }

    /// Notes a file that we wrote or saw.
    pub fn note(&mut self, file: DriveFile) {
        self.files.insert(file.id.clone(), file);
    }

    /// Notes a folder that we just made and whose children we follow: it is empty, so all are known.
    pub fn note_new_folder(&mut self, folder: DriveFile) {
        self.listed.insert(folder.id.clone());
        self.note(folder);
    }

    /// Notes a file that we wrote, when its folder is one whose children we follow.
    pub(crate) fn note_if_followed(&mut self, file: DriveFile) {
        if file.parents.iter().any(|parent| self.listed.contains(parent)) {
            self.note(file);
        }
    }

    /// From now on tells of what is new in `folder`, and of nothing that is in it already: for a
    /// folder that would fill the catalog.
    pub(crate) fn watch(&mut self, folder: FileId) {
        self.watched.insert(folder);
    }

    /// Whether [`watch`](Self::watch) was called for a folder that is still there.
    #[must_use]
    pub(crate) fn is_watched(&self, folder: &FileId) -> bool {
        self.watched.contains(folder)
    }

    /// Forgets a file, and with a folder all that was in it.
    pub fn forget(&mut self, id: &FileId) {
        if !self.files.contains_key(id) {
            return;
        }
        let below: Vec<_> = self.children(id).map(|file| file.id.clone()).collect();
        self.files.remove(id);
        self.listed.remove(id);
        self.watched.remove(id);
        for child in below {
            self.forget(&child);
        }
    }

    /// Forgets a file that we just moved to where we don't look, or deleted.
    pub fn take_away(&mut self, id: &FileId) {
        if let Some(file) = self.files.get(id) {
            self.taken_away.insert(id.clone(), file.version);
            self.forget(id);
        }
    }

    /// Forgets what is in a folder. Unless it is watched, it is listed again when it is needed.
    pub(crate) fn forget_children(&mut self, folder: &FileId) {
        self.listed.remove(folder);
        self.files.retain(|_, file| !file.parents.contains(folder));
    }

    /// A known file by its id.
    #[must_use]
    pub fn get(&self, id: &FileId) -> Option<&DriveFile> {
        self.files.get(id)
    }

    /// Whether `file` is one to remember: our `SyftBox` folder and the folders in it, the inboxes,
    /// outboxes and collections of others, version files and bundles, and whatever lies in a listed folder.
    fn concerns_us(&self, file: &DriveFile) -> bool {
        if file.trashed {
            return false;
        }
        let is_followed = |parent| self.listed.contains(parent) || self.watched.contains(parent);
        if is_root(file) || file.parents.iter().any(is_followed) {
            return true;
        }
        if !file.is_folder() {
            return file.name == VERSION_FILE || file.name.parse::<EncryptionBundleName>().is_ok();
        }
        if file.owned_by_me {
            return self.is_in_root(file);
        }
        file.name.parse::<DatasiteFolderName>().is_ok() || file.name.parse::<CollectionFolderName>().is_ok()
    }
}

fn is_root(file: &DriveFile) -> bool {
    file.owned_by_me && file.is_folder() && !file.trashed && file.name == SYFTBOX_FOLDER
}

fn oldest<'a>(files: impl Iterator<Item = &'a DriveFile>) -> Option<&'a DriveFile> {
    files.min_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)))
}

/// Whose pair of inbox and outbox for whose datasite (wire section 2): both folders of a pair are
/// made by `other`, and shared with the datasite's owner.
#[must_use]
pub fn pair_name(
    generation: Generation,
    datasite: &Email,
    kind: crate::wire::names::BoxKind,
    other: &Email,
) -> DatasiteFolderName {
    DatasiteFolderName {
        version: generation.version(),
        datasite: datasite.clone(),
        kind,
        other: other.clone(),
    }
}
