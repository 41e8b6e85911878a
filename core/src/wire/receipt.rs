//! `receipt.json`: what a run was of, what it was allowed and what came of it, signed by the data owner
//! (wire section 5). Of our making; the Python peers don't look at it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{iso, job::ApprovedPackage};
use crate::{
    domain::{ContentHash, DatasitePath, Email, Timestamp},
    identity::{Identity, PublicKey, Signature},
};

/// The longest receipt that is read, in bytes.
pub const MAX_RECEIPT_BYTES: u64 = 16 * 1024 * 1024;
/// Stands before the bytes that are signed, so that no other signature of the key can be one of a receipt.
const DOMAIN: &[u8] = b"syftbox receipt 1\n";

/// What is said of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// 1.
    pub version: u32,
    /// Which job ran.
    pub job: ReceiptJob,
    /// The hash of all that was submitted, as approvals have it.
    pub submission: ContentHash,
    /// The datasets that the job saw, as they were before and after it.
    pub datasets: Vec<ReceiptDataset>,
    /// The Python packages that it had beside those of its runtime.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<ApprovedPackage>,
    /// What ran it, under which limits, and how it ended.
    #[serde(flatten)]
    pub run: RunRecord,
    /// What the job left in `outputs/`, by path.
    pub outputs: Vec<ReceiptFile>,
    /// What it printed: `stdout.txt` and `stderr.txt`.
    pub logs: Vec<ReceiptFile>,
    /// All that differs between two runs that are the same.
    pub times: ReceiptTimes,
}

/// Which job a receipt is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptJob {
    /// What it is called.
    pub name: String,
    /// Who submitted it.
    pub submitted_by: Email,
    /// Whose data it ran on.
    pub datasite: Email,
}

/// A dataset as a job saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptDataset {
    /// What it is called.
    pub name: String,
    /// Its files before the run.
    pub before: DatasetHashes,
    /// Its files after the run.
    pub after: DatasetHashes,
}

/// The files of a dataset at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetHashes {
    /// Those of the mock half, which peers have.
    pub mock: Vec<ReceiptFile>,
    /// One digest for each file of the private half, ascending. Each is over a secret of the owner's, the
    /// file's path and its content: whoever doesn't know the secret can't try out what the file might hold.
    pub private: Vec<ContentHash>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFile {
    /// Its path in its folder.
    pub path: DatasitePath,
    /// The hash of its content.
    pub sha256: ContentHash,
    /// Its length in bytes.
    pub bytes: u64,
}

/// What the runner knows of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The language runtimes, by name; none when the job is a program itself.
    pub runtimes: BTreeMap<String, RuntimeRecord>,
    /// What compiled the guests, and how: its name, its version and a text that differs between settings.
    pub compiler: String,
    /// Whether clocks and randomness were fixed.
    pub deterministic: bool,
    /// The limits, by name, each in its unit: bytes, milliseconds or a count.
    pub limits: BTreeMap<String, u64>,
    /// How it ended.
    pub outcome: OutcomeRecord,
    /// What was measured. With the times, since no two runs have the same.
    #[serde(skip)]
    pub measured: Measured,
}

/// A language runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeRecord {
    /// Its version.
    pub version: String,
    /// The SHA-256 of what it was made from, in hex.
    pub digest: String,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// One word or a few, such as `finished` or `out of memory`.
    pub ending: String,
    /// As `state.yaml` has it.
    pub return_code: i32,
    /// The limit that ended it, by how much, or `None`.
    pub exceeded: Option<ExceededRecord>,
    /// How many instructions it executed, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
}

/// A limit that a job went past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceededRecord {
    /// Its name, as among the limits.
    pub limit: String,
    /// How much the job asked for, in the limit's unit, when that is known.
    pub asked: Option<u64>,
    /// How much it may have.
    pub allowed: u64,
}

/// What was measured of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// From the start of the job's process to its end, in seconds.
    pub seconds: f64,
    /// The most memory that its guests held, in bytes.
    pub peak_memory: Option<u64>,
    /// The ending in one line, with amounts and the moment.
    pub reason: String,
}

/// When it was, and what else is another in every run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiptTimes {
    /// When the run began.
    #[serde(with = "iso")]
    pub started_at: Timestamp,
    /// When it was over.
    #[serde(with = "iso")]
    pub completed_at: Timestamp,
    /// What was measured.
    #[serde(flatten)]
    pub measured: Measured,
}

