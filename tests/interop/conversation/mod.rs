//! One conversation, from the first login to the last deletion, which every cast has to hold.

pub(crate) mod both;
mod changes;
pub(crate) mod dataless;
mod datasets;
mod end;
mod jobs;
mod machines;
mod peers;

use crate::cast::Cast;

/// Plays it all. Each scene goes on where the one before it ended.
pub(crate) fn hold(cast: &Cast) {
    let (owner, scientist, eve) = (&*cast.owner(), &*cast.scientist(), &*cast.eve());
    owner.login();
    datasets::publish_for_any(owner);
    peers::meet(owner, scientist, eve);
    datasets::publish_for_one(owner);
    datasets::arrive(cast, owner, scientist, eve);
    jobs::run(cast, owner, scientist);
    changes::follow(owner, scientist);
    let scientist = &*machines::new_scientist(cast, scientist);
    let owner = &*machines::new_owner(cast, owner);
    jobs::run_late(cast, owner, scientist);
    datasets::delete(cast, owner, scientist);
    cast.assert_sealed_as_agreed(owner);
    cast.assert_sealed_as_agreed(scientist);
    end::delete_everything(cast, owner, scientist);
}
