//! `syft.pub.yaml`: the rules of one folder.

use serde::{Deserialize, Serialize};

use super::{Level, Pattern, glob::NameGlob};
use crate::{
    domain::Email,
    wire::yaml::{self, YamlError},
};

/// Any user.
const ANYONE: &str = "*";
/// The user who asks: in a list, that is any user whom the pattern is about.
const USER: &str = "USER";

/// A permission file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionFile {
    /// The rules, in the order of the file. Which one counts is a matter of their patterns.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Whether permission files further down are without effect.
    #[serde(default)]
    pub terminal: bool,
}

/// Who has access to what a pattern is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Who.
    pub access: Access,
    /// What.
    pub pattern: Pattern,
}

/// Who may do what. An entry is an address, `*`, a glob such as `*@example.org`, or `USER`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Who may also read and write permission files, and read and write.
    #[serde(default)]
    pub admin: Vec<String>,
    /// Who may read.
    #[serde(default)]
    pub read: Vec<String>,
    /// Who may write, and read.
    #[serde(default)]
    pub write: Vec<String>,
}

/// A permission file that cannot be read. All below its folder is the owner's alone.
#[derive(Debug, thiserror::Error)]
pub enum PermissionFileError {
    /// It is no YAML of this shape.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// More than [`PermissionFile::MAX_RULES`].
    #[error("it has {0} rules, at most {max} are possible", max = PermissionFile::MAX_RULES)]
    TooManyRules(usize),
}

impl PermissionFile {
    /// The most rules of one file.
    pub const MAX_RULES: usize = 10_000;

    /// A file with one rule.
    #[must_use]
    pub fn single(pattern: Pattern, access: Access) -> Self {
        Self { rules: vec![Rule { access, pattern }], terminal: false }
    }

    /// Reads a file; an empty one has no rules.
    ///
    /// # Errors
    /// See [`PermissionFileError`].
    pub fn parse(yaml: &[u8]) -> Result<Self, PermissionFileError> {
        let file: Option<Self> = yaml::read(yaml)?;
        let file = file.unwrap_or_default();
        if file.rules.len() > Self::MAX_RULES {
            return Err(PermissionFileError::TooManyRules(file.rules.len()));
        }
        Ok(file)
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice: all of it has a YAML form.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        yaml::write(self)
    }

    /// Sets who has access to what `pattern` is about: changes its rule, or adds one at the end.
    pub fn set(&mut self, pattern: Pattern, access: Access) {
        match self.rules.iter_mut().find(|rule| rule.pattern == pattern) {
            Some(rule) => rule.access = access,
            None => self.rules.push(Rule { access, pattern }),
        }
    }

    /// Who has access to what `pattern` is about, as far as its own rule says.
    #[must_use]
    pub fn access(&self, pattern: &Pattern) -> Option<&Access> {
        self.rules.iter().find(|rule| rule.pattern == *pattern).map(|rule| &rule.access)
    }

    /// Adds `user` to the rule of `pattern`, which is added when it isn't there.
    pub fn grant(&mut self, pattern: Pattern, level: Level, user: &Email) {
        let mut access = self.access(&pattern).cloned().unwrap_or_default();
        let list = match level {
            Level::Read => &mut access.read,
            Level::Write => &mut access.write,
            Level::Admin => &mut access.admin,
        };
        if !list.iter().any(|entry| names(entry, user)) {
            list.push(user.to_string());
        }
        self.set(pattern, access);
    }
}

impl Access {
    /// Read for `users`.
    #[must_use]
    pub fn read<'a>(users: impl IntoIterator<Item = &'a Email>) -> Self {
        Self { read: users.into_iter().map(Email::to_string).collect(), ..Self::default() }
    }

    /// Read for any user.
    #[must_use]
    pub fn read_by_anyone() -> Self {
        Self { read: vec![ANYONE.to_owned()], ..Self::default() }
    }

    /// Write, and so read, for `users`.
    #[must_use]
    pub fn write<'a>(users: impl IntoIterator<Item = &'a Email>) -> Self {
        Self { write: users.into_iter().map(Email::to_string).collect(), ..Self::default() }
    }

    /// Whether `user` has `level`.
    pub(super) fn allows(&self, user: &Email, level: Level) -> bool {
        let is_in = |list: &[String]| list.iter().any(|entry| includes(entry, user));
        is_in(&self.admin)
            || (level <= Level::Write && is_in(&self.write))
            || (level <= Level::Read && is_in(&self.read))
    }
}

/// Whether `entry` is the address of `user`.
fn names(entry: &str, user: &Email) -> bool {
    entry.eq_ignore_ascii_case(user.as_str())
}

/// Whether `user` is one of those whom `entry` stands for.
fn includes(entry: &str, user: &Email) -> bool {
    if entry == ANYONE || entry == USER {
        return true;
    }
    if entry.contains(['*', '?']) {
        let glob = NameGlob::address(&entry.to_ascii_lowercase());
        return glob.matches(&user.as_str().to_ascii_lowercase());
    }
    names(entry, user)
}
