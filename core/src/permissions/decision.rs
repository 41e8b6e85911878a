//! The permission files of a datasite, and what they say.

use std::collections::BTreeMap;

use super::{
    file::{PermissionFile, PermissionFileError, Rule},
    pattern::Matcher,
};
use crate::{
    domain::{DatasitePath, Email},
    wire::names::PERMISSION_FILE,
};

/// What one may do. Each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// See the content.
    Read,
    /// Propose other content.
    Write,
    /// See and change permission files.
    Admin,
}

/// All permission files of a datasite, by their folders. Empty, it leaves everything to the owner.
#[derive(Debug, Default)]
pub struct Permissions {
    /// By the folder's path; the root is the empty text.
    files: BTreeMap<String, Stored>,
}

type Stored = Result<Ready, PermissionFileError>;

/// A file whose rules are in the order in which they are asked.
#[derive(Debug)]
struct Ready {
    terminal: bool,
    rules: Vec<(Matcher, Rule)>,
}

impl Ready {
    fn new(mut file: PermissionFile) -> Self {
        // Stable: of two that are equally specific, the first in the file counts.
        file.rules.sort_by_cached_key(|rule| std::cmp::Reverse(rule.pattern.specificity()));
        let rules = file.rules.into_iter().map(|rule| (Matcher::new(&rule.pattern), rule)).collect();
        Self { terminal: file.terminal, rules }
    }
}

/// What was decided, and why.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// The answer.
    pub allowed: bool,
    /// What decided.
    pub because: Because<'a>,
}

/// What decided. A folder is the empty text for the datasite's root.
#[derive(Clone, Copy, Debug)]
pub enum Because<'a> {
    /// The owner may do everything.
    Owner,
    /// No permission file on the way to the path.
    NoFile,
    /// The permission file of this folder cannot be read.
    Unreadable {
        /// Its folder.
        folder: &'a str,
        /// What is wrong with it.
        error: &'a PermissionFileError,
    },
    /// The nearest permission file has no rule about the path.
    NoRule {
        /// Its folder.
        folder: &'a str,
    },
    /// The most specific rule about the path.
    Rule {
        /// The folder of its file.
        folder: &'a str,
        /// The rule.
        rule: &'a Rule,
    },
}

impl Permissions {
    /// Takes in the permission file of `folder` (the root when `None`), instead of the one that was
    /// there.
    pub fn insert(&mut self, folder: Option<&DatasitePath>, file: PermissionFile) {
        self.files.insert(key(folder), Ok(Ready::new(file)));
    }

    /// Takes in the content of the permission file of `folder`. One that cannot be read closes all
    /// below the folder to everyone but the owner.
    pub fn insert_yaml(&mut self, folder: Option<&DatasitePath>, yaml: &[u8]) {
        self.files.insert(key(folder), PermissionFile::parse(yaml).map(Ready::new));
    }

    /// Forgets the permission file of `folder`.
    pub fn remove(&mut self, folder: Option<&DatasitePath>) {
        self.files.remove(&key(folder));
    }

    /// The folders whose permission files cannot be read, and why.
    pub fn unreadable(&self) -> impl Iterator<Item = (&str, &PermissionFileError)> {
        self.files.iter().filter_map(|(folder, file)| Some((folder.as_str(), file.as_ref().err()?)))
    }

    /// Whether `user` has `level` on `path` in the datasite of `owner`.
    #[must_use]
    pub fn allows(&self, user: &Email, owner: &Email, path: &DatasitePath, level: Level) -> bool {
        self.decide(user, owner, path, level).allowed
    }

    /// The same, with what decided.
    #[must_use]
    pub fn decide(&self, user: &Email, owner: &Email, path: &DatasitePath, level: Level) -> Decision<'_> {
        if user == owner {
            return Decision { allowed: true, because: Because::Owner };
        }
        let refused = |because| Decision { allowed: false, because };
        let (folder, file) = match self.nearest(path) {
            None => return refused(Because::NoFile),
            Some((folder, Err(error))) => return refused(Because::Unreadable { folder, error }),
            Some((folder, Ok(file))) => (folder, file),
        };
        let depth = folder.split('/').filter(|name| !name.is_empty()).count();
        let below: Vec<&str> = path.components().skip(depth).collect();
        match file.rules.iter().find(|(matcher, _)| matcher.matches(&below, user)) {
            None => refused(Because::NoRule { folder }),
            Some((_, rule)) => {
                // As the Python peers do: by how the path ends, not by its last name.
                let level = if path.as_str().ends_with(PERMISSION_FILE) { Level::Admin } else { level };
                Decision { allowed: rule.access.allows(user, level), because: Because::Rule { folder, rule } }
            }
        }
    }

    /// The file that decides about `path`: the nearest one, or the first on the way that is terminal
    /// or that cannot be read, and so might be terminal.
    fn nearest(&self, path: &DatasitePath) -> Option<(&str, &Stored)> {
        let mut nearest = None;
        let path = path.as_str();
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        for folder in std::iter::once("").chain(folders) {
            let Some((folder, file)) = self.files.get_key_value(folder) else { continue };
            nearest = Some((folder.as_str(), file));
            if file.as_ref().map_or(true, |file| file.terminal) {
                break;
            }
        }
        nearest
    }
}

fn key(folder: Option<&DatasitePath>) -> String {
    folder.map(DatasitePath::to_string).unwrap_or_default()
}
