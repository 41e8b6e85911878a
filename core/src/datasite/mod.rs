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
    drive::FileId,
    permissions::{Because, Level, PERMISSION_FILE, Permissions},
    platform::{FileError, FileStat, FileStore, tree},
    wire::{is_syncable, job::JobPath, yaml::MAX_YAML_BYTES},
};

/// What was last published of our datasite.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Datasite {
    /// The published files.
    pub files: BTreeMap<DatasitePath, Published>,
    /// The time of the newest event in the event log.
    pub last_event: Option<Timestamp>,
    /// The peers that were sent all they may read, and the outbox that it went to. A peer that isn't
    /// here, or that made another outbox since, has nothing yet.
    pub served: BTreeMap<Email, FileId>,
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

/// Whether `peer` may read, or propose, the file at `path`. A permission file takes admin.
///
/// The rules of job folders say `**`, which by the letter leaves out what begins with a dot. A job is
/// sent, and its results come back, whole: so below a job a name that no rule is about counts as it
/// would without the dot (wire section 5).
#[must_use]
pub fn may(
    permissions: &Permissions,
    peer: &Email,
    owner: &Email,
    path: &DatasitePath,
    level: Level,
) -> bool {
    let level = if path.file_name() == PERMISSION_FILE { Level::Admin } else { level };
    let decision = permissions.decide(peer, owner, path, level);
    if let Because::NoRule { .. } = decision.because
        && let Some(path) = without_dots(path)
    {
        return permissions.allows(peer, owner, &path, level);
    }
    decision.allowed
}

/// The path of a file below a job with its hidden names made plain; `None` for any other path.
fn without_dots(path: &DatasitePath) -> Option<DatasitePath> {
    let below = JobPath::parse(path)?.rest?;
    let folder = path.as_str().strip_suffix(below.as_str())?;
    let plain: Vec<String> = below
        .components()
        .map(|name| name.strip_prefix('.').map_or_else(|| name.to_owned(), |name| format!("_{name}")))
        .collect();
    format!("{folder}{}", plain.join("/")).parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::{Access, Pattern, PermissionFile};

    #[test]
    fn hidden_files_of_a_job_are_as_readable_as_others_and_no_more() {
        let (ds, eve, me): (Email, Email, Email) =
            ("ds@x.org".parse().unwrap(), "eve@x.org".parse().unwrap(), "do@x.org".parse().unwrap());
        let mut permissions = Permissions::default();
        let mut review = PermissionFile::single(Pattern::everything(), Access::read([&ds]));
        let closed: DatasitePath = "v1/job/outputs".parse().unwrap();
        review.set(Pattern::below(&closed), Access::read([&me]));
        permissions.insert(Some(&"app_data/job/review/ds@x.org".parse().unwrap()), review);
        let everything = PermissionFile::single(Pattern::everything(), Access::read([&ds]));
        permissions.insert(Some(&"notes".parse().unwrap()), everything);
        let reads =
            |peer: &Email, path: &str| may(&permissions, peer, &me, &path.parse().unwrap(), Level::Read);
        let job = "app_data/job/review/ds@x.org/v1/job";
        assert!(reads(&ds, &format!("{job}/.a/.b")));
        assert!(!reads(&eve, &format!("{job}/.a/.b")));
        assert!(!reads(&ds, &format!("{job}/outputs/.a")), "what is closed stays closed");
        assert!(!reads(&ds, &format!("{job}/.a/syft.pub.yaml")), "it takes admin");
        assert!(!reads(&ds, "notes/.a"), "elsewhere the rules are taken by the letter");
    }
}
