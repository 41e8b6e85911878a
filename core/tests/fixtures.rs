//! The bytes that Python peers of both generations wrote: all of them decode into domain types and
//! encode back to the same value.

#![cfg(test)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use syftbox_core::{
    domain::{DatasitePath, Email, Generation},
    encryption::{Bundle, EncryptionError, KeyFile, open},
    permissions::PermissionFile,
    wire::{
        AnyPayload, Checkpoint, EventsMessage, PayloadError, PeerState, PeersFile, ProposalMessage,
        RollingState, VersionFile,
        dataset::{DatasetYaml, PrivateMetadata},
        decode, encode,
        job::{JobConfig, JobPath, JobState, run_sh},
        names::{
            CheckpointName, CollectionFolderName, EncryptionBundleName, MessageKind, MessageName,
            RollingStateName, collection_hash,
        },
    },
};

const RUNS: [(&str, Generation); 2] = [("sc0117", Generation::V0_1), ("syft010", Generation::V0_10)];

fn fixtures(run: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(run)
}

/// All files below `folder`, ascending.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn file_name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn yaml(bytes: &[u8]) -> Value {
    syftbox_core::wire::yaml::read(bytes).unwrap()
}

fn round_trips<T: DeserializeOwned + Serialize>(payload: &[u8]) -> T {
    let original: Value = decode(payload).unwrap();
    assert_eq!(serde_json::to_value(AnyPayload::decode(payload).unwrap()).unwrap(), original);
    let decoded: T = decode(payload).unwrap();
    let again: Value = decode(&encode(&decoded).unwrap()).unwrap();
    assert_eq!(again, original);
    decoded
}

#[test]
fn payloads() {
    for (run, _) in RUNS {
        let mut kinds = [0; 4];
        for path in files_below(&fixtures(run).join("payloads")) {
            let payload = fs::read(&path).unwrap();
            let name = file_name(&path);
            if let Ok(expected) = MessageName::parse(MessageKind::Proposal, name) {
                let message: ProposalMessage = round_trips(&payload);
                assert_eq!(message.message_filename, expected);
                assert_eq!(message.message_filename.file_name(MessageKind::Proposal), name);
                assert!(message.proposed_file_changes.refused.is_empty());
                assert!(message.proposed_file_changes.accepted.len() >= 3);
                kinds[0] += 1;
            } else if let Ok(expected) = MessageName::parse(MessageKind::Events, name) {
                let message: EventsMessage = round_trips(&payload);
                assert_eq!(message.message_filepath, expected);
                assert_eq!(message.message_filepath.file_name(MessageKind::Events), name);
                assert!(message.events.refused.is_empty() && !message.events.accepted.is_empty());
                kinds[1] += 1;
            } else if let Ok(expected) = name.parse::<RollingStateName>() {
                let state: RollingState = round_trips(&payload);
                assert!(state.timestamp >= expected.timestamp && expected.to_string() == name);
                assert!(state.events.refused.is_empty() && !state.events.accepted.is_empty());
                kinds[2] += 1;
            } else {
                let expected: CheckpointName = name.parse().unwrap();
                let checkpoint: Checkpoint = round_trips(&payload);
                assert_eq!(checkpoint.timestamp, expected.timestamp);
                assert!(checkpoint.files.refused.is_empty() && !checkpoint.files.accepted.is_empty());
                kinds[3] += 1;
            }
        }
        assert_eq!(kinds, [5, 10, 3, 1], "{run}");
    }
}

const ENCRYPTED: [&str; 2] = ["sc0117-encrypted", "syft010-encrypted"];

fn key_file(run: &str, who: &str) -> KeyFile {
    let json = fs::read(fixtures(run).join(who).join("crypto_keys.json")).unwrap();
    KeyFile::parse(&json, &account(who), "crypto_keys.json").unwrap()
}

fn account(who: &str) -> Email {
    format!("{who}@test.org").parse().unwrap()
}

/// The bundle that `who` published for the other.
fn bundle(run: &str, who: &str) -> Bundle {
    let peer = account(if who == "do" { "ds" } else { "do" });
    let name = EncryptionBundleName { owner: account(who), peer }.to_string();
    let document = Bundle::document_in(&fs::read(fixtures(run).join(who).join(name)).unwrap()).unwrap();
    Bundle::read(&document, &account(who)).unwrap()
}

