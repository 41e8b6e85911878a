//! What can go wrong in a call of the manager.

use crate::{
    catalog::SpareIdsError,
    domain::{DatasitePath, Email, PathError},
    drive::DriveError,
    encryption::{EncryptionError, MessageError},
    jobs::ReceiptError,
    permissions::{EditError, PermissionFileError},
    platform::FileError,
    state::StateError,
    sync::JournalError,
    wire::{
        PayloadError, PeersFileError, VersionFileError, dataset::SyftUrlError, job::JobStatus,
        yaml::YamlError,
    },
};

/// A call that failed. Nothing that it said to do is half done: what was begun goes on with the next sync.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// Drive, or the way to it.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// A local file.
    #[error("local file {0}")]
    File(#[from] FileError),
    /// The manager's own local state.
    #[error(transparent)]
    State(#[from] StateError),
    /// A payload that couldn't be written or read.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Keys that are missing, or that can't be used.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    /// A new machine can't open what the owner kept on Drive.
    #[error(
        "{name}, which you keep on Drive for your own machines, can't be opened here: {why}. Take the key file that your other machine has (`syftbox keys import FILE`); what was written before encryption was on, `syftbox sync --encrypt=false` takes over once; and what nobody has the keys for any more, delete in Drive"
    )]
    SealedLog {
        /// Which file.
        name: String,
        /// Why not.
        why: EncryptionError,
    },
    /// A YAML file that couldn't be written or read.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// Our peers file on Drive can't be read.
    #[error("SYFT_peers.json on your Drive can't be used: {0}; restore an older version of it in Drive")]
    PeersFile(#[from] PeersFileError),
    /// Our version file can't be written.
    #[error(transparent)]
    VersionFile(#[from] VersionFileError),
    /// A permission file of ours can't be read.
    #[error("a permission file can't be changed: {0}; mend it first")]
    PermissionFile(#[from] PermissionFileError),
    /// A permission that can't be given or taken alone.
    #[error("{file}: {why}")]
    Permission {
        /// The permission file that decides.
        file: DatasitePath,
        /// Why, and what to do.
        why: EditError,
    },
    /// Permissions of something that nobody is sent.
    #[error(
        "{0} is never synced, so there is nothing to permit; files to share belong elsewhere, and datasets are shared with `syftbox dataset share`"
    )]
    NeverSynced(DatasitePath),
    /// Less than admin on a permission file.
    #[error("{0} takes admin to read or write; give or take that level")]
    TakesAdmin(DatasitePath),
    /// A receipt that proves nothing.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// A receipt that couldn't be made.
    #[error("the receipt of {name} can't be written: {why}")]
    NoReceipt {
        /// The job.
        name: String,
        /// Why not.
        why: String,
    },
    /// The keys of a peer, or our own.
    #[error("the keys of {peer} can't be used: {why}; `syftbox sync` fetches what they publish")]
    KeyFile {
        /// Whose keys.
        peer: Email,
        /// What is wrong.
        why: String,
    },
    /// A path that can't be one.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Drive gave no ids for new files.
    #[error("Drive gave no ids for new files; try again later")]
    NoIds,
    /// Our folder on Drive is gone.
    #[error("your Drive has no SyftBox folder any more; run `syftbox login` to make a new one")]
    NoSyftboxFolder,
    /// The token is another account's.
    #[error("the token is for {found}, not for {wanted}; use --email {found}, or another --token-path")]
    OtherAccount {
        /// Who was to log in.
        wanted: Email,
        /// Whose token it is.
        found: Email,
    },
    /// The local folder is another account's.
    #[error("the folder belongs to {found}, not to {wanted}; choose another one with --folder")]
    OtherFolder {
        /// Who was to log in.
        wanted: Email,
        /// Whose folder it is.
        found: Email,
    },
    /// The call is for another role.
    #[error("{call} needs the role {role}; start with --role {role}, or without --role to have both")]
    RoleNeeded {
        /// What was asked for.
        call: &'static str,
        /// `do` or `ds`.
        role: &'static str,
    },
    /// Two roles can't both be the only one.
    #[error(
        "only_ds and only_datasite_owner can't both be set; set one of them, or neither to have both roles"
    )]
    BothOnly,
    /// The root of Drive is no address.
    #[error("{0:?} is not the address of a Drive; write it like http://127.0.0.1:8080")]
    DriveUrl(String),
    /// An address that is none.
    #[error(transparent)]
    Url(#[from] SyftUrlError),
    /// A peer must be somebody else.
    #[error("{0} is your own account; a peer is somebody else")]
    OwnAccount(Email),
    /// Nothing is known of the peer.
    #[error(
        "{0} is no peer of yours; run `syftbox peer add {0}` first, or `syftbox peer list --refresh` to see who is"
    )]
    UnknownPeer(Email),
    /// Nobody asked.
    #[error(
        "{0} has not asked to be your peer; they run `syftbox peer add` with your address first, then run `syftbox sync`"
    )]
    NoRequest(Email),
    /// The peer hasn't accepted yet.
    #[error("{0} has not accepted you as a peer yet; wait until they have, then run `syftbox sync`")]
    NotAccepted(Email),
    /// The peer speaks another version.
    #[error("{peer} can't be talked to: {why}")]
    Incompatible {
        /// Who.
        peer: Email,
        /// Why, and what to do.
        why: crate::peers::Skipped,
    },
    /// There is a dataset of that name.
    #[error(
        "a dataset named {0} exists already; choose another name, or delete it with `syftbox dataset delete {0} --yes`"
    )]
    DatasetExists(String),
    /// There is no dataset of that name.
    #[error("you have no dataset named {0}; `syftbox dataset list` shows those there are")]
    NoDataset(String),
    /// A dataset source that can't be one.
    #[error("{what}: {why}")]
    BadSource {
        /// Which file or folder.
        what: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// There is a job of that name.
    #[error("a job named {0:?} exists already for that datasite; choose another name with --name")]
    JobExists(String),
    /// There is no job of that name.
    #[error(
        "there is no job named {0:?}; `syftbox job list` shows those there are (run `syftbox sync` to see new ones)"
    )]
    NoJob(String),
    /// Several jobs have that name.
    #[error("more than one job is named {name:?}: {choices}; name one of them as PEER/NAME")]
    AmbiguousJob {
        /// The name.
        name: String,
        /// The full names.
        choices: String,
    },
    /// The job is in a state in which that can't be done.
    #[error("the job {name:?} is {}, and only a job that is {needed} can be {verb}", .status.as_str())]
    WrongStatus {
        /// Which job.
        name: String,
        /// What it is.
        status: JobStatus,
        /// What it would have to be.
        needed: &'static str,
        /// What was to be done.
        verb: &'static str,
    },
    /// The job is about somebody else's data.
    #[error("the job {name:?} is for the datasite of {datasite}, so only they can have it {verb}")]
    NotOurJob {
        /// Which job.
        name: String,
        /// Whose data it is about.
        datasite: Email,
        /// What was to be done.
        verb: &'static str,
    },
    /// The submission isn't one.
    #[error("the job can't be submitted: {0}")]
    BadSubmission(String),
    /// A checkpoint that couldn't be made.
    #[error("no checkpoint was made: {0}")]
    NoCheckpoint(crate::sync::NoCheckpoint),
    /// A job couldn't be run at all.
    #[error("the job could not be run: {0}")]
    Runner(#[from] crate::jobs::RunnerError),
}

impl From<JournalError> for ManagerError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Drive(error) => Self::Drive(error),
            JournalError::State(error) => Self::State(error),
        }
    }
}

impl From<MessageError> for ManagerError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Payload(error) => Self::Payload(error),
            MessageError::Encryption(error) => Self::Encryption(error),
        }
    }
}

impl From<SpareIdsError> for ManagerError {
    fn from(error: SpareIdsError) -> Self {
        match error {
            SpareIdsError::Drive(error) => Self::Drive(error),
            SpareIdsError::State(error) => Self::State(error),
        }
    }
}
