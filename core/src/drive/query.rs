//! What to search for, in the words of Drive's `q` parameter.

use super::{DriveFile, FileId, file::FOLDER};
use crate::domain::Timestamp;

/// Parents in one query. More make the address too long for Drive.
const PARENTS_PER_QUERY: usize = 50;

/// A search among the files that are not in the trash. Each call narrows it.
///
/// Drive's `name contains` is vague and search lags (wire section 2), so every answer is held
/// against the query again before it is given to the caller.
#[derive(Clone, Debug, Default)]
pub struct Query {
    terms: Vec<String>,
    name: Option<String>,
    prefix: Option<String>,
    folders: Option<bool>,
    owned_by_me: Option<bool>,
    parents: Option<Vec<FileId>>,
    created_since: Option<Timestamp>,
    alternatives: Vec<Query>,
}

impl Query {
    /// All files that this account may see.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Files for which at least one of `queries` holds. None of them may name parents.
    #[must_use]
    pub fn any(queries: impl IntoIterator<Item = Self>) -> Self {
        Self { alternatives: queries.into_iter().collect(), ..Self::default() }
    }

    /// Only files of exactly this name.
    #[must_use]
    pub fn name_is(mut self, name: &str) -> Self {
        self.terms.push(format!("name = '{}'", escape(name)));
        self.name = Some(name.to_owned());
        self
    }

    /// Only files whose name starts so.
    #[must_use]
    pub fn name_prefix(mut self, prefix: &str) -> Self {
        self.terms.push(format!("name contains '{}'", escape(prefix)));
        self.prefix = Some(prefix.to_owned());
        self
    }

    /// Only files directly in one of these folders; none at all when there is no folder.
    #[must_use]
    pub fn in_any_parent(mut self, parents: &[FileId]) -> Self {
        let mut parents = parents.to_vec();
        parents.sort();
        parents.dedup();
        self.parents = Some(parents);
        self
    }

    /// Only files directly in this folder.
    #[must_use]
    pub fn in_parent(self, parent: &FileId) -> Self {
        self.in_any_parent(std::slice::from_ref(parent))
    }

    /// Only files that this account owns, or only those it doesn't.
    #[must_use]
    pub fn owned_by_me(mut self, owned: bool) -> Self {
        self.terms.push(if owned { "'me' in owners" } else { "not 'me' in owners" }.to_owned());
        self.owned_by_me = Some(owned);
        self
    }

    /// Only folders.
    #[must_use]
    pub fn folders(mut self) -> Self {
        self.terms.push(format!("mimeType = '{FOLDER}'"));
        self.folders = Some(true);
        self
    }

    /// Only what is no folder.
    #[must_use]
    pub fn not_folders(mut self) -> Self {
        self.terms.push(format!("mimeType != '{FOLDER}'"));
        self.folders = Some(false);
        self
    }

    /// Only files made at `time` or later, by Drive's clock.
    #[must_use]
    pub fn created_since(mut self, time: Timestamp) -> Self {
        self.terms.push(format!("createdTime >= '{}'", time.to_iso()));
        self.created_since = Some(time);
        self
    }

    /// Only files with this app property.
    #[must_use]
    pub fn app_property(mut self, key: &str, value: &str) -> Self {
        let (key, value) = (escape(key), escape(value));
        self.terms.push(format!("appProperties has {{ key='{key}' and value='{value}' }}"));
        self
    }

    /// The values of `q` that together cover the query.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut terms = self.terms.clone();
        if !self.alternatives.is_empty() {
            let any: Vec<_> =
                self.alternatives.iter().map(|query| format!("({})", query.terms.join(" and "))).collect();
            terms.push(format!("({})", any.join(" or ")));
        }
        terms.push("trashed = false".to_owned());
        let terms = terms.join(" and ");
        let Some(parents) = &self.parents else { return vec![terms] };
        parents
            .chunks(PARENTS_PER_QUERY)
            .map(|chunk| {
                let any: Vec<_> = chunk.iter().map(|id| format!("'{id}' in parents")).collect();
                format!("({}) and {terms}", any.join(" or "))
            })
            .collect()
    }

    /// Whether `file` is what was asked for.
    pub(super) fn admits(&self, file: &DriveFile) -> bool {
        !file.trashed
            && self.name.as_ref().is_none_or(|name| *name == file.name)
            && self.prefix.as_ref().is_none_or(|prefix| file.name.starts_with(prefix))
            && self.folders.is_none_or(|folders| folders == file.is_folder())
            && self.owned_by_me.is_none_or(|owned| owned == file.owned_by_me)
            && self.created_since.is_none_or(|time| file.created.is_none_or(|created| created >= time))
            && (self.alternatives.is_empty() || self.alternatives.iter().any(|query| query.admits(file)))
    }
}

/// Backslash and quote end a string of `q` unless escaped.
fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('\'', r"\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_escapes() {
        let parent: FileId = "p1".parse().unwrap();
        let query = Query::new().name_is(r"it's \ here").folders().owned_by_me(true).in_parent(&parent);
        assert_eq!(
            query.texts(),
            [
                r"('p1' in parents) and name = 'it\'s \\ here' and mimeType = 'application/vnd.google-apps.folder' and 'me' in owners and trashed = false"
            ]
        );
    }

    #[test]
    fn asks_for_what_is_new() {
        let time = Timestamp::from_iso("2026-11-23T04:29:58.5Z").unwrap();
        let texts = Query::new().created_since(time).texts();
        assert_eq!(texts, ["createdTime >= '2026-11-23T04:29:58.500000Z' and trashed = false"]);
    }

    #[test]
    fn many_parents_are_several_queries() {
        let ids: Vec<FileId> = (0..120).map(|n| format!("id{n}").parse().unwrap()).collect();
        let texts = Query::new().in_any_parent(&ids).texts();
        assert_eq!(texts.len(), 3);
        assert_eq!(texts.iter().map(|text| text.matches(" in parents").count()).sum::<usize>(), 120);
        assert!(Query::new().in_any_parent(&[]).texts().is_empty());
    }
}
