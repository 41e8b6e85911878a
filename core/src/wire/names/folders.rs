//! Names of folders below `SyftBox`.

use std::{fmt, str::FromStr};

use super::NameError;
use crate::domain::{Email, Version};

/// Which way the messages of a folder go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BoxKind {
    /// Proposals to the datasite.
    Inbox,
    /// Events from the datasite.
    Outbox,
}

impl BoxKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Outbox => "outbox",
        }
    }
}

/// `syft_datasite#{X.Y.Z}#{datasite}#inbox|outbox#{other}`: the messages between a datasite and one
/// other peer, in a folder that the other peer owns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasiteFolderName {
    /// The version that made it. It counts only for peers with the same X.Y.
    pub version: Version,
    /// Whose datasite.
    pub datasite: Email,
    /// Proposals to the datasite, or events from it.
    pub kind: BoxKind,
    /// With whom.
    pub other: Email,
}

impl DatasiteFolderName {
    /// How all of them begin.
    pub const PREFIX: &'static str = "syft_datasite";
}

impl fmt::Display for DatasiteFolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, datasite, kind, other } = self;
        write!(f, "{}#{version}#{datasite}#{}#{other}", Self::PREFIX, kind.as_str())
    }
}

impl FromStr for DatasiteFolderName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let parse = || {
            let mut parts = name.split('#');
            (parts.next()? == Self::PREFIX).then_some(())?;
            let version = parts.next()?.parse().ok()?;
            let datasite = parts.next()?.parse().ok()?;
            let kind = match parts.next()? {
                "inbox" => BoxKind::Inbox,
                "outbox" => BoxKind::Outbox,
                _ => return None,
            };
            let other = parts.next()?.parse().ok()?;
            parts.next().is_none().then_some(Self { version, datasite, kind, other })
        };
        parse().ok_or_else(|| NameError::new(name, "an inbox or outbox folder"))
    }
}

/// `{X.Y.Z}#{me}`: the event log of a datasite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventLogFolderName {
    /// The version that made it.
    pub version: Version,
    /// Whose datasite.
    pub datasite: Email,
}

impl fmt::Display for EventLogFolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.version, self.datasite)
    }
}

impl FromStr for EventLogFolderName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let parse = || {
            let (version, datasite) = name.split_once('#')?;
            Some(Self { version: version.parse().ok()?, datasite: datasite.parse().ok()? })
        };
        parse().ok_or_else(|| NameError::new(name, "an event log folder"))
    }
}

/// `syft_{sender}_to_{me}_archive`: where a datasite keeps the proposals it is done with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveFolderName {
    /// Who proposed.
    pub sender: Email,
    /// Whose datasite.
    pub datasite: Email,
}

impl fmt::Display for ArchiveFolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "syft_{}_to_{}_archive", self.sender, self.datasite)
    }
}

impl FromStr for ArchiveFolderName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let parse = || {
            let both = name.strip_prefix("syft_")?.strip_suffix("_archive")?;
            // An address may hold `_to_` itself: the first place that leaves two addresses counts.
            both.match_indices("_to_").find_map(|(at, middle)| {
                let sender = both[..at].parse().ok()?;
                let datasite = both[at + middle.len()..].parse().ok()?;
                Some(Self { sender, datasite })
            })
        };
        parse().ok_or_else(|| NameError::new(name, "an archive folder"))
    }
}

/// `syft_encryption_bundles#{me}`: public keys, one file for each peer (wire section 9).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncryptionBundlesFolderName {
    /// Whose keys.
    pub owner: Email,
}

impl fmt::Display for EncryptionBundlesFolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "syft_encryption_bundles#{}", self.owner)
    }
}

impl FromStr for EncryptionBundlesFolderName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let owner = name.strip_prefix("syft_encryption_bundles#").and_then(|owner| owner.parse().ok());
        owner.map(|owner| Self { owner }).ok_or_else(|| NameError::new(name, "an encryption bundles folder"))
    }
}

/// `SYFT_version_{X.Y.Z}`: holds the [`VERSION_FILE`](super::VERSION_FILE) for peers that need
/// another version than our own (wire section 1). Of our making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionFolderName {
    /// The version that the file in it tells.
    pub version: Version,
}

impl VersionFolderName {
    /// How all of them begin.
    pub const PREFIX: &'static str = "SYFT_version_";
}

impl fmt::Display for VersionFolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.version)
    }
}

impl FromStr for VersionFolderName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let version = name.strip_prefix(Self::PREFIX).and_then(|version| version.parse().ok());
        version.map(|version| Self { version }).ok_or_else(|| NameError::new(name, "a version's folder"))
    }
}

