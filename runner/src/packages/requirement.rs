//! What a job asks for: a package and its versions, as PEP 508 writes it.

use std::{fmt, str::FromStr};

use pep440_rs::{Version, VersionSpecifiers};

use super::{
    PackageName,
    marker::{Marker, MarkerError},
    name::InvalidName,
};

/// A package that is wanted, in which versions, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// What is wanted.
    pub name: PackageName,
    /// Its optional parts.
    pub extras: Vec<PackageName>,
    /// Any of these will do.
    pub versions: VersionSpecifiers,
    pub(super) marker: Option<Marker>,
}

/// A text that is no requirement which can be met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    /// It is far longer than any.
    #[error("it has more than {LONGEST} bytes")]
    TooLong,
    /// Its name isn't one.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// It isn't written as PEP 508 says.
    #[error("{0:?} is no range of versions; write it like >=2,<3")]
    Versions(String),
    /// It has no `]`.
    #[error("its extras have no end; write them like name[one,two]")]
    Extras,
    /// It names a file or an address.
    #[error("it names an address instead of a package of the registry; name the package and its version")]
    Address,
    /// What stands behind its semicolon can't be read.
    #[error(transparent)]
    Marker(#[from] MarkerError),
}

/// The longest requirement, in bytes.
const LONGEST: usize = 1000;

impl Requirement {
    /// Whether this version of the package will do. One before a release counts, for what is there is there.
    #[must_use]
    pub fn takes(&self, version: &Version) -> bool {
        self.versions.contains(version)
    }

    /// Whether it is wanted in the sandbox's Python, of a package with this optional part, or with none.
    #[must_use]
    pub fn applies(&self, extra: Option<&PackageName>) -> bool {
        self.marker.as_ref().is_none_or(|marker| marker.holds(extra))
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        if text.len() > LONGEST {
            return Err(RequirementError::TooLong);
        }
        let (wanted, marker) = match text.split_once(';') {
            Some((wanted, marker)) => (wanted, Some(marker.parse()?)),
            None => (text, None),
        };
        let wanted = wanted.trim();
        if wanted.contains('@') || wanted.contains("://") {
            return Err(RequirementError::Address);
        }
        let end = wanted.find(['[', '(', '<', '>', '=', '!', '~', ' ', '\t']).unwrap_or(wanted.len());
        let (name, rest) = wanted.split_at(end);
        let (extras, versions) = match rest.trim_start().strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(RequirementError::Extras)?,
            None => ("", rest),
        };
        let names = extras.split(',').map(str::trim).filter(|extra| !extra.is_empty());
        let versions = versions.trim();
        let bare = versions.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(versions);
        Ok(Self {
            name: name.parse()?,
            extras: names.map(str::parse).collect::<Result<_, _>>()?,
            versions: bare.parse().map_err(|_| RequirementError::Versions(bare.to_owned()))?,
            marker,
        })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(formatter)?;
        if !self.extras.is_empty() {
            let extras: Vec<_> = self.extras.iter().map(PackageName::as_str).collect();
            write!(formatter, "[{}]", extras.join(","))?;
        }
        let versions: Vec<_> = self.versions.iter().map(ToString::to_string).collect();
        formatter.write_str(&versions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Requirement>().unwrap().to_string()
    }

    #[test]
    fn the_forms_that_people_and_packages_write() {
        for (text, expected) in [
            ("pandas", "pandas"),
            (" Scikit_Learn >= 1.0, <2 ", "scikit-learn>=1.0,<2"),
            ("numpy (>=1.20)", "numpy>=1.20"),
            ("rich[jupyter, Extra_One]~=13.1; python_version > '3'", "rich[jupyter,extra-one]~=13.1"),
            ("a==1.*", "a==1.*"),
            ("a!=2", "a!=2"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn ranges_are_checked_as_python_does() {
        let takes = |text: &str, version: &str| {
            text.parse::<Requirement>().unwrap().takes(&version.parse::<Version>().unwrap())
        };
        for (text, version, expected) in [
            ("a", "3.0.6", true),
            ("a>=2,<3", "2.9", true),
            ("a>=2,<3", "3.0", false),
            ("a~=2.1", "2.10", true),
            ("a~=2.1", "3.0", false),
            ("a==2.*", "2.5.2", true),
            ("a==1.26.4", "1.26.4", true),
            ("a!=1.26.4", "1.26.4", false),
        ] {
            assert_eq!(takes(text, version), expected, "{text} {version}");
        }
    }

    #[test]
    fn what_pip_would_take_for_more_than_a_name_is_refused() {
        for bad in [
            "--index-url http://x",
            "-e .",
            "./wheel.whl",
            "a @ file:///etc/passwd",
            "git+https://x/y",
            "a[b",
            "a>=",
            "a>=1 --hash=x",
            "",
            "a; nonsense",
        ] {
            assert!(bad.parse::<Requirement>().is_err(), "{bad}");
        }
        assert_eq!("a".repeat(2000).parse::<Requirement>(), Err(RequirementError::TooLong));
    }
}
