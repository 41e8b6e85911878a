//! Everything the server knows besides the bodies, as a persistent data structure: a copy costs
//! nothing, so a reader keeps the moment it started with, and a refused change is simply dropped.

use std::sync::Arc;

use bytes::Bytes;
use rpds::{HashTrieMapSync, RedBlackTreeSetSync};
use syftbox_core::domain::Email;

use super::{
    body::NewBody,
    feed::Feed,
    record::{Content, FileRecord, IssuedToken},
};
use crate::access;

type IdSet = RedBlackTreeSetSync<String>;
type Index = HashTrieMapSync<String, IdSet>;

/// A moment of the drive.
#[derive(Clone, Default)]
pub(crate) struct State {
    files: HashTrieMapSync<String, Arc<FileRecord>>,
    children: Index,
    names: Index,
    accounts: RedBlackTreeSetSync<Email>,
    feeds: HashTrieMapSync<Email, Feed>,
    tokens: HashTrieMapSync<String, IssuedToken>,
    last_change: u64,
    /// Files that the change at hand touches.
    touched: Vec<String>,
    /// What is still to be written to disk.
    pub(super) unsaved: Vec<Write>,
}

/// One thing to write to disk; the state itself has the value.
#[derive(Clone, Debug)]
pub(super) enum Write {
    File(String),
    Token(String),
    Change { account: Email, replaced: Option<u64>, number: u64 },
    Body(String, Bytes),
    DropBody(Content),
}

fn add(index: &mut Index, key: &str, id: &str) {
    let mut ids = index.get(key).cloned().unwrap_or_default();
    ids.insert_mut(id.to_owned());
    index.insert_mut(key.to_owned(), ids);
}

fn take(index: &mut Index, key: &str, id: &str) {
    let Some(mut ids) = index.get(key).cloned() else { return };
    ids.remove_mut(id);
    if ids.is_empty() {
        index.remove_mut(key);
    } else {
        index.insert_mut(key.to_owned(), ids);
    }
}

impl State {
    pub(crate) fn file(&self, id: &str) -> Option<&Arc<FileRecord>> {
        self.files.get(id)
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &Arc<FileRecord>> {
        self.files.values()
    }

    /// What lies in a folder, by ascending id.
    pub(crate) fn children(&self, folder: &str) -> impl Iterator<Item = &Arc<FileRecord>> {
        self.indexed(&self.children, folder)
    }

    /// The files of exactly this name, by ascending id.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Arc<FileRecord>> {
        self.indexed(&self.names, name)
    }

    fn indexed<'a>(&'a self, index: &'a Index, key: &str) -> impl Iterator<Item = &'a Arc<FileRecord>> {
        index.get(key).into_iter().flat_map(IdSet::iter).filter_map(|id| self.files.get(id))
    }

    /// A file and all below it, folders before what is in them.
    pub(crate) fn subtree(&self, id: &str) -> Vec<Arc<FileRecord>> {
        let mut found: Vec<Arc<FileRecord>> = self.file(id).cloned().into_iter().collect();
        let mut next = 0;
        while let Some(folder) = found.get(next).map(|file| file.id.clone()) {
            found.extend(self.children(&folder).cloned());
            next += 1;
        }
        found
    }

