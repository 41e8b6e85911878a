//! Outboxes don't grow: an owner merges what lies in them (wire section 4).

use syftbox_core::manager::Roles;

use crate::machine::{Cloud, Machine, make_peers};

const OWNER: &str = "do@test.org";
const SCIENTIST: &str = "ds@test.org";

/// The owner's files below `shared/`, which the scientist may read.
fn shared(machine: &Machine) -> Vec<(String, Vec<u8>)> {
    let tree = machine.tree_of(OWNER).into_iter();
    tree.filter(|(path, _)| path.starts_with("shared/") && !path.ends_with("syft.pub.yaml")).collect()
}

fn peers() -> (Cloud, Machine, Machine) {
    let cloud = Cloud::new(&[OWNER, SCIENTIST]);
    let owner = cloud.machine(OWNER, Roles::OWNER);
    let scientist = cloud.machine(SCIENTIST, Roles::SCIENTIST);
    make_peers(&owner, &scientist);
    let rule = format!("rules:\n- pattern: '**'\n  access:\n    read: [{SCIENTIST}]\n");
    owner.write("shared/syft.pub.yaml", rule);
    (cloud, owner, scientist)
}

#[test]
fn many_messages_become_one_and_nothing_is_missed_or_done_twice() {
    let (cloud, owner, early) = peers();
    let mut merged = 0;
    for n in 0..45 {
        owner.write(&format!("shared/{}", n % 7), format!("{n}"));
        if n % 7 == 6 {
            owner.remove("shared/3");
        }
        merged += owner.sync().messages_merged;
        if n % 11 == 0 {
            early.sync();
            assert_eq!(shared(&early), shared(&owner), "{n}");
        }
    }
    assert!(merged >= 40, "{merged}");
    early.sync();
    let late = cloud.machine(SCIENTIST, Roles::SCIENTIST);
    cloud.drive.requests().reset();
    late.sync();
    let downloads =
        cloud.drive.requests().lines().iter().filter(|line| line.path.contains("alt=media")).count();
    assert!(downloads < 25, "{downloads}");
    assert_eq!(shared(&early), shared(&owner));
    assert_eq!(shared(&late), shared(&owner));
    assert_eq!(late.sync().events_applied, 0);
}
