//! What makes a submission one, and the hash that an approval binds to.

use super::JobId;
use crate::{
    domain::{ContentHash, ContentHasher, DatasitePath},
    manager::{ManagerError, SyftboxManager},
    permissions::PERMISSION_FILE,
    platform::{FileKind, FileStat, tree},
    wire::job::{CODE_FOLDER, CONFIG_FILE, JobConfig, JobKind, JobSide, RUN_SCRIPT_FILE},
};

impl SyftboxManager {
    /// Checks that the job is exactly `config.yaml`, `run.sh` and `code/` (wire section 5) and can
    /// be run; the inner error is the reason to tell the scientist.
    pub(super) async fn check_submission(
        &self,
        id: &JobId,
        config: Option<&JobConfig>,
    ) -> Result<Result<(), String>, ManagerError> {
        let folder = id.folder(JobSide::Inbox)?;
        let mut missing = vec![CONFIG_FILE, RUN_SCRIPT_FILE, CODE_FOLDER];
        for entry in self.files().list(Some(&folder)).await? {
            let wanted = match entry.name.as_str() {
                PERMISSION_FILE => continue,
                CONFIG_FILE | RUN_SCRIPT_FILE => FileKind::File,
                CODE_FOLDER => FileKind::Folder,
                other => {
                    return Ok(Err(format!(
                        "it has {other:?}, and only config.yaml, run.sh and code/ belong there"
                    )));
                }
            };
            if entry.stat.kind != wanted {
                return Ok(Err(format!("its {:?} is not a {}", entry.name, noun(wanted))));
            }
            missing.retain(|name| *name != entry.name);
        }
        if let Some(missing) = missing.first() {
            return Ok(Err(format!("it has no {missing}; submit it again")));
        }
        let Some(config) = config else {
            return Ok(Err("its config.yaml can't be understood; submit it again".to_owned()));
        };
        self.check_entrypoint(&folder, config).await
    }

    async fn check_entrypoint(
        &self,
        folder: &DatasitePath,
        config: &JobConfig,
    ) -> Result<Result<(), String>, ManagerError> {
        if config.kind != JobKind::Python {
            return Ok(Ok(()));
        }
        let Some(entrypoint) = &config.entrypoint else {
            return Ok(Err("it names no entry point; submit it again with one".to_owned()));
        };
        let path = folder.join(CODE_FOLDER)?.join(entrypoint.as_str())?;
        match self.files().stat(&path).await? {
            Some(FileStat { kind: FileKind::File, .. }) => Ok(Ok(())),
            _ => Ok(Err(format!("its entry point {entrypoint} is not in code/; submit it again"))),
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