    /// The accounts that have a My Drive.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Email> {
        self.accounts.iter()
    }

    pub(crate) fn has_account(&self, account: &Email) -> bool {
        self.accounts.contains(account)
    }

    pub(crate) fn feed(&self, account: &Email) -> Feed {
        self.feeds.get(account).cloned().unwrap_or_default()
    }

    /// The number of the latest change of any account; 0 before the first.
    pub(crate) fn last_change(&self) -> u64 {
        self.last_change
    }

    pub(crate) fn token(&self, token: &str) -> Option<&IssuedToken> {
        self.tokens.get(token)
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = (&String, &IssuedToken)> {
        self.tokens.iter()
    }

    /// Stores a file, new or changed, and counts its version up.
    pub(crate) fn put(&mut self, mut record: FileRecord) {
        let before = self.file(&record.id).cloned();
        if let Some(content) = before.as_ref().and_then(|before| before.content.clone())
            && record.content.as_ref() != Some(&content)
        {
            self.unsaved.push(Write::DropBody(content));
        }
        record.version = before.map_or(0, |before| before.version) + 1;
        self.touch(&record.id);
        self.index(record);
    }

    /// Forgets a file and its body.
    pub(crate) fn remove(&mut self, id: &str) {
        let Some(record) = self.unindex(id) else { return };
        if let Some(content) = &record.content {
            self.unsaved.push(Write::DropBody(content.clone()));
        }
        self.touch(id);
    }

    /// Takes a body over for a file that is stored in the same change. To be called when nothing can
    /// refuse the change any more.
    pub(crate) fn adopt(&mut self, body: NewBody) -> Content {
        let (content, inline) = body.adopt();
        if let Some(bytes) = inline {
            self.unsaved.push(Write::Body(content.body.clone(), bytes));
        }
        content
    }

    pub(crate) fn put_token(&mut self, token: String, issued: IssuedToken) {
        self.unsaved.push(Write::Token(token.clone()));
        self.tokens.insert_mut(token, issued);
    }

    pub(crate) fn remove_token(&mut self, token: &str) {
        if self.tokens.remove_mut(token) {
            self.unsaved.push(Write::Token(token.to_owned()));
        }
    }

    /// Ends a change: whoever could see a touched file before or can see it now finds it in their
    /// changes. With a folder whose access changed, all below it did.
    pub(super) fn settle(&mut self, before: &Self, now: i64) {
        let mut ids = std::mem::take(&mut self.touched);
        ids.dedup();
        for id in ids {
            let (old, new) = (before.file(&id), self.file(&id));
            let access_changed = match (old, new) {
                (Some(old), Some(new)) => {
                    old.is_folder()
                        && (old.parent != new.parent
                            || old.owner != new.owner
                            || old.permissions != new.permissions
                            || old.trashed != new.trashed)
                }
                _ => false,
            };
            if access_changed {
                for file in self.subtree(&id) {
                    self.note_change(before, &file.id, now);
                }
            } else {
                self.note_change(before, &id, now);
            }
        }
    }

    fn note_change(&mut self, before: &Self, id: &str, now: i64) {
        let mut audience = access::audience(before, id);
        audience.extend(access::audience(self, id));
        if audience.is_empty() {
            return;
        }
        self.last_change += 1;
        let number = self.last_change;
        for account in audience {
            let mut feed = self.feed(&account);
            let replaced = feed.note(id, number, now);
            self.feeds.insert_mut(account.clone(), feed);
            self.unsaved.push(Write::Change { account, replaced, number });
        }
    }

    fn touch(&mut self, id: &str) {
        self.touched.push(id.to_owned());
        self.unsaved.push(Write::File(id.to_owned()));
    }

    /// Puts a record in its place without counting it as a change: how the state is read from disk.
    pub(super) fn index(&mut self, record: FileRecord) {
        self.unindex(&record.id);
        match &record.parent {
            Some(parent) => {
                add(&mut self.children, parent, &record.id);
                add(&mut self.names, &record.name, &record.id);
            }
            None => self.accounts.insert_mut(record.owner.clone()),
        }
        self.files.insert_mut(record.id.clone(), Arc::new(record));
    }

    fn unindex(&mut self, id: &str) -> Option<Arc<FileRecord>> {
        let record = self.files.get(id).cloned()?;
        if let Some(parent) = &record.parent {
            take(&mut self.children, parent, id);
            take(&mut self.names, &record.name, id);
        }
        self.files.remove_mut(id);
        Some(record)
    }

    pub(super) fn load_token(&mut self, token: String, issued: IssuedToken) {
        self.tokens.insert_mut(token, issued);
    }

    pub(super) fn load_change(&mut self, account: Email, number: u64, file: &str, at: i64) {
        let mut feed = self.feed(&account);
        feed.note(file, number, at);
        self.feeds.insert_mut(account, feed);
        self.last_change = self.last_change.max(number);
    }
}
