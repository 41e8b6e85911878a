//! Datasets (wire section 8): a mock half that peers see, a private half that stays.

mod create;
mod creation;
mod share;
mod source;

use serde::Serialize;

pub use self::{
    create::NewDataset,
    share::Audience,
    source::{Source, SourceFile},
};
use crate::{
    domain::{DatasitePath, Email, PathError},
    drive::FileId,
    manager::{ManagerError, SyftboxManager},
    permissions::{Level, PERMISSION_FILE, PermissionFile, Permissions},
    platform::FileKind,
    wire::{
        dataset::{DATASET_FILE, DatasetName, DatasetYaml, PRIVATE_DATASETS, PUBLIC_DATASETS},
        names::SHARED_WITH_ANY_PROPERTY,
        yaml::MAX_YAML_BYTES,
    },
};

/// A dataset as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dataset {
    /// Its name, unique for its owner.
    pub name: DatasetName,
    /// Whose it is.
    pub owner: Email,
    /// What it is about.
    pub summary: Option<String>,
    /// Words to find it by.
    #[serde(skip)]
    pub tags: Vec<String>,
    /// The names of the files of its mock half.
    pub mock_files: Vec<String>,
}

/// Where the mock half of a dataset lies in the `SyftBox` folder.
pub(crate) fn public_folder(owner: &Email, name: &DatasetName) -> Result<DatasitePath, PathError> {
    format!("{owner}/{PUBLIC_DATASETS}/{}", name.as_str()).parse()
}

/// Where the private half of a dataset lies in the `SyftBox` folder.
pub(crate) fn private_folder(owner: &Email, name: &DatasetName) -> Result<DatasitePath, PathError> {
    format!("{owner}/{PRIVATE_DATASETS}/{}", name.as_str()).parse()
}

impl SyftboxManager {
    /// The datasets whose mock half is here: ours, and those that peers share with us, as of the
    /// last sync.
    ///
    /// # Errors
    /// When the local folder can't be read.
    pub async fn known_datasets(&self) -> Result<Vec<Dataset>, ManagerError> {
        let mut datasets = Vec::new();
        for entry in self.files().list(None).await? {
            if let Ok(owner) = entry.name.parse::<Email>() {
                datasets.extend(self.datasets_of(&owner).await?);
            }
        }
        Ok(datasets)
    }

    pub(crate) async fn datasets_of(&self, owner: &Email) -> Result<Vec<Dataset>, ManagerError> {
        let folder: DatasitePath = format!("{owner}/{PUBLIC_DATASETS}").parse()?;
        let mut datasets = Vec::new();
        for entry in self.files().list(Some(&folder)).await? {
            if entry.stat.kind == FileKind::Folder
                && let Ok(name) = entry.name.parse::<DatasetName>()
                && let Some(dataset) = self.read_dataset(owner, name).await
            {
                datasets.push(dataset);
            }
        }
        Ok(datasets)
    }

    /// A folder without a `dataset.yaml` that can be understood is no dataset. Name and owner are
    /// those of the folder, whatever the file says.
    async fn read_dataset(&self, owner: &Email, name: DatasetName) -> Option<Dataset> {
        let file = public_folder(owner, &name).ok()?.join(DATASET_FILE).ok()?;
        let yaml = self.files().read(&file, MAX_YAML_BYTES as u64).await.ok()?;
        let dataset = DatasetYaml::parse(&yaml).ok()?;
        let mock_files = dataset.mock_files_urls.iter().map(|url| url.path.file_name().to_owned()).collect();
        Some(Dataset { name, owner: owner.clone(), summary: dataset.summary, tags: dataset.tags, mock_files })
    }

    /// Our dataset of that name.
    pub(crate) async fn own_dataset(&self, name: &DatasetName) -> Result<Dataset, ManagerError> {
        let me = self.email().clone();
        let missing = || ManagerError::NoDataset(name.as_str().to_owned());
        self.read_dataset(&me, name.clone()).await.ok_or_else(missing)
    }

    /// Whether `peer` may see the mock half of our dataset: then its jobs may use the private one.
    pub(crate) async fn dataset_is_shared_with(
        &self,
        name: &DatasetName,
        peer: &Email,
    ) -> Result<bool, ManagerError> {
        let me = self.email();
        let file = public_folder(me, name)?.join(PERMISSION_FILE)?;
        let Ok(yaml) = self.files().read(&file, MAX_YAML_BYTES as u64).await else { return Ok(false) };
        let Ok(rules) = PermissionFile::parse(&yaml) else { return Ok(false) };
        let folder: DatasitePath = format!("{PUBLIC_DATASETS}/{}", name.as_str()).parse()?;
        let mut permissions = Permissions::default();
        permissions.insert(Some(&folder), rules);
        Ok(permissions.allows(peer, me, &folder.join(DATASET_FILE)?, Level::Read))
    }

    /// The folders on Drive of our datasets that are for any peer.
    pub(crate) fn datasets_for_anyone(&self) -> Vec<FileId> {
        self.catalog
            .collections_of(self.email())
            .filter(|(folder, name)| {
                let property = folder.app_properties.get(SHARED_WITH_ANY_PROPERTY);
                !name.private && property.is_some_and(|value| value == "true")
            })
            .map(|(folder, _)| folder.id.clone())
            .collect()
    }
}
