//! Partial answers: the parameter `fields`, such as `nextPageToken,files(id,owners/emailAddress)`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::errors::ApiError;

/// Selections inside one another.
const MAX_DEPTH: usize = 20;

/// What of an answer is wanted, or, as a schema, what there can be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mask {
    /// All there is.
    All,
    /// These members only.
    Members(BTreeMap<String, Mask>),
}

impl Mask {
    /// Parses a selection.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut rest = text;
        let mask = members(&mut rest, 0).filter(|_| rest.is_empty());
        mask.ok_or_else(|| {
            ApiError::invalid_parameter("fields", format!("Invalid field selection {}", excerpt(text)))
        })
    }

    /// Refuses a selection that names what isn't in `schema`.
    pub(crate) fn check(&self, schema: &Self) -> Result<(), ApiError> {
        let (Self::Members(wanted), Self::Members(known)) = (self, schema) else { return Ok(()) };
        wanted.iter().try_for_each(|(name, mask)| match known.get(name) {
            Some(inner) => mask.check(inner),
            // `*` beside a name stands for every member.
            None if name == "*" => known.values().try_for_each(|inner| mask.check(inner)),
            None => {
                let message = format!("Invalid field selection {}", excerpt(name));
                Err(ApiError::invalid_parameter("fields", message))
            }
        })
    }

    /// Leaves of `value` what is wanted. A mask works on each item of a list.
    pub(crate) fn apply(&self, value: &mut Value) {
        let Self::Members(wanted) = self else { return };
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(object) => {
                let any = wanted.get("*");
                object.retain(|name, _| any.is_some() || wanted.contains_key(name));
                for (name, member) in object {
                    if let Some(mask) = wanted.get(name).or(any) {
                        mask.apply(member);
                    }
                }
            }
            _ => {}
        }
    }

    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::All, _) => {}
            (all, Self::All) => *all = Self::All,
            (Self::Members(members), Self::Members(more)) => {
                for (name, mask) in more {
                    match members.get_mut(&name) {
                        Some(known) => known.merge(mask),
                        None => drop(members.insert(name, mask)),
                    }
                }
            }
        }
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

/// `member, member…` up to the end or a closing parenthesis.
fn members(rest: &mut &str, depth: usize) -> Option<Mask> {
    let mut all = Mask::Members(BTreeMap::new());
    loop {
        let (name, mask) = member(rest, depth)?;
        if name == "*" && mask == Mask::All {
            all = Mask::All;
        } else {
            all.merge(Mask::Members(BTreeMap::from([(name, mask)])));
        }
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Some(all),
        }
    }
}

/// `name`, `name/member` or `name(member,…)`.
fn member(rest: &mut &str, depth: usize) -> Option<(String, Mask)> {
    if depth > MAX_DEPTH {
        return None;
    }
    *rest = rest.trim_start();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '*' || c == '_' || c == '-';
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after.trim_start();
    if name.is_empty() {
        return None;
    }
    let mask = if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
        let (inner, mask) = member(rest, depth + 1)?;
        if inner == "*" && mask == Mask::All { mask } else { Mask::Members(BTreeMap::from([(inner, mask)])) }
    } else if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        let mask = members(rest, depth + 1)?;
        *rest = rest.strip_prefix(')')?.trim_start();
        mask
    } else {
        Mask::All
    };
    Some((name.to_owned(), mask))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn masked(mask: &str, mut value: Value) -> Value {
        Mask::parse(mask).unwrap().apply(&mut value);
        value
    }

    #[test]
    fn leaves_what_is_selected_at_every_depth() {
        let list = json!({"kind": "k", "nextPageToken": "t", "files": [
            {"id": "1", "name": "a", "owners": [{"emailAddress": "a@x.org", "me": true}]},
            {"id": "2", "name": "b"},
        ]});
        assert_eq!(
            masked("files(id,owners/emailAddress),nextPageToken", list.clone()),
            json!({"nextPageToken": "t", "files": [
                {"id": "1", "owners": [{"emailAddress": "a@x.org"}]}, {"id": "2"}]})
        );
        assert_eq!(masked("*", list.clone()), list);
        assert_eq!(masked("files/id, files/name", list.clone()), masked("files(id,name)", list.clone()));
        assert_eq!(masked("files/*", list.clone()), masked("files", list.clone()));
        assert_eq!(masked("files(*),kind", list.clone())["kind"], "k");
        assert_eq!(masked("files(id,owners(*))", list)["files"][0]["owners"][0]["me"], true);
    }

    #[test]
    fn refuses_what_is_no_selection_or_names_nothing_known() {
        let deep = format!("{}a", "a/".repeat(1000));
        for bad in ["", ",", "a,", "a(", "a()", "a(b", "a)b", "a b", "(a)", "a//b", "a/", "ä", &deep] {
            assert!(Mask::parse(bad).is_err(), "{bad}");
        }
        let schema = Mask::parse("id,owners(me),any(*)").unwrap();
        for good in ["id", "owners", "owners/me", "*", "any/thing", "owners(*)"] {
            Mask::parse(good).unwrap().check(&schema).unwrap();
        }
        for bad in ["ids", "owners/you", "id,x"] {
            let error = Mask::parse(bad).unwrap().check(&schema).unwrap_err();
            assert!(error.message.starts_with("Invalid field selection"), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_never_adds(text in "[a-c*/(), ]{0,30}") {
            if let Ok(mask) = Mask::parse(&text) {
                let whole = json!({"a": {"b": 1, "c": [{"a": 2}]}, "b": "x"});
                let mut part = whole.clone();
                mask.apply(&mut part);
                prop_assert!(part.as_object().unwrap().keys().all(|key| whole.get(key).is_some()));
                let mut again = part.clone();
                mask.apply(&mut again);
                prop_assert_eq!(again, part);
            }
        }
    }
}
