//! Patterns of rules: which paths below its permission file a rule is about.

use std::{cmp::Reverse, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::glob::{PathGlob, is_glob};
use crate::domain::{DatasitePath, Email};

/// Stands for the address of the user who asks.
const USER_TEMPLATE: &str = "{{.UserEmail}}";
/// What other versions meant to support, and the Python peers refuse.
const OTHER_TEMPLATES: [&str; 4] = ["{{.UserHash}}", "{{.Year}}", "{{.Month}}", "{{.Date}}"];

/// A pattern, relative to the folder of its permission file: a path, a glob, or either with
/// `{{.UserEmail}}` in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

/// A text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Longer than [`Pattern::MAX_BYTES`].
    #[error("a pattern has {0} bytes, at most {max} are possible", max = Pattern::MAX_BYTES)]
    TooLong(usize),
    /// It has a template that nobody supports.
    #[error("a pattern has the template {0}, which is not supported; only {{{{.UserEmail}}}} is")]
    Template(&'static str),
}

impl Pattern {
    /// The longest pattern, in bytes.
    pub const MAX_BYTES: usize = 4096;

    /// `**`: all that is below, but for hidden names.
    #[must_use]
    pub fn everything() -> Self {
        Self("**".to_owned())
    }

    /// Exactly `path`, whatever characters are in it.
    #[must_use]
    pub fn literal(path: &DatasitePath) -> Self {
        let mut pattern = String::with_capacity(path.as_str().len());
        for c in path.as_str().chars() {
            // A class of one character is that character, in every reader.
            if matches!(c, '*' | '?' | '[' | '{') {
                pattern.extend(['[', c, ']']);
            } else {
                pattern.push(c);
            }
        }
        Self(pattern)
    }

    /// All that is below `folder`, but for hidden names.
    #[must_use]
    pub fn below(folder: &DatasitePath) -> Self {
        Self(Self::literal(folder).0 + "/**")
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn has_template(&self) -> bool {
        self.0.contains(USER_TEMPLATE)
    }

    /// How specific it is: rules are asked in descending order of this.
    pub(super) fn specificity(&self) -> impl Ord + use<> {
        let components = || self.0.split('/');
        let literal = |component: &&str| !component.contains(['*', '?', '[', '{']);
        let wild =
            |component: &&str| *component != "**" && is_glob(component) && !component.contains(USER_TEMPLATE);
        (
            self.has_template(),
            components().filter(literal).count(),
            components().filter(wild).count(),
            Reverse(components().filter(|component| *component == "**").count()),
            components().count(),
        )
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        if text.len() > Self::MAX_BYTES {
            return Err(PatternError::TooLong(text.len()));
        }
        match OTHER_TEMPLATES.iter().find(|template| text.contains(**template)) {
            Some(template) => Err(PatternError::Template(template)),
            None => Ok(Self(text)),
        }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pattern made ready to be asked.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Exact(String),
    Glob(PathGlob),
    /// Ready only once the user is known.
    Template(String),
    /// No path matches.
    Never,
}

impl Matcher {
    pub(super) fn new(pattern: &Pattern) -> Self {
        if pattern.has_template() { Self::Template(pattern.0.clone()) } else { Self::of(&pattern.0) }
    }

    fn of(text: &str) -> Self {
        if !is_glob(text) {
            return Self::Exact(text.to_owned());
        }
        PathGlob::parse(text).map_or(Self::Never, Self::Glob)
    }

    /// Whether the path with these components matches when `user` asks. An address has no character
    /// that means something in a glob.
    pub(super) fn matches(&self, path: &[&str], user: &Email) -> bool {
        match self {
            Self::Exact(text) => text.split('/').eq(path.iter().copied()),
            Self::Glob(glob) => glob.matches(path),
            Self::Template(text) => Self::of(&text.replace(USER_TEMPLATE, user.as_str())).matches(path, user),
            Self::Never => false,
        }
    }

    /// How much of what is in the folder with these components it is about when `user` asks.
    pub(super) fn coverage(&self, folder: &[&str], user: &Email) -> Coverage {
        match self {
            Self::Exact(text) => {
                let mut path = text.split('/');
                let is_inside = folder.iter().all(|name| path.next() == Some(name)) && path.next().is_some();
                if is_inside { Coverage::Part } else { Coverage::None }
            }
            Self::Glob(glob) => glob.coverage(folder),
            Self::Template(text) => {
                Self::of(&text.replace(USER_TEMPLATE, user.as_str())).coverage(folder, user)
            }
            Self::Never => Coverage::None,
        }
    }
}

/// How much of a folder a pattern is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coverage {
    /// Nothing that is in it.
    None,
    /// Some of it, or hidden names only.
    Part,
    /// All but hidden names, at least.
    All,
}
