//! What an account with encryption keeps on Drive beside the messages of a conversation: checkpoints,
//! the rolling state, crowded outboxes and the last words of a deletion (wire section 9).

use std::collections::{BTreeMap, BTreeSet};

use syftbox_core::{
    drive::{DriveFile, NewFile, Query},
    manager::{DeleteOptions, ManagerError, Roles},
    sync::{CheckpointKind, SyncOptions},
};

use crate::machine::{Cloud, Machine, make_peers};

const OWNER: &str = "do@test.org";
const SCIENTIST: &str = "ds@test.org";
/// No payload of these tests is longer.
const MAX_BYTES: u64 = 1 << 20;

/// The payloads that `machine` sees on Drive, and whether each is sealed.
fn payloads(machine: &Machine) -> Vec<(DriveFile, bool)> {
    let drive = machine.drive();
    machine.wait(async {
        let mut found = Vec::new();
        for file in drive.list(&Query::new()).await.unwrap() {
            if file.name.ends_with(".tar.gz") {
                let content = drive.download(&file.id, MAX_BYTES).await.unwrap();
                found.push((file, content.starts_with(b"SYC2")));
            }
        }
        found
    })
}

#[track_caller]
fn all_is_sealed(machine: &Machine) {
    let plain: Vec<_> = payloads(machine).into_iter().filter(|(_, sealed)| !sealed).collect();
    assert!(plain.is_empty(), "{plain:?}");
}

/// The datasite without what never leaves the machine.
fn synced(machine: &Machine) -> BTreeMap<String, Vec<u8>> {
    machine.tree().into_iter().filter(|(path, _)| !path.starts_with("private/")).collect()
}

/// A new machine of the account of `first`, which got the key file.
fn another(cloud: &Cloud, email: &str, roles: Roles, first: &Machine) -> Machine {
    let machine = cloud.machine(email, roles);
    let mut manager = machine.manager();
    let keys = std::fs::read(first.datasite().join("private/crypto_keys.json")).unwrap();
    machine.wait(manager.import_keys(&keys)).unwrap();
    machine
}

/// Peers with encryption; the scientist may read `shared/`.
fn peers() -> (Cloud, Machine, Machine) {
    let cloud = Cloud::new(&[OWNER, SCIENTIST]);
    let owner = cloud.machine(OWNER, Roles::OWNER).encrypting();
    let scientist = cloud.machine(SCIENTIST, Roles::SCIENTIST).encrypting();
    make_peers(&owner, &scientist);
    let rule = format!("rules:\n- pattern: '**'\n  access:\n    read: [{SCIENTIST}]\n");
    owner.write("shared/syft.pub.yaml", rule);
    owner.sync();
    (cloud, owner, scientist)
}

#[test]
fn checkpoints_of_all_kinds_are_sealed_and_a_new_machine_with_the_keys_restores_them() {
    let cloud = Cloud::new(&[OWNER]);
    let first = cloud.machine(OWNER, Roles::OWNER).encrypting();
    first.write("empty", "");
    first.write("été/日本.bin", [0xff, 0, 0xfe]);
    let mut manager = first.manager();
    let made = first.wait(manager.create_checkpoint()).unwrap();
    assert_eq!(made.kind, CheckpointKind::Full);
    for round in 0..2 {
        first.write("always", format!("{round}"));
        first.write(&format!("{round}"), "x");
        let report = first.sync_with(&SyncOptions::default().checkpoint_threshold(2));
        assert_eq!(report.checkpoints_made, 1, "{report:?}");
    }
    first.write("after", "the checkpoints");
    first.sync();
    all_is_sealed(&first);
    let names: BTreeSet<String> = payloads(&first)
        .into_iter()
        .map(|(file, _)| file.name.split_once("_1").unwrap().0.to_owned())
        .collect();
    let expected = ["checkpoint", "incremental_checkpoint", "rolling_state", "syfteventsmessagev3"];
    assert!(expected.iter().all(|kind| names.iter().any(|name| name.starts_with(kind))), "{names:?}");

    let second = another(&cloud, OWNER, Roles::OWNER, &first);
    let downloads = |line: &&syftbox_localdrive::RequestLine| line.path.contains("alt=media");
    cloud.drive.requests().reset();
    let report = second.sync();
    let read = cloud.drive.requests().lines().iter().filter(downloads).count();
    assert_eq!((report.files_restored, report.events_published), (synced(&first).len(), 0));
    assert_eq!(synced(&second), synced(&first));
    assert!(read <= 5, "{read} files were read: the log too");

    let stranger = cloud.machine(OWNER, Roles::OWNER);
    let mut manager = stranger.manager();
    let error = stranger.wait(manager.sync(&SyncOptions::default())).unwrap_err();
    assert!(matches!(error, ManagerError::Encryption(_)), "{error}");
    assert_eq!(synced(&stranger), BTreeMap::new());
}

