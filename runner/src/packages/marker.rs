//! When a package wants another: what PEP 508 writes behind the semicolon, asked of the sandbox's Python.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifier};

use super::PackageName;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Marker {
    Any(Vec<Marker>),
    All(Vec<Marker>),
    Compare(Value, String, Value),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    /// What is asked of the place where the package is.
    Variable(&'static str),
    Extra,
}

/// A condition that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no condition that PEP 508 knows")]
pub struct MarkerError(String);

/// What the sandbox's Python says of itself.
const ENVIRONMENT: [(&str, &str); 11] = [
    ("implementation_name", "cpython"),
    ("implementation_version", "3.15.0"),
    ("os_name", "posix"),
    ("platform_machine", "wasm32"),
    ("platform_python_implementation", "CPython"),
    ("platform_release", "0.0.0"),
    ("platform_system", "wasi"),
    ("platform_version", "0.0.0"),
    ("python_full_version", "3.15.0"),
    ("python_version", "3.15"),
    ("sys_platform", "wasi"),
];
/// Brackets within brackets.
const DEEPEST: usize = 16;

impl Marker {
    /// Whether it is true where a package is wanted with this optional part, or with none.
    pub(super) fn holds(&self, extra: Option<&PackageName>) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(extra)),
            Self::All(parts) => parts.iter().all(|part| part.holds(extra)),
            Self::Compare(left, operator, right) => {
                if matches!((left, right), (Value::Extra, _) | (_, Value::Extra)) {
                    let [left, right] = [left, right].map(|value| match value {
                        Value::Extra => extra.cloned(),
                        value => value.text().parse().ok(),
                    });
                    return match operator.as_str() {
                        "==" => left == right,
                        "!=" => left != right,
                        _ => false,
                    };
                }
                let versions = [left, right].iter().any(|value| value.is_version());
                let (left, right) = (left.text(), right.text());
                versions.then(|| compare_versions(left, operator, right)).flatten().unwrap_or_else(|| {
                    match operator.as_str() {
                        "==" | "===" => left == right,
                        "!=" => left != right,
                        "in" => right.contains(left),
                        "not in" => !right.contains(left),
                        "<" => left < right,
                        "<=" => left <= right,
                        ">" => left > right,
                        ">=" => left >= right,
                        _ => false,
                    }
                })
            }
        }
    }
}

impl Value {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Variable(name) => {
                ENVIRONMENT.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
            }
            Self::Extra => "",
        }
    }

    fn is_version(&self) -> bool {
        matches!(self, Self::Variable("python_version" | "python_full_version" | "implementation_version"))
    }
}

/// `None` where one of them is no version.
fn compare_versions(left: &str, operator: &str, right: &str) -> Option<bool> {
    let version: Version = left.parse().ok()?;
    let range: VersionSpecifier = format!("{operator}{right}").parse().ok()?;
    Some(range.contains(&version))
}

impl FromStr for Marker {
    type Err = MarkerError;

    fn from_str(text: &str) -> Result<Self, MarkerError> {
        let invalid = || MarkerError(text.trim().chars().take(200).collect());
        let words = words(text).ok_or_else(invalid)?;
        let mut words = words.as_slice();
        let marker = any(&mut words, DEEPEST).ok_or_else(invalid)?;
        if words.is_empty() { Ok(marker) } else { Err(invalid()) }
    }
}

#[derive(Debug, PartialEq)]
enum Word {
    Open,
    Close,
    Quoted(String),
    Plain(String),
}

fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '(' => (Word::Open, &rest[1..]),
            ')' => (Word::Close, &rest[1..]),
            '\'' | '"' => {
                let (quoted, after) = rest[1..].split_once(first)?;
                (Word::Quoted(quoted.to_owned()), after)
            }
            _ => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
                let is_sign = |c: char| matches!(c, '<' | '>' | '=' | '!' | '~');
                let end = if is_name(first) {
                    rest.find(|c| !is_name(c))
                } else if is_sign(first) {
                    rest.find(|c| !is_sign(c))
                } else {
                    return None;
                };
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                (Word::Plain(word.to_owned()), after)
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    Some(words)
}

