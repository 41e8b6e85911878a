//! One owner, and a Python scientist of each generation at the same time.

use std::fs;

use syftbox_tests::PythonGeneration::{V0_1, V0_10};

use super::{end, machines};
use crate::cast::Cast;
use crate::player::{NewDataset, OWNER, Player, SCIENTIST};
use crate::trees::{Tree, assert_same, tree};

/// The scientist of 0.1; she of 0.10 is [`SCIENTIST`].
const LATECOMER: &str = "lee@institute.org";

const SCRIPT: &str = r#"
try:
    import syft as sy
except ImportError:
    import syft_client as sy

with open(sy.resolve_dataset_file_path("open_data")) as data, open("outputs/copy.txt", "w") as out:
    out.write(data.read())
print("copied for NAME")
"#;

/// Both are served in their generation, at once, by both machines of the owner, and neither sees what is the other's.
pub(crate) fn serve(cast: &Cast) {
    let owner = &*cast.owner();
    let (new, old) = (&cast.python(V0_10, SCIENTIST), &cast.python(V0_1, LATECOMER));
    owner.login();
    owner.create_dataset(&NewDataset {
        name: "open_data",
        mock: owner.write("open/plain.csv", b"a,b\n1,2\n"),
        private: owner.write("open/plain_private.csv", b"a,b\n3,4\n"),
        summary: "For everybody",
        users: "any",
        upload_private: true,
        ..NewDataset::default()
    });
    for scientist in [new, old] {
        scientist.login();
        scientist.add_peer(OWNER);
    }
    for email in [SCIENTIST, LATECOMER] {
        assert_eq!(owner.peers()[email], "requested_by_peer");
        owner.approve_peer(email);
    }
    owner.create_dataset(&NewDataset {
        name: "for_one",
        mock: owner.write("one/mock.csv", b"mock\n"),
        private: owner.write("one/private.csv", b"private\n"),
        summary: "For one of them",
        users: LATECOMER,
        ..NewDataset::default()
    });
    exchange(owner, &[new, old]);
    let names = |player: &dyn Player| -> Vec<String> {
        player.datasets().iter().map(|dataset| dataset["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(new), ["open_data"]);
    assert_eq!(names(old), ["for_one", "open_data"]);

    work(owner, new, old, "first");
    see_files(owner, new, old);

    owner.create_checkpoint();
    let again = &*cast.owner();
    machines::go_on_in_place_of(cast, owner, again);
    again.sync();
    assert_eq!(again.jobs(), owner.jobs());
    assert_eq!(again.peers(), owner.peers());
    work(again, new, old, "second");

    again.delete_dataset("for_one");
    exchange(again, &[new, old]);
    assert_eq!((names(new), names(old)), (vec!["open_data".to_owned()], vec!["open_data".to_owned()]));
    again.delete_syftbox();
    end::assert_left_only_farewells(cast, again);
    for scientist in [new, old] {
        scientist.sync();
        let copy = tree(&scientist.folder().join(OWNER));
        assert!(copy.is_empty(), "{:?}", copy.keys());
    }
}

fn exchange(owner: &dyn Player, scientists: &[&dyn Player]) {
    owner.sync();
    for scientist in scientists {
        scientist.sync();
    }
}

/// Each sends a job, one run does both, and each gets its own results.
fn work(owner: &dyn Player, new: &dyn Player, old: &dyn Player, name: &str) {
    for (scientist, whose) in [(new, "new"), (old, "old")] {
        let script = scientist.write(&format!("{name}/main.py"), SCRIPT.replace("NAME", whose).as_bytes());
        scientist.submit_python(OWNER, &script, &format!("{name} {whose}"));
    }
    owner.sync();
    for whose in ["new", "old"] {
        owner.approve_job(&format!("{name} {whose}"));
    }
    owner.process(true);
    for (scientist, whose) in [(new, "new"), (old, "old")] {
        scientist.sync();
        let jobs = scientist.jobs();
        assert_eq!(jobs[&format!("{name} {whose}")], "done");
        assert!(!jobs.keys().any(|job| !job.ends_with(whose)), "{jobs:?}");
        let review = tree(&scientist.folder().join(OWNER).join("app_data/job/review"));
        let file = |end: &str| -> Vec<u8> {
            let found = review.iter().find(|(path, _)| path.ends_with(&format!("{name} {whose}/{end}")));
            found.unwrap_or_else(|| panic!("no {end} among {:?}", review.keys())).1.clone()
        };
        assert_eq!(file("outputs/copy.txt"), b"a,b\n3,4\n");
        assert_eq!(file("stdout.txt"), format!("copied for {whose}\n").as_bytes());
    }
}

/// A file for both, and one for each.
fn see_files(owner: &dyn Player, new: &dyn Player, old: &dyn Player) {
    let write = |folder: &str, readers: &str| {
        let folder = owner.folder().join(OWNER).join(folder);
        fs::create_dir_all(&folder).unwrap();
        let rules = format!(
            "rules:\n- pattern: '**'\n  access:\n    admin: []\n    write: []\n    read: [{readers}]\nterminal: false\n"
        );
        fs::write(folder.join("syft.pub.yaml"), rules).unwrap();
        fs::write(folder.join("file.bin"), [0, 255, 1]).unwrap();
    };
    write("for both", &format!("{SCIENTIST}, {LATECOMER}"));
    write("for new", SCIENTIST);
    write("for old", LATECOMER);
    exchange(owner, &[new, old]);
    let files = |player: &dyn Player| -> Tree {
        let mut files = tree(&player.folder().join(OWNER));
        files.retain(|path, _| path.starts_with("for ") && !path.ends_with("syft.pub.yaml"));
        files
    };
    for (scientist, others) in [(new, "for old/"), (old, "for new/")] {
        let mut expected = files(owner);
        expected.retain(|path, _| !path.starts_with(others));
        assert_same("the files that are for a scientist", &expected, &files(scientist));
    }
}
