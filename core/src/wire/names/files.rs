//! Names of message files, checkpoints and encryption bundles.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use super::NameError;
use crate::domain::{Email, Timestamp};

/// How every payload's name ends.
pub const PAYLOAD_EXTENSION: &str = ".tar.gz";

/// What kind of message a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// `msgv2_…`: a [`ProposalMessage`](crate::wire::ProposalMessage).
    Proposal,
    /// `syfteventsmessagev3_…`: an [`EventsMessage`](crate::wire::EventsMessage).
    Events,
}

impl MessageKind {
    /// How the names of this kind begin.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Proposal => "msgv2",
            Self::Events => "syfteventsmessagev3",
        }
    }
}

/// The parts of a message file's name, `{prefix}_{seconds}_{uuid}.tar.gz`. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageName {
    /// When it was written.
    pub timestamp: Timestamp,
    /// Tells messages of one moment apart.
    pub uuid: Uuid,
}

impl MessageName {
    /// The file's name.
    #[must_use]
    pub fn file_name(&self, kind: MessageKind) -> String {
        format!("{}_{}_{}{PAYLOAD_EXTENSION}", kind.prefix(), self.timestamp, self.uuid)
    }

    /// Reads a file's name.
    ///
    /// # Errors
    /// When `name` is not of that kind.
    pub fn parse(kind: MessageKind, name: &str) -> Result<Self, NameError> {
        let parse = || {
            let parts = name.strip_prefix(kind.prefix())?.strip_prefix('_')?;
            let (timestamp, uuid) = parts.strip_suffix(PAYLOAD_EXTENSION)?.split_once('_')?;
            Some(Self { timestamp: timestamp.parse().ok()?, uuid: uuid.parse().ok()? })
        };
        parse().ok_or_else(|| {
            NameError::new(
                name,
                match kind {
                    MessageKind::Proposal => "a proposal message",
                    MessageKind::Events => "an events message",
                },
            )
        })
    }
}

fn timestamp_in(name: &str, prefix: &str) -> Option<Timestamp> {
    name.strip_prefix(prefix)?.strip_suffix(PAYLOAD_EXTENSION)?.parse().ok()
}

/// `rolling_state_{seconds}.tar.gz`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RollingStateName {
    /// When the file was first written; it is updated in place.
    pub timestamp: Timestamp,
}

impl fmt::Display for RollingStateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rolling_state_{}{PAYLOAD_EXTENSION}", self.timestamp)
    }
}

impl FromStr for RollingStateName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let timestamp = timestamp_in(name, "rolling_state_");
        timestamp.map(|timestamp| Self { timestamp }).ok_or_else(|| NameError::new(name, "a rolling state"))
    }
}

/// `checkpoint_{seconds}.tar.gz`; the newest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckpointName {
    /// When it was made.
    pub timestamp: Timestamp,
}

impl fmt::Display for CheckpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checkpoint_{}{PAYLOAD_EXTENSION}", self.timestamp)
    }
}

impl FromStr for CheckpointName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let timestamp = timestamp_in(name, "checkpoint_");
        timestamp.map(|timestamp| Self { timestamp }).ok_or_else(|| NameError::new(name, "a checkpoint"))
    }
}

/// `incremental_checkpoint_{sequence}_{seconds}.tar.gz`. Ordered by sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncrementalCheckpointName {
    /// Its place in the order, from 1.
    pub sequence_number: u32,
    /// When it was made.
    pub timestamp: Timestamp,
}

impl fmt::Display for IncrementalCheckpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "incremental_checkpoint_{}_{}{PAYLOAD_EXTENSION}", self.sequence_number, self.timestamp)
    }
}

impl FromStr for IncrementalCheckpointName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let parse = || {
            let (sequence, rest) = name.strip_prefix("incremental_checkpoint_")?.split_once('_')?;
            sequence.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
            Some(Self { sequence_number: sequence.parse().ok()?, timestamp: timestamp_in(rest, "")? })
        };
        parse().ok_or_else(|| NameError::new(name, "an incremental checkpoint"))
    }
}

/// `encryption_bundle_{owner}_for_{peer}.json` (wire section 9).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncryptionBundleName {
    /// Whose keys.
    pub owner: Email,
    /// For whom.
    pub peer: Email,
}

impl EncryptionBundleName {
    /// How all of them begin.
    pub const PREFIX: &str = "encryption_bundle_";
}

impl fmt::Display for EncryptionBundleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}_for_{}.json", Self::PREFIX, self.owner, self.peer)
    }
}

impl FromStr for EncryptionBundleName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let parse = || {
            let both = name.strip_prefix(Self::PREFIX)?.strip_suffix(".json")?;
            // An address may hold `_for_` itself: the first place that leaves two addresses counts.
            both.match_indices("_for_").find_map(|(at, middle)| {
                let owner = both[..at].parse().ok()?;
                let peer = both[at + middle.len()..].parse().ok()?;
                Some(Self { owner, peer })
            })
        };
        parse().ok_or_else(|| NameError::new(name, "an encryption bundle"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "235c0c7f-382e-494a-ae14-22335c8a3e66";

    #[test]
    fn messages_are_ordered_by_time() {
        let parse = |seconds: &str| {
            MessageName::parse(MessageKind::Proposal, &format!("msgv2_{seconds}_{UUID}.tar.gz")).unwrap()
        };
        // As texts they would be in another order.
        assert!(parse("999.5") < parse("1795408191.92396"));
        assert_eq!(
            parse("1795408191.0").file_name(MessageKind::Events),
            format!("syfteventsmessagev3_1795408191.0_{UUID}.tar.gz")
        );
    }

    #[test]
    fn other_names_are_refused() {
        for bad in [
            String::new(),
            "msgv2".to_owned(),
            format!("msgv2_1.5_{UUID}"),
            format!("msgv2_1.5_{UUID}.zip"),
            format!("msgv2_nan_{UUID}.tar.gz"),
            format!("msgv2_-1_{UUID}.tar.gz"),
            format!("msgv3_1.5_{UUID}.tar.gz"),
            format!("syfteventsmessagev3_1.5_{UUID}.tar.gz"),
            "msgv2_1.5_../../x.tar.gz".to_owned(),
            format!("msgv2_1.5_{UUID}.tar.gz (1)"),
        ] {
            assert!(MessageName::parse(MessageKind::Proposal, &bad).is_err(), "{bad}");
        }
        assert!("checkpoint_1.5.tar.gz".parse::<IncrementalCheckpointName>().is_err());
        assert!("incremental_checkpoint_3_1.5.tar.gz".parse::<CheckpointName>().is_err());
        assert!("incremental_checkpoint_+3_1.5.tar.gz".parse::<IncrementalCheckpointName>().is_err());
        assert!("rolling_state_x.tar.gz".parse::<RollingStateName>().is_err());
    }

    #[test]
    fn checkpoints_and_bundles_round_trip() {
        let name: IncrementalCheckpointName =
            "incremental_checkpoint_12_1795408191.92396.tar.gz".parse().unwrap();
        assert_eq!(
            (name.sequence_number, name.to_string().as_str()),
            (12, "incremental_checkpoint_12_1795408191.92396.tar.gz")
        );
        let name: EncryptionBundleName = "encryption_bundle_do@x.org_for_a_for_b@x.org.json".parse().unwrap();
        assert_eq!(name.peer.as_str(), "a_for_b@x.org");
        assert_eq!(name.to_string(), "encryption_bundle_do@x.org_for_a_for_b@x.org.json");
    }
}