/// Declares a folder named `{me}-{X.Y.Z}-{suffix}`.
macro_rules! own_folder {
    ($(#[$doc:meta])* $name:ident, $suffix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// Whose datasite.
            pub datasite: Email,
            /// The version that made it.
            pub version: Version,
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}-{}", $suffix), self.datasite, self.version)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                let parse = || {
                    // An address may hold a `-`, a version may not.
                    let (datasite, version) = name.strip_suffix($suffix)?.rsplit_once('-')?;
                    Some(Self { datasite: datasite.parse().ok()?, version: version.parse().ok()? })
                };
                parse().ok_or_else(|| NameError::new(name, $kind))
            }
        }
    };
}

own_folder!(
    /// `{me}-{X.Y.Z}-checkpoints`: full and incremental checkpoints.
    CheckpointsFolderName,
    "-checkpoints",
    "a checkpoints folder"
);
own_folder!(
    /// `{me}-{X.Y.Z}-rolling-state`: the rolling state.
    RollingStateFolderName,
    "-rolling-state",
    "a rolling state folder"
);

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;

    use super::*;

    fn round_trips<T: FromStr<Err: Debug> + fmt::Display>(name: &str) -> T {
        let parsed: T = name.parse().unwrap();
        assert_eq!(parsed.to_string(), name);
        parsed
    }

    #[test]
    fn names_of_the_python_peers() {
        let inbox: DatasiteFolderName = round_trips("syft_datasite#0.1.117#do@test.org#inbox#ds@test.org");
        assert_eq!((inbox.datasite.as_str(), inbox.other.as_str()), ("do@test.org", "ds@test.org"));
        assert_eq!((inbox.kind, inbox.version.patch), (BoxKind::Inbox, 117));
        let outbox: DatasiteFolderName = round_trips("syft_datasite#0.10.0#do@test.org#outbox#ds@test.org");
        assert_eq!(outbox.kind, BoxKind::Outbox);
        round_trips::<EventLogFolderName>("0.10.0#do@test.org");
        round_trips::<EncryptionBundlesFolderName>("syft_encryption_bundles#do@test.org");
        assert_eq!(round_trips::<VersionFolderName>("SYFT_version_0.10.1").version.patch, 1);
        assert!("SYFT_version.json".parse::<VersionFolderName>().is_err());
        let archive: ArchiveFolderName = round_trips("syft_ds@test.org_to_do@test.org_archive");
        assert_eq!(archive.sender.as_str(), "ds@test.org");
        let archive: ArchiveFolderName = round_trips("syft_a_to_b@x.org_to_c_to_d@y.org_archive");
        assert_eq!((archive.sender.as_str(), archive.datasite.as_str()), ("a_to_b@x.org", "c_to_d@y.org"));
        let checkpoints: CheckpointsFolderName = round_trips("a-b@x-y.org-0.10.0-checkpoints");
        assert_eq!(checkpoints.datasite.as_str(), "a-b@x-y.org");
        round_trips::<RollingStateFolderName>("do@test.org-0.1.117-rolling-state");
    }

    #[test]
    fn other_names_are_refused() {
        for bad in [
            "",
            "syft_datasite",
            "syft_datasite#0.1.117#do@test.org#inbox",
            "syft_datasite#0.1.117#do@test.org#inbox#ds@test.org#x",
            "syft_datasite#0.1#do@test.org#inbox#ds@test.org",
            "syft_datasite#0.1.117#do@test.org#sent#ds@test.org",
            "syft_datasite#0.1.117#../x#inbox#ds@test.org",
            "xsyft_datasite#0.1.117#do@test.org#inbox#ds@test.org",
        ] {
            let error = bad.parse::<DatasiteFolderName>().unwrap_err();
            assert!(error.to_string().contains("inbox or outbox"), "{error}");
            assert!(bad.parse::<EventLogFolderName>().is_err());
            assert!(bad.parse::<ArchiveFolderName>().is_err());
            assert!(bad.parse::<CheckpointsFolderName>().is_err());
            assert!(bad.parse::<RollingStateFolderName>().is_err());
            assert!(bad.parse::<EncryptionBundlesFolderName>().is_err());
        }
        assert!("0.10.0#do@test.org#x".parse::<EventLogFolderName>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed(
            datasite in "[a-z_+.-]{1,9}@[a-z-]{1,5}\\.[a-z]{2}",
            other in "[a-z_+.-]{1,9}@[a-z-]{1,5}\\.[a-z]{2}",
            (major, minor, patch) in any::<(u32, u32, u32)>(),
        ) {
            let (datasite, other): (Email, Email) = (datasite.parse().unwrap(), other.parse().unwrap());
            let version = Version { major, minor, patch };
            let name = DatasiteFolderName { version, datasite: datasite.clone(), kind: BoxKind::Outbox, other: other.clone() };
            prop_assert_eq!(name.to_string().parse(), Ok(name));
            let name = CheckpointsFolderName { datasite: datasite.clone(), version };
            prop_assert_eq!(name.to_string().parse(), Ok(name));
            let name = ArchiveFolderName { sender: other, datasite };
            prop_assert_eq!(name.to_string().parse(), Ok(name));
        }
    }
}
