//! The bytes of files. A small body lies in the metadata file, so that a small upload is one durable
//! write; a larger one goes piece by piece to a temporary file, which is synced, renamed and its folder synced
//! before the metadata names it.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use md5::{Digest, Md5};
use syftbox_core::domain::ContentHasher;
use tempfile::NamedTempFile;

use super::record::Content;
use crate::{errors::ApiError, ids};

/// Bodies up to this many bytes lie in the metadata file.
const INLINE_BYTES: usize = 64 * 1024;
/// Bytes gathered in memory before they are hashed and written.
const PIECE_BYTES: usize = 1024 * 1024;

/// Where bodies are.
#[derive(Clone, Debug)]
pub(crate) struct BodyFolders {
    /// Finished ones, by id.
    pub(crate) bodies: PathBuf,
    /// Those that are still coming in; emptied at start.
    pub(crate) uploads: PathBuf,
}

impl BodyFolders {
    pub(super) fn path(&self, body: &str) -> PathBuf {
        self.bodies.join(body)
    }
}

/// A body that is coming in.
pub(crate) struct Incoming {
    folders: Arc<BodyFolders>,
    md5: Md5,
    sha256: ContentHasher,
    size: u64,
    /// The end of it, neither hashed nor written yet.
    piece: Vec<u8>,
    file: Option<NamedTempFile>,
}

/// A body that is complete and durable, or small. Its file is removed unless a file record adopts it.
#[derive(Debug)]
pub(crate) struct NewBody {
    content: Content,
    inline: Option<Bytes>,
    path: Option<PathBuf>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or_default());
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or_default());
        text
    })
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))?
}

impl Incoming {
    pub(crate) fn new(folders: Arc<BodyFolders>) -> Self {
        Self {
            folders,
            md5: Md5::new(),
            sha256: ContentHasher::default(),
            size: 0,
            piece: Vec::new(),
            file: None,
        }
    }

    /// Bytes so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds bytes. At most a piece is held in memory.
    pub(crate) async fn push(mut self, bytes: &[u8]) -> Result<Self, ApiError> {
        self.piece.extend_from_slice(bytes);
        self.size += bytes.len() as u64;
        if self.piece.len() < PIECE_BYTES {
            return Ok(self);
        }
        blocking(move || {
            self.flush()?;
            Ok(self)
        })
        .await
    }

    fn flush(&mut self) -> Result<(), ApiError> {
        self.md5.update(&self.piece);
        self.sha256.update(&self.piece);
        let mut file = match self.file.take() {
            Some(file) => file,
            None => NamedTempFile::new_in(&self.folders.uploads).map_err(|e| ApiError::internal(&e))?,
        };
        file.write_all(&self.piece).map_err(|e| ApiError::internal(&e))?;
        self.file = Some(file);
        self.piece.clear();
        Ok(())
    }

    /// Makes the body durable.
    pub(crate) async fn finish(mut self) -> Result<NewBody, ApiError> {
        let body = ids::body().map_err(|e| ApiError::internal(&e))?;
        if self.file.is_none() && self.piece.len() <= INLINE_BYTES {
            self.md5.update(&self.piece);
            self.sha256.update(&self.piece);
            let bytes = Bytes::from(std::mem::take(&mut self.piece));
            return Ok(NewBody { content: self.content(body, true), inline: Some(bytes), path: None });
        }
        blocking(move || {
            self.flush()?;
            let path = self.folders.path(&body);
            let Some(file) = self.file.take() else {
                return Err(ApiError::internal(&"a body lost its file"));
            };
            file.as_file().sync_all().map_err(|e| ApiError::internal(&e))?;
            file.persist(&path).map_err(|e| ApiError::internal(&e))?;
            sync_folder(&self.folders.bodies)?;
            Ok(NewBody { content: self.content(body, false), inline: None, path: Some(path) })
        })
        .await
    }

    fn content(self, body: String, inline: bool) -> Content {
        let md5 = hex(&self.md5.finalize());
        Content { body, size: self.size, md5, sha256: self.sha256.finish().to_string(), inline }
    }
}

fn sync_folder(folder: &Path) -> Result<(), ApiError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| ApiError::internal(&e))
}

impl NewBody {
    /// A second body with the same bytes: in memory for a small one, a hard link for a larger one.
    pub(super) fn same_as(
        content: &Content,
        inline: Option<Bytes>,
        folders: &BodyFolders,
    ) -> Result<Self, ApiError> {
        let body = ids::body().map_err(|e| ApiError::internal(&e))?;
        let path = if inline.is_some() {
            None
        } else {
            let (from, to) = (folders.path(&content.body), folders.path(&body));
            fs::hard_link(&from, &to)
                .or_else(|_| fs::copy(&from, &to).and_then(|_| File::open(&to)?.sync_all()))
                .map_err(|e| ApiError::internal(&e))?;
            sync_folder(&folders.bodies)?;
            Some(to)
        };
        Ok(Self { content: Content { body, ..content.clone() }, inline, path })
    }

    pub(super) fn adopt(mut self) -> (Content, Option<Bytes>) {
        self.path = None;
        (self.content.clone(), self.inline.take())
    }
}

impl Drop for NewBody {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(%error, path = %path.display(), "a refused body stays until the next start");
        }
    }
}