#[test]
fn encrypted_payloads_are_told_apart() {
    for run in ENCRYPTED {
        for path in files_below(&fixtures(run).join("payloads")) {
            let error = decode::<ProposalMessage>(&fs::read(path).unwrap()).unwrap_err();
            assert!(matches!(error, PayloadError::Encrypted), "{error}");
        }
    }
}

#[test]
fn encrypted_payloads_open_for_those_they_are_for_and_no_others() {
    for run in ENCRYPTED {
        let mut kinds = [0; 4];
        for path in files_below(&fixtures(run).join("payloads")) {
            let (from, to) = file_name(path.parent().unwrap()).split_once("_for_").unwrap();
            let envelope = fs::read(&path).unwrap();
            let opened =
                open(&envelope, &account(to), &key_file(run, to).keys, &account(from), &bundle(run, from));
            match AnyPayload::decode(&opened.unwrap()).unwrap() {
                AnyPayload::Proposal(message) => {
                    assert_eq!(message.sender_email, account(from));
                    assert!(message.proposed_file_changes.accepted.len() >= 3);
                    kinds[0] += 1;
                }
                AnyPayload::Events(message) => {
                    assert!(!message.events.accepted.is_empty() && message.events.refused.is_empty());
                    kinds[1] += 1;
                }
                AnyPayload::RollingState(_) => kinds[2] += 1,
                _ => kinds[3] += 1,
            }
            let (other, wrong) = if to == "do" { ("ds", "do") } else { ("do", "ds") };
            let not_for = open(
                &envelope,
                &account(other),
                &key_file(run, other).keys,
                &account(from),
                &bundle(run, from),
            );
            assert_eq!(not_for.unwrap_err(), EncryptionError::NotForUs);
            if from != to {
                let not_from = open(
                    &envelope,
                    &account(to),
                    &key_file(run, to).keys,
                    &account(wrong),
                    &bundle(run, wrong),
                );
                assert!(matches!(not_from.unwrap_err(), EncryptionError::OtherSender { .. }));
            }
        }
        assert_eq!(kinds, [4, 4, 1, 1], "{run}");
    }
}

#[test]
fn key_files_and_bundles_are_written_as_the_python_peers_do() {
    for run in ENCRYPTED {
        for who in ["do", "ds"] {
            let json = fs::read(fixtures(run).join(who).join("crypto_keys.json")).unwrap();
            let file = key_file(run, who);
            let written: Value = serde_json::from_slice(&file.to_json().unwrap()).unwrap();
            assert_eq!(written, serde_json::from_slice::<Value>(&json).unwrap());
            let published = bundle(run, who);
            assert_eq!(file.keys.bundle().document(), published.document());
            let again = Bundle::document_in(&published.to_file()).unwrap();
            assert_eq!(again, *published.document());
        }
        let peers = PeersFile::parse(&fs::read(fixtures(run).join("SYFT_peers.json")).unwrap()).unwrap();
        let noted = peers.peers[&account("ds")].public_encryption_bundle.clone().unwrap();
        assert_eq!(noted, *bundle(run, "ds").document());
    }
}

#[test]
fn peers_files() {
    for run in ["sc0117/do", "sc0117/ds", "syft010/do", "syft010/ds", "sc0117-encrypted", "syft010-encrypted"]
    {
        let bytes = fs::read(fixtures(run).join("SYFT_peers.json")).unwrap();
        let file = PeersFile::parse(&bytes).unwrap();
        assert!(file.peers.values().any(|peer| peer.state == PeerState::Accepted));
        assert_eq!(file.unread().count(), 0);
        let has_bundle = file.peers.values().any(|peer| peer.public_encryption_bundle.is_some());
        assert_eq!(has_bundle, run.ends_with("encrypted"), "{run}");
        let written = file.to_json().unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&written).unwrap(),
            serde_json::from_slice::<Value>(&bytes).unwrap()
        );
    }
}

