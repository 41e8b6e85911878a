//! Whatever an owner does to its datasite and however it is kept on Drive, a new machine gets the
//! same tree, byte for byte.

use syftbox_core::{manager::Roles, sync::SyncOptions};

use crate::machine::Cloud;

const OWNER: &str = "do@test.org";
const PATHS: [&str; 8] =
    ["a", "b.txt", "dir/a", "dir/deep/er", "été/日本.bin", "dir/ 💡", ".hidden", "app_data/x.yaml"];

/// Numbers that are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn content(&mut self) -> Vec<u8> {
        match self.below(4) {
            0 => Vec::new(),
            1 => format!("line {}\r\n\tnext", self.below(100)).into_bytes(),
            2 => vec![0xff, 0x00, u8::try_from(self.below(256)).unwrap()],
            _ => (0..self.below(3000)).map(|n| u8::try_from(n % 251).unwrap()).collect(),
        }
    }
}

/// A life of a datasite: changes, syncs with checkpoints at any threshold, and checkpoints on request.
fn live(seed: u64) {
    let cloud = Cloud::new(&[OWNER]);
    let machine = cloud.machine(OWNER, Roles::OWNER);
    let mut dice = Dice(seed);
    for _ in 0..6 {
        for _ in 0..=dice.below(5) {
            let path = PATHS[dice.below(PATHS.len())];
            let is_there = machine.datasite().join(path).exists();
            match dice.below(4) {
                0 if is_there => machine.remove(path),
                1 if is_there => {
                    let content = machine.tree()[path].clone();
                    machine.remove(path);
                    machine.write(&format!("renamed/{path}"), content);
                }
                _ => machine.write(path, dice.content()),
            }
        }
        if dice.below(5) == 0 {
            let mut manager = machine.manager();
            machine.wait(manager.create_checkpoint()).unwrap();
        } else {
            let choices = SyncOptions::default()
                .auto_checkpoint(dice.below(3) > 0)
                .checkpoint_threshold(1 + dice.below(6));
            let report = machine.sync_with(&choices);
            assert!(report.refused.is_empty(), "seed {seed}: {report:?}");
        }
        if dice.below(2) == 0 {
            let fresh = cloud.machine(OWNER, Roles::OWNER);
            let report = fresh.sync();
            assert_eq!(fresh.tree(), machine.tree(), "seed {seed}");
            assert_eq!(report.events_published, 0, "seed {seed}");
        }
    }
    let fresh = cloud.machine(OWNER, Roles::OWNER);
    fresh.sync();
    assert_eq!(fresh.tree(), machine.tree(), "seed {seed}");
}

#[test]
fn a_new_machine_gets_the_same_tree() {
    let seeds: Vec<u64> = (0..30).collect();
    // Most of the time is waiting for the disk.
    std::thread::scope(|threads| {
        for some in seeds.chunks(6) {
            threads.spawn(move || some.iter().for_each(|seed| live(*seed)));
        }
    });
}

#[test]
fn garbage_among_the_checkpoints_costs_a_word() {
    let cloud = Cloud::new(&[OWNER]);
    let machine = cloud.machine(OWNER, Roles::OWNER);
    let mut manager = machine.manager();
    for round in 0..3 {
        machine.write("a", format!("{round}"));
        machine.write(&format!("{round}"), [0xff]);
        if round == 0 {
            machine.wait(manager.create_checkpoint()).unwrap();
        } else {
            machine.sync_with(&SyncOptions::default().checkpoint_threshold(2));
        }
    }
    let drive = machine.drive();
    let folder = machine.folder_on_drive("do@test.org-0.10.0-checkpoints");
    let garbage = ["checkpoint_9999999999.5.tar.gz", "incremental_checkpoint_7_1.5.tar.gz", "notes.txt"];
    for (name, content) in garbage.into_iter().zip(["no gzip", "", "hello"]) {
        let id = machine.wait(drive.generate_ids(1)).unwrap().remove(0);
        let new = syftbox_core::drive::NewFile::new(id, name, folder.clone());
        machine.wait(drive.upload(new, bytes::Bytes::from_static(content.as_bytes()).into())).unwrap();
    }
    let fresh = cloud.machine(OWNER, Roles::OWNER);
    let report = fresh.sync_with(&SyncOptions::default().auto_checkpoint(false));
    for name in garbage {
        assert!(report.refused.iter().any(|refusal| refusal.what == name), "{name}: {report:?}");
    }
    assert_eq!(report.events_published, 0);
    assert_eq!(fresh.tree(), machine.tree());
}

#[test]
fn a_deleted_event_log_begins_anew_with_a_checkpoint() {
    let cloud = Cloud::new(&[OWNER]);
    let machine = cloud.machine(OWNER, Roles::OWNER);
    machine.write("old", [0xff]);
    machine.sync();
    for name in ["0.10.0#do@test.org", "do@test.org-0.10.0-rolling-state"] {
        machine.wait(machine.drive().delete(&machine.folder_on_drive(name))).unwrap();
    }
    machine.write("new", "after");
    let report = machine.sync_with(&SyncOptions::default());
    assert!(report.refused.iter().any(|refusal| refusal.what == "the event log"), "{report:?}");
    assert_eq!(report.checkpoints_made, 1);
    machine.write("newer", "");
    machine.sync();
    let fresh = cloud.machine(OWNER, Roles::OWNER);
    fresh.sync();
    assert_eq!(fresh.tree(), machine.tree());
}