#[test]
fn a_crowded_outbox_is_left_as_it_is_and_nothing_in_it_is_missed() {
    let (cloud, owner, early) = peers();
    for n in 0..25 {
        owner.write(&format!("shared/{}", n % 7), format!("{n}"));
        assert_eq!(owner.sync().messages_merged, 0, "only the scientist could open them");
        if n == 10 {
            early.sync();
        }
    }
    all_is_sealed(&owner);
    let shared = |machine: &Machine| -> BTreeMap<String, Vec<u8>> {
        let tree = machine.tree_of(OWNER).into_iter();
        tree.filter(|(path, _)| path.starts_with("shared/") && !path.ends_with("syft.pub.yaml")).collect()
    };
    early.sync();
    let late = another(&cloud, SCIENTIST, Roles::SCIENTIST, &early);
    late.sync();
    assert_eq!(shared(&early), shared(&owner));
    assert_eq!(shared(&late), shared(&owner));
}

#[test]
fn peers_are_told_of_a_deletion_in_an_envelope_and_bundles_and_keys_go_with_the_rest() {
    let (_cloud, owner, scientist) = peers();
    owner.write("shared/file", "content");
    owner.sync();
    scientist.sync();
    assert!(scientist.tree_of(OWNER).contains_key("shared/file"));
    let drive = owner.drive();
    // As a Python peer can leave them: outside of our folder.
    let bundles = format!("syft_encryption_bundles#{OWNER}");
    let notes = owner.wait(async {
        let mut made = Vec::new();
        for name in ["SYFT_version_notes", "SYFT_version_0.1.117", &bundles] {
            let id = drive.generate_ids(1).await.unwrap().remove(0);
            made.push(drive.create_folder(NewFile::new(id, name, NewFile::my_drive())).await.unwrap().id);
        }
        let id = drive.generate_ids(1).await.unwrap().remove(0);
        let name = format!("encryption_bundle_{OWNER}_for_{SCIENTIST}.json");
        let new = NewFile::new(id, name, made.pop().unwrap());
        drive.upload(new, bytes::Bytes::new().into()).await.unwrap();
        made.remove(0)
    });
    let mut manager = owner.manager();
    let deleted = owner.wait(manager.delete_syftbox(&DeleteOptions::default())).unwrap();
    assert_eq!(deleted.peers_told, [SCIENTIST.parse().unwrap()]);
    assert_eq!(owner.tree(), BTreeMap::new(), "the keys too");

    let left = owner.wait(drive.list(&Query::new().owned_by_me(true))).unwrap();
    let (messages, others): (Vec<_>, Vec<_>) =
        left.into_iter().partition(|file| file.name.starts_with("syfteventsmessagev3_"));
    assert_eq!(others.iter().map(|file| &file.id).collect::<Vec<_>>(), [&notes], "{others:?}");
    assert_eq!(messages.len(), 1, "what told the scientist");
    all_is_sealed(&owner);
    scientist.sync_with(&SyncOptions::default());
    assert!(!scientist.tree_of(OWNER).contains_key("shared/file"), "the copy goes with the original");
}
