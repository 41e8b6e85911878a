//! The package as Node sees it: every payload of the Python peers is read and written there as here.

#![cfg(test)]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use syftbox_core::wire::{AnyPayload, decode};
use syftbox_web_pack::Profile;

/// Reads the files named on its input, one a line, and prints what the package makes of each.
const SCRIPT: &str = r#"
import { readFileSync } from "node:fs";
import * as syftbox from "syftbox-web";
const answers = {};
for (const file of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
    const payload = readFileSync(file);
    try {
        const again = syftbox.reencodePayload(payload);
        answers[file] = [syftbox.decodePayload(payload), syftbox.decodePayload(again)];
    } catch (error) {
        answers[file] = String(error);
    }
}
console.log(JSON.stringify({ version: syftbox.version(), answers }));
"#;

fn payloads() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/tests/fixtures");
    let mut folders: Vec<_> = ["sc0117", "syft010"].map(|run| fixtures.join(run).join("payloads")).into();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// What the package in `folder` makes of `files`, in Node.
fn ask_node(folder: &Path, files: &[PathBuf]) -> Value {
    let mut node = Command::new("node")
        .args(["--input-type=module", "--eval", SCRIPT])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let names: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
    node.stdin.take().unwrap().write_all(names.join("\n").as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn node_reads_and_writes_every_payload_as_native_does() {
    let project = tempfile::tempdir().unwrap();
    syftbox_web_pack::build(&project.path().join("node_modules/syftbox-web"), Profile::Quick).unwrap();
    let mut files = payloads();
    assert_eq!(files.len(), 38);
    let garbage = project.path().join("garbage");
    fs::write(&garbage, "no gzip").unwrap();
    files.push(garbage.clone());
    let encrypted = project.path().join("encrypted");
    fs::write(&encrypted, "SYC2...").unwrap();
    files.push(encrypted.clone());

    let said = ask_node(project.path(), &files);
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
    for file in &files {
        let answer = &said["answers"][file.to_str().unwrap()];
        let payload = fs::read(file).unwrap();
        match AnyPayload::decode(&payload) {
            Ok(native) => {
                let original: Value = decode(&payload).unwrap();
                assert_eq!(serde_json::to_value(native).unwrap(), original);
                // As texts: JavaScript has one kind of number only.
                let answers: [String; 2] = serde_json::from_value(answer.clone()).unwrap();
                for json in answers {
                    assert!(serde_json::from_str::<Value>(&json).unwrap() == original, "{}", file.display());
                }
            }
            Err(error) => assert_eq!(*answer, format!("Error: {error}")),
        }
    }
}
