//! The receipt that each run leaves: what ran, on what, and what came of it, signed by us.

use super::{Job, RunDataset, RunOutcome, RunRequest};
use crate::{
    domain::{DatasitePath, Timestamp},
    identity::Identity,
    manager::{ManagerError, SyftboxManager},
    platform::tree,
    wire::{
        job::{JobSide, RECEIPT_FILE, STDERR_FILE, STDOUT_FILE},
        receipt::{DatasetHashes, Receipt, ReceiptDataset, ReceiptFile, ReceiptJob, ReceiptTimes},
    },
};

/// What is known of a run before it starts.
pub(super) struct Begun {
    pub(super) started_at: Timestamp,
    before: Vec<DatasetHashes>,
}

impl SyftboxManager {
    /// Looks at what a job is about to run on.
    pub(super) async fn begin_receipt(&self, request: &RunRequest) -> Result<Begun, ManagerError> {
        let identity = self.identity().await?;
        let before = self.dataset_hashes(&request.datasets, &identity).await?;
        Ok(Begun { started_at: self.now(), before })
    }

    /// Writes the receipt of a run that is over.
    pub(super) async fn write_receipt(
        &self,
        job: &Job,
        request: &RunRequest,
        begun: Begun,
        outcome: RunOutcome,
        completed_at: Timestamp,
    ) -> Result<(), ManagerError> {
        let identity = self.identity().await?;
        let after = self.dataset_hashes(&request.datasets, &identity).await?;
        let seen = request.datasets.iter().zip(begun.before).zip(after);
        let review = job.id.folder(JobSide::Review)?;
        let mut logs = Vec::new();
        for name in [STDOUT_FILE, STDERR_FILE] {
            let path = review.join(name)?;
            if self.files().stat(&path).await?.is_some() {
                logs.push(self.receipt_file(&path, name.parse()?).await?);
            }
        }
        let receipt = Receipt {
            version: 1,
            job: ReceiptJob {
                name: job.id.name.to_string(),
                submitted_by: job.id.submitted_by.clone(),
                datasite: job.id.datasite.clone(),
            },
            submission: self.submission_hash(&job.id).await?,
            datasets: seen
                .map(|((dataset, before), after)| ReceiptDataset {
                    name: dataset.name.to_string(),
                    before,
                    after,
                })
                .collect(),
            packages: request.packages.clone(),
            outputs: self.receipt_files(&request.outputs).await?,
            logs,
            times: ReceiptTimes {
                started_at: begun.started_at,
                completed_at,
                measured: outcome.record.measured.clone(),
            },
            run: outcome.record,
        };
        let file = receipt
            .sign(&identity)
            .map_err(|error| ManagerError::NoReceipt { name: job.id.full_name(), why: error.to_string() })?;
        Ok(self.files().write(&review.join(RECEIPT_FILE)?, file.into()).await?)
    }

    /// What the files of datasets are now.
    pub(super) async fn dataset_hashes(
        &self,
        datasets: &[RunDataset],
        identity: &Identity,
    ) -> Result<Vec<DatasetHashes>, ManagerError> {
        let mut hashes = Vec::new();
        for dataset in datasets {
            let mock = self.receipt_files(&dataset.mock).await?;
            let mut private = Vec::new();
            if let Some(folder) = &dataset.private {
                for file in self.receipt_files(folder).await? {
                    private.push(identity.salted(&file.path, file.sha256));
                }
            }
            private.sort_unstable();
            hashes.push(DatasetHashes { mock, private });
        }
        Ok(hashes)
    }

    /// The files below a folder.
    pub(super) async fn receipt_files(
        &self,
        folder: &DatasitePath,
    ) -> Result<Vec<ReceiptFile>, ManagerError> {
        let mut files = Vec::new();
        for (path, _) in tree::walk(self.files(), Some(folder), |_| true).await? {
            if let Some(name) = path.below(folder) {
                files.push(self.receipt_file(&path, name).await?);
            }
        }
        Ok(files)
    }

    pub(super) async fn receipt_file(
        &self,
        path: &DatasitePath,
        name: DatasitePath,
    ) -> Result<ReceiptFile, ManagerError> {
        let mut hasher = crate::domain::ContentHasher::default();
        let mut bytes = 0;
        tree::read_pieces(self.files(), path, |piece| {
            hasher.update(piece);
            bytes += piece.len() as u64;
        })
        .await?;
        Ok(ReceiptFile { path: name, sha256: hasher.finish(), bytes })
    }
}
