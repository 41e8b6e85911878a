//! The text of a policy file.

use std::collections::BTreeMap;

use serde::Deserialize;
use syftbox_core::domain::Email;

use super::{Policy, Rules, SomeLimits, error::DocumentError};
use crate::sandbox::{ByteSize, Limit, Limits, Unit};

/// The whole file. A word that isn't known makes it wrong: a misspelt ceiling would be none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Document {
    defaults: Table,
    ceilings: Table,
    peers: BTreeMap<String, PeerDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PeerDocument {
    defaults: Table,
    ceilings: Table,
}

type Table = BTreeMap<Limit, Amount>;

/// A number, or a number of bytes with its unit.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(u64),
    Text(String),
    Other(toml::Value),
}

impl Document {
    /// Reads a policy.
    ///
    /// # Errors
    /// When a word of it isn't understood, or a value can't be.
    pub(super) fn parse(text: &str) -> Result<Policy, DocumentError> {
        let document: Self = toml::from_str(text)?;
        let (mut peers, mut domains) = (BTreeMap::new(), BTreeMap::new());
        for (name, peer) in document.peers {
            let rules = rules(&format!("peers.{name:?}."), peer.defaults, peer.ceilings)?;
            // A domain is read as that of somebody's address.
            let domain = name.strip_prefix("*@").map(|domain| format!("x@{domain}"));
            let Ok(address) = domain.as_ref().unwrap_or(&name).parse::<Email>() else {
                return Err(DocumentError::Peer { name });
            };
            match domain {
                Some(_) => domains.insert(address.domain().to_ascii_lowercase(), rules),
                None => peers.insert(address, rules),
            };
        }
        let site = rules("", document.defaults, document.ceilings)?;
        Ok(Policy { path: None, site, peers, domains })
    }
}

fn rules(place: &str, defaults: Table, ceilings: Table) -> Result<Rules, DocumentError> {
    Ok(Rules {
        defaults: limits(&format!("{place}defaults"), defaults)?,
        ceilings: limits(&format!("{place}ceilings"), ceilings)?,
    })
}

fn limits(place: &str, table: Table) -> Result<SomeLimits, DocumentError> {
    table
        .into_iter()
        .map(|(limit, amount)| {
            let greatest = Limits::GREATEST.get(limit);
            let value = match (&amount, limit.unit()) {
                (Amount::Number(seconds), Unit::Milliseconds) => seconds.checked_mul(1000),
                (Amount::Number(number), _) => Some(*number),
                (Amount::Text(text), Unit::Bytes) => text.parse().ok().map(|ByteSize(bytes)| bytes),
                _ => None,
            };
            match value.filter(|value| (1..=greatest).contains(value)) {
                Some(value) => Ok((limit, value)),
                None => Err(DocumentError::Value {
                    place: format!("[{place}] {limit}"),
                    value: amount.show(),
                    wanted: match limit.unit() {
                        Unit::Milliseconds => format!("a number of seconds, at most {}", greatest / 1000),
                        Unit::Bytes => {
                            format!("a number of bytes such as \"64 MiB\", at most {}", limit.show(greatest))
                        }
                        Unit::Count => format!("a number from 1 to {greatest}"),
                    },
                }),
            }
        })
        .collect()
}

impl Amount {
    fn show(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("{text:?}"),
            Self::Other(value) => value.to_string(),
        }
    }
}
