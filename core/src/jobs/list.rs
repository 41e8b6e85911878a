//! Which jobs there are: the folders in the inboxes of the datasites that are here.

use super::{Job, JobId};
use crate::{
    domain::{DatasitePath, Email, Generation},
    manager::{ManagerError, SyftboxManager},
    platform::FileKind,
    wire::{
        job::{CONFIG_FILE, JobConfig, JobName, JobSide, JobState, STATE_FILE},
        yaml::MAX_YAML_BYTES,
    },
};

/// The inboxes of a datasite, one folder for each scientist in it.
const INBOXES: &str = "app_data/job/inbox";

impl SyftboxManager {
    /// All jobs, of our datasite and of those that we follow, as of the last sync: the newest first.
    ///
    /// # Errors
    /// When the local folder can't be read.
    pub async fn known_jobs(&self) -> Result<Vec<Job>, ManagerError> {
        let mut jobs = Vec::new();
        for entry in self.files().list(None).await? {
            if let Ok(datasite) = entry.name.parse::<Email>() {
                for id in self.job_ids(&datasite).await? {
                    jobs.push(self.read_job(id).await?);
                }
            }
        }
        let submitted = |job: &Job| job.config.as_ref().map(|config| config.submitted_at);
        jobs.sort_by(|a, b| submitted(b).cmp(&submitted(a)).then_with(|| a.id.cmp(&b.id)));
        Ok(jobs)
    }

    /// The one job that `name` means: its name, or `PEER/NAME` where several have it.
    ///
    /// # Errors
    /// [`ManagerError::NoJob`] or [`ManagerError::AmbiguousJob`].
    pub async fn job(&self, name: &str) -> Result<Job, ManagerError> {
        let mut jobs = self.known_jobs().await?;
        jobs.retain(|job| is_named(&job.id, name));
        match jobs.len() {
            0 => Err(ManagerError::NoJob(name.to_owned())),
            1 => Ok(jobs.swap_remove(0)),
            _ => {
                let choices: Vec<_> = jobs.iter().map(|job| job.id.full_name()).collect();
                Err(ManagerError::AmbiguousJob { name: name.to_owned(), choices: choices.join(", ") })
            }
        }
    }

    /// The jobs of one datasite.
    pub(super) async fn job_ids(&self, datasite: &Email) -> Result<Vec<JobId>, ManagerError> {
        let inboxes: DatasitePath = format!("{datasite}/{INBOXES}").parse()?;
        let mut ids = Vec::new();
        for scientist in self.files().list(Some(&inboxes)).await? {
            let Ok(submitted_by) = scientist.name.parse::<Email>() else { continue };
            let inbox = inboxes.join(&scientist.name)?;
            // Layout 0.1 has its jobs here, 0.10 one level deeper.
            for (generation, folder) in
                [(Generation::V0_1, inbox.clone()), (Generation::V0_10, inbox.join("v1")?)]
            {
                for entry in self.files().list(Some(&folder)).await? {
                    if entry.stat.kind != FileKind::Folder {
                        continue;
                    }
                    // `v1` itself is no name for a job.
                    if let Ok(name) = entry.name.parse::<JobName>() {
                        let (datasite, submitted_by) = (datasite.clone(), submitted_by.clone());
                        ids.push(JobId { datasite, submitted_by, generation, name });
                    }
                }
            }
        }
        Ok(ids)
    }

    pub(super) async fn read_job(&self, id: JobId) -> Result<Job, ManagerError> {
        let config = id.folder(JobSide::Inbox)?.join(CONFIG_FILE)?;
        let state = id.folder(JobSide::Review)?.join(STATE_FILE)?;
        let config = self.files().read(&config, MAX_YAML_BYTES as u64).await.ok();
        let state = self.files().read(&state, MAX_YAML_BYTES as u64).await.ok();
        Ok(Job {
            id,
            config: config.and_then(|yaml| JobConfig::parse(&yaml).ok()),
            state: state.and_then(|yaml| JobState::parse(&yaml).ok()),
        })
    }
}

fn is_named(id: &JobId, wanted: &str) -> bool {
    if id.name.as_str() == wanted {
        return true;
    }
    let Some((peer, name)) = wanted.split_once('/') else { return false };
    name == id.name.as_str()
        && peer.parse::<Email>().is_ok_and(|peer| peer == id.submitted_by || peer == id.datasite)
}
