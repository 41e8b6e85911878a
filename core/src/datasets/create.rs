//! Creating a dataset: locally first, complete or not at all, then as a collection on Drive, shared
//! last, so that peers never see half of one.

use bytes::Bytes;

use super::{Audience, Dataset, Source, SourceFile, private_folder, public_folder};
use crate::{
    domain::{DatasitePath, Timestamp},
    manager::{ManagerError, SyftboxManager},
    permissions::{Access, PERMISSION_FILE, Pattern, PermissionFile},
    platform::{FileKind, tree, uuid},
    state::path_of,
    sync::SyncReport,
    wire::dataset::{
        DATASET_FILE, DatasetName, DatasetYaml, PRIVATE_METADATA_FILE, PrivateMetadata, SyftUrl,
    },
};

/// Where datasets are put together, in our own state.
pub(super) const STAGED: &str = "staged";

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
    /// Sync when it is created.
    pub sync: bool,
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
        self.finish_creations(&mut SyncReport::default()).await?;
        let me = self.email().clone();
        let (public, private) = (public_folder(&me, &new.name)?, private_folder(&me, &new.name)?);
        for folder in [&public, &private] {
            if self.files().stat(folder).await?.is_some() {
                return Err(ManagerError::DatasetExists(new.name.to_string()));
            }
        }
        let staged = self.stage(&new).await?;
        let creation = self.plan_creation(&new, &staged.public, &staged.private).await?;
        self.files().rename(&staged.private, &private).await?;
        self.files().rename(&staged.public, &public).await?;
        self.files().remove(&staged.folder).await?;
        if let Err(error) = self.carry_out_creation(&creation).await {
            self.undo_creation(&creation).await?;
            return Err(error);
        }
        self.sync_after(new.sync).await?;
        self.own_dataset(&new.name).await
    }

    /// Puts both halves together in a folder of our own state.
    async fn stage(&self, new: &NewDataset) -> Result<Staged, ManagerError> {
        let folder = path_of(STAGED)?.join(new.name.as_str())?;
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
