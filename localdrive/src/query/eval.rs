//! Which files a query holds for.

use std::sync::Arc;

use syftbox_core::domain::Email;

use super::{Comparison, Flag, Needed, Person, Query, TextTest, TimeField, Visibility, words};
use crate::{
    access, ids,
    store::{FileRecord, Grantee, Millis, Role, State},
};

/// One search: a query by an account in a moment of the drive.
pub(crate) struct Search<'a> {
    pub(crate) state: &'a State,
    pub(crate) account: &'a Email,
    /// None finds everything that the account may find.
    pub(crate) query: Option<&'a Query>,
}

/// What all results of a query have in common, for which there is an index.
enum Common<'a> {
    Parent(&'a str),
    Name(&'a str),
}

impl<'a> Search<'a> {
    /// The files found, in no particular order.
    pub(crate) fn results(&self) -> Vec<&'a Arc<FileRecord>> {
        let found = |file: &&'a Arc<FileRecord>| {
            !file.is_root() && self.query.is_none_or(|query| self.holds(query, file))
        };
        let state = self.state;
        match self.query.and_then(common) {
            // A folder's content is found by whoever may see it, be it through a link.
            Some(Common::Parent(folder)) => {
                let Ok(folder) = access::visible(state, folder, self.account) else { return Vec::new() };
                let seen = |file: &&'a Arc<FileRecord>| access::role(state, file, self.account).is_some();
                state.children(&folder.id).filter(found).filter(seen).collect()
            }
            Some(Common::Name(name)) => self.findable(state.named(name).filter(found)),
            None => self.findable(state.files().filter(found)),
        }
    }

    fn findable(&self, files: impl Iterator<Item = &'a Arc<FileRecord>>) -> Vec<&'a Arc<FileRecord>> {
        files.filter(|file| access::is_found(self.state, file, self.account)).collect()
    }

    fn holds(&self, query: &Query, file: &Arc<FileRecord>) -> bool {
        match query {
            Query::And(left, right) => self.holds(left, file) && self.holds(right, file),
            Query::Or(left, right) => self.holds(left, file) || self.holds(right, file),
            Query::Not(inner) => !self.holds(inner, file),
            Query::Name(test) => text_holds(test, &file.name),
            Query::MimeType(test) => text_holds(test, &file.mime_type),
            Query::FullText(sought) => {
                let description = file.details.description.as_deref().unwrap_or_default();
                words::are_in(sought, &format!("{} {description}", file.name))
            }
            Query::Time(field, comparison, than) => {
                self.time(*field, file).is_some_and(|time| compare(time, *comparison, *than))
            }
            Query::Flag(flag, wanted) => self.flag(*flag, file) == *wanted,
            Query::InParents(folder) => self.is_in(file, folder),
            Query::HasAccess(person, needed) => self.has_access(person, *needed, file),
            Query::Property { app, key, value } => {
                let properties = if *app { &file.app_properties } else { &file.properties };
                properties.get(key) == Some(value)
            }
            Query::Visibility(is, visibility) => self.has_visibility(*visibility, file) == *is,
            Query::Nothing => false,
        }
    }

    fn is_in(&self, file: &FileRecord, folder: &str) -> bool {
        let parent = file.parent.as_deref();
        if folder == "root" { parent == Some(&ids::root(self.account)) } else { parent == Some(folder) }
    }

    fn time(&self, field: TimeField, file: &FileRecord) -> Option<Millis> {
        match field {
            TimeField::Created => Some(file.created),
            TimeField::Modified => Some(file.modified),
            TimeField::ViewedByMe => file.viewed_times.get(self.account).copied(),
            TimeField::SharedWithMe => shared_time(file, self.account),
        }
    }

    fn flag(&self, flag: Flag, file: &Arc<FileRecord>) -> bool {
        match flag {
            Flag::Trashed => access::is_trashed(self.state, file),
            Flag::Starred => file.starred_by.contains(self.account),
            Flag::SharedWithMe => shared_time(file, self.account).is_some(),
        }
    }

    fn has_access(&self, person: &Person, needed: Needed, file: &Arc<FileRecord>) -> bool {
        let account = match person {
            Person::Me => self.account,
            Person::Account(account) => account,
            Person::Nobody => return false,
        };
        let role = match needed {
            Needed::Owner => return file.owner == *account,
            Needed::Writer => Role::Writer,
            Needed::Reader => Role::Reader,
        };
        access::role(self.state, file, account) >= Some(role)
    }

    fn has_visibility(&self, visibility: Visibility, file: &Arc<FileRecord>) -> bool {
        let granted = access::effective(self.state, file);
        let any = |wanted: fn(&Grantee) -> bool| granted.iter().any(|one| wanted(&one.permission.grantee));
        match visibility {
            Visibility::AnyoneCanFind => any(|to| matches!(to, Grantee::Anyone { discoverable: true })),
            Visibility::AnyoneWithLink => any(|to| matches!(to, Grantee::Anyone { discoverable: false })),
            Visibility::DomainCanFind => any(|to| matches!(to, Grantee::Domain { discoverable: true, .. })),
            Visibility::DomainWithLink => any(|to| matches!(to, Grantee::Domain { discoverable: false, .. })),
            Visibility::Limited => !any(|to| !matches!(to, Grantee::User { .. })),
        }
    }
}

/// When a file itself was shared with an account that doesn't own it.
pub(crate) fn shared_time(file: &FileRecord, account: &Email) -> Option<Millis> {
    let to_account = |to: &Grantee| matches!(to, Grantee::User { email, .. } if email == account);
    let permission = file.permissions.iter().find(|permission| to_account(&permission.grantee))?;
    (file.owner != *account).then_some(permission.granted)
}

fn common(query: &Query) -> Option<Common<'_>> {
    match query {
        Query::InParents(folder) => Some(Common::Parent(folder)),
        Query::Name(TextTest::Is(name)) => Some(Common::Name(name)),
        Query::And(left, right) => match (common(left), common(right)) {
            (Some(parent @ Common::Parent(_)), _) | (_, Some(parent @ Common::Parent(_))) => Some(parent),
            (name, other) => name.or(other),
        },
        _ => None,
    }
}

fn text_holds(test: &TextTest, text: &str) -> bool {
    match test {
        TextTest::Is(value) => text == value,
        TextTest::IsNot(value) => text != value,
        TextTest::Contains(value) => words::begin_words_of(value, text),
    }
}

fn compare(time: Millis, comparison: Comparison, than: Millis) -> bool {
    match comparison {
        Comparison::Less => time < than,
        Comparison::LessOrEqual => time <= than,
        Comparison::Equal => time == than,
        Comparison::NotEqual => time != than,
        Comparison::GreaterOrEqual => time >= than,
        Comparison::Greater => time > than,
    }
}
