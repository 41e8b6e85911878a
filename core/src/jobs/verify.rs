//! Checking a receipt: that the job's owner signed it, and that what is here is what it says.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Job;
use crate::{
    domain::{DatasitePath, Email},
    identity::PublicKey,
    manager::{ManagerError, SyftboxManager},
    platform::{FileError, FileErrorKind},
    wire::{
        job::{JobSide, OUTPUTS_FOLDER, RECEIPT_FILE},
        receipt::{MAX_RECEIPT_BYTES, Receipt, ReceiptFile, ReceiptFormatError},
    },
};

/// A receipt whose signature is its owner's, and how what is here compares with it.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedReceipt {
    /// What was signed.
    pub receipt: Receipt,
    /// By which key.
    pub key: PublicKey,
    /// What of it could be compared.
    pub checks: Vec<ReceiptCheck>,
}

/// Something that a receipt tells, and what is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptCheck {
    /// What it is about, such as `outputs/result.csv`.
    pub what: String,
    /// How they compare.
    pub found: Found,
}

/// How what is here compares with a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It is the same.
    Same,
    /// It is something else.
    Different,
    /// It isn't here, so there is nothing to compare.
    NotHere,
    /// It is here, and the receipt doesn't know it.
    Unlisted,
}

/// A receipt that proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// There is none here.
    #[error(
        "no receipt of {name} is here: the job hasn't run, or its owner didn't share it (`syftbox job process --share-receipt`, or both outputs and logs); `syftbox sync` fetches it"
    )]
    Missing {
        /// The job.
        name: String,
    },
    /// It can't be understood, or isn't what was signed.
    #[error("the receipt of {name} can't be relied on: {why}; ask {owner} to run the job again")]
    Bad {
        /// The job.
        name: String,
        /// Whose it should be.
        owner: Email,
        /// What is wrong.
        why: ReceiptFormatError,
    },
    /// It is a real one of something else.
    #[error(
        "the receipt beside {name} is of the job {found}, so it proves nothing of this one; ask for the job to be run again"
    )]
    OtherJob {
        /// The job.
        name: String,
        /// The job that it is of.
        found: String,
    },
    /// Nothing is known of its owner.
    #[error("no key of {owner} is here yet; `syftbox sync` fetches it, then verify again")]
    NoKey {
        /// Whose key.
        owner: Email,
    },
    /// It is signed with a key that isn't known as its owner's.
    #[error(
        "the receipt of {name} is signed with the key {found}, and the first that was seen of {owner} is {known}: ask {owner} on another way whether this new key is theirs, then `syftbox peer trust {owner}` takes it"
    )]
    ChangedKey {
        /// The job.
        name: String,
        /// Whose it should be.
        owner: Email,
        /// Whose keys are known.
        known: PublicKey,
        /// The key that signed.
        found: PublicKey,
    },
}

