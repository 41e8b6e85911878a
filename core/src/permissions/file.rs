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
    #[must_use]
    pub fn allows(&self, user: &Email, level: Level) -> bool {
        self.entry_for(user, level).is_some()
    }

    /// The entry that gives `user` `level`.
    pub(super) fn entry_for(&self, user: &Email, level: Level) -> Option<&str> {
        let lists = [(Level::Admin, &self.admin), (Level::Write, &self.write), (Level::Read, &self.read)];
        let counting = lists.into_iter().filter(|(includes, _)| level <= *includes);
        let mut entries = counting.flat_map(|(_, list)| list);
        entries.find(|entry| includes(entry, user)).map(String::as_str)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_python_peers_write() {
        let ds: Email = "ds@test.org".parse().unwrap();
        let mut file = PermissionFile::single(Pattern::everything(), Access::read([&ds]));
        let outputs = Pattern::below(&"v1/py1/outputs".parse().unwrap());
        file.set(outputs.clone(), Access::read([&"do@test.org".parse().unwrap()]));
        file.grant(outputs.clone(), Level::Read, &ds);
        file.grant(outputs, Level::Read, &"DS@test.org".parse().unwrap());
        assert_eq!(
            file.to_yaml().unwrap(),
            "rules:\n- access:\n    admin: []\n    read:\n    - ds@test.org\n    write: []\n  pattern: \"**\"\n\
             - access:\n    admin: []\n    read:\n    - do@test.org\n    - ds@test.org\n    write: []\n  \
             pattern: v1/py1/outputs/**\nterminal: false\n"
        );
    }

    #[test]
    fn reads_short_files_and_refuses_others() {
        for empty in ["", "# nothing", "{}", "rules: []", "---\n"] {
            assert_eq!(
                PermissionFile::parse(empty.as_bytes()).unwrap(),
                PermissionFile::default(),
                "{empty:?}"
            );
        }
        let file = PermissionFile::parse(b"rules:\n- {pattern: a, access: {read: ['*']}, note: x}\nmore: 1")
            .unwrap();
        assert_eq!(file.rules[0].access, Access::read_by_anyone());
        for bad in [
            "[]",
            "a",
            "rules: 1",
            "rules: [{pattern: a}]",
            "rules: [{access: {}}]",
            "terminal: 7",
            "a: [",
            "rules: []\nrules: []",
        ] {
            assert!(PermissionFile::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let long = format!("rules: [{{pattern: '{}', access: {{}}}}]", "a".repeat(5000));
        assert!(PermissionFile::parse(long.as_bytes()).is_err());
        let many = "- {pattern: a, access: {}}\n".repeat(10_001);
        let error = PermissionFile::parse(format!("rules:\n{many}").as_bytes()).unwrap_err();
        assert!(matches!(error, PermissionFileError::TooManyRules(10_001)), "{error}");
    }
}
