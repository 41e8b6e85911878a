//! Why packages couldn't be looked up or fetched; a package that can't be had is a
//! [`Refusal`](super::Refusal).

use std::{io, path::PathBuf};

/// Packages that aren't known or aren't there.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The cache can't be used.
    #[error(
        "the package cache can't be used at {path}: {source}; check the free space and the permissions, or set SYFTBOX_CACHE_DIR to another folder"
    )]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// pip can't be started.
    #[error("pip can't be started to get Python packages: {source}; install Python 3 with pip")]
    NoPip {
        /// What the system says.
        source: io::Error,
    },
    /// pip couldn't reach the registry.
    #[error("the registry of Python packages can't be reached: {said}; check the network and try again")]
    Unreachable {
        /// The last lines that pip said.
        said: String,
    },
    /// pip took too long.
    #[error("pip took longer than {seconds} s for {requirement}; check the network and try again")]
    TookTooLong {
        /// What was to be got.
        requirement: String,
        /// How long it may take.
        seconds: u64,
    },
    /// A wheel that was approved can't be had any more.
    #[error(
        "{file} isn't here, and what the registry has by that name is another file than was approved; review and approve the job again"
    )]
    OtherWheel {
        /// The wheel.
        file: String,
    },
    /// A job asks for packages that its approval doesn't name.
    #[error("{what} wasn't approved with the job; reject it, or have it submitted again and approve it here")]
    NotApproved {
        /// What it asks for.
        what: String,
    },
}