/// The file: a receipt as it was written, byte by byte, and the signature over that.
#[derive(Serialize, Deserialize)]
struct Signed<'a> {
    #[serde(borrow)]
    receipt: &'a RawValue,
    key: PublicKey,
    signature: Signature,
}

/// A receipt that can't be relied on.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptFormatError {
    /// It isn't what it should be.
    #[error("it is no receipt: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of a format that isn't known here.
    #[error("it is of version {0}, which this program doesn't know; get a newer one")]
    Version(u32),
    /// The key that it names didn't sign it.
    #[error("its signature isn't one of the key that it names: somebody changed it")]
    Forged,
}

impl Receipt {
    /// The file with this receipt, signed.
    ///
    /// # Errors
    /// Never in practice: all of it has a JSON form.
    pub fn sign(&self, identity: &Identity) -> Result<Vec<u8>, serde_json::Error> {
        let receipt = RawValue::from_string(serde_json::to_string_pretty(self)?)?;
        let signature = identity.sign(&signed_bytes(&receipt));
        serde_json::to_vec(&Signed { receipt: &receipt, key: identity.public_key(), signature })
    }

    /// Reads a file and checks its signature; gives the key that made it too. Whose key that is, it doesn't
    /// say.
    ///
    /// # Errors
    /// When it isn't a receipt, or isn't signed by the key that it names.
    pub fn open(file: &[u8]) -> Result<(Self, PublicKey), ReceiptFormatError> {
        let signed: Signed<'_> = serde_json::from_slice(file)?;
        if !signed.key.verifies(&signed_bytes(signed.receipt), &signed.signature) {
            return Err(ReceiptFormatError::Forged);
        }
        let receipt: Self = serde_json::from_str(signed.receipt.get())?;
        if receipt.version != 1 {
            return Err(ReceiptFormatError::Version(receipt.version));
        }
        Ok((receipt, signed.key))
    }
}

fn signed_bytes(receipt: &RawValue) -> Vec<u8> {
    [DOMAIN, receipt.get().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::memory::MemoryRandom;

    fn receipt() -> Receipt {
        let file = |path: &str| ReceiptFile {
            path: path.parse().unwrap(),
            sha256: ContentHash::of(path.as_bytes()),
            bytes: 3,
        };
        let hashes = DatasetHashes { mock: vec![file("m.csv")], private: vec![ContentHash::of(b"p")] };
        Receipt {
            version: 1,
            job: ReceiptJob {
                name: "j".to_owned(),
                submitted_by: "ds@x.org".parse().unwrap(),
                datasite: "do@x.org".parse().unwrap(),
            },
            submission: ContentHash::of(b"s"),
            datasets: vec![ReceiptDataset { name: "d".to_owned(), before: hashes.clone(), after: hashes }],
            packages: Vec::new(),
            run: RunRecord { limits: [("memory".to_owned(), 7)].into(), ..RunRecord::default() },
            outputs: vec![file("a/b")],
            logs: Vec::new(),
            times: ReceiptTimes {
                started_at: Timestamp::from_seconds(1.5).unwrap(),
                completed_at: Timestamp::from_seconds(2.5).unwrap(),
                measured: Measured { seconds: 1.0, peak_memory: None, reason: "finished".to_owned() },
            },
        }
    }

    #[test]
    fn what_is_signed_is_read_and_nothing_else() {
        let identity = Identity::new(&MemoryRandom::default());
        let file = receipt().sign(&identity).unwrap();
        assert_eq!(Receipt::open(&file).unwrap(), (receipt(), identity.public_key()));
        let text = String::from_utf8(file).unwrap();
        for changed in [text.replace("\"memory\": 7", "\"memory\": 8"), text.replace("  ", " ")] {
            assert_ne!(changed, text);
            assert!(matches!(Receipt::open(changed.as_bytes()), Err(ReceiptFormatError::Forged)));
        }
        let newer = Receipt { version: 2, ..receipt() }.sign(&identity).unwrap();
        assert!(matches!(Receipt::open(&newer), Err(ReceiptFormatError::Version(2))));
        assert!(Receipt::open(b"{}").is_err());
    }
}
