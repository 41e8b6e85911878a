//! Both lose their machines and go on with new ones.

use std::fs;

use crate::cast::{Cast, Program};
use crate::player::{OWNER, Player};
use crate::trees::{assert_same, tree};

/// A new machine of the owner has all that the old one had, but for what never leaves a machine. It goes on in its place.
/// A checkpoint was made, and something happened after it.
pub(super) fn new_owner(cast: &Cast, old: &dyn Player) -> Box<dyn Player> {
    let datasite = old.folder().join(OWNER);
    if cast.owner == Program::Python {
        // A Python peer's checkpoint fails on a file that isn't text, and loses one that is empty.
        for (path, content) in tree(&datasite) {
            if comes_along(cast, &path)
                && !path.contains("syft_datasets/")
                && (content.is_empty() || str::from_utf8(&content).is_err())
            {
                fs::remove_file(datasite.join(path)).unwrap();
            }
        }
        old.sync();
    }
    old.create_checkpoint();
    assert!(cast.on_drive(old).iter().any(|name| name.starts_with("checkpoint_")));
    fs::write(datasite.join("mine/after the checkpoint.txt"), "new").unwrap();
    fs::remove_file(datasite.join("notes/gone later.txt")).unwrap();
    old.sync();

    let new = cast.owner();
    go_on_in_place_of(cast, old, &*new);
    new.sync();
    assert_eq!(new.peers(), old.peers());
    assert_eq!(new.datasets(), old.datasets());
    assert_eq!(new.jobs(), old.jobs());
    let datasite = |player: &dyn Player| {
        let mut files = tree(&player.folder().join(OWNER));
        files.retain(|path, _| comes_along(cast, path));
        files
    };
    assert_same("the datasite on the old and the new machine", &datasite(old), &datasite(&*new));
    new
}

/// Whether a file of the datasite comes along to a new machine.
fn comes_along(cast: &Cast, path: &str) -> bool {
    let is_private = path.starts_with("private/") && !path.starts_with("private/syft_datasets/backed-up_2/");
    let names_the_machine = path.ends_with("private_metadata.yaml") || path.contains("/.venv/");
    // A Python owner's new machine has lost who may see the datasets; Drive still knows.
    let is_forgotten = cast.owner == Program::Python
        && path.starts_with("public/syft_datasets/")
        && path.ends_with("syft.pub.yaml");
    !is_private && !names_the_machine && !is_forgotten
}

/// Logs in; with encryption the keys come along by hand first.
pub(super) fn go_on_in_place_of(cast: &Cast, old: &dyn Player, new: &dyn Player) {
    if cast.encrypted {
        new.take_keys(&old.key_file());
    }
    new.login();
}

/// A new machine of the scientist has all that the old one had.
pub(super) fn new_scientist(cast: &Cast, old: &dyn Player) -> Box<dyn Player> {
    let new = cast.scientist();
    go_on_in_place_of(cast, old, &*new);
    new.sync();
    assert_eq!(new.peers(), old.peers());
    assert_eq!(new.datasets(), old.datasets());
    assert_eq!(new.jobs(), old.jobs());
    let copy = |player: &dyn Player| tree(&player.folder().join(OWNER));
    assert_same("the scientist's copy on the old and the new machine", &copy(old), &copy(&*new));
    new
}
