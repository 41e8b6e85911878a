//! Why a policy isn't followed.

use std::{fmt, io, path::PathBuf};

use syftbox_core::domain::Email;

use crate::sandbox::Limit;

/// A policy file that can't be followed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It can't be read.
    #[error("the policy {} can't be read: {source}; check the path given with --policy or SYFTBOX_POLICY", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It says something that means nothing, so that nothing in it is trusted.
    #[error("the policy {} can't be followed, so no job runs: {why}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        why: DocumentError,
    },
}

/// What is wrong with the text of a policy.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is no TOML, or has a table or key that isn't known.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// The value of a limit is none.
    #[error("{place}: {value} is no value for it; write {wanted}")]
    Value {
        /// The table and the key.
        place: String,
        /// As it stands there.
        value: String,
        /// What would be one.
        wanted: String,
    },
    /// The name of a table below `peers` is no address.
    #[error("[peers.{name:?}] names nobody; write an address, or `*@` and a domain")]
    Peer {
        /// As it stands there.
        name: String,
    },
}

/// More was asked for than may be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverCeiling {
    /// Of what.
    pub limit: Limit,
    /// How much was asked for, in the limit's unit.
    pub asked: u64,
    /// How much may be had.
    pub ceiling: u64,
    /// The policy that says so; `None` when no job can have more.
    pub by: Option<PathBuf>,
    /// Whose job it is about; `None` for everybody's.
    pub peer: Option<Email>,
}

impl std::error::Error for OverCeiling {}

impl fmt::Display for OverCeiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, .. } = self;
        let (asked, ceiling) = (limit.show(self.asked), limit.show(self.ceiling));
        let whose = self.peer.as_ref().map_or_else(|| "a job".to_owned(), |peer| format!("jobs of {peer}"));
        match &self.by {
            Some(path) => write!(
                f,
                "{limit}: {asked} is more than the {ceiling} that {} lets {whose} have; ask for less, or change \
                 the policy",
                path.display()
            ),
            None => {
                write!(f, "{limit}: {asked} is more than the {ceiling} that any job can have; ask for less")
            }
        }
    }
}
