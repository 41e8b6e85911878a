//! A dataset on its way to Drive. What will be made is written down before Drive is touched, so a
//! creation that was cut off is finished by the next call, or leaves nothing behind.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{Audience, NewDataset, create::STAGED, private_folder, public_folder};
use crate::{
    domain::DatasitePath,
    drive::{Content, FileId, NewFile},
    manager::{ManagerError, SyftboxManager},
    permissions::PERMISSION_FILE,
    platform::tree,
    state::path_of,
    sync::SyncReport,
    wire::{
        dataset::DatasetName,
        names::{CollectionFolderName, CollectionHasher, SHARED_WITH_ANY_PROPERTY},
    },
};

/// Where creations are written down, in our own state.
const CREATING: &str = "creating";
/// How many files are uploaded at once.
const PARALLEL_UPLOADS: usize = 4;

/// A creation that isn't finished.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Creation {
    name: DatasetName,
    audience: Audience,
    public: PlannedCollection,
    /// Only when the private half goes to Drive.
    private: Option<PlannedCollection>,
}

/// The ids that one half will have on Drive.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PlannedCollection {
    folder: FileId,
    files: Vec<FileId>,
}

impl Creation {
    fn record(&self) -> Result<DatasitePath, ManagerError> {
        Ok(path_of(CREATING)?.join(&format!("{}.json", self.name))?)
    }
}

impl SyftboxManager {
    /// Writes down what will be made of two halves that are put together.
    pub(super) async fn plan_creation(
        &mut self,
        new: &NewDataset,
        public: &DatasitePath,
        private: &DatasitePath,
    ) -> Result<Creation, ManagerError> {
        let creation = Creation {
            name: new.name.clone(),
            audience: new.audience.clone(),
            public: self.plan_collection(public, false).await?,
            private: if new.upload_private { Some(self.plan_collection(private, true).await?) } else { None },
        };
        self.state.save_at(&creation.record()?, &creation).await?;
        Ok(creation)
    }

    async fn plan_collection(
        &mut self,
        local: &DatasitePath,
        private: bool,
    ) -> Result<PlannedCollection, ManagerError> {
        let count = self.collection_files(local, private).await?.len();
        let mut files = self.ids.take(count + 1, &self.drive, &self.state).await?;
        let folder = files.pop().ok_or(ManagerError::NoIds)?;
        Ok(PlannedCollection { folder, files })
    }

    /// Uploads the halves, shares the mock one, and forgets the plan. Doing so again does what is missing.
    pub(super) async fn carry_out_creation(&mut self, creation: &Creation) -> Result<(), ManagerError> {
        let me = self.email().clone();
        if let Some(private) = &creation.private {
            self.upload_collection(creation, private, &private_folder(&me, &creation.name)?, true).await?;
        }
        let public = public_folder(&me, &creation.name)?;
        self.upload_collection(creation, &creation.public, &public, false).await?;
        self.share_collection(&creation.public.folder, &creation.audience).await?;
        Ok(self.files().remove(&creation.record()?).await?)
    }

    /// Takes back what there is of the dataset, here and, as far as it can be reached, on Drive.
    pub(super) async fn undo_creation(&mut self, creation: &Creation) -> Result<(), ManagerError> {
        let folders = creation.private.iter().chain([&creation.public]).map(|half| &half.folder);
        for folder in folders {
            // Best effort: there is an error to tell already.
            if self.drive.delete(folder).await.is_ok() {
                self.catalog.take_away(folder);
            }
        }
        self.save_catalog().await?;
        let me = self.email().clone();
        for folder in [public_folder(&me, &creation.name)?, private_folder(&me, &creation.name)?] {
            self.files().remove(&folder).await?;
        }
        Ok(self.files().remove(&creation.record()?).await?)
    }

    /// Finishes creations that a crash cut off when both halves are in place, and takes the others
    /// back: of those Drive has nothing yet.
    pub(crate) async fn finish_creations(&mut self, report: &mut SyncReport) -> Result<(), ManagerError> {
        let me = self.email().clone();
        for entry in self.files().list(Some(&path_of(CREATING)?)).await? {
            let record = path_of(CREATING)?.join(&entry.name)?;
            let Some(creation) = self.state.load_at::<Creation>(&record).await? else { continue };
            let mut is_in_place = true;
            for half in [public_folder(&me, &creation.name)?, private_folder(&me, &creation.name)?] {
                is_in_place &= self.files().stat(&half).await?.is_some();
            }
            let why = if is_in_place {
                match self.carry_out_creation(&creation).await {
                    Ok(()) => continue,
                    Err(ManagerError::Drive(error)) if !error.may_retry() => {
                        format!("its creation was cut off and can't be finished: {error}; create it again")
                    }
                    Err(error) => return Err(error),
                }
            } else {
                "its creation was cut off; create it again".to_owned()
            };
            report.refuse(&me, format!("dataset {}", creation.name), why);
            self.undo_creation(&creation).await?;
        }
        let staged = path_of(STAGED)?;
        if !self.files().list(Some(&staged)).await?.is_empty() {
            self.files().remove(&staged).await?;
        }
        Ok(())
    }

    /// What of a half travels: its name in the collection, where it is, and its length.
    async fn collection_files(
        &self,
        local: &DatasitePath,
        private: bool,
    ) -> Result<Vec<(DatasitePath, DatasitePath, u64)>, ManagerError> {
        let mut files = Vec::new();
        for (path, stat) in tree::walk(self.files(), Some(local), |_| true).await? {
            let Some(name) = path.below(local) else { continue };
            // The mock half's rules are for us alone; Drive has them as shares.
            if private || name.as_str() != PERMISSION_FILE {
                files.push((name, path, stat.len));
            }
        }
        Ok(files)
    }

    /// Uploads one half as a collection named after its content.
    async fn upload_collection(
        &mut self,
        creation: &Creation,
        planned: &PlannedCollection,
        local: &DatasitePath,
        private: bool,
    ) -> Result<(), ManagerError> {
        let files = self.collection_files(local, private).await?;
        let mut hasher = CollectionHasher::default();
        for (name, path, _) in &files {
            hasher.file(name.as_str());
            tree::read_pieces(self.files(), path, |piece| hasher.update(piece)).await?;
        }
        let folder_name =
            CollectionFolderName { name: creation.name.clone(), hash: hasher.finish(), private };
        let mut folder = NewFile::new(planned.folder.clone(), folder_name.to_string(), self.root()?);
        if creation.audience == Audience::Any && !private {
            folder.app_properties.insert(SHARED_WITH_ANY_PROPERTY.to_owned(), "true".to_owned());
        }
        self.make_folder(folder).await?;
        stream::iter(planned.files.iter().zip(files))
            .map(|(id, (name, path, len))| {
                let new = NewFile::new(id.clone(), name.as_str(), planned.folder.clone());
                let content = Content::File { files: self.platform.files.clone(), path, len };
                self.drive.upload(new, content)
            })
            .buffer_unordered(PARALLEL_UPLOADS)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        Ok(())
    }
}
