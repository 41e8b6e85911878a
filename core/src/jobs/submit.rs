//! A scientist submits a job: one proposal with all of its files (wire section 5).

use bytes::Bytes;

use super::{
    Job, JobId, NewBashJob, NewPythonJob, NewWasmJob,
    new_job::{Common, bare_name, check_size, entrypoint},
};
use crate::{
    datasets::{Source, SourceFile},
    domain::{DatasitePath, Email},
    manager::{ManagerError, SyftboxManager},
    platform::{tree, uuid},
    sync::{MAX_FILE_BYTES, Submission, SyncReport},
    wire::{
        FileContent, ProposalMessage, ProposedChange, VersionFile, is_syncable,
        job::{
            BASH_SCRIPT_FILE, CODE_FOLDER, CONFIG_FILE, JobConfig, JobName, JobSide, RUN_SCRIPT_FILE,
            WASM_FILE, job_folder, run_sh, wasm_run_sh,
        },
        names::{BoxKind, MessageKind, MessageName},
    },
};

/// All files of a job, by their path in its folder.
type JobFiles = Vec<(DatasitePath, Bytes)>;

impl SyftboxManager {
    /// Submits a Python job to `owner`. The scientist's role. It is sent with this call: one
    /// request when the peer's folders are known.
    ///
    /// # Errors
    /// [`ManagerError::RoleNeeded`], [`ManagerError::UnknownPeer`] and its like,
    /// [`ManagerError::JobExists`], [`ManagerError::BadSubmission`] and [`ManagerError::BadSource`],
    /// or whatever Drive says.
    pub async fn submit_python_job(&mut self, owner: &Email, new: NewPythonJob) -> Result<Job, ManagerError> {
        self.need_scientist("submitting a job")?;
        let version = self.peer_to_submit_to(owner, new.common.skip_version_check).await?;
        let id = self.new_job_id(owner, &new.common).await?;
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
        let files = python_files(&new.code, code, &config).await?;
        self.propose_job(&id, files).await?;
        self.read_job(id).await
    }

    /// Submits a bash job to `owner`, otherwise like [`submit_python_job`](Self::submit_python_job).
    ///
    /// # Errors
    /// As there.
    pub async fn submit_bash_job(&mut self, owner: &Email, new: NewBashJob) -> Result<Job, ManagerError> {
        self.need_scientist("submitting a job")?;
        self.peer_to_submit_to(owner, new.common.skip_version_check).await?;
        let id = self.new_job_id(owner, &new.common).await?;
        let script = new.script.read(MAX_FILE_BYTES).await?;
        let config = JobConfig::bash(id.generation, id.name.to_string(), self.now());
        let code: DatasitePath = CODE_FOLDER.parse()?;
        let files = vec![
            (CONFIG_FILE.parse()?, config.to_yaml()?.into()),
            // A Python owner runs the one, we run the other (wire section 5).
            (RUN_SCRIPT_FILE.parse()?, script.clone()),
            (code.join(BASH_SCRIPT_FILE)?, script),
        ];
        self.propose_job(&id, files).await?;
        self.read_job(id).await
    }

    /// Submits a WebAssembly job to `owner`, otherwise like [`submit_python_job`](Self::submit_python_job).
    /// Python owners take it for a bash job, which says that it can't run there and fails (wire section 5).
    ///
    /// # Errors
    /// As there.
    pub async fn submit_wasm_job(&mut self, owner: &Email, new: NewWasmJob) -> Result<Job, ManagerError> {
        self.need_scientist("submitting a job")?;
        self.peer_to_submit_to(owner, new.common.skip_version_check).await?;
        let id = self.new_job_id(owner, &new.common).await?;
        let program = new.read(MAX_FILE_BYTES).await?;
        let mut config = JobConfig::bash(id.generation, id.name.to_string(), self.now());
        config.entrypoint = Some(WASM_FILE.parse()?);
        config.files = vec![WASM_FILE.to_owned()];
        config.code_path = Some(bare_name(&new.program.shown));
        let code: DatasitePath = CODE_FOLDER.parse()?;
        let files = vec![
            (CONFIG_FILE.parse()?, config.to_yaml()?.into()),
            (RUN_SCRIPT_FILE.parse()?, wasm_run_sh().into()),
            (code.join(WASM_FILE)?, program),
        ];
        self.propose_job(&id, files).await?;
        self.read_job(id).await
    }

    /// The id of a job that isn't there yet.
    async fn new_job_id(&self, owner: &Email, new: &Common) -> Result<JobId, ManagerError> {
        let name = new.name.clone().unwrap_or_else(|| JobName::random(self.platform.random.as_ref()));
        let id = JobId {
            datasite: owner.clone(),
            submitted_by: self.email().clone(),
            generation: self.generation_with(owner),
            name,
        };
        match self.files().stat(&id.folder(JobSide::Inbox)?).await? {
            Some(_) => Err(ManagerError::JobExists(id.name.to_string())),
            None => Ok(id),
        }
    }

    /// What `owner` advertises. A peer may have been accepted since the last sync: then look once.
    async fn peer_to_submit_to(
        &mut self,
        owner: &Email,
        skip_version_check: bool,
    ) -> Result<VersionFile, ManagerError> {
        // A submission that was cut off goes first; then a repetition of it is told that it is there.
        self.carry_out_open_postings(&mut SyncReport::default()).await?;
        if let Ok(version) = self.need_accepted_peer(owner) {
            return Ok(version);
        }
        self.known_peers(true).await?;
        self.follow_versions(&mut SyncReport::default()).await?;
        match self.need_accepted_peer(owner) {
            // What an owner needs that doesn't say so is, most likely, what we are.
            Err(ManagerError::Incompatible { .. }) if skip_version_check => {
                let seen = self.peers.version_file_of(owner).cloned();
                Ok(seen
                    .unwrap_or_else(|| VersionFile::new(self.generation_with(owner).version(), self.now())))
            }
            found => found,
        }
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
            payload: self.sealing().await?.write(&message, &id.datasite)?,
        };
        let local = id.folder(JobSide::Inbox)?;
        let copies = files
            .into_iter()
            .map(|(path, content)| Ok((local.join(path.as_str())?, content)))
            .collect::<Result<Vec<_>, ManagerError>>()?;
        self.send(submission, copies).await
    }
}

/// Reads the code and puts `config.yaml` and `run.sh` beside it.
async fn python_files(
    source: &Source,
    code: Vec<SourceFile>,
    config: &JobConfig,
) -> Result<JobFiles, ManagerError> {
    check_size(code.iter().map(|file| file.len).sum(), MAX_FILE_BYTES).map_err(|why| source.bad(why))?;
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