impl SyftboxManager {
    /// The receipt of a job as it is here, whoever signed it; `None` when there is none or it isn't whole.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn job_receipt(&self, job: &Job) -> Result<Option<Receipt>, ManagerError> {
        let file = self.receipt_bytes(job).await?;
        Ok(file.and_then(|file| Some(Receipt::open(&file).ok()?.0)))
    }

    /// Checks the receipt of a job: that the key first seen of the job's owner signed it, and that the
    /// submission, the outputs and, for the owner, the datasets here are those that it tells of. No request.
    ///
    /// # Errors
    /// [`ReceiptError`] when the receipt itself proves nothing. What differs is in the result.
    pub async fn verify_job(&self, name: &str) -> Result<VerifiedReceipt, ManagerError> {
        let job = self.job(name).await?;
        let (name, owner) = (job.id.full_name(), job.id.datasite.clone());
        let file = self.receipt_bytes(&job).await?;
        let file = file.ok_or_else(|| ReceiptError::Missing { name: name.clone() })?;
        let bad = |why| ReceiptError::Bad { name: name.clone(), owner: owner.clone(), why };
        let (receipt, key) = Receipt::open(&file).map_err(bad)?;
        let known = self.keys_of(&owner).await?;
        match known.first() {
            None => return Err(ReceiptError::NoKey { owner }.into()),
            Some(first) if !known.contains(&key) => {
                return Err(ReceiptError::ChangedKey { name, owner, known: *first, found: key }.into());
            }
            Some(_) => {}
        }
        let about = &receipt.job;
        if about.name != job.id.name.as_str()
            || about.submitted_by != job.id.submitted_by
            || about.datasite != owner
        {
            let found = format!("{}/{} at {}", about.submitted_by, about.name, about.datasite);
            return Err(ReceiptError::OtherJob { name, found }.into());
        }
        let checks = self.compare(&job, &receipt, &key).await?;
        Ok(VerifiedReceipt { receipt, key, checks })
    }

    async fn compare(
        &self,
        job: &Job,
        receipt: &Receipt,
        key: &PublicKey,
    ) -> Result<Vec<ReceiptCheck>, ManagerError> {
        let same = |is: bool| if is { Found::Same } else { Found::Different };
        let submission = same(self.submission_hash(&job.id).await? == receipt.submission);
        let mut checks = vec![ReceiptCheck { what: "submission".to_owned(), found: submission }];
        let review = job.id.folder(JobSide::Review)?;
        for log in &receipt.logs {
            let path = review.join(log.path.as_str())?;
            let found = match self.files().stat(&path).await? {
                Some(_) => same(self.receipt_file(&path, log.path.clone()).await? == *log),
                None => Found::NotHere,
            };
            checks.push(ReceiptCheck { what: log.path.to_string(), found });
        }
        let here = self.receipt_files(&review.join(OUTPUTS_FOLDER)?).await?;
        checks.extend(compare_outputs(&receipt.outputs, here));
        if job.id.datasite == *self.email() {
            checks.extend(self.compare_datasets(job, receipt, key).await?);
        }
        Ok(checks)
    }

    /// Whether our datasets are still what the job saw when it ended.
    async fn compare_datasets(
        &self,
        job: &Job,
        receipt: &Receipt,
        key: &PublicKey,
    ) -> Result<Vec<ReceiptCheck>, ManagerError> {
        let identity = self.identity().await?;
        let datasets = self.datasets_for(job).await?;
        let hashes = self.dataset_hashes(&datasets, &identity).await?;
        let now: BTreeMap<&str, _> =
            datasets.iter().map(|dataset| dataset.name.as_str()).zip(&hashes).collect();
        let check = |dataset: &crate::wire::receipt::ReceiptDataset| {
            let found = match now.get(dataset.name.as_str()) {
                // Another machine of ours has another secret.
                _ if identity.public_key() != *key => Found::NotHere,
                None => Found::NotHere,
                Some(now) if **now == dataset.after => Found::Same,
                Some(_) => Found::Different,
            };
            ReceiptCheck { what: format!("dataset {}", dataset.name), found }
        };
        Ok(receipt.datasets.iter().map(check).collect())
    }

    async fn receipt_bytes(&self, job: &Job) -> Result<Option<bytes::Bytes>, ManagerError> {
        let path = job.id.folder(JobSide::Review)?.join(RECEIPT_FILE)?;
        match self.files().read(&path, MAX_RECEIPT_BYTES).await {
            Ok(file) => Ok(Some(file)),
            Err(FileError { kind: FileErrorKind::Missing, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl VerifiedReceipt {
    /// Whether nothing here contradicts the receipt.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| matches!(check.found, Found::Same | Found::NotHere))
    }
}

fn compare_outputs(listed: &[ReceiptFile], here: Vec<ReceiptFile>) -> Vec<ReceiptCheck> {
    let mut here: BTreeMap<DatasitePath, ReceiptFile> =
        here.into_iter().map(|file| (file.path.clone(), file)).collect();
    let named = |path: &DatasitePath, found| ReceiptCheck { what: format!("{OUTPUTS_FOLDER}/{path}"), found };
    let mut checks = Vec::new();
    for file in listed {
        let found = match here.remove(&file.path) {
            None => Found::NotHere,
            Some(found) if found == *file => Found::Same,
            Some(_) => Found::Different,
        };
        checks.push(named(&file.path, found));
    }
    checks.extend(here.keys().map(|path| named(path, Found::Unlisted)));
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ContentHash;

    #[test]
    fn outputs_are_compared_by_content() {
        let file = |path: &str, content: &str| ReceiptFile {
            path: path.parse().unwrap(),
            sha256: ContentHash::of(content.as_bytes()),
            bytes: content.len() as u64,
        };
        let listed = [file("a", "1"), file("b", "1"), file("c", "1")];
        let checks = compare_outputs(&listed, vec![file("a", "1"), file("b", "2"), file("d", "1")]);
        let found: Vec<_> = checks.iter().map(|check| (check.what.as_str(), check.found)).collect();
        assert_eq!(
            found,
            [
                ("outputs/a", Found::Same),
                ("outputs/b", Found::Different),
                ("outputs/c", Found::NotHere),
                ("outputs/d", Found::Unlisted),
            ]
        );
    }
}
