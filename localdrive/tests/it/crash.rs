//! A server that is killed in the middle of writing has lost nothing that it acknowledged.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::Method;
use serde_json::{Value, json};
use syftbox_localdrive::{Accounts, RunningDrive};

use crate::support::{Client, id_of, text};

const WRITERS: usize = 6;
const ROUNDS: usize = 3;
/// Acknowledged changes after which the server is killed.
const CHANGES_A_ROUND: usize = 60;

/// A server process, killed at the latest when this goes.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(dir: &Path) -> Self {
        let mut child =
            Command::new(env!("CARGO_BIN_EXE_localdrive")).arg(dir).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What a file may hold, by id: the bytes of the last acknowledged change, and of one that was not.
type Expected = HashMap<String, Vec<Vec<u8>>>;

fn bytes_of(writer: usize, change: usize) -> Vec<u8> {
    let sizes = [0, 10, 3_000, 64 * 1024, 70_000, 400_000, 1_500_000];
    let seed = u8::try_from((writer * 31 + change) % 251).unwrap();
    vec![seed; sizes[(writer + change) % sizes.len()]]
}

async fn try_send(request: reqwest::RequestBuilder) -> Option<Value> {
    let response = request.send().await.ok()?;
    assert!(response.status().is_success(), "{}", response.status());
    let bytes = response.bytes().await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Creates files and replaces their content until the server is gone.
async fn write(client: Client, writer: usize, done: Arc<AtomicUsize>) -> Expected {
    let mut expected = Expected::new();
    let mut last = None;
    for change in 0.. {
        let bytes = bytes_of(writer, change);
        let known: Option<String> = last.filter(|_| change % 3 == 2);
        let request = match &known {
            Some(id) => {
                client.request(Method::PATCH, &format!("/upload/drive/v3/files/{id}?uploadType=media"))
            }
            None => client.request(Method::POST, "/upload/drive/v3/files?uploadType=media"),
        };
        if let Some(id) = &known {
            expected.get_mut(id).unwrap().push(bytes.clone());
        }
        let Some(answer) = try_send(request.body(bytes.clone())).await else { return expected };
        let id = id_of(&answer);
        expected.insert(id.clone(), vec![bytes]);
        last = Some(id);
        done.fetch_add(1, Ordering::SeqCst);
    }
    expected
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_to_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let token = Accounts::in_dir(dir.path()).unwrap().add("ann@x.org").unwrap();
    let mut expected = Expected::new();
    for round in 0..ROUNDS {
        let mut server = Server::start(dir.path());
        let done = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let client = Client::new(&server.url, &token);
                tokio::spawn(write(client, writer + round * WRITERS, Arc::clone(&done)))
            })
            .collect();
        while done.load(Ordering::SeqCst) < CHANGES_A_ROUND {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            assert!(server.child.try_wait().unwrap().is_none(), "the server ended by itself");
        }
        server.child.kill().unwrap();
        for writer in writers {
            expected.extend(writer.await.unwrap());
        }
        drop(server);
        check(dir.path(), &token, &expected).await;
    }
}

async fn check(dir: &Path, token: &str, expected: &Expected) {
    let drive = RunningDrive::start(dir, Accounts::in_dir(dir).unwrap()).unwrap();
    let client = Client::new(drive.url(), token);
    assert_eq!(std::fs::read_dir(dir.join("uploads")).unwrap().count(), 0);
    let listed = client.get("/drive/v3/files?pageSize=1000&fields=files(id,size,md5Checksum)").await.ok();
    let listed = listed["files"].as_array().unwrap();
    let ids: Vec<String> = listed.iter().map(id_of).collect();
    assert!(expected.keys().all(|id| ids.contains(id)), "an acknowledged file is gone");
    for file in listed {
        let bytes = client.download(&id_of(file)).await;
        assert_eq!(text(&file["size"]), bytes.len().to_string());
        if let Some(allowed) = expected.get(&id_of(file)) {
            assert!(allowed.contains(&bytes), "an acknowledged file has other bytes");
        }
    }
    let in_files =
        listed.iter().filter(|file| text(&file["size"]).parse::<u64>().unwrap() > 64 * 1024).count();
    assert_eq!(std::fs::read_dir(dir.join("bodies")).unwrap().count(), in_files, "a body is left over");
}

#[tokio::test]
async fn a_folder_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let error = RunningDrive::start(dir.path(), Accounts::new([("t", "a@x.org")]).unwrap()).err().unwrap();
    assert!(error.to_string().contains("in use"), "{error}");
    drop(server);
    let drive = RunningDrive::start(dir.path(), Accounts::new([("t", "a@x.org")]).unwrap()).unwrap();
    let made = Client::new(drive.url(), "t").post("/drive/v3/files", json!({"name": "x"})).await.ok();
    assert_eq!(made["name"], "x");
}
