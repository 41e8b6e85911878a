//! Both delete everything.

use crate::cast::Cast;
use crate::player::{OWNER, Player};
use crate::trees::tree;

/// The owner first: the scientist's copy goes with the owner's datasite. Then the scientist.
pub(super) fn delete_everything(cast: &Cast, owner: &dyn Player, scientist: &dyn Player) {
    owner.delete_syftbox();
    assert_left_only_farewells(cast, owner);

    scientist.sync();
    let copy = tree(&scientist.folder().join(OWNER));
    assert!(copy.is_empty(), "{:?}", copy.keys());

    scientist.delete_syftbox();
    assert_empty(scientist);
    assert_eq!(cast.owned_on_drive(scientist), [""; 0]);
}

/// Nothing of `owner` is left, but for what tells the scientists to delete their copies: it lies in their folders.
#[track_caller]
pub(super) fn assert_left_only_farewells(cast: &Cast, owner: &dyn Player) {
    assert_empty(owner);
    let mut left = cast.owned_on_drive(owner);
    left.retain(|name| !name.starts_with("syfteventsmessagev3_"));
    assert_eq!(left, [""; 0]);
}

/// Nothing is left in the local folder but what keeps two programs apart there.
#[track_caller]
fn assert_empty(player: &dyn Player) {
    let mut left = tree(&player.folder());
    left.remove(".syftbox.lock");
    assert!(left.is_empty(), "{:?}", left.keys());
}
