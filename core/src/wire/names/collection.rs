//! Collections: datasets as they travel, named by their content (wire sections 2 and 8).

use std::{fmt, str::FromStr};

use super::NameError;
use crate::{domain::ContentHasher, wire::dataset::DatasetName};

const PUBLIC_PREFIX: &str = "syft_datasetcollection_";
const PRIVATE_PREFIX: &str = "syft_privatecollection_";

/// `syft_datasetcollection_{name}_{hash12}` or `syft_privatecollection_{name}_{hash12}`. Other
/// content gives another folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionFolderName {
    /// The dataset.
    pub name: DatasetName,
    /// Of its files in this folder.
    pub hash: CollectionHash,
    /// The private half, which is never shared.
    pub private: bool,
}

impl CollectionFolderName {
    /// How the names of one half begin, up to the dataset's name.
    #[must_use]
    pub fn prefix(private: bool) -> &'static str {
        if private { PRIVATE_PREFIX } else { PUBLIC_PREFIX }
    }
}

impl fmt::Display for CollectionFolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}_{}", Self::prefix(self.private), self.name, self.hash)
    }
}

impl FromStr for CollectionFolderName {
    type Err = NameError;

    fn from_str(folder: &str) -> Result<Self, NameError> {
        let parse = || {
            let (private, rest) = match folder.strip_prefix(PUBLIC_PREFIX) {
                Some(rest) => (false, rest),
                None => (true, folder.strip_prefix(PRIVATE_PREFIX)?),
            };
            // A dataset's name may hold a `_` itself.
            let (name, hash) = rest.rsplit_once('_')?;
            Some(Self { name: name.parse().ok()?, hash: hash.parse().ok()?, private })
        };
        parse().ok_or_else(|| NameError::new(folder, "a collection"))
    }
}

/// The first 12 hex digits of the SHA-256 over a collection's names and contents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionHash([u8; 6]);

impl fmt::Display for CollectionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CollectionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CollectionHash {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let mut bytes = [0; 6];
        if text.len() == 12 && text.bytes().all(lower_hex) {
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16)
                    .map_err(|_| NameError::new(text, "a collection's hash"))?;
            }
            return Ok(Self(bytes));
        }
        Err(NameError::new(text, "a collection's hash"))
    }
}

/// Hashes a collection in pieces: [`file`](Self::file) for each file by name ascending (compared as
/// bytes), then [`update`](Self::update) with its content.
#[derive(Clone, Default)]
pub struct CollectionHasher(ContentHasher);

impl CollectionHasher {
    /// Starts the next file.
    pub fn file(&mut self, name: &str) {
        self.0.update(name.as_bytes());
    }

    /// Adds the next piece of the file's content.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all files.
    #[must_use]
    pub fn finish(self) -> CollectionHash {
        let hash = self.0.finish();
        let mut start = [0; 6];
        start.copy_from_slice(&hash.as_bytes()[..6]);
        CollectionHash(start)
    }
}

/// The hash of files that are at hand, in any order.
#[must_use]
pub fn collection_hash<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> CollectionHash {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable_by_key(|(name, _)| *name);
    let mut hasher = CollectionHasher::default();
    for (name, content) in files {
        hasher.file(name);
        hasher.update(content);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_behind_the_last_underscore() {
        let name: CollectionFolderName = "syft_datasetcollection_open_data_6ab1d81c64b3".parse().unwrap();
        assert_eq!(
            (name.name.as_str(), name.hash.to_string().as_str(), name.private),
            ("open_data", "6ab1d81c64b3", false)
        );
        let name: CollectionFolderName = "syft_privatecollection___1655ae9eb05b".parse().unwrap();
        assert_eq!((name.name.as_str(), name.private), ("_", true));
        for bad in [
            "syft_datasetcollection_6ab1d81c64b3",
            "syft_datasetcollection_x_6ab1d81c64b",
            "syft_datasetcollection_x_6AB1D81C64B3",
            "syft_datasetcollection_../../.._6ab1d81c64b3",
            "syft_datasetcollection_x",
            "x_6ab1d81c64b3",
        ] {
            assert!(bad.parse::<CollectionFolderName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_order_of_files_does_not_matter() {
        let files = [("b", &b"2"[..]), ("a", b"1")];
        let reversed = [files[1], files[0]];
        assert_eq!(collection_hash(files), collection_hash(reversed));
        // sha256("a1b2")
        assert_eq!(
            collection_hash(files).to_string(),
            &crate::domain::ContentHash::of(b"a1b2").to_string()[..12]
        );
    }
}
