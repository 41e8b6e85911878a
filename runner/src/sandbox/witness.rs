//! Whether a folder that a job may only read is afterwards what it was before.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The files below a folder, each with what changes when it is written to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Witness(BTreeMap<PathBuf, Stamp>);

#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    mode: u32,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Witness {
    /// Looks at a folder as it is now, without following links.
    ///
    /// # Errors
    /// When the folder, or one below it, can't be read.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut seen = BTreeMap::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let metadata = entry.metadata()?;
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
                seen.insert(entry.path(), Stamp::of(&metadata));
            }
        }
        Ok(Self(seen))
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            mode: metadata.mode(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_a_change_that_keeps_the_size_and_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b.csv");
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(&file, "1").unwrap();
        let before = Witness::of(folder.path()).unwrap();
        assert_eq!(before, Witness::of(folder.path()).unwrap());

        let time = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, "2").unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
        assert_ne!(before, Witness::of(folder.path()).unwrap());
    }
}
