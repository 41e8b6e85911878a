//! Files and folders that a user names: datasets and code to submit.

use std::{path::Path, sync::Arc};

use syftbox_core::datasets::Source;

use super::CliError;
use crate::native::{Access, StdFiles};

/// The file or folder at `path`, which may be a link to it.
pub(crate) fn source(path: &Path) -> Result<Source, CliError> {
    let bad = |why: String| CliError::Source { path: path.to_owned(), why };
    let found = path.canonicalize().map_err(|error| bad(error.to_string()))?;
    let shown = path.display().to_string();
    if found.is_dir() {
        return Ok(Source { files: Arc::new(StdFiles::new(found, Access::Umask)), path: None, shown });
    }
    let (Some(folder), Some(name)) = (found.parent(), found.file_name()) else {
        return Err(bad("it is no file".to_owned()));
    };
    let name = name.to_str().ok_or_else(|| bad("its name is not valid Unicode".to_owned()))?;
    let name = name.parse().map_err(|error| bad(format!("{error}")))?;
    let files = Arc::new(StdFiles::new(folder, Access::Umask));
    Ok(Source { files, path: Some(name), shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn finds_files_folders_and_links_to_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), "x").unwrap();
        std::os::unix::fs::symlink("a.csv", folder.path().join("link.csv")).unwrap();
        for name in ["a.csv", "link.csv"] {
            let found = source(&folder.path().join(name)).unwrap();
            let files = found.list(|_| true).await.unwrap();
            assert_eq!(files[0].name.as_str(), "a.csv");
            assert!(!found.is_folder());
        }
        assert!(source(folder.path()).unwrap().is_folder());
        let error = source(&folder.path().join("none")).err().unwrap().to_string();
        assert!(error.contains("none") && error.contains("check the path"), "{error}");
    }
}