#[test]
fn version_files() {
    for (run, generation) in RUNS {
        for who in ["do", "ds"] {
            let bytes = fs::read(fixtures(run).join(who).join("SYFT_version.json")).unwrap();
            let file = VersionFile::parse(&bytes).unwrap();
            assert_eq!(file.version, generation.version());
            let original: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&file.to_json().unwrap()).unwrap(), original);
            // What we would write ourselves differs in nothing but that we tell what else we speak.
            assert_eq!(VersionFile::new(generation.version(), file.updated_at), file);
        }
    }
}

#[test]
fn collections_have_the_hash_of_their_content() {
    for (run, _) in RUNS {
        let folder = fixtures(run).join("collections");
        let mut count = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name: CollectionFolderName = file_name(&path).parse().unwrap();
            assert_eq!(name.to_string(), file_name(&path));
            let files: Vec<_> = files_below(&path)
                .iter()
                .map(|file| (file_name(file).to_owned(), fs::read(file).unwrap()))
                .collect();
            let hash =
                collection_hash(files.iter().map(|(name, content)| (name.as_str(), content.as_slice())));
            assert_eq!(hash, name.hash);
            count += 1;
        }
        assert_eq!(count, 4);
    }
}

#[test]
fn yaml_files() {
    let mut counts = std::collections::BTreeMap::new();
    for (run, generation) in RUNS {
        for path in files_below(&fixtures(run)) {
            let bytes = fs::read(&path).unwrap();
            let written = match file_name(&path) {
                "config.yaml" => {
                    let config = JobConfig::parse(&bytes).unwrap();
                    assert_eq!(config.generation, generation);
                    config.to_yaml()
                }
                "state.yaml" => {
                    let state = JobState::parse(&bytes).unwrap();
                    assert_eq!(state.generation, generation);
                    state.to_yaml()
                }
                "syft.pub.yaml" => PermissionFile::parse(&bytes).unwrap().to_yaml(),
                "dataset.yaml" => DatasetYaml::parse(&bytes).unwrap().to_yaml(),
                "private_metadata.yaml" => PrivateMetadata::parse(&bytes).unwrap().to_yaml(),
                _ => continue,
            };
            let written = written.unwrap();
            assert_eq!(yaml(written.as_bytes()), yaml(&bytes), "{}", path.display());
            // The order of the keys and what is quoted are those of the Python peers too.
            assert_eq!(written.replace('"', "'"), String::from_utf8(bytes).unwrap(), "{}", path.display());
            *counts.entry(file_name(&path).to_owned()).or_insert(0) += 1;
        }
    }
    let counts: Vec<_> = counts.values().copied().collect();
    assert_eq!(counts, [10, 6, 2, 10, 6]);
}

#[test]
fn run_scripts_are_those_of_the_python_peers() {
    let (mut python, mut bash) = (0, 0);
    for (run, generation) in RUNS {
        let root = fixtures(run).join("datasite");
        for path in files_below(&root).iter().filter(|path| file_name(path) == "run.sh") {
            let config = JobConfig::parse(&fs::read(path.with_file_name("config.yaml")).unwrap()).unwrap();
            if let Some(script) = run_sh(&config, false) {
                assert_eq!(script, fs::read_to_string(path).unwrap());
                python += 1;
            } else {
                let expected = JobConfig::bash(generation, config.name.clone(), config.submitted_at);
                assert_eq!(config, expected);
                let entry = path.with_file_name("code").join(config.entry().unwrap().as_str());
                assert_eq!(fs::read(path).unwrap(), fs::read(entry).unwrap());
                bash += 1;
            }
            let relative = path.strip_prefix(&root).unwrap().to_str().unwrap();
            let parsed = JobPath::parse(&relative.parse::<DatasitePath>().unwrap()).unwrap();
            assert_eq!((parsed.job.as_str(), parsed.generation), (config.name.as_str(), generation));
            assert_eq!(parsed.rest.as_ref().map(DatasitePath::as_str), Some("run.sh"));
            assert_eq!(parsed.folder().unwrap().join("run.sh").unwrap().as_str(), relative);
        }
    }
    assert_eq!((python, bash), (4, 6));
}
