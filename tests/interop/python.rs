//! A Python peer as a player.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use syftbox_tests::PythonPeer;

use crate::player::{NewDataset, OWNER, Player, described, pairs};

impl Player for PythonPeer {
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
        let role = if self.email() == OWNER { "do" } else { "ds" };
        self.ask("login", json!({"role": role}));
        self.ask("only_full_checkpoints", json!({}));
    }

    fn sync(&self) {
        self.ask("sync", json!({}));
    }

    fn add_peer(&self, email: &str) {
        self.ask("add_peer", json!({"email": email}));
    }

    fn peers(&self) -> BTreeMap<String, String> {
        pairs(&self.ask("peers", json!({})), "email", "state")
    }

    fn approve_peer(&self, email: &str) {
        self.ask("approve_peer", json!({"email": email}));
    }

    fn reject_peer(&self, email: &str) {
        self.ask("reject_peer", json!({"email": email}));
    }

    fn create_dataset(&self, dataset: &NewDataset) {
        let NewDataset { name, mock, private, readme, summary, tags, users, upload_private } = dataset;
        let users = if *users == "any" { json!(users) } else { json!([users]) };
        self.ask(
            "create_dataset",
            json!({
                "name": name, "mock_path": mock, "private_path": private, "readme_path": readme,
                "summary": summary, "tags": tags, "users": users, "upload_private": upload_private,
            }),
        );
    }

    fn delete_dataset(&self, name: &str) {
        self.ask("delete_dataset", json!({"name": name}));
    }

    fn datasets(&self) -> Vec<Value> {
        described(&self.ask("datasets", json!({})))
    }

    fn submit_python(&self, to: &str, code: &Path, name: &str) {
        self.ask("submit_python", json!({"to": to, "path": code, "name": name}));
    }

    fn submit_bash(&self, to: &str, script: &str, name: &str) {
        self.ask("submit_bash", json!({"to": to, "script": script, "name": name}));
    }

    fn jobs(&self) -> BTreeMap<String, String> {
        pairs(&self.ask("jobs", json!({})), "name", "status")
    }

    fn approve_job(&self, name: &str) {
        self.ask("approve_job", json!({"name": name}));
    }

    fn reject_job(&self, name: &str, reason: &str) {
        self.ask("reject_job", json!({"name": name, "reason": reason}));
    }

    fn process(&self, share: bool) {
        self.ask("process", json!({"share": share}));
    }

    fn create_checkpoint(&self) {
        self.ask("create_checkpoint", json!({}));
    }

    fn delete_syftbox(&self) {
        self.ask("delete_syftbox", json!({}));
    }
}
