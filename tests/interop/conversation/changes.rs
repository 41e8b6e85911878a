//! The owner's own files: changed by hand, and seen by those who may.

use std::fs;

use crate::player::{OWNER, Player, SCIENTIST};
use crate::trees::{Tree, assert_same, tree};

/// New, changed, renamed, deleted, empty and binary files; then some that the scientist may no longer read.
pub(super) fn follow(owner: &dyn Player, scientist: &dyn Player) {
    let write = |name: &str, content: &[u8]| {
        let path = owner.folder().join(OWNER).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let remove = |name: &str| fs::remove_file(owner.folder().join(OWNER).join(name)).unwrap();
    let exchange = || {
        owner.sync();
        scientist.sync();
    };

    write("notes/syft.pub.yaml", rules(&[SCIENTIST]).as_bytes());
    write("notes/hello.txt", "Grüße\r\nfrom here".as_bytes());
    write("notes/deep/raw.bin", &[255, 0, 1, 2]);
    write("notes/empty.txt", b"");
    write("notes/gone soon.txt", b"for now");
    write("notes/gone later.txt", b"for longer");
    write("notes/private/all the same.txt", b"not in the datasite's private folder");
    write("mine/diary.txt", b"for the owner");
    write("private/diary.txt", b"never leaves");
    exchange();
    assert_same("new files", &notes(owner), &notes(scientist));
    assert_eq!(notes(scientist).len(), 6);
    for hers in ["mine", "private"] {
        assert!(!scientist.folder().join(OWNER).join(hers).exists(), "{hers}");
    }

    write("notes/hello.txt", b"changed");
    write("notes/deep/raw too.bin", &[255, 0, 1, 2]);
    remove("notes/deep/raw.bin");
    remove("notes/gone soon.txt");
    exchange();
    assert_same("changed files", &notes(owner), &notes(scientist));
    assert_eq!(notes(scientist)["hello.txt"], b"changed");

    let seen = notes(scientist);
    write("notes/syft.pub.yaml", rules(&[]).as_bytes());
    exchange();
    write("notes/hello.txt", b"not for others");
    write("notes/secret.txt", b"not for others");
    exchange();
    assert_same("what the scientist had", &seen, &notes(scientist));

    write("notes/syft.pub.yaml", rules(&[SCIENTIST]).as_bytes());
    exchange();
    assert_same("files that may be read again", &notes(owner), &notes(scientist));
}

fn rules(readers: &[&str]) -> String {
    let readers = readers.join(", ");
    format!(
        "terminal: false\nrules:\n- pattern: '**'\n  access:\n    admin: []\n    write: []\n    read: [{readers}]\n"
    )
}

/// The files that are for the scientist.
fn notes(player: &dyn Player) -> Tree {
    let mut notes = tree(&player.folder().join(OWNER).join("notes"));
    notes.retain(|path, _| !path.ends_with("syft.pub.yaml"));
    notes
}
