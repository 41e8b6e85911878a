//! Which generation we and a peer talk in, and which version it has to see for that (wire section 1).
//!
//! Pure decisions. An account speaks both generations; its setting says which it belongs to, and
//! what each peer shows decides how that peer is talked to.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Generation, Version},
    encryption::EncryptionError,
    wire::VersionFile,
};

/// Why nothing is exchanged with a peer for now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// It shares no version file with us.
    #[error("it shows us no version; ask it to log in again and to approve you")]
    NoVersion,
    /// It shares a version file that tells no version.
    #[error("it shows a version that can't be understood ({why}); ask it to log in again")]
    UnreadableVersion {
        /// What is wrong with it.
        why: String,
    },
    /// It speaks neither generation.
    #[error(
        "it has version {theirs}, and only peers of 0.1.x and 0.10.x can be talked to; ask it to change the version"
    )]
    UnknownGeneration {
        /// What it shows.
        theirs: Version,
    },
    /// It made no folders for our datasite that count in the generation that we talk in.
    #[error("it has no folders for messages of generation {0} yet; ask it to sync, or to add you again")]
    NoFolders(Generation),
    /// Encryption is on, and there are no keys of it that can be used.
    #[error(transparent)]
    Keys(#[from] EncryptionError),
}

/// What a peer's version file told when we read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ShownVersion {
    /// A version.
    Is(VersionFile),
    /// Nothing that can be understood, and why.
    Unreadable(String),
}

impl ShownVersion {
    /// The longest reason that is kept, in characters: a peer can choose part of it.
    const MAX_WHY: usize = 200;

    /// Reads a version file.
    #[must_use]
    pub fn read(json: &[u8]) -> Self {
        match VersionFile::parse(json) {
            Ok(file) => Self::Is(file),
            Err(error) => Self::unreadable(&error),
        }
    }

    pub(super) fn unreadable(why: &dyn std::error::Error) -> Self {
        Self::Unreadable(why.to_string().chars().take(Self::MAX_WHY).collect())
    }

    /// The file, when it told a version.
    #[must_use]
    pub fn file(&self) -> Option<&VersionFile> {
        match self {
            Self::Is(file) => Some(file),
            Self::Unreadable(_) => None,
        }
    }
}

/// The generation in which we, who belong to `ours`, talk to a peer that shows `theirs`.
///
/// A Python peer speaks only its own. Of two peers that speak both, the older preference counts, so
/// that both come to the same answer whatever they showed each other before.
///
/// # Errors
/// The reason to skip the peer.
pub fn common_generation(ours: Generation, theirs: Option<&ShownVersion>) -> Result<Generation, Skipped> {
    match theirs {
        None => Err(Skipped::NoVersion),
        Some(ShownVersion::Unreadable(why)) => Err(Skipped::UnreadableVersion { why: why.clone() }),
        Some(ShownVersion::Is(file)) => match file.generations.first() {
            Some(preferred) => {
                let older = ours.min(*preferred);
                Ok(if file.generations.contains(&older) { older } else { *preferred })
            }
            None => Generation::of(file.version).ok_or(Skipped::UnknownGeneration { theirs: file.version }),
        },
    }
}

/// The version that we have to show to a peer that shows `theirs`: exactly its own to a Python
/// peer, which skips every other one, patch included. A peer whose version says nothing to us sees
/// the one that we belong to.
#[must_use]
pub fn version_to_show(ours: Generation, theirs: Option<&ShownVersion>) -> Version {
    match (common_generation(ours, theirs), theirs) {
        (Ok(_), Some(ShownVersion::Is(file))) if file.generations.is_empty() => file.version,
        (Ok(common), _) => common.version(),
        (Err(_), _) => ours.version(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Timestamp;

    const OLD: Generation = Generation::V0_1;
    const NEW: Generation = Generation::V0_10;

    fn python(version: &str) -> ShownVersion {
        ShownVersion::Is(VersionFile::new(version.parse().unwrap(), Timestamp::EPOCH))
    }

    fn rust(version: Version, preferred: Generation) -> ShownVersion {
        ShownVersion::Is(VersionFile::speaking_all(version, preferred, Timestamp::EPOCH))
    }

    #[test]
    fn a_python_peer_is_met_with_its_very_version() {
        for ours in Generation::ALL {
            for (theirs, generation) in [("0.1.117", OLD), ("0.1.9", OLD), ("0.10.0", NEW), ("0.10.1", NEW)] {
                let shown = python(theirs);
                assert_eq!(common_generation(ours, Some(&shown)), Ok(generation), "{theirs}");
                assert_eq!(version_to_show(ours, Some(&shown)).to_string(), theirs);
            }
        }
    }

    #[test]
    fn who_cannot_be_talked_to_is_named_and_sees_what_we_are() {
        for ours in Generation::ALL {
            for (theirs, why) in [
                (None, "no version"),
                (Some(python("0.2.0")), "0.2.0"),
                (Some(python("1.10.0")), "1.10.0"),
                (Some(ShownVersion::read(b"[]")), "understood"),
                (Some(ShownVersion::read(br#"{"syft_client_version": "latest"}"#)), "latest"),
            ] {
                let skipped = common_generation(ours, theirs.as_ref()).unwrap_err().to_string();
                assert!(skipped.contains(why), "{skipped}");
                assert!(skipped.contains("ask it to"), "{skipped}");
                assert_eq!(version_to_show(ours, theirs.as_ref()), ours.version());
            }
        }
    }

    #[test]
    fn a_reason_is_bounded() {
        let long = format!(r#"{{"syft_client_version": {:?}}}"#, "x".repeat(100_000));
        let Some(Skipped::UnreadableVersion { why }) =
            common_generation(NEW, Some(&ShownVersion::read(long.as_bytes()))).err()
        else {
            panic!("a version was read")
        };
        assert!(why.chars().count() <= 200, "{why}");
    }

    #[test]
    fn of_a_peer_that_dropped_a_generation_the_other_is_used() {
        let mut file = VersionFile::new(NEW.version(), Timestamp::EPOCH);
        file.generations = vec![NEW];
        assert_eq!(common_generation(OLD, Some(&ShownVersion::Is(file))), Ok(NEW));
    }

    proptest! {
        /// Whatever two of our kind showed each other, they settle on one generation at once.
        #[test]
        fn two_that_speak_both_agree(a_old: bool, b_old: bool, patches in any::<(u32, u32)>(), swap: bool) {
            let generation = |old| if old { OLD } else { NEW };
            let (a, b) = (generation(a_old), generation(b_old));
            let mut versions = [OLD.version(), NEW.version()];
            (versions[0].patch, versions[1].patch) = patches;
            if swap {
                versions.reverse();
            }
            let to_a = common_generation(a, Some(&rust(versions[0], b))).unwrap();
            let to_b = common_generation(b, Some(&rust(versions[1], a))).unwrap();
            prop_assert_eq!(to_a, to_b);
            prop_assert_eq!(version_to_show(a, Some(&rust(versions[0], b))), to_a.version());
            prop_assert_eq!(to_a == NEW, a == NEW && b == NEW);
        }
    }
}
