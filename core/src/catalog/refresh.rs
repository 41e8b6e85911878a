//! How the catalog learns what changed on Drive.

use crate::{
    catalog::{Catalog, is_root},
    drive::{Change, Drive, DriveError, FileId, Query},
    wire::names::{CollectionFolderName, DatasiteFolderName, SYFTBOX_FOLDER, VERSION_FILE},
};

impl Catalog {
    /// Brings the catalog up to date: one request when it knows where the changes feed goes on,
    /// a listing of all that is ours when it doesn't, or when `full`.
    ///
    /// # Errors
    /// When Drive can't be asked. The catalog is as before then.
    pub async fn refresh(&mut self, drive: &Drive, full: bool) -> Result<(), DriveError> {
        match &self.page_token {
            Some(token) if !full => {
                let changes = drive.changes(token).await?;
                self.apply(changes.changes);
                self.page_token = Some(changes.next);
                Ok(())
            }
            _ => self.list_all(drive).await,
        }
    }

    /// Makes sure that all children of `folders` are known; one request for some fifty folders
    /// that weren't listed yet, none when all were.
    ///
    /// # Errors
    /// When Drive can't be asked.
    pub async fn ensure_listed(
        &mut self,
        drive: &Drive,
        folders: impl IntoIterator<Item = FileId>,
    ) -> Result<(), DriveError> {
        let missing: Vec<FileId> =
            folders.into_iter().filter(|folder| !self.listed.contains(folder)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = drive.list(&Query::new().in_any_parent(&missing)).await?;
        self.listed.extend(missing);
        for file in found {
            self.note(file);
        }
        Ok(())
    }

    async fn list_all(&mut self, drive: &Drive) -> Result<(), DriveError> {
        // The token first: what changes while we list is then told again, and nothing is missed.
        let token = drive.start_page_token().await?;
        let was_listed = self.listed.clone();
        let mut fresh = Self::default();

        let top = Query::any([
            Query::new().folders().name_is(SYFTBOX_FOLDER),
            Query::new().folders().name_prefix(DatasiteFolderName::PREFIX),
            Query::new().folders().name_prefix(CollectionFolderName::prefix(false)),
            Query::new().name_is(VERSION_FILE),
        ]);
        let found = drive.list(&top).await?;
        fresh.apply(found.into_iter().map(Change::seen).collect());
        if let Some(root) = fresh.root().map(|root| root.id.clone()) {
            let known = was_listed.into_iter().filter(|id| fresh.files.contains_key(id));
            let folders: Vec<FileId> =
                std::iter::once(root.clone()).chain(known.filter(|id| *id != root)).collect();
            fresh.ensure_listed(drive, folders).await?;
        }
        fresh.page_token = Some(token);
        *self = fresh;
        Ok(())
    }

    /// Takes over what the feed tells. `SyftBox` first, then the other folders: whether a file
    /// concerns us depends on them, and the feed has no order that we could rely on.
    fn apply(&mut self, mut changes: Vec<Change>) {
        changes.sort_by_key(|change| match &change.file {
            Some(file) if is_root(file) => 0,
            Some(file) if file.is_folder() => 1,
            _ => 2,
        });
        for change in changes {
            match change.file {
                Some(file) if self.concerns_us(&file) => self.note(file),
                _ => self.forget(&change.id),
            }
        }
    }
}
