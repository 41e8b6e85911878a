//! Our own datasite: what peers were told of it, and how the local files differ from that.
//!
//! The local files are the truth. Whatever changes them (the user, a job, an accepted proposal)
//! is found by comparing them with what was last published, and becomes events. So an accepted
//! proposal that a crash cut off from its event is published by the next sync all the same.
//!
//! An owner may have several machines. Each follows the event log, and of two events of one file the
//! later counts ([`Datasite::is_newer`]), in whatever order a machine meets them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{ContentHash, DatasitePath, Email, Timestamp},
    permissions::{PERMISSION_FILE, Permissions},
    platform::{FileError, FileStat, FileStore, tree},
    wire::{is_syncable, yaml::MAX_YAML_BYTES},
};

/// What was last published of our datasite.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Datasite {
    /// The published files.
    pub files: BTreeMap<DatasitePath, Published>,
    /// The time of the newest event in the event log.
    pub last_event: Option<Timestamp>,
    /// The peers that were sent all they may read; one that isn't here is new.
    pub served: BTreeSet<Email>,
    /// When the files that are gone were deleted, so that an older event that comes late doesn't
    /// bring one back.
    #[serde(default)]
    pub deleted: BTreeMap<DatasitePath, Timestamp>,
}

/// One published file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Published {
    /// Of its content.
    pub hash: ContentHash,
    /// Its length and stamp when the hash was taken: while they are the same, so is the content.
    pub len: u64,
    /// See [`FileStat::stamp`].
    pub stamp: String,
    /// The peers that were sent this content.
    pub readers: BTreeSet<Email>,
    /// The time of the event that gave it this content.
    #[serde(default = "long_ago")]
    pub time: Timestamp,
}

fn long_ago() -> Timestamp {
    Timestamp::EPOCH
}

/// A difference between the local files and what was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalChange {
    /// Which file.
    pub path: DatasitePath,
    /// Its new content, `None` when it was deleted.
    pub new: Option<(ContentHash, FileStat)>,
}

/// The local folder of a datasite.
///
/// # Errors
/// Never for a real address: an [`Email`] is a valid path component.
pub fn folder_of(owner: &Email) -> Result<DatasitePath, crate::domain::PathError> {
    owner.as_str().parse()
}

/// The syncable files of a datasite's folder, by their path in the datasite.
///
/// # Errors
/// When a folder can't be read.
pub async fn local_files(
    files: &dyn FileStore,
    folder: &DatasitePath,
) -> Result<Vec<(DatasitePath, FileStat)>, FileError> {
    let inside = |path: &DatasitePath| path.below(folder);
    let found =
        tree::walk(files, Some(folder), |path| inside(path).is_some_and(|path| is_syncable(&path))).await?;
    Ok(found
        .into_iter()
        .filter_map(|(path, stat)| Some((inside(&path)?, stat)))
        .filter(|(path, _)| is_syncable(path))
        .collect())
}

/// How long the deletion of a file is remembered.
const DELETION_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

impl Datasite {
    /// Whether an event of `path` at `time` that leads to `new` comes after all that is known of the
    /// path. Of two events at one moment the one with the greater hash counts, on every machine.
    #[must_use]
    pub fn is_newer(&self, path: &DatasitePath, time: Timestamp, new: Option<ContentHash>) -> bool {
        let known = match (self.files.get(path), self.deleted.get(path)) {
            (Some(file), _) => (file.time, Some(file.hash)),
            (None, Some(deleted)) => (*deleted, None),
            (None, None) => return true,
        };
        (time, new) > known
    }

    /// Notes that the file at `path` is published as `entry` since `time`; `None` when it is gone.
    pub fn note(&mut self, path: DatasitePath, entry: Option<Published>, time: Timestamp) {
        self.last_event = self.last_event.max(Some(time));
        if let Some(entry) = entry {
            self.deleted.remove(&path);
            self.files.insert(path, entry);
        } else {
            self.files.remove(&path);
            self.deleted.insert(path, time);
            let newest = self.last_event.unwrap_or(time);
            self.deleted.retain(|_, deleted| newest.since(*deleted) < DELETION_KEPT);
        }
    }

    /// How `local` (from [`local_files`]) differs from what was published. A file whose length and
    /// stamp are as remembered isn't read.
    ///
    /// # Errors
    /// When a file can't be read.
    pub async fn differences(
        &mut self,
        files: &dyn FileStore,
        folder: &DatasitePath,
        local: &[(DatasitePath, FileStat)],
    ) -> Result<Vec<LocalChange>, FileError> {
        let mut changes = Vec::new();
        for (path, stat) in local {
            let known = self.files.get_mut(path);
            if known.as_ref().is_some_and(|known| known.len == stat.len && known.stamp == stat.stamp) {
                continue;
            }
            let hash = tree::hash(files, &in_folder(folder, path)?).await?;
            match known {
                Some(known) if known.hash == hash => known.stamp.clone_from(&stat.stamp),
                _ => changes.push(LocalChange { path: path.clone(), new: Some((hash, stat.clone())) }),
            }
        }
        let there: BTreeSet<_> = local.iter().map(|(path, _)| path).collect();
        let gone = self.files.keys().filter(|path| !there.contains(path));
        changes.extend(gone.map(|path| LocalChange { path: path.clone(), new: None }));
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }
}

/// The permission files among `local`. One that can't be understood leaves what it covers to the
/// owner alone; see [`Permissions::unreadable`].
///
/// # Errors
/// When a file can't be read.
pub async fn permissions(
    files: &dyn FileStore,
    folder: &DatasitePath,
    local: &[(DatasitePath, FileStat)],
) -> Result<Permissions, FileError> {
    let mut permissions = Permissions::default();
    for (path, _) in local.iter().filter(|(path, _)| path.file_name() == PERMISSION_FILE) {
        // One byte more than can be understood: then it is told as too large.
        let yaml = files.read_at(&in_folder(folder, path)?, 0, MAX_YAML_BYTES + 1).await?;
        permissions.insert_yaml(path.parent().as_ref(), &yaml);
    }
    Ok(permissions)
}

/// A datasite's path as a path in the `SyftBox` folder.
///
/// # Errors
/// When both together are too long.
pub fn in_folder(folder: &DatasitePath, path: &DatasitePath) -> Result<DatasitePath, FileError> {
    folder.join(path.as_str()).map_err(|error| FileError {
        path: path.to_string(),
        kind: crate::platform::FileErrorKind::System(error.to_string()),
    })
}
