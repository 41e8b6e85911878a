//! A Python peer as a player.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use syftbox_tests::{PythonGeneration, PythonPeer};

use crate::player::{NewDataset, OWNER, Player, described, pairs};

/// A Python peer, and how its person set it up.
pub(crate) struct Python {
    pub(crate) peer: PythonPeer,
    pub(crate) generation: PythonGeneration,
    pub(crate) encrypted: bool,
}

impl Python {
    /// What a sync raises that can't succeed.
    #[track_caller]
    pub(crate) fn sync_fails(&self) -> String {
        self.peer.fails("sync", json!({}))
    }

    #[track_caller]
    fn ask(&self, call: &str, arguments: Value) -> Value {
        self.peer.ask(call, arguments)
    }
}

impl Player for Python {
    fn folder(&self) -> PathBuf {
        self.peer.folder()
    }

    fn token_file(&self) -> PathBuf {
        self.peer.token_file()
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        self.peer.write(name, content)
    }

    fn login(&self) {
        let role = if self.peer.email() == OWNER { "do" } else { "ds" };
        self.ask("login", json!({"role": role, "encrypted": self.encrypted}));
        self.ask("only_full_checkpoints", json!({}));
    }

    fn key_file(&self) -> PathBuf {
        match self.generation {
            PythonGeneration::V0_1 => self.folder().with_file_name(".syftbox/crypto_keys.json"),
            PythonGeneration::V0_10 => self.folder().join(self.peer.email()).join("private/crypto_keys.json"),
        }
    }

    fn take_keys(&self, file: &Path) {
        let place = self.key_file();
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(file, place).unwrap();
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
