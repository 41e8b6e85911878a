//! Strangers become peers, or don't.

use crate::player::{EVE, OWNER, Player, SCIENTIST};

/// Two ask; one is accepted and one is refused.
pub(super) fn meet(owner: &dyn Player, scientist: &dyn Player, eve: &dyn Player) {
    scientist.login();
    scientist.add_peer(OWNER);
    assert_eq!(scientist.peers()[OWNER], "requested_by_me");
    eve.login();
    eve.add_peer(OWNER);

    let asked = owner.peers();
    assert_eq!(asked[SCIENTIST], "requested_by_peer");
    assert_eq!(asked[EVE], "requested_by_peer");
    owner.approve_peer(SCIENTIST);
    owner.reject_peer(EVE);
    let decided = owner.peers();
    assert_eq!(decided[SCIENTIST], "accepted");
    // A Python peer doesn't list those whom it rejected.
    assert_eq!(decided.get(EVE).map_or("rejected", String::as_str), "rejected");

    assert_eq!(scientist.peers()[OWNER], "accepted");
    assert_eq!(eve.peers()[OWNER], "requested_by_me");
}
