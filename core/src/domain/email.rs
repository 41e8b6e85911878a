//! The name of a peer: the e-mail address of its Drive account (wire section 1).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An e-mail address, kept as it was written and compared ignoring ASCII case.
///
/// It is safe as a component of a path, in a Drive query and in a folder name of the wire: the
/// characters that mean something there are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// Why a text is not an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an e-mail address: {reason}; write it like name@example.org")]
pub struct EmailError {
    text: String,
    reason: &'static str,
}

impl Email {
    /// The longest address, in bytes (RFC 5321, 4.5.3.1).
    pub const MAX_BYTES: usize = 254;

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the `@`, as it was written.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

fn reason_against(text: &str) -> Option<&'static str> {
    let Some((local, domain)) = text.split_once('@') else {
        return Some("it has no @");
    };
    if text.len() > Email::MAX_BYTES {
        return Some("it is longer than 254 bytes");
    }
    if local.is_empty() || domain.is_empty() {
        return Some("a side of the @ is empty");
    }
    if domain.contains('@') {
        return Some("it has more than one @");
    }
    if domain.split('.').any(str::is_empty) {
        return Some("its domain has an empty part");
    }
    let means_something_elsewhere =
        |c: char| c.is_control() || c.is_whitespace() || r#"/\#"'`<>()[]{},;:|*?"#.contains(c);
    if text.contains(means_something_elsewhere) {
        return Some("it has a character that an address here may not have");
    }
    None
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        match reason_against(text) {
            None => Ok(Self(text.to_owned())),
            Some(reason) => Err(EmailError { text: text.chars().take(80).collect(), reason }),
        }
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Email {}

impl PartialOrd for Email {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Email {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl std::hash::Hash for Email {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_ignoring_case_and_keeps_what_was_written() {
        let written: Email = "Ann@Example.org".parse().unwrap();
        assert_eq!(written, "ann@example.ORG".parse().unwrap());
        assert_eq!(written.as_str(), "Ann@Example.org");
        assert_eq!(written.domain(), "Example.org");
    }

    #[test]
    fn refuses_what_is_no_address_or_would_escape() {
        for bad in [
            "",
            "ann",
            "@x.org",
            "ann@",
            "a@b@c",
            "a b@x.org",
            "../x@y.org",
            "a'@x.org",
            "a#b@x.org",
            "a@x..org",
            "a@.org",
            "a\n@x.org",
            "*@x.org",
        ] {
            let error = bad.parse::<Email>().unwrap_err().to_string();
            assert!(error.contains("name@example.org"), "{bad}: {error}");
        }
        assert!(format!("{}@x.org", "a".repeat(300)).parse::<Email>().is_err());
    }
}
