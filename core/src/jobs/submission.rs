//! What makes a submission one, and the hash that an approval binds to.

use super::JobId;
use crate::{
    domain::{ContentHash, ContentHasher, DatasitePath},
    manager::{ManagerError, SyftboxManager},
    permissions::PERMISSION_FILE,
    platform::{FileKind, FileStat, tree},
    wire::job::{CODE_FOLDER, CONFIG_FILE, JobConfig, JobSide, RUN_SCRIPT_FILE},
};

/// Why a submission is none; its scientist reads this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidSubmission {
    /// Something lies in it that doesn't belong there.
    #[error("it has {0:?}, and only config.yaml, run.sh and code/ belong there; submit it again without")]
    Unexpected(String),
    /// A file where a folder belongs, or the other way round.
    #[error("its {name:?} is not a {wanted}; submit it again")]
    OtherKind {
        /// Which of its parts.
        name: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// A part of it isn't there.
    #[error("it has no {0}; submit it again")]
    Missing(&'static str),
    /// Its description can't be read.
    #[error("its config.yaml can't be understood; submit it again")]
    BadConfig,
    /// It doesn't say what to run.
    #[error("it names no entry point; submit it again with one")]
    NoEntrypoint,
    /// What it says to run isn't there.
    #[error("its entry point {0} is not in code/; submit it again")]
    EntrypointMissing(DatasitePath),
}

impl SyftboxManager {
    /// Checks that the job is exactly `config.yaml`, `run.sh` and `code/` (wire section 5) and can
    /// be run; the inner error is what to tell the scientist.
    pub(super) async fn check_submission(
        &self,
        id: &JobId,
        config: Option<&JobConfig>,
    ) -> Result<Result<(), InvalidSubmission>, ManagerError> {
        let folder = id.folder(JobSide::Inbox)?;
        let mut missing = vec![CONFIG_FILE, RUN_SCRIPT_FILE, CODE_FOLDER];
        for entry in self.files().list(Some(&folder)).await? {
            let wanted = match entry.name.as_str() {
                PERMISSION_FILE => continue,
                CONFIG_FILE | RUN_SCRIPT_FILE => FileKind::File,
                CODE_FOLDER => FileKind::Folder,
                other => return Ok(Err(InvalidSubmission::Unexpected(other.to_owned()))),
            };
            if entry.stat.kind != wanted {
                return Ok(Err(InvalidSubmission::OtherKind { name: entry.name, wanted: noun(wanted) }));
            }
            missing.retain(|name| *name != entry.name);
        }
        if let Some(missing) = missing.first() {
            return Ok(Err(InvalidSubmission::Missing(missing)));
        }
        let Some(config) = config else {
            return Ok(Err(InvalidSubmission::BadConfig));
        };
        self.check_entrypoint(&folder, config).await
    }

    async fn check_entrypoint(
        &self,
        folder: &DatasitePath,
        config: &JobConfig,
    ) -> Result<Result<(), InvalidSubmission>, ManagerError> {
        let Some(entrypoint) = config.entry() else {
            return Ok(Err(InvalidSubmission::NoEntrypoint));
        };
        let path = folder.join(CODE_FOLDER)?.join(entrypoint.as_str())?;
        match self.files().stat(&path).await? {
            Some(FileStat { kind: FileKind::File, .. }) => Ok(Ok(())),
            _ => Ok(Err(InvalidSubmission::EntrypointMissing(entrypoint))),
        }
    }

    /// The hash of all that was submitted, names and content: what an approval is for.
    pub(super) async fn submission_hash(&self, id: &JobId) -> Result<ContentHash, ManagerError> {
        let folder = id.folder(JobSide::Inbox)?;
        let mut hasher = ContentHasher::default();
        for (path, _) in tree::walk(self.files(), Some(&folder), |_| true).await? {
            let Some(name) = path.below(&folder) else { continue };
            // A name has no newline and a hash has a fixed length, so no two trees look the same.
            let content = tree::hash(self.files(), &path).await?;
            hasher.update(format!("{name}\n{content}\n").as_bytes());
        }
        Ok(hasher.finish())
    }
}

fn noun(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Folder | FileKind::Other => "folder",
    }
}
