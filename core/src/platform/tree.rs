//! What is done with whole trees of local files: walking, hashing, copying. Content goes through in
//! pieces, so memory doesn't grow with the size of a file.

use super::{FileError, FileErrorKind, FileKind, FileStat, FileStore};
use crate::domain::{ContentHash, ContentHasher, DatasitePath};

/// How much of a file is in memory at a time.
const PIECE: usize = 1024 * 1024;

/// All regular files below `folder` (all of the store when `None`), ascending by path. Folders for
/// which `enter` says no are passed over; links and special files always are.
///
/// # Errors
/// When a folder can't be read.
pub async fn walk(
    files: &dyn FileStore,
    folder: Option<&DatasitePath>,
    enter: impl Fn(&DatasitePath) -> bool,
) -> Result<Vec<(DatasitePath, FileStat)>, FileError> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.cloned()];
    while let Some(folder) = waiting.pop() {
        for entry in files.list(folder.as_ref()).await? {
            let path = match &folder {
                Some(folder) => folder.join(&entry.name),
                None => entry.name.parse(),
            };
            // A path too long for the wire can't be sent, so it isn't there for us.
            let Ok(path) = path else { continue };
            match entry.stat.kind {
                FileKind::File => found.push((path, entry.stat)),
                FileKind::Folder if enter(&path) => waiting.push(Some(path)),
                FileKind::Folder | FileKind::Other => {}
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Gives `take` the content of a file, piece by piece.
///
/// # Errors
/// When it can't be read.
pub async fn read_pieces(
    files: &dyn FileStore,
    path: &DatasitePath,
    mut take: impl FnMut(&[u8]),
) -> Result<(), FileError> {
    let mut offset = 0;
    loop {
        let piece = files.read_at(path, offset, PIECE).await?;
        if piece.is_empty() {
            return Ok(());
        }
        offset += piece.len() as u64;
        take(&piece);
    }
}

/// The SHA-256 of a file's content.
///
/// # Errors
/// When it can't be read.
pub async fn hash(files: &dyn FileStore, path: &DatasitePath) -> Result<ContentHash, FileError> {
    let mut hasher = ContentHasher::default();
    read_pieces(files, path, |piece| hasher.update(piece)).await?;
    Ok(hasher.finish())
}

/// Copies one file from a store to a path of another.
///
/// # Errors
/// When the one can't be read or the other not written.
pub async fn copy(
    from: &dyn FileStore,
    source: &DatasitePath,
    to: &dyn FileStore,
    target: &DatasitePath,
) -> Result<(), FileError> {
    match from.stat(source).await? {
        Some(stat) if stat.kind == FileKind::File => {}
        Some(_) => return Err(FileError::new(source, FileErrorKind::Special)),
        None => return Err(FileError::new(source, FileErrorKind::Missing)),
    }
    let mut sink = to.create(target).await?;
    let mut offset = 0;
    loop {
        let piece = from.read_at(source, offset, PIECE).await?;
        if piece.is_empty() {
            return sink.commit().await;
        }
        offset += piece.len() as u64;
        sink.append(piece).await?;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{super::memory::MemoryFiles, *};

    #[tokio::test]
    async fn walks_hashes_and_copies() {
        let files = MemoryFiles::default();
        for (path, content) in [("b/2", "two"), ("a", "one"), ("b/.git/x", "no"), ("b/1", "")] {
            files.write(&path.parse().unwrap(), Bytes::from(content)).await.unwrap();
        }
        let found = walk(&files, None, |folder| folder.file_name() != ".git").await.unwrap();
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", "b/1", "b/2"]);
        let (two, copied) = ("b/2".parse().unwrap(), "c/2".parse().unwrap());
        assert_eq!(hash(&files, &two).await.unwrap(), ContentHash::of(b"two"));
        copy(&files, &two, &files, &copied).await.unwrap();
        assert_eq!(files.read(&copied, 9).await.unwrap(), "two");
        assert!(copy(&files, &"b".parse().unwrap(), &files, &copied).await.is_err());
    }
}
