//! What a user names as a source: a file or a folder anywhere on the machine.

use std::sync::Arc;

use crate::{
    domain::DatasitePath,
    manager::ManagerError,
    platform::{FileKind, FileStore, tree},
};

/// A file or folder to take content from.
#[derive(Clone)]
pub struct Source {
    /// The store it is in, usually rooted at the folder itself or at the file's folder.
    pub files: Arc<dyn FileStore>,
    /// The file; `None` for the whole store.
    pub path: Option<DatasitePath>,
    /// How the user named it, for messages.
    pub shown: String,
}

/// One file of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path relative to the source: the bare name when the source is a file.
    pub name: DatasitePath,
    /// Where it is in the store.
    pub path: DatasitePath,
    /// Its length in bytes.
    pub len: u64,
}

impl Source {
    pub(crate) fn bad(&self, why: impl Into<String>) -> ManagerError {
        ManagerError::BadSource { what: self.shown.clone(), why: why.into() }
    }

    /// Whether it is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.path.is_none()
    }

    /// What the folder is called; `None` for a file, and for a folder whose path has no name.
    pub(crate) fn folder_name(&self) -> Option<String> {
        let name = self.shown.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
        (self.is_folder() && !matches!(name, "" | "." | "..")).then(|| name.to_owned())
    }

    /// The files in it, ascending by name; folders for which `enter` says no are left out.
    ///
    /// # Errors
    /// When there is no such file, it can't be read, or there is nothing in it.
    pub async fn list(&self, enter: impl Fn(&DatasitePath) -> bool) -> Result<Vec<SourceFile>, ManagerError> {
        let Some(path) = &self.path else {
            let found = tree::walk(self.files.as_ref(), None, enter).await?;
            if found.is_empty() {
                return Err(self.bad("the folder has no files; name one that has"));
            }
            let whole = |(path, stat): (DatasitePath, crate::platform::FileStat)| SourceFile {
                name: path.clone(),
                path,
                len: stat.len,
            };
            return Ok(found.into_iter().map(whole).collect());
        };
        match self.files.stat(path).await? {
            Some(stat) if stat.kind == FileKind::File => {
                let name = path.file_name().parse()?;
                Ok(vec![SourceFile { name, path: path.clone(), len: stat.len }])
            }
            Some(_) => Err(self.bad("it is a link or a special file; name the file itself")),
            None => Err(self.bad("there is no such file; check the path")),
        }
    }
}
