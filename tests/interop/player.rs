//! Somebody in a conversation, whichever program they use.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The one who owns data.
pub(crate) const OWNER: &str = "olivia@hospital.org";
/// The one who sends code.
pub(crate) const SCIENTIST: &str = "sam_lee@uni.org";

/// A dataset to be made.
#[derive(Clone, Debug)]
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
    /// An address, or `any`.
    pub(crate) users: &'a str,
    /// Whether the private half goes to the owner's Drive.
    pub(crate) upload_private: bool,
}

/// What people do, in the words of both programs. Each call must succeed.
pub(crate) trait Player {
    /// The local `SyftBox` folder.
    fn folder(&self) -> PathBuf;
    /// Writes a file on this machine, outside the `SyftBox` folder.
    fn write(&self, name: &str, content: &[u8]) -> PathBuf;
    fn login(&self);
    fn sync(&self);
    fn add_peer(&self, email: &str);
    /// All peers and their states, as Drive has it now.
    fn peers(&self) -> BTreeMap<String, String>;
    fn approve_peer(&self, email: &str);
    fn create_dataset(&self, dataset: &NewDataset);
    fn delete_dataset(&self, name: &str);
    /// Objects with `name`, `owner`, `summary`, `mock_files`, by name.
    fn datasets(&self) -> Vec<Value>;
    fn submit_python(&self, to: &str, code: &Path, name: &str);
    /// All jobs and their states, as of the last sync.
    fn jobs(&self) -> BTreeMap<String, String>;
    fn approve_job(&self, name: &str);
    fn reject_job(&self, name: &str, reason: &str);
    /// Runs what is approved, shares outputs and logs, and syncs.
    fn process(&self);
}

/// The pairs of `first` and `second` in a list of objects.
pub(crate) fn pairs(list: &Value, first: &str, second: &str) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{list}")).to_owned();
    list.as_array().unwrap().iter().map(|item| (text(&item[first]), text(&item[second]))).collect()
}

/// Datasets by name, with what both programs say of them.
pub(crate) fn described(list: &Value) -> Vec<Value> {
    let mut datasets = list.as_array().unwrap().clone();
    datasets.sort_by_key(|dataset| dataset["name"].to_string());
    datasets
}

/// Every file below `folder`, by its path there.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}
