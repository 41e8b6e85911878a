//! Somebody in a conversation, whichever program they use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The one who owns data.
pub(crate) const OWNER: &str = "olivia@hospital.org";
/// The one who sends code.
pub(crate) const SCIENTIST: &str = "sam_lee@uni.org";
/// The one who is refused.
pub(crate) const EVE: &str = "eve@other.org";

/// A dataset to be made.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewDataset<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// What peers see: a file or a folder.
    pub(crate) mock: PathBuf,
    /// What stays: a file or a folder.
    pub(crate) private: PathBuf,
    /// A Markdown file.
    pub(crate) readme: Option<PathBuf>,
    /// What it is about.
    pub(crate) summary: &'a str,
    /// Words to find it by.
    pub(crate) tags: &'a [&'a str],
    /// An address, or `any`.
    pub(crate) users: &'a str,
    /// Whether the private half goes to the owner's Drive.
    pub(crate) upload_private: bool,
}

/// What people do, in the words of both programs. Each call must succeed.
pub(crate) trait Player {
    /// The local `SyftBox` folder.
    fn folder(&self) -> PathBuf;
    /// Where the token is that opens the account.
    fn token_file(&self) -> PathBuf;
    /// Writes a file on this machine, outside the `SyftBox` folder.
    fn write(&self, name: &str, content: &[u8]) -> PathBuf;
    fn login(&self);
    /// Where the keys for encryption are.
    fn key_file(&self) -> PathBuf;
    /// Gives a machine that hasn't logged in yet the keys in `file`.
    fn take_keys(&self, file: &Path);
    fn sync(&self);
    fn add_peer(&self, email: &str);
    /// All peers and their states, as Drive has it now.
    fn peers(&self) -> BTreeMap<String, String>;
    fn approve_peer(&self, email: &str);
    fn reject_peer(&self, email: &str);
    fn create_dataset(&self, dataset: &NewDataset);
    fn delete_dataset(&self, name: &str);
    /// Objects with `name`, `owner`, `summary`, `mock_files`, by name.
    fn datasets(&self) -> Vec<Value>;
    fn submit_python(&self, to: &str, code: &Path, name: &str);
    fn submit_bash(&self, to: &str, script: &str, name: &str);
    /// All jobs and their states, as of the last sync.
    fn jobs(&self) -> BTreeMap<String, String>;
    fn approve_job(&self, name: &str);
    fn reject_job(&self, name: &str, reason: &str);
    /// Runs what is approved, shares outputs and logs or neither, and syncs.
    fn process(&self, share: bool);
    /// Makes a full checkpoint.
    fn create_checkpoint(&self);
    /// Everything goes: on Drive, here, and what peers have of it.
    fn delete_syftbox(&self);
}

/// The pairs of `first` and `second` in a list of objects.
pub(crate) fn pairs(list: &Value, first: &str, second: &str) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{list}")).to_owned();
    list.as_array().unwrap().iter().map(|item| (text(&item[first]), text(&item[second]))).collect()
}

/// Datasets by name, with what both programs say of them: a Python peer's files are in no order.
pub(crate) fn described(list: &Value) -> Vec<Value> {
    let mut datasets = list.as_array().unwrap().clone();
    datasets.sort_by_key(|dataset| dataset["name"].to_string());
    for dataset in &mut datasets {
        dataset["mock_files"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    }
    datasets
}