fn any(words: &mut &[Word], depth: usize) -> Option<Marker> {
    let mut parts = vec![all(words, depth)?];
    while take(words, "or") {
        parts.push(all(words, depth)?);
    }
    Some(Marker::Any(parts))
}

fn all(words: &mut &[Word], depth: usize) -> Option<Marker> {
    let mut parts = vec![one(words, depth)?];
    while take(words, "and") {
        parts.push(one(words, depth)?);
    }
    Some(Marker::All(parts))
}

fn one(words: &mut &[Word], depth: usize) -> Option<Marker> {
    if let [Word::Open, rest @ ..] = *words {
        *words = rest;
        let marker = any(words, depth.checked_sub(1)?)?;
        let [Word::Close, rest @ ..] = *words else { return None };
        *words = rest;
        return Some(marker);
    }
    let left = value(words)?;
    let operator =
        if take(words, "not") { take(words, "in").then(|| "not in".to_owned())? } else { sign(words)? };
    Some(Marker::Compare(left, operator, value(words)?))
}

fn take(words: &mut &[Word], wanted: &str) -> bool {
    let found = matches!(words, [Word::Plain(word), ..] if word == wanted);
    if found {
        *words = &words[1..];
    }
    found
}

fn sign(words: &mut &[Word]) -> Option<String> {
    let [Word::Plain(word), rest @ ..] = *words else { return None };
    let known = ["==", "===", "!=", "<", "<=", ">", ">=", "~=", "in"].contains(&word.as_str());
    *words = rest;
    known.then(|| word.clone())
}

fn value(words: &mut &[Word]) -> Option<Value> {
    let [first, rest @ ..] = *words else { return None };
    *words = rest;
    match first {
        Word::Quoted(text) => Some(Value::Text(text.clone())),
        Word::Plain(word) if word == "extra" => Some(Value::Extra),
        Word::Plain(word) => {
            ENVIRONMENT.iter().find(|(name, _)| name == word).map(|(name, _)| Value::Variable(name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, extra: Option<&str>) -> bool {
        let extra = extra.map(|extra| extra.parse().unwrap());
        text.parse::<Marker>().unwrap().holds(extra.as_ref())
    }

    #[test]
    fn conditions_are_those_of_the_sandbox() {
        for (text, expected) in [
            ("python_version >= '3.9'", true),
            ("python_version < \"3.13\"", false),
            ("'3.15' == python_version", true),
            ("python_full_version >= '3.15.0'", true),
            ("python_version ~= '3.4'", true),
            ("python_version == '3.*'", true),
            ("sys_platform == 'win32'", false),
            ("sys_platform != 'win32' and platform_system != 'Windows'", true),
            ("os_name == 'nt' or (python_version > '3' and sys_platform in 'linux wasi')", true),
            ("platform_python_implementation == 'PyPy'", false),
            ("platform_machine not in 'x86_64 aarch64'", true),
        ] {
            assert_eq!(holds(text, None), expected, "{text}");
        }
    }

    #[test]
    fn optional_parts_are_wanted_by_name() {
        assert!(!holds("extra == 'dev'", None));
        assert!(holds("extra == 'dev_Tools'", Some("dev-tools")));
        assert!(!holds("python_version < '3' and extra == 'dev'", Some("dev")));
    }

    #[test]
    fn other_texts_are_no_conditions() {
        let deep = format!("{}python_version>'3'{}", "(".repeat(40), ")".repeat(40));
        for bad in [
            "",
            "x == 'y'",
            "python_version",
            "python_version >=",
            "(os_name == 'a'",
            "os_name $ 'a'",
            "'a' = 'b'",
            "os_name == 'a' os_name",
            &deep,
        ] {
            assert!(bad.parse::<Marker>().is_err(), "{bad}");
        }
    }
}
