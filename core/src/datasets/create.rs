//! Creating a dataset: locally first, complete or not at all, then as a collection on Drive, shared
//! last, so that peers never see half of one.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Audience, Dataset, Source, SourceFile, private_folder, public_folder};
use crate::{
    domain::{DatasitePath, Timestamp},
    drive::{Content, FileId, NewFile},
    manager::{ManagerError, SyftboxManager},
    permissions::{Access, PERMISSION_FILE, Pattern, PermissionFile},
    platform::{FileKind, tree, uuid},
    state::path_of,
    wire::{
        dataset::{DATASET_FILE, DatasetName, DatasetYaml, PRIVATE_METADATA_FILE, PrivateMetadata, SyftUrl},
        names::{CollectionFolderName, CollectionHasher, SHARED_WITH_ANY_PROPERTY},
    },
};

/// How many files are uploaded at once.
const PARALLEL_UPLOADS: usize = 4;

/// A dataset to create.
pub struct NewDataset {
    /// Its name.
    pub name: DatasetName,
    /// What peers see: a file, or a folder without folders in it.
    pub mock: Source,
    /// What stays; jobs that were approved see it.
    pub private: Source,
    /// What it is about.
    pub summary: Option<String>,
    /// A file that explains it, published with the mock half.
    pub readme: Option<Source>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Who may see the mock half and let jobs use the private one.
    pub audience: Audience,
    /// Keep a copy of the private half on our own Drive, shared with nobody.
    pub upload_private: bool,
}

/// The two halves on their way to their places.
struct Staged {
    folder: DatasitePath,
    public: DatasitePath,
    private: DatasitePath,
}

impl SyftboxManager {
    /// Creates a dataset and shares it with its audience. The owner's role.
    ///
    /// # Errors
    /// [`ManagerError::DatasetExists`], [`ManagerError::BadSource`], or whatever Drive says; there
    /// is no such dataset then.
    pub async fn create_dataset(&mut self, new: NewDataset) -> Result<Dataset, ManagerError> {
        self.need_owner("creating a dataset")?;
        let me = self.email().clone();
        let (public, private) = (public_folder(&me, &new.name)?, private_folder(&me, &new.name)?);
        for folder in [&public, &private] {
            if self.files().stat(folder).await?.is_some() {
                return Err(ManagerError::DatasetExists(new.name.to_string()));
            }
        }
        let staged = self.stage(&new).await?;
        self.files().rename(&staged.private, &private).await?;
        self.files().rename(&staged.public, &public).await?;
        self.files().remove(&staged.folder).await?;
        if let Err(error) = self.upload_halves(&new, &public, &private).await {
            for folder in [&public, &private] {
                self.files().remove(folder).await?;
            }
            return Err(error);
        }
        self.own_dataset(&new.name).await
    }

    /// Puts both halves together in a folder of our own state.
    async fn stage(&self, new: &NewDataset) -> Result<Staged, ManagerError> {
        let folder = path_of(&format!("staged/{}", new.name))?;
        self.files().remove(&folder).await?;
        let staged = Staged { public: folder.join("public")?, private: folder.join("private")?, folder };
        let mock = mock_files(&new.mock).await?;
        let readme = self.readme_file(new, &mock).await?;
        self.copy_all(&new.mock, &mock, &staged.public).await?;
        if let (Some(source), Some(file)) = (&new.readme, &readme) {
            self.copy_all(source, std::slice::from_ref(file), &staged.public).await?;
        }
        let private = new.private.list(|_| true).await?;
        for reserved in [PERMISSION_FILE, PRIVATE_METADATA_FILE] {
            if private.iter().any(|file| file.name.as_str() == reserved) {
                return Err(new
                    .private
                    .bad(format!("a file in it is named {reserved}; give it another name")));
            }
        }
        self.copy_all(&new.private, &private, &staged.private).await?;
        self.write_descriptions(new, &mock, readme.as_ref(), &staged).await?;
        Ok(staged)
    }

    async fn readme_file(
        &self,
        new: &NewDataset,
        mock: &[SourceFile],
    ) -> Result<Option<SourceFile>, ManagerError> {
        let Some(source) = &new.readme else { return Ok(None) };
        let Some(file) = source.list(|_| false).await?.into_iter().next().filter(|_| !source.is_folder())
        else {
            return Err(source.bad("a readme is a file; name the file"));
        };
        let taken = mock.iter().any(|other| other.name == file.name);
        if taken || is_reserved(&file.name) {
            return Err(source.bad("the mock half has a file of that name; give the readme another name"));
        }
        Ok(Some(file))
    }

    async fn copy_all(
        &self,
        source: &Source,
        files: &[SourceFile],
        folder: &DatasitePath,
    ) -> Result<(), ManagerError> {
        for file in files {
            let target = folder.join(file.name.as_str())?;
            tree::copy(source.files.as_ref(), &file.path, self.files(), &target).await?;
        }
        Ok(())
    }

