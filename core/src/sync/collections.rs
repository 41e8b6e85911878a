//! Collections are fetched: by a scientist the mock halves of datasets, by a new machine of an owner both halves of its
//! own (wire sections 2 and 8).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{SyncReport, follow::FollowedDatasite};
use crate::{
    catalog::Catalog,
    datasets,
    domain::{ContentHash, ContentHasher, DatasitePath, Email},
    drive::{DriveError, DriveFile, FileId},
    manager::{ManagerError, SyftboxManager},
    platform::tree,
    state::{Document, path_of},
    wire::{
        dataset::DatasetName,
        names::{CollectionHash, CollectionHasher},
    },
};

/// More files than this in one collection are refused.
const MAX_FILES: usize = 10_000;
/// More bytes than this in one collection are refused.
const MAX_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// A collection whose files are here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FetchedCollection {
    /// The folder on Drive that they came from.
    folder: FileId,
}

/// Why a collection isn't fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum RefusedCollection {
    #[error("it has {0} files, at most {MAX_FILES} are possible; ask its owner to split it")]
    TooManyFiles(usize),
    #[error("it has {0} bytes, at most {MAX_BYTES} are possible; ask its owner to split it")]
    TooLarge(u64),
    #[error("it has {0:?}, which can't be a file here; ask its owner to rename it")]
    BadName(String),
    #[error("it has two files named {0:?}; ask its owner to create it again")]
    SameName(String),
    #[error("its files don't have the hash that its name says; sync again later")]
    OtherHash(ContentHash),
    #[error(transparent)]
    Download(#[from] DriveError),
}

/// A collection on Drive that we may read.
pub(super) struct Shared {
    pub(super) folder: FileId,
    hash: CollectionHash,
}

/// The halves of the datasets of `owner` that we may read; of one name the newest counts.
pub(super) fn shared_by(catalog: &Catalog, owner: &Email, private: bool) -> BTreeMap<DatasetName, Shared> {
    let mut newest: BTreeMap<DatasetName, (&DriveFile, CollectionHash)> = BTreeMap::new();
    for (folder, name) in catalog.collections_of(owner) {
        let is_newer = newest.get(&name.name).is_none_or(|(other, _)| other.created < folder.created);
        if name.private == private && is_newer {
            newest.insert(name.name, (folder, name.hash));
        }
    }
    newest
        .into_iter()
        .map(|(name, (folder, hash))| (name, Shared { folder: folder.id.clone(), hash }))
        .collect()
}

impl SyftboxManager {
    /// Fetches what is new of the collections of `owners`, and drops what is gone.
    pub(super) async fn fetch_collections(
        &mut self,
        owners: &[Email],
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        let mut followed = self.load_followed().await?;
        for owner in owners {
            let shared = shared_by(&self.catalog, owner, false);
            let FollowedDatasite { collections: here, refused, .. } =
                followed.datasites.entry(owner.clone()).or_default();
            let gone: Vec<_> = here.keys().filter(|name| !shared.contains_key(*name)).cloned().collect();
            for name in gone {
                self.files().remove(&datasets::public_folder(owner, &name)?).await?;
                here.remove(&name);
                report.datasets_dropped += 1;
            }
            for (name, collection) in shared {
                if here.get(&name).is_some_and(|fetched| fetched.folder == collection.folder) {
                    continue;
                }
                match self.fetch_collection(&collection, refused.get(&name)).await? {
                    Ok(incoming) => {
                        let target = datasets::public_folder(owner, &name)?;
                        self.files().remove(&target).await?;
                        self.files().rename(&incoming, &target).await?;
                        refused.remove(&name);
                        here.insert(name, FetchedCollection { folder: collection.folder });
                        report.datasets_fetched += 1;
                    }
                    Err(why) => {
                        report.refuse(owner, format!("dataset {}", name.as_str()), &why);
                        if let RefusedCollection::OtherHash(content) = why {
                            refused.insert(name, content);
                        }
                    }
                }
            }
        }
        Ok(self.state.save(Document::Followed, &followed).await?)
    }

    /// Fetches one collection into a folder that is to be renamed; the inner error says why it was refused.
    pub(super) async fn fetch_collection(
        &mut self,
        collection: &Shared,
        refused: Option<&ContentHash>,
    ) -> Result<Result<DatasitePath, RefusedCollection>, ManagerError> {
        self.catalog.ensure_listed(&self.drive, [collection.folder.clone()]).await?;
        let mut files: Vec<_> = self.catalog.children(&collection.folder).cloned().collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        if let Err(why) = check_listing(&files) {
            return Ok(Err(why));
        }
        let content = content_of(&files);
        if refused == Some(&content) {
            self.catalog.forget_children(&collection.folder);
            return Ok(Err(RefusedCollection::OtherHash(content)));
        }
        let incoming = path_of(&format!("incoming/{}", collection.folder))?;
        self.files().remove(&incoming).await?;
        self.files().create_folder(&incoming).await?;
        let mut hasher = CollectionHasher::default();
        let mut left = MAX_BYTES;
        for file in &files {
            let path = incoming.join(&file.name)?;
            let mut sink = self.files().create(&path).await?;
            match self.drive.download_to(&file.id, sink.as_mut(), left).await {
                Ok(len) => left = left.saturating_sub(len),
                Err(error) if super::receive::may_pass_over(&error) => return Ok(Err(error.into())),
                Err(error) => return Err(error.into()),
            }
            sink.commit().await?;
            hasher.file(&file.name);
            tree::read_pieces(self.files(), &path, |piece| hasher.update(piece)).await?;
        }
        if hasher.finish() != collection.hash {
            self.files().remove(&incoming).await?;
            // Its owner may still be uploading: then the next sync finds it whole.
            self.catalog.forget_children(&collection.folder);
            return Ok(Err(RefusedCollection::OtherHash(content)));
        }
        Ok(Ok(incoming))
    }
}

/// Tells apart what lies in a collection's folder at one time and at another, without downloading it.
fn content_of(files: &[DriveFile]) -> ContentHash {
    let mut hasher = ContentHasher::default();
    for file in files {
        hasher.update(format!("{} {}\n", file.id, file.content_state()).as_bytes());
    }
    hasher.finish()
}

/// Whether what lies in a collection's folder can become local files.
fn check_listing(files: &[DriveFile]) -> Result<(), RefusedCollection> {
    if files.len() > MAX_FILES {
        return Err(RefusedCollection::TooManyFiles(files.len()));
    }
    for (at, file) in files.iter().enumerate() {
        let is_name = file.name.parse::<DatasitePath>().is_ok_and(|path| path.components().count() == 1);
        if !is_name || file.is_folder() {
            return Err(RefusedCollection::BadName(file.name.clone()));
        }
        if at > 0 && files[at - 1].name == file.name {
            return Err(RefusedCollection::SameName(file.name.clone()));
        }
    }
    let bytes: u64 = files.iter().filter_map(|file| file.size).sum();
    if bytes > MAX_BYTES {
        return Err(RefusedCollection::TooLarge(bytes));
    }
    Ok(())
}
