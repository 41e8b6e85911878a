//! Why the demo ended early.

use std::{io, path::PathBuf};

use crate::runtime::RuntimeError;

/// A demo in which something didn't come out as it must.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file of the demo can't be used.
    #[error("the demo can't use {}: {source}; check the free space and the permissions there", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program can't start itself.
    #[error("the demo can't start {}: {source}; check that the program is still there", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A command of one of the two failed.
    #[error("{who}'s `{command}` failed, and the demo needs it; its message above says why")]
    Command {
        /// Whose.
        who: &'static str,
        /// The command line.
        command: String,
    },
    /// The local Drive doesn't serve.
    #[error("the demo's local Drive doesn't answer; run `syftbox drive serve --dir DIR` to see why")]
    NoDrive,
    /// Something came out wrong.
    #[error("the demo didn't come out as it must: {0}; run it again with --keep to look at what is there")]
    Wrong(String),
    /// Somebody pressed Ctrl-C.
    #[error("the demo was interrupted; run it again to see the rest")]
    Interrupted,
    /// The runtime's cache isn't known.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}
