//! Checkpoints, and what a new machine of an owner makes of them (wire section 6).

use std::collections::BTreeSet;

use syftbox_core::{
    manager::Roles,
    sync::{CheckpointKind, SyncOptions},
};

use crate::machine::{Cloud, Machine};

const OWNER: &str = "do@test.org";

/// Syncs so that `threshold` events make a checkpoint.
fn sync_at(machine: &Machine, threshold: usize) -> syftbox_core::sync::SyncReport {
    machine.sync_with(&SyncOptions::default().checkpoint_threshold(threshold))
}

fn status(machine: &Machine) -> syftbox_core::sync::CheckpointStatus {
    let manager = machine.manager();
    machine.wait(manager.checkpoint_status(50)).unwrap()
}

#[test]
fn a_new_machine_has_all_files_byte_for_byte() {
    let cloud = Cloud::new(&[OWNER]);
    let first = cloud.machine(OWNER, Roles::OWNER);
    first.write("empty", "");
    first.write("été/日本.bin", [0xff, 0, 0xfe]);
    first.write("text", "a\r\nb\n");
    first.write("gone", "x");
    first.sync();
    first.remove("gone");
    let mut manager = first.manager();
    let made = first.wait(manager.create_checkpoint()).unwrap();
    assert_eq!((made.kind, made.entries), (CheckpointKind::Full, 3));
    first.write("after", "the checkpoint");
    first.remove("text");
    first.sync();

    let second = cloud.machine(OWNER, Roles::OWNER);
    let report = second.sync();
    assert_eq!(report.files_restored, 3);
    assert_eq!(report.events_published, 0, "nothing differs");
    assert_eq!(second.tree(), first.tree());
    assert!(!second.tree().contains_key("text"));
}

#[test]
fn the_rolling_state_becomes_incremental_checkpoints_and_these_a_full_one() {
    let cloud = Cloud::new(&[OWNER]);
    let machine = cloud.machine(OWNER, Roles::OWNER);
    let mut made = Vec::new();
    for round in 0..5 {
        for n in 0..3 {
            machine.write(&format!("{round}/{n}"), format!("{round}{n}"));
        }
        machine.write("always", format!("{round}"));
        let report = sync_at(&machine, 4);
        assert!(report.refused.is_empty(), "{report:?}");
        assert_eq!(report.checkpoints_made, 1);
        let status = status(&machine);
        assert_eq!(status.rolling_events, 0, "it begins anew");
        made.push((status.full.is_some(), status.incrementals));
        let fresh = cloud.machine(OWNER, Roles::OWNER);
        fresh.sync();
        assert_eq!(fresh.tree(), machine.tree(), "round {round}");
    }
    assert_eq!(made, [(false, 1), (false, 2), (false, 3), (true, 0), (true, 1)]);
}

#[test]
fn a_checkpoint_needs_events() {
    let cloud = Cloud::new(&[OWNER]);
    let machine = cloud.machine(OWNER, Roles::OWNER);
    for n in 0..5 {
        machine.write(&format!("{n}"), "x");
    }
    let report = machine.sync_with(&SyncOptions::default().auto_checkpoint(false).checkpoint_threshold(1));
    assert_eq!(report.checkpoints_made, 0);
    let mut manager = machine.manager();
    assert!(!machine.wait(manager.should_create_checkpoint(6)).unwrap());
    assert!(machine.wait(manager.should_create_checkpoint(5)).unwrap());
    assert_eq!(machine.wait(manager.try_create_checkpoint(6)).unwrap(), None);
    let made = machine.wait(manager.try_create_checkpoint(5)).unwrap().unwrap();
    assert_eq!((made.kind, made.entries), (CheckpointKind::Incremental, 5));
    assert_eq!(machine.wait(manager.try_create_checkpoint(1)).unwrap(), None, "nothing is left");
    let scientist = cloud.machine(OWNER, Roles::SCIENTIST);
    let mut manager = scientist.manager();
    let error = scientist.wait(manager.create_checkpoint()).unwrap_err().to_string();
    assert!(error.contains("role do"), "{error}");
}

#[test]
fn names_of_checkpoints_are_those_of_the_protocol() {
    let cloud = Cloud::new(&[OWNER]);
    let machine = cloud.machine(OWNER, Roles::OWNER);
    machine.write("a", "x");
    let mut manager = machine.manager();
    let made = machine.wait(manager.create_checkpoint()).unwrap();
    assert!(made.name.parse::<syftbox_core::wire::names::CheckpointName>().is_ok(), "{}", made.name);
    let names: BTreeSet<_> = status(&machine).full.into_iter().collect();
    assert_eq!(names, [made.name].into());
}
