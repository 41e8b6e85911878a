//! The order of a list and its pages. A page token names the last item shown, so that what is
//! added or removed meanwhile neither repeats nor hides anything else.

use std::{cmp::Ordering, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use syftbox_core::domain::Email;

use crate::{
    errors::ApiError,
    query,
    store::{FileRecord, Millis},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Key {
    CreatedTime,
    Folder,
    ModifiedByMeTime,
    ModifiedTime,
    Name,
    NaturalName,
    Size,
    Recency,
    SharedWithMeTime,
    Starred,
    ViewedByMeTime,
}

const KEYS: [(&str, Key); 11] = [
    ("createdTime", Key::CreatedTime),
    ("folder", Key::Folder),
    ("modifiedByMeTime", Key::ModifiedByMeTime),
    ("modifiedTime", Key::ModifiedTime),
    ("name", Key::Name),
    ("name_natural", Key::NaturalName),
    ("quotaBytesUsed", Key::Size),
    ("recency", Key::Recency),
    ("sharedWithMeTime", Key::SharedWithMeTime),
    ("starred", Key::Starred),
    ("viewedByMeTime", Key::ViewedByMeTime),
];

/// The keys to sort by, each ascending or descending. Without any, the order is that of the ids,
/// which mean nothing: a list has no order unless one is asked for.
#[derive(Debug, Default)]
pub(crate) struct Order(Vec<(Key, bool)>);

/// Where a file stands in an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Position {
    values: Vec<Sortable>,
    id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
enum Sortable {
    Number(i64),
    Text(String),
}

#[derive(Serialize, Deserialize)]
struct PageToken {
    /// Of the search that the token belongs to.
    search: String,
    after: Position,
}

/// Digits padded to one width, so that `file2` comes before `file10`.
fn natural(name: &str) -> String {
    let mut text = String::new();
    let mut digits = String::new();
    for c in name.to_lowercase().chars().chain([' ']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            text.extend(std::iter::repeat_n('0', 24_usize.saturating_sub(digits.len())));
            text.push_str(&std::mem::take(&mut digits));
        }
        text.push(c);
    }
    text
}

impl Order {
    /// Parses the parameter `orderBy`, such as `folder,modifiedTime desc`.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let parse_key = |part: &str| {
            let mut words = part.split_whitespace();
            let name = words.next()?;
            let (_, key) = KEYS.into_iter().find(|(known, _)| *known == name)?;
            match (words.next(), words.next()) {
                (None, _) | (Some("asc"), None) => Some((key, false)),
                (Some("desc"), None) => Some((key, true)),
                _ => None,
            }
        };
        let keys: Option<Vec<_>> = text.split(',').map(parse_key).collect();
        keys.map(Self).ok_or_else(|| ApiError::invalid_value("orderBy"))
    }

    fn position(&self, file: &FileRecord, account: &Email) -> Position {
        let time = |time: Option<&Millis>| Sortable::Number(time.copied().unwrap_or(Millis::MIN));
        let values = self.0.iter().map(|(key, _)| match key {
            Key::CreatedTime => Sortable::Number(file.created),
            Key::Folder => Sortable::Number(i64::from(!file.is_folder())),
            Key::ModifiedByMeTime => time(file.modified_times.get(account)),
            Key::ModifiedTime => Sortable::Number(file.modified),
            Key::Name => Sortable::Text(file.name.to_lowercase()),
            Key::NaturalName => Sortable::Text(natural(&file.name)),
            Key::Size => Sortable::Number(i64::try_from(file.size()).unwrap_or(i64::MAX)),
            Key::Recency => {
                time([file.viewed_times.get(account), Some(&file.modified)].into_iter().flatten().max())
            }
            Key::SharedWithMeTime => time(query::shared_time(file, account).as_ref()),
            Key::Starred => Sortable::Number(i64::from(!file.starred_by.contains(account))),
            Key::ViewedByMeTime => time(file.viewed_times.get(account)),
        });
        Position { values: values.collect(), id: file.id.clone() }
    }

    fn compare(&self, left: &Position, right: &Position) -> Ordering {
        let pairs = left.values.iter().zip(&right.values).zip(&self.0);
        let by_keys = pairs.map(|((left, right), (_, descending))| {
            let order = left.cmp(right);
            if *descending { order.reverse() } else { order }
        });
        by_keys.fold(Ordering::Equal, Ordering::then).then_with(|| left.id.cmp(&right.id))
    }

    /// The page of `files` that follows `token`, and the token of the next one if there is one.
    ///
    /// `search` stands for all that must be the same on every page.
    pub(crate) fn page<'a>(
        &self,
        files: Vec<&'a Arc<FileRecord>>,
        account: &Email,
        token: Option<&str>,
        size: usize,
        search: &[&str],
    ) -> Result<(Vec<&'a Arc<FileRecord>>, Option<String>), ApiError> {
        let search = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(search.join("\0"))[..9]);
        let after = match token {
            None => None,
            Some(token) => {
                Some(self.read(token, &search).ok_or_else(|| ApiError::invalid_value("pageToken"))?)
            }
        };
        let mut placed: Vec<(Position, &Arc<FileRecord>)> =
            files.into_iter().map(|file| (self.position(file, account), file)).collect();
        if let Some(after) = &after {
            placed.retain(|(position, _)| self.compare(position, after) == Ordering::Greater);
        }
        placed.sort_by(|(left, _), (right, _)| self.compare(left, right));
        let more = placed.len() > size;
        placed.truncate(size);
        let next = match placed.last().filter(|_| more) {
            None => None,
            Some((last, _)) => {
                let token = PageToken { search, after: last.clone() };
                let json = serde_json::to_vec(&token).map_err(|error| ApiError::internal(&error))?;
                Some(format!("~{}", BASE64_URL_SAFE_NO_PAD.encode(json)))
            }
        };
        Ok((placed.into_iter().map(|(_, file)| file).collect(), next))
    }

    fn read(&self, token: &str, search: &str) -> Option<Position> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix('~')?).ok()?;
        let token: PageToken = serde_json::from_slice(&json).ok()?;
        (token.search == search && token.after.values.len() == self.0.len()).then_some(token.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order_counts_numbers() {
        let mut names = ["File10", "file2", "file", "file02b"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["file", "file2", "file02b", "File10"]);
    }

    #[test]
    fn every_key_is_known_and_nothing_else() {
        for (name, _) in KEYS {
            Order::parse(&format!("{name} desc,folder")).unwrap();
        }
        for bad in ["", "size", "name up", "name desc desc", "name,"] {
            assert!(Order::parse(bad).is_err(), "{bad}");
        }
    }
}
