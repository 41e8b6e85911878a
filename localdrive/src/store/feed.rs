//! The changes that one account can follow: for each file the latest one only, as on Google's Drive.

use rpds::{HashTrieMapSync, RedBlackTreeMapSync};

use super::record::Millis;

/// One file's latest change.
#[derive(Clone, Debug)]
pub(crate) struct FeedEntry {
    pub(crate) file: String,
    pub(crate) at: Millis,
}

/// The changes of one account, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed {
    entries: RedBlackTreeMapSync<u64, FeedEntry>,
    latest: HashTrieMapSync<String, u64>,
}

impl Feed {
    /// The changes from number `first` on, in order.
    pub(crate) fn since(&self, first: u64) -> impl Iterator<Item = (u64, &FeedEntry)> {
        self.entries.range(first..).map(|(number, entry)| (*number, entry))
    }

    pub(crate) fn entry(&self, number: u64) -> Option<&FeedEntry> {
        self.entries.get(&number)
    }

    /// Notes a change and returns the number of the one that it takes the place of.
    pub(super) fn note(&mut self, file: &str, number: u64, at: Millis) -> Option<u64> {
        let replaced = self.latest.get(file).copied();
        if let Some(replaced) = replaced {
            self.entries.remove_mut(&replaced);
        }
        self.latest.insert_mut(file.to_owned(), number);
        self.entries.insert_mut(number, FeedEntry { file: file.to_owned(), at });
        replaced
    }
}
