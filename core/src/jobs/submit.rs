//! A scientist submits a job: one proposal with all of its files (wire section 5).

use bytes::Bytes;

use super::{Job, JobId};
use crate::{
    datasets::{Source, SourceFile},
    domain::{DatasitePath, Email},
    manager::{ManagerError, SyftboxManager},
    platform::{tree, uuid},
    sync::{MAX_FILE_BYTES, Submission},
    wire::{
        FileContent, ProposalMessage, ProposedChange, encode, is_syncable,
        job::{
            CODE_FOLDER, CONFIG_FILE, JobConfig, JobName, JobSide, RUN_SCRIPT_FILE, detect_entrypoint,
            job_folder, run_sh,
        },
        names::{BoxKind, MessageKind, MessageName},
    },
};

/// A Python job to submit.
pub struct NewPythonJob {
    /// The script, or the folder with it.
    pub code: Source,
    /// What to call it; `Job - ` and 8 hex digits when `None`.
    pub name: Option<JobName>,
    /// The file to run, relative to the folder; `None` finds `main.py` or the only Python file.
    pub entrypoint: Option<String>,
    /// Python packages it needs.
    pub dependencies: Vec<String>,
}

/// All files of a job, by their path in its folder.
type JobFiles = Vec<(DatasitePath, Bytes)>;

impl SyftboxManager {
    /// Submits a Python job to `owner`. The scientist's role. It is sent with this call: one
    /// request when the peer's folders are known.
    ///
    /// # Errors
    /// [`ManagerError::UnknownPeer`] and its like, [`ManagerError::JobExists`],
    /// [`ManagerError::BadSubmission`] and [`ManagerError::BadSource`], or whatever Drive says.
    pub async fn submit_python_job(&mut self, owner: &Email, new: NewPythonJob) -> Result<Job, ManagerError> {
        self.need_scientist("submitting a job")?;
        let version = self.peer_to_submit_to(owner).await?;
        let name = new.name.clone().unwrap_or_else(|| JobName::random(self.platform.random.as_ref()));
        let id = JobId {
            datasite: owner.clone(),
            submitted_by: self.email().clone(),
            generation: self.generation(),
            name,
        };
        if self.files().stat(&id.folder(JobSide::Inbox)?).await?.is_some() {
            return Err(ManagerError::JobExists(id.name.to_string()));
        }
        let code = new.code.list(is_syncable).await?;
        let code: Vec<_> = code.into_iter().filter(|file| is_syncable(&file.name)).collect();
        let entrypoint = entrypoint(&new, &code)?;
        let mut config = JobConfig::python(
            id.generation,
            id.name.to_string(),
            entrypoint,
            version.install_source(),
            new.dependencies.clone(),
            self.now(),
        );
        config.files = code.iter().map(|file| file.name.to_string()).collect();
        config.is_folder_submission = new.code.is_folder();
        config.code_path = Some(bare_name(&new.code.shown));
        let files = self.job_files(&new.code, code, &config).await?;
        self.propose_job(&id, files).await?;
        self.read_job(id).await
    }

    /// A peer may have been accepted since the last sync: then look once.
    async fn peer_to_submit_to(&mut self, owner: &Email) -> Result<crate::wire::VersionFile, ManagerError> {
        if let Ok(version) = self.need_accepted_peer(owner) {
            return Ok(version);
        }
        self.peers(true).await?;
        self.need_accepted_peer(owner)
    }

    /// Reads the code and puts `config.yaml` and `run.sh` beside it.
    async fn job_files(
        &self,
        source: &Source,
        code: Vec<SourceFile>,
        config: &JobConfig,
    ) -> Result<JobFiles, ManagerError> {
        let total: u64 = code.iter().map(|file| file.len).sum();
        if total > MAX_FILE_BYTES {
            let why = format!(
                "it has {total} bytes, and at most {MAX_FILE_BYTES} can be submitted; leave data out of it"
            );
            return Err(source.bad(why));
        }
        let has_pyproject = code.iter().any(|file| file.name.as_str() == "pyproject.toml");
        let run = run_sh(config, has_pyproject)
            .ok_or_else(|| ManagerError::BadSubmission("it has no entry point".to_owned()))?;
        let mut files =
            vec![(CONFIG_FILE.parse()?, config.to_yaml()?.into()), (RUN_SCRIPT_FILE.parse()?, run.into())];
        let folder: DatasitePath = CODE_FOLDER.parse()?;
        for file in code {
            let mut content = Vec::with_capacity(usize::try_from(file.len).unwrap_or(0));
            tree::read_pieces(source.files.as_ref(), &file.path, |piece| content.extend_from_slice(piece))
                .await?;
            files.push((folder.join(file.name.as_str())?, content.into()));
        }
        Ok(files)
    }

    /// Sends the files as one proposal, and keeps our own copy of them.
    async fn propose_job(&mut self, id: &JobId, files: JobFiles) -> Result<(), ManagerError> {
        let me = self.email().clone();
        let inbox = self
            .pair_folder_id(&me, &id.datasite, BoxKind::Inbox, &me)
            .ok_or_else(|| ManagerError::UnknownPeer(id.datasite.clone()))?;
        let now = self.now();
        let folder = job_folder(id.generation, JobSide::Inbox, &me, &id.name)?;
        let random = self.platform.random.clone();
        let mut changes = Vec::new();
        for (path, content) in &files {
            changes.push(ProposedChange::new(
                uuid(random.as_ref()),
                id.datasite.clone(),
                folder.join(path.as_str())?,
                Some(FileContent::from_bytes(content.clone())),
                None,
                now,
            ));
        }
        let name = MessageName { timestamp: now, uuid: uuid(random.as_ref()) };
        let message = ProposalMessage {
            id: uuid(random.as_ref()),
            sender_email: me,
            message_filename: name,
            proposed_file_changes: changes.into(),
        };
        let submission = Submission {
            time: now,
            name: name.file_name(MessageKind::Proposal),
            inbox,
            payload: Bytes::from(encode(&message)?),
        };
        let local = id.folder(JobSide::Inbox)?;
        let copies = files
            .into_iter()
            .map(|(path, content)| Ok((local.join(path.as_str())?, content)))
            .collect::<Result<Vec<_>, ManagerError>>()?;
        self.send(submission, copies).await
    }
}

/// The file to run, checked against the files that there are.
fn entrypoint(new: &NewPythonJob, code: &[SourceFile]) -> Result<DatasitePath, ManagerError> {
    let bad = |why: String| ManagerError::BadSubmission(why);
    if let Some(named) = &new.entrypoint {
        let found = code.iter().find(|file| file.name.as_str() == named);
        return found.map(|file| file.name.clone()).ok_or_else(|| {
            bad(format!("the entry point {named:?} is not among its files; name one with --entrypoint"))
        });
    }
    let at_root = code.iter().map(|file| file.name.as_str()).filter(|name| !name.contains('/'));
    let names: Vec<&str> = if new.code.is_folder() {
        at_root.collect()
    } else {
        let is_python = |name: &&str| name.rsplit_once('.').is_some_and(|(_, extension)| extension == "py");
        let python: Vec<_> = at_root.filter(is_python).collect();
        if python.is_empty() {
            return Err(bad(format!("{} is no Python file; its name has to end in .py", new.code.shown)));
        }
        python
    };
    let found = detect_entrypoint(names).map_err(|error| bad(error.to_string()))?;
    Ok(found.parse()?)
}

/// The last name of a path, however it is written: the scientist's own path stays at home.
fn bare_name(path: &str) -> String {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}
