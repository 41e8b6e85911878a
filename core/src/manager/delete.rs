//! The end of an account's `SyftBox`: on Drive, and here.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{ManagerError, SyftboxManager};
use crate::{
    catalog::{Catalog, SpareIds},
    domain::{Email, Generation},
    drive::{BatchCall, DriveFile, FileId, NewFile, Query},
    encryption::Bundles,
    peers::Peers,
    state::path_of,
    sync::Farewell,
    wire::names::{
        ArchiveFolderName, CheckpointName, CheckpointsFolderName, CollectionFolderName, DatasiteFolderName,
        EncryptionBundleName, EncryptionBundlesFolderName, EventLogFolderName, IncrementalCheckpointName,
        MessageKind, MessageName, PEERS_FILE, RollingStateFolderName, RollingStateName, SYFTBOX_FOLDER,
        VERSION_FILE, VersionFolderName,
    },
};

/// Folders whose children are asked for at a time, files that are deleted in one request.
const AT_ONCE: usize = 100;

/// What [`SyftboxManager::delete_syftbox`] is to spare.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct DeleteOptions {
    broadcast: bool,
    keep_private: bool,
}

impl Default for DeleteOptions {
    fn default() -> Self {
        Self { broadcast: true, keep_private: false }
    }
}

impl DeleteOptions {
    /// Tells the peers first that the files they have of our datasite are gone, so that their copies
    /// go too. Default: yes.
    pub fn broadcast_delete_events(mut self, broadcast: bool) -> Self {
        self.broadcast = broadcast;
        self
    }

    /// Leaves the local `private/` of our datasite where it is. Default: no.
    pub fn keep_private(mut self, keep: bool) -> Self {
        self.keep_private = keep;
        self
    }
}

/// What a deletion did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// Files and folders of ours that were deleted on Drive.
    pub on_drive: usize,
    /// Those of them that lay outside our `SyftBox` folder: in folders of peers, or nowhere.
    pub outside: usize,
    /// The peers that were told.
    pub peers_told: Vec<Email>,
}

/// Where a file of ours may be found by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Anywhere: nobody else's file has such a name.
    Anywhere,
    /// In one of the protocol's folders, or nowhere.
    InItsPlace,
}

impl SyftboxManager {
    /// Deletes all that is ours: the `SyftBox` folder on Drive with all in it, what carries our names
    /// elsewhere (messages in folders of peers, folders that were lost), then the local copies and
    /// state. What others own stays, and so does everything that isn't the protocol's. Both roles; as
    /// an owner the peers are told first, unless told not to.
    ///
    /// When it fails or is cut off, it goes on when called again. Local state goes last.
    ///
    /// # Errors
    /// When Drive or the local folder can't be used.
    pub async fn delete_syftbox(&mut self, options: &DeleteOptions) -> Result<Deleted, ManagerError> {
        self.refresh_catalog(false).await?;
        let farewell = if options.broadcast && self.roles().owner {
            self.say_farewell().await?
        } else {
            Farewell::default()
        };
        let mut deleted = Deleted { peers_told: farewell.peers.into_iter().collect(), ..Deleted::default() };
        let (mut inside, roots) = self.all_inside().await?;
        let mut outside = self.all_outside(&inside, &roots).await?;
        outside.retain(|file| !farewell.messages.contains(&file.id));
        tracing::info!(inside = inside.len(), outside = outside.len(), "deleting what is ours on Drive");
        deleted.outside = outside.len();
        deleted.on_drive = inside.len() + outside.len() + roots.len();
        inside.append(&mut outside);
        // The files first, then the folders from the innermost out, and `SyftBox` itself last: as long
        // as something is left, the next try finds it by walking.
        let (folders, files): (Vec<_>, Vec<_>) = inside.into_iter().partition(DriveFile::is_folder);
        let ids = |files: Vec<DriveFile>| files.into_iter().map(|file| file.id);
        let mut order: Vec<FileId> = ids(files).collect();
        order.extend(ids(folders).rev());
        order.extend(ids(roots));
        self.delete_on_drive(order).await?;
        self.delete_here(options).await?;
        Ok(deleted)
    }

