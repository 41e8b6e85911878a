//! Our program as a player.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use syftbox_tests::Person;

use crate::player::{NewDataset, Player, described, pairs};

impl Player for Person {
    fn folder(&self) -> PathBuf {
        self.folder()
    }

    fn token_file(&self) -> PathBuf {
        self.token_file()
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        self.write(name, content)
    }

    fn login(&self) {
        self.ask(&["login"]);
    }

    fn key_file(&self) -> PathBuf {
        self.folder().join(self.email()).join("private/crypto_keys.json")
    }

    fn take_keys(&self, file: &Path) {
        self.ask(&["keys", "import", file.to_str().unwrap()]);
    }

    fn sync(&self) {
        let report = self.ask(&["sync"]);
        assert_eq!(report["refused"], Value::Array(Vec::new()), "{report}");
    }

    fn add_peer(&self, email: &str) {
        self.ask(&["peer", "add", email]);
    }

    fn peers(&self) -> BTreeMap<String, String> {
        pairs(&self.ask(&["peer", "list", "--refresh"]), "email", "state")
    }

    fn approve_peer(&self, email: &str) {
        self.ask(&["peer", "approve", email]);
    }

    fn reject_peer(&self, email: &str) {
        self.ask(&["peer", "reject", email]);
    }

    fn create_dataset(&self, dataset: &NewDataset) {
        let NewDataset { name, mock, private, readme, summary, tags, users, upload_private } = dataset;
        let (mock, private) = (mock.to_str().unwrap(), private.to_str().unwrap());
        let mut call = vec!["dataset", "create", name, "--mock", mock, "--private", private];
        call.extend(["--summary", summary, "--users", users]);
        call.extend(readme.iter().flat_map(|path| ["--readme", path.to_str().unwrap()]));
        call.extend(tags.iter().flat_map(|tag| ["--tag", tag]));
        call.extend(upload_private.then_some("--upload-private"));
        self.ask(&call);
    }

    fn delete_dataset(&self, name: &str) {
        self.ask(&["dataset", "delete", name, "--yes"]);
    }

    fn datasets(&self) -> Vec<Value> {
        described(&self.ask(&["dataset", "list"]))
    }

    fn submit_python(&self, to: &str, code: &Path, name: &str) {
        self.ask(&["job", "submit-python", to, code.to_str().unwrap(), "--name", name]);
    }

    fn submit_bash(&self, to: &str, script: &str, name: &str) {
        self.ask(&["job", "submit-bash", to, "--script", script, "--name", name]);
    }

    fn jobs(&self) -> BTreeMap<String, String> {
        pairs(&self.ask(&["job", "list"]), "name", "status")
    }

    fn approve_job(&self, name: &str) {
        self.ask(&["job", "approve", name]);
    }

    fn reject_job(&self, name: &str, reason: &str) {
        self.ask(&["job", "reject", name, "--reason", reason]);
    }

    fn process(&self, share: bool) {
        let shared: &[&str] = if share { &["--share-outputs", "--share-logs"] } else { &[] };
        self.ask(&[&["job", "process"], shared].concat());
    }

    fn create_checkpoint(&self) {
        self.ask(&["checkpoint", "create"]);
    }

    fn delete_syftbox(&self) {
        self.ask(&["delete-syftbox", "--yes"]);
    }
}
