//! The search language of `files.list`: the parameter `q`.

mod eval;
mod parse;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

use syftbox_core::domain::Email;

use crate::store::Millis;

pub(crate) use self::{
    eval::{Search, shared_time},
    parse::parse,
};

/// A parsed search.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Query {
    And(Box<Query>, Box<Query>),
    Or(Box<Query>, Box<Query>),
    Not(Box<Query>),
    Name(TextTest),
    MimeType(TextTest),
    FullText(String),
    Time(TimeField, Comparison, Millis),
    Flag(Flag, bool),
    /// In the folder of this id, or of the searching account for `root`.
    InParents(String),
    /// The person, or the searching account for `me`, has at least this.
    HasAccess(Person, Needed),
    Property {
        /// Those of the app rather than those of everybody.
        app: bool,
        key: String,
        value: String,
    },
    Visibility(bool, Visibility),
    /// Holds for nothing that this server has, such as `shortcutDetails.targetId = '…'`.
    Nothing,
}

/// How a text is tested.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TextTest {
    Is(String),
    IsNot(String),
    /// Each word of it begins a word of the text, in any order, ignoring case.
    Contains(String),
}

/// A time of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TimeField {
    Created,
    Modified,
    ViewedByMe,
    SharedWithMe,
}

/// How two times are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

/// What a file is or isn't.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flag {
    Trashed,
    Starred,
    SharedWithMe,
}

/// The collections of people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Needed {
    Owner,
    Writer,
    Reader,
}

/// Somebody in a collection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Person {
    Me,
    Account(Email),
    /// An address that no account can have.
    Nobody,
}

/// Who may find a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Visibility {
    AnyoneCanFind,
    AnyoneWithLink,
    DomainCanFind,
    DomainWithLink,
    Limited,
}