    async fn write_descriptions(
        &self,
        new: &NewDataset,
        mock: &[SourceFile],
        readme: Option<&SourceFile>,
        staged: &Staged,
    ) -> Result<(), ManagerError> {
        let me = self.email();
        let now: Timestamp = self.now();
        let uid = uuid(self.platform.random.as_ref());
        let public = public_folder(me, &new.name)?;
        let datasite = Self::datasite_folder(me)?;
        let url_of = |folder: &DatasitePath| -> Result<SyftUrl, ManagerError> {
            let path =
                folder.below(&datasite).ok_or_else(|| ManagerError::NoDataset(new.name.to_string()))?;
            Ok(SyftUrl { owner: me.clone(), path })
        };
        let url_in = |name: &DatasitePath| url_of(&public.join(name.as_str())?);
        let description = DatasetYaml {
            uid,
            created_at: now,
            updated_at: now,
            name: new.name.clone(),
            summary: new.summary.clone(),
            tags: new.tags.clone(),
            location: None,
            mock_url: url_of(&public)?,
            private_url: url_of(&private_folder(me, &new.name)?)?,
            readme_url: readme.map(|file| url_in(&file.name)).transpose()?,
            mock_files_urls: mock.iter().map(|file| url_in(&file.name)).collect::<Result<_, _>>()?,
        };
        self.write_text(&staged.public.join(DATASET_FILE)?, description.to_yaml()?).await?;
        let metadata = PrivateMetadata { uid, data_dir: self.private_data_dir(&new.name)? }.to_yaml()?;
        self.write_text(&staged.private.join(PRIVATE_METADATA_FILE)?, metadata).await?;
        let ours = PermissionFile::single(Pattern::everything(), Access::read([me]));
        self.write_text(&staged.private.join(PERMISSION_FILE)?, ours.to_yaml()?).await?;
        self.write_audience(&staged.public, &new.audience).await
    }

    /// Where the private half of a dataset of ours is on this machine, as `private_metadata.yaml` has it.
    pub(crate) fn private_data_dir(&self, name: &DatasetName) -> Result<String, ManagerError> {
        Ok(format!("{}/{}", self.settings.folder, private_folder(self.email(), name)?))
    }

    /// Writes the permission file of a mock half into `folder`.
    pub(crate) async fn write_audience(
        &self,
        folder: &DatasitePath,
        audience: &Audience,
    ) -> Result<(), ManagerError> {
        match audience.rules() {
            Some(rules) => self.write_text(&folder.join(PERMISSION_FILE)?, rules.to_yaml()?).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn write_text(&self, path: &DatasitePath, text: String) -> Result<(), ManagerError> {
        Ok(self.files().write(path, Bytes::from(text)).await?)
    }

    async fn upload_halves(
        &mut self,
        new: &NewDataset,
        public: &DatasitePath,
        private: &DatasitePath,
    ) -> Result<(), ManagerError> {
        let mut made = Vec::new();
        let done = self.upload_and_share(new, public, private, &mut made).await;
        if done.is_err() {
            for folder in made {
                // Best effort: the first error is the one to tell.
                if self.drive.delete(&folder).await.is_ok() {
                    self.catalog.forget(&folder);
                }
            }
            self.save_catalog().await?;
        }
        done
    }

    async fn upload_and_share(
        &mut self,
        new: &NewDataset,
        public: &DatasitePath,
        private: &DatasitePath,
        made: &mut Vec<FileId>,
    ) -> Result<(), ManagerError> {
        if new.upload_private {
            self.upload_collection(&new.name, private, true, false, made).await?;
        }
        let for_any = matches!(new.audience, Audience::Any);
        let folder = self.upload_collection(&new.name, public, false, for_any, made).await?;
        self.share_collection(&folder, &new.audience).await
    }

    /// Uploads one half as a collection named after its content.
    async fn upload_collection(
        &mut self,
        name: &DatasetName,
        local: &DatasitePath,
        private: bool,
        for_any: bool,
        made: &mut Vec<FileId>,
    ) -> Result<FileId, ManagerError> {
        let mut files = Vec::new();
        for (path, stat) in tree::walk(self.files(), Some(local), |_| true).await? {
            let Some(name) = path.below(local) else { continue };
            // The mock half's rules are for us alone; Drive has them as shares.
            if private || name.as_str() != PERMISSION_FILE {
                files.push((name, path, stat.len));
            }
        }
        let mut hasher = CollectionHasher::default();
        for (name, path, _) in &files {
            hasher.file(name.as_str());
            tree::read_pieces(self.files(), path, |piece| hasher.update(piece)).await?;
        }
        let folder_name = CollectionFolderName { name: name.clone(), hash: hasher.finish(), private };
        let mut ids = self.ids.take(files.len() + 1, &self.drive, &self.state).await?;
        let Some(folder_id) = ids.pop() else { return Err(ManagerError::NoIds) };
        let mut folder = NewFile::new(folder_id.clone(), folder_name.to_string(), self.root()?);
        if for_any {
            folder.app_properties.insert(SHARED_WITH_ANY_PROPERTY.to_owned(), "true".to_owned());
        }
        made.push(folder_id.clone());
        self.make_folder(folder).await?;
        stream::iter(ids.into_iter().zip(files))
            .map(|(id, (name, path, len))| {
                let new = NewFile::new(id, name.as_str(), folder_id.clone());
                let content = Content::File { files: self.platform.files.clone(), path, len };
                self.drive.upload(new, content)
            })
            .buffer_unordered(PARALLEL_UPLOADS)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        Ok(folder_id)
    }
}

/// The mock half's files. A collection has no folders on the wire, so the source may have none.
async fn mock_files(source: &Source) -> Result<Vec<SourceFile>, ManagerError> {
    if source.is_folder() {
        for entry in source.files.list(None).await? {
            if entry.stat.kind == FileKind::Folder {
                let why = format!(
                    "a mock half has no folders, and {:?} is one; put the files side by side",
                    entry.name
                );
                return Err(source.bad(why));
            }
        }
    }
    let files = source.list(|_| false).await?;
    match files.iter().find(|file| is_reserved(&file.name)) {
        Some(file) => Err(source.bad(format!(
            "the name {} is taken by the dataset itself; give the file another name",
            file.name
        ))),
        None => Ok(files),
    }
}

fn is_reserved(name: &DatasitePath) -> bool {
    [DATASET_FILE, PERMISSION_FILE].contains(&name.as_str())
}