    /// All of ours in our `SyftBox` folders, and these themselves: there are two where an answer got
    /// lost. A folder of that name further down in My Drive is somebody else's idea.
    async fn all_inside(&self) -> Result<(Vec<DriveFile>, Vec<DriveFile>), ManagerError> {
        let my_drive = self.drive.get(&NewFile::my_drive()).await?.map(|folder| folder.id);
        let named = Query::new().folders().name_is(SYFTBOX_FOLDER).owned_by_me(true);
        let mut roots = self.drive.list(&named).await?;
        if let Some(known) = self.catalog.root()
            && !roots.iter().any(|root| root.id == known.id)
        {
            // The search lags, an id doesn't.
            roots.extend(self.drive.get(&known.id).await?.filter(|root| !root.trashed));
        }
        roots.retain(|root| my_drive.as_ref().is_none_or(|drive| root.parents.contains(drive)));
        let mut seen: BTreeSet<FileId> = roots.iter().map(|root| root.id.clone()).collect();
        let mut level: Vec<FileId> = seen.iter().cloned().collect();
        let mut inside = Vec::new();
        while !level.is_empty() {
            let mut next = Vec::new();
            for folders in level.chunks(AT_ONCE) {
                for file in self.drive.list(&Query::new().in_any_parent(folders)).await? {
                    if file.owned_by_me && seen.insert(file.id.clone()) {
                        if file.is_folder() {
                            next.push(file.id.clone());
                        }
                        inside.push(file);
                    }
                }
            }
            level = next;
        }
        Ok((inside, roots))
    }

    /// All of ours elsewhere, found by name.
    async fn all_outside(
        &self,
        inside: &[DriveFile],
        roots: &[DriveFile],
    ) -> Result<Vec<DriveFile>, ManagerError> {
        let me = self.email();
        let mut queries: Vec<Query> =
            PREFIXES.iter().map(|prefix| Query::new().name_prefix(prefix)).collect();
        queries.push(Query::new().name_prefix(&format!("{me}-")));
        for name in [PEERS_FILE, VERSION_FILE] {
            queries.push(Query::new().name_is(name));
        }
        for generation in [Generation::V0_1, Generation::V0_10] {
            let log = EventLogFolderName { version: generation.version(), datasite: me.clone() };
            queries.push(Query::new().name_is(&log.to_string()));
        }
        let named = self.drive.list(&Query::any(queries).owned_by_me(true)).await?;
        let seen: BTreeSet<&FileId> = inside.iter().chain(roots).map(|file| &file.id).collect();
        let named: Vec<_> = named
            .into_iter()
            .filter(|file| !seen.contains(&file.id))
            .filter_map(|file| Some((found_by_name(&file, me)?, file)))
            .collect();
        let mut places: BTreeSet<FileId> =
            self.catalog.pair_folders().map(|(folder, _)| folder.id.clone()).collect();
        places.extend(named.iter().filter(|(_, file)| file.is_folder()).map(|(_, file)| file.id.clone()));
        let is_ours = |(found, file): &(Found, DriveFile)| match found {
            Found::Anywhere => true,
            Found::InItsPlace => {
                file.parents.is_empty() || file.parents.iter().any(|parent| places.contains(parent))
            }
        };
        Ok(named.into_iter().filter(is_ours).map(|(_, file)| file).collect())
    }

