//! The token file on this machine: read at the start, replaced when the token is renewed.

use std::{
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use syftbox_core::{
    domain::DatasitePath,
    platform::{BoxFuture, FileError, FileStore},
    tokens::{AuthorizedUser, TokenError, TokenKeeper},
};

use super::{Access, StdFiles};

/// The longest token file, in bytes.
const MAX_LEN: u64 = 64 * 1024;

/// A token file. Only its owner may read what is written there.
pub struct TokenFile {
    path: PathBuf,
    folder: StdFiles,
    name: DatasitePath,
}

/// A token file that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The path names no file.
    #[error("{} is no path for a token file; give another --token-path", path.display())]
    BadPath {
        /// The path.
        path: PathBuf,
    },
    /// The file can't be read or written.
    #[error("the token file in {}: {source}; log in with `syftbox login`, or give another --token-path", folder.display())]
    File {
        /// The folder that it is in.
        folder: PathBuf,
        /// What is wrong.
        source: FileError,
    },
    /// The system doesn't tell where the file is.
    #[error("the token file {} can't be found ({source}); give another --token-path", path.display())]
    System {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The content is no token file's.
    #[error("{}: {source}", path.display())]
    Content {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        source: TokenError,
    },
}

impl TokenFile {
    /// The token file at `path`, which needn't be there yet. A link is followed once, now.
    ///
    /// # Errors
    /// See [`TokenFileError`].
    pub fn at(path: &Path) -> Result<Self, TokenFileError> {
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::path::absolute(path)
                .map_err(|source| TokenFileError::System { path: path.into(), source })?,
            Err(source) => return Err(TokenFileError::System { path: path.into(), source }),
        };
        let bad = || TokenFileError::BadPath { path: path.clone() };
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
        let name = name.parse().map_err(|_| bad())?;
        let folder = StdFiles::new(path.parent().ok_or_else(bad)?, Access::Owner);
        Ok(Self { path, folder, name })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// See [`TokenFileError`].
    pub async fn read(&self) -> Result<AuthorizedUser, TokenFileError> {
        let json = self.folder.read(&self.name, MAX_LEN).await.map_err(|source| self.failed(source))?;
        AuthorizedUser::parse(&json)
            .map_err(|source| TokenFileError::Content { path: self.path.clone(), source })
    }

    /// Replaces the file in one step.
    ///
    /// # Errors
    /// See [`TokenFileError`].
    pub async fn write(&self, user: &AuthorizedUser) -> Result<(), TokenFileError> {
        let json = Bytes::from(user.to_json());
        self.folder.write(&self.name, json).await.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: FileError) -> TokenFileError {
        let folder = self.path.parent().unwrap_or(&self.path).to_owned();
        TokenFileError::File { folder, source }
    }
}

impl TokenKeeper for TokenFile {
    fn keep<'a>(&'a self, user: &'a AuthorizedUser) -> BoxFuture<'a, Result<(), TokenError>> {
        Box::pin(async move {
            self.write(user).await.map_err(|error| TokenError::NotKept { why: error.to_string() })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[tokio::test]
    async fn only_the_owner_reads_what_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real.json");
        std::fs::write(&real, r#"{"token": "first", "account": "kept"}"#).unwrap();
        symlink(&real, folder.path().join("link.json")).unwrap();

        let file = TokenFile::at(&folder.path().join("link.json")).unwrap();
        let user = file.read().await.unwrap();
        file.keep(&user).await.unwrap();
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(&real).unwrap().contains("kept"));
        assert_eq!(file.read().await.unwrap(), user);
    }

    #[tokio::test]
    async fn says_which_file_is_no_token_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = TokenFile::at(&folder.path().join("none.json")).unwrap();
        assert!(missing.read().await.unwrap_err().to_string().contains("syftbox login"));
        std::fs::write(folder.path().join("odd.json"), "ya29").unwrap();
        let error = TokenFile::at(&folder.path().join("odd.json")).unwrap().read().await.unwrap_err();
        assert!(error.to_string().contains("odd.json") && !error.to_string().contains("ya29"), "{error}");
    }
}
