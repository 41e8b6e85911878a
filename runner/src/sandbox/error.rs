//! Why a job could not be run at all; how one that ran ended is an [`Ending`](super::Ending).

use std::{io, path::PathBuf};

/// A job that was not started, or whose results could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The submission has no such script.
    #[error(
        "the job has no file {entrypoint} in {code}: {source}; submit it again with an entry point that exists"
    )]
    Entrypoint {
        /// The script that was to run.
        entrypoint: String,
        /// Where it was looked for.
        code: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A dataset's folder can't be shown to the job.
    #[error(
        "the dataset {name} can't be read at {path}: {source}; check that the folder is there, then run the job again"
    )]
    Dataset {
        /// The dataset.
        name: String,
        /// Its folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A dataset's name can't be a folder in the job.
    #[error("{name:?} can't be the name of a dataset: use letters, digits, _ and - only")]
    DatasetName {
        /// The name.
        name: String,
    },
    /// The job's private folders could not be made.
    #[error(
        "no folder for the job's own files could be made in {path}: {source}; check the free space and the permissions there"
    )]
    Scratch {
        /// Where they were to be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The job's process could not be started.
    #[error("the job's process ({program}) could not be started: {source}")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system can't tell how the job's process ended.
    #[error("the job's process was lost: {source}; run the job again")]
    Lost {
        /// What the system says.
        source: io::Error,
    },
    /// A log or an output could not be kept.
    #[error(
        "{path} could not be written: {source}; check the free space and the permissions there, then run the job again"
    )]
    Keep {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