    async fn delete_on_drive(&mut self, order: Vec<FileId>) -> Result<(), ManagerError> {
        for ids in order.chunks(AT_ONCE) {
            let calls = ids.iter().cloned().map(BatchCall::Delete).collect();
            for (id, result) in ids.iter().zip(self.drive.batch(calls).await?) {
                match result {
                    Ok(_) => self.catalog.forget(id),
                    Err(error) if error.is_not_found() => self.catalog.forget(id),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Deletes the datasites here, ours and the copies of others, and then the manager's own state.
    async fn delete_here(&mut self, options: &DeleteOptions) -> Result<(), ManagerError> {
        for entry in self.files().list(None).await? {
            let Ok(owner) = entry.name.parse::<Email>() else { continue };
            let folder = entry.name.parse()?;
            if !options.keep_private || owner != *self.email() {
                self.files().remove(&folder).await?;
                continue;
            }
            for entry in self.files().list(Some(&folder)).await? {
                if entry.name != "private" {
                    self.files().remove(&folder.join(&entry.name)?).await?;
                }
            }
        }
        let state = path_of("account.json")?.parent();
        if let Some(state) = state {
            self.files().remove(&state).await?;
        }
        self.catalog = Catalog::default();
        self.ids = SpareIds::default();
        self.peers = Peers::default();
        self.bundles = Bundles::default();
        self.sealing = None;
        Ok(())
    }
}

/// How the names begin that are searched for. What is found is parsed before it counts.
const PREFIXES: [&str; 12] = [
    DatasiteFolderName::PREFIX,
    "syft_datasetcollection_",
    "syft_privatecollection_",
    "syft_encryption_bundles#",
    EncryptionBundleName::PREFIX,
    VersionFolderName::PREFIX,
    "syft_",
    "msgv2_",
    "syfteventsmessagev3_",
    "rolling_state_",
    "checkpoint_",
    "incremental_checkpoint_",
];

/// Whether the name of a file of ours, which lies outside our `SyftBox` folder, is one of the
/// protocol's, and made by us.
fn found_by_name(file: &DriveFile, me: &Email) -> Option<Found> {
    let name = file.name.as_str();
    if file.is_folder() {
        let is_ours = name.parse::<DatasiteFolderName>().is_ok_and(|name| name.other == *me)
            || name.parse::<EventLogFolderName>().is_ok_and(|name| name.datasite == *me)
            || name.parse::<ArchiveFolderName>().is_ok_and(|name| name.datasite == *me)
            || name.parse::<CheckpointsFolderName>().is_ok_and(|name| name.datasite == *me)
            || name.parse::<RollingStateFolderName>().is_ok_and(|name| name.datasite == *me)
            || name.parse::<EncryptionBundlesFolderName>().is_ok_and(|name| name.owner == *me)
            || name.parse::<VersionFolderName>().is_ok()
            || name.parse::<CollectionFolderName>().is_ok();
        return is_ours.then_some(Found::Anywhere);
    }
    let is_message = [MessageKind::Proposal, MessageKind::Events]
        .iter()
        .any(|kind| MessageName::parse(*kind, name).is_ok());
    if is_message {
        return Some(Found::Anywhere);
    }
    let is_ours = [PEERS_FILE, VERSION_FILE].contains(&name)
        || name.parse::<CheckpointName>().is_ok()
        || name.parse::<IncrementalCheckpointName>().is_ok()
        || name.parse::<RollingStateName>().is_ok()
        || name.parse::<EncryptionBundleName>().is_ok();
    is_ours.then_some(Found::InItsPlace)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(name: &str, is_folder: bool) -> Option<Found> {
        let mime = if is_folder { "application/vnd.google-apps.folder" } else { "application/gzip" };
        let file = json!({"id": "file-1", "name": name, "mimeType": mime, "ownedByMe": true});
        found_by_name(&DriveFile::from_json(file).unwrap(), &"do@x.org".parse().unwrap())
    }

    #[test]
    fn names_are_taken_whole() {
        let uuid = "d13abd37-c12b-437e-b969-f332be817438";
        for folder in [
            "syft_datasite#0.10.0#ds@x.org#inbox#do@x.org",
            "0.1.117#do@x.org",
            "syft_ds@x.org_to_do@x.org_archive",
            "do@x.org-0.10.0-checkpoints",
            "do@x.org-0.10.0-rolling-state",
            "syft_encryption_bundles#do@x.org",
            "SYFT_version_0.1.117",
            "syft_datasetcollection_my_data_a10b37e5a4b4",
            "syft_privatecollection_d_a10b37e5a4b4",
        ] {
            assert_eq!(found(folder, true), Some(Found::Anywhere), "{folder}");
            assert_eq!(found(folder, false), None, "{folder} as a file");
        }
        for file in [&format!("msgv2_1.5_{uuid}.tar.gz"), &format!("syfteventsmessagev3_1.5_{uuid}.tar.gz")] {
            assert_eq!(found(file, false), Some(Found::Anywhere), "{file}");
        }
        for file in [
            "checkpoint_1.5.tar.gz",
            "rolling_state_1.5.tar.gz",
            "SYFT_peers.json",
            "encryption_bundle_do@x.org_for_ds@x.org.json",
        ] {
            assert_eq!(found(file, false), Some(Found::InItsPlace), "{file}");
        }
        for other in [
            "syft_notes",
            "checkpoint_x",
            "checkpoint_1.5.tar.gz.bak",
            "msgv2_notes.tar.gz",
            "SyftBox",
            "SYFT_version_notes",
            "syft_datasite#0.10.0#do@x.org#inbox#ds@x.org",
            "0.10.0#ds@x.org",
            "syft_do@x.org_to_ds@x.org_archive",
            "ds@x.org-0.10.0-checkpoints",
            "syft_datasetcollection_my_data",
        ] {
            assert_eq!((found(other, true), found(other, false)), (None, None), "{other}");
        }
    }
}
