//! The behaviour that every [`FileStore`] has. An implementation calls [`file_store`] from a test
//! of its own, on an empty store.

#![allow(clippy::unwrap_used, reason = "test code")]

use bytes::Bytes;

use super::{FileErrorKind, FileKind, FileStore};
use crate::domain::DatasitePath;

fn at(path: &str) -> DatasitePath {
    path.parse().unwrap()
}

/// Runs all checks against `files`, which must be empty.
///
/// # Panics
/// When the store behaves otherwise.
pub async fn file_store(files: &dyn FileStore) {
    missing_things(files).await;
    write_read_replace(files).await;
    secrets(files).await;
    sinks(files).await;
    folders_and_files_do_not_mix(files).await;
    rename_and_remove(files).await;
}

async fn missing_things(files: &dyn FileStore) {
    assert_eq!(files.stat(&at("nothing")).await.unwrap(), None);
    assert_eq!(files.list(None).await.unwrap(), []);
    assert_eq!(files.list(Some(&at("no/folder"))).await.unwrap(), []);
    let error = files.read(&at("nothing"), 10).await.unwrap_err();
    assert!(matches!(error.kind, FileErrorKind::Missing), "{error}");
    files.remove(&at("nothing/at/all")).await.unwrap();
    assert!(files.rename(&at("nothing"), &at("x")).await.is_err());
}

async fn write_read_replace(files: &dyn FileStore) {
    let path = at("a/b/c.bin");
    files.write(&path, Bytes::from_static(b"hello")).await.unwrap();
    let first = files.stat(&path).await.unwrap().unwrap();
    assert_eq!((first.kind, first.len), (FileKind::File, 5));
    assert_eq!(files.read(&path, 5).await.unwrap(), "hello");
    assert_eq!(files.read_at(&path, 1, 3).await.unwrap(), "ell");
    assert_eq!(files.read_at(&path, 4, 9).await.unwrap(), "o");
    assert_eq!(files.read_at(&path, 99, 9).await.unwrap(), "");
    let error = files.read(&path, 4).await.unwrap_err();
    assert!(matches!(error.kind, FileErrorKind::TooLarge { len: 5, max_len: 4 }), "{error}");

    files.write(&path, Bytes::from_static(b"other")).await.unwrap();
    assert_eq!(files.read(&path, 5).await.unwrap(), "other");
    assert_ne!(files.stat(&path).await.unwrap().unwrap().stamp, first.stamp);

    files.write(&at("a/empty"), Bytes::new()).await.unwrap();
    assert_eq!(files.read(&at("a/empty"), 0).await.unwrap(), "");
    let names: Vec<_> = files.list(Some(&at("a"))).await.unwrap();
    let names: Vec<_> = names.iter().map(|entry| (entry.name.as_str(), entry.stat.kind)).collect();
    assert_eq!(names, [("b", FileKind::Folder), ("empty", FileKind::File)]);
}

async fn secrets(files: &dyn FileStore) {
    let path = at("secret/key");
    files.write(&path, Bytes::from_static(b"plain")).await.unwrap();
    files.write_private(&path, Bytes::from_static(b"hidden")).await.unwrap();
    assert_eq!(files.read(&path, 9).await.unwrap(), "hidden");
    assert_eq!(files.list(Some(&at("secret"))).await.unwrap().len(), 1);
    files.write_private(&at("made/for/it"), Bytes::new()).await.unwrap();
    let error = files.write_private(&at("made/for"), Bytes::new()).await.unwrap_err();
    assert!(matches!(error.kind, FileErrorKind::IsFolder), "{error}");
    files.remove(&at("made")).await.unwrap();
}

async fn sinks(files: &dyn FileStore) {
    let path = at("sink/file");
    let mut sink = files.create(&path).await.unwrap();
    sink.append(Bytes::from_static(b"one ")).await.unwrap();
    assert_eq!(files.stat(&path).await.unwrap(), None, "nothing is seen before the commit");
    sink.append(Bytes::from_static(b"two")).await.unwrap();
    sink.commit().await.unwrap();
    assert_eq!(files.read(&path, 99).await.unwrap(), "one two");

    let mut dropped = files.create(&path).await.unwrap();
    dropped.append(Bytes::from_static(b"never")).await.unwrap();
    drop(dropped);
    assert_eq!(files.read(&path, 99).await.unwrap(), "one two");
    assert_eq!(files.list(Some(&at("sink"))).await.unwrap().len(), 1, "a dropped sink leaves no trace");
}

async fn folders_and_files_do_not_mix(files: &dyn FileStore) {
    files.create_folder(&at("dir/sub")).await.unwrap();
    files.create_folder(&at("dir/sub")).await.unwrap();
    let error = files.write(&at("dir/sub"), Bytes::new()).await.unwrap_err();
    assert!(matches!(error.kind, FileErrorKind::IsFolder), "{error}");
    let error = files.read_at(&at("dir/sub"), 0, 1).await.unwrap_err();
    assert!(matches!(error.kind, FileErrorKind::IsFolder), "{error}");
    files.write(&at("dir/file"), Bytes::new()).await.unwrap();
    let error = files.write(&at("dir/file/below"), Bytes::new()).await.unwrap_err();
    assert!(matches!(error.kind, FileErrorKind::NotFolder), "{error}");
    let error = files.create_folder(&at("dir/file")).await.unwrap_err();
    assert!(matches!(error.kind, FileErrorKind::NotFolder), "{error}");
}

async fn rename_and_remove(files: &dyn FileStore) {
    files.write(&at("old/x/1"), Bytes::from_static(b"1")).await.unwrap();
    files.write(&at("old/2"), Bytes::from_static(b"2")).await.unwrap();
    files.rename(&at("old"), &at("deep/new")).await.unwrap();
    assert_eq!(files.stat(&at("old")).await.unwrap(), None);
    assert_eq!(files.read(&at("deep/new/x/1"), 9).await.unwrap(), "1");
    files.write(&at("over"), Bytes::from_static(b"over")).await.unwrap();
    files.rename(&at("over"), &at("deep/new/2")).await.unwrap();
    assert_eq!(files.read(&at("deep/new/2"), 9).await.unwrap(), "over");
    files.remove(&at("deep/new")).await.unwrap();
    assert_eq!(files.stat(&at("deep/new/2")).await.unwrap(), None);
    assert_eq!(files.list(Some(&at("deep"))).await.unwrap(), []);
}

#[cfg(test)]
mod tests {
    use super::super::memory::MemoryFiles;

    #[tokio::test]
    async fn memory_files() {
        super::file_store(&MemoryFiles::default()).await;
    }
}
