//! Who may see a dataset, and its end.

use serde::{Deserialize, Serialize};

use super::{Dataset, private_folder, public_folder};
use crate::{
    domain::Email,
    drive::{BatchCall, FileId, Grantee, Role},
    manager::{ManagerError, SyftboxManager},
    permissions::{Access, Level, PERMISSION_FILE, Pattern, PermissionFile},
    sync::SyncReport,
    wire::{dataset::DatasetName, names::SHARED_WITH_ANY_PROPERTY, yaml::MAX_YAML_BYTES},
};

/// Who may see the mock half of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// These, and nobody when empty.
    Users(Vec<Email>),
    /// Every peer that is or will be accepted.
    Any,
}

impl Audience {
    /// The permission file of the mock half; `None` when nobody is in the audience.
    pub(super) fn rules(&self) -> Option<PermissionFile> {
        let access = match self {
            Self::Users(users) if users.is_empty() => return None,
            Self::Users(users) => Access::read(users),
            Self::Any => Access::read_by_anyone(),
        };
        Some(PermissionFile::single(Pattern::everything(), access))
    }
}

impl SyftboxManager {
    /// Lets more peers see one of our datasets, and syncs when told to. The owner's role.
    ///
    /// # Errors
    /// [`ManagerError::NoDataset`], or whatever Drive says.
    pub async fn share_dataset(
        &mut self,
        name: &DatasetName,
        audience: &Audience,
        sync: bool,
    ) -> Result<Dataset, ManagerError> {
        self.need_owner("sharing a dataset")?;
        self.finish_creations(&mut SyncReport::default()).await?;
        let dataset = self.own_dataset(name).await?;
        self.refresh_catalog(false).await?;
        let folders = self.collection_folders(name, false);
        for folder in &folders {
            if *audience == Audience::Any {
                let property = (SHARED_WITH_ANY_PROPERTY.to_owned(), "true".to_owned());
                let described = self.drive.describe(folder, None, &[property].into()).await?;
                self.catalog.note(described);
            }
            self.share_collection(folder, audience).await?;
        }
        self.save_catalog().await?;
        let file = public_folder(self.email(), name)?.join(PERMISSION_FILE)?;
        let mut rules = match self.files().read(&file, MAX_YAML_BYTES as u64).await {
            Ok(yaml) => PermissionFile::parse(&yaml)?,
            Err(_) => PermissionFile::default(),
        };
        match audience {
            Audience::Users(users) => {
                for user in users {
                    rules.grant(Pattern::everything(), Level::Read, user);
                }
            }
            Audience::Any => rules.set(Pattern::everything(), Access::read_by_anyone()),
        }
        self.write_text(&file, rules.to_yaml()?).await?;
        self.sync_after(sync).await?;
        Ok(dataset)
    }

    /// Deletes one of our datasets: both halves here, and what is on Drive of them. Syncs when told to.
    /// The owner's role.
    ///
    /// # Errors
    /// [`ManagerError::NoDataset`], or whatever Drive says.
    pub async fn delete_dataset(&mut self, name: &DatasetName, sync: bool) -> Result<Dataset, ManagerError> {
        self.need_owner("deleting a dataset")?;
        self.finish_creations(&mut SyncReport::default()).await?;
        let dataset = self.own_dataset(name).await?;
        self.refresh_catalog(false).await?;
        let mut folders = self.collection_folders(name, false);
        folders.extend(self.collection_folders(name, true));
        self.all_of(folders.iter().cloned().map(BatchCall::Delete).collect()).await?;
        for folder in &folders {
            self.catalog.take_away(folder);
        }
        self.save_catalog().await?;
        // The private half first: a crash between them leaves a dataset that can be deleted again.
        self.files().remove(&private_folder(self.email(), name)?).await?;
        self.files().remove(&public_folder(self.email(), name)?).await?;
        self.sync_after(sync).await?;
        Ok(dataset)
    }

    /// The folders on Drive of one half of our dataset: one, and older ones that an interrupted
    /// change left.
    fn collection_folders(&self, name: &DatasetName, private: bool) -> Vec<FileId> {
        self.catalog
            .collections_of(self.email())
            .filter(|(_, collection)| collection.name == *name && collection.private == private)
            .map(|(folder, _)| folder.id.clone())
            .collect()
    }

    /// Lets the audience read a folder on Drive; "any" are the peers accepted so far, and those
    /// accepted later get it then (wire section 3).
    pub(super) async fn share_collection(
        &self,
        folder: &FileId,
        audience: &Audience,
    ) -> Result<(), ManagerError> {
        let users: Vec<Email> = match audience {
            Audience::Users(users) => users.clone(),
            Audience::Any => self.peers.accepted().cloned().collect(),
        };
        let shares = users
            .into_iter()
            .filter(|user| user != self.email())
            .map(|user| BatchCall::Share {
                id: folder.clone(),
                grantee: Grantee::User(user),
                role: Role::Reader,
            })
            .collect();
        self.all_of(shares).await?;
        Ok(())
    }
}
