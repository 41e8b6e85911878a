//! Sending a proposal to a peer's inbox.

use bytes::Bytes;

use super::{
    SyncReport,
    journal::{Journal, Posting},
};
use crate::{
    domain::{DatasitePath, Timestamp},
    drive::FileId,
    manager::{ManagerError, SyftboxManager},
};

/// A proposal that is ready to go.
pub(crate) struct Submission {
    /// When it was made.
    pub(crate) time: Timestamp,
    /// What its file is called.
    pub(crate) name: String,
    /// The inbox it goes to.
    pub(crate) inbox: FileId,
    /// The message.
    pub(crate) payload: Bytes,
}

impl SyftboxManager {
    /// Sends `submission` and keeps our own copy of the files in it. The intent is written down
    /// first, so when Drive can't be reached now, the next sync sends it.
    pub(crate) async fn send(
        &mut self,
        submission: Submission,
        copies: Vec<(DatasitePath, Bytes)>,
    ) -> Result<(), ManagerError> {
        let id = self.new_id().await?;
        let journal = Journal::new(&self.platform, &self.state);
        let upload = journal.plan_upload(id, submission.name, submission.inbox, submission.payload).await?;
        let posting = Posting { uploads: vec![upload], ..Posting::default() };
        let record = journal.record(submission.time, &posting).await?;
        for (path, content) in copies {
            self.files().write(&path, content).await?;
        }
        let mut report = SyncReport::default();
        self.carry_out(&record, posting, &mut report).await?;
        match report.refused.into_iter().next() {
            None => Ok(()),
            Some(refusal) => Err(ManagerError::BadSubmission(refusal.why)),
        }
    }
}
