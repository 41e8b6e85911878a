//! Three datasets: one for any peer, made before there was one, and two for the scientist.

use serde_json::json;
use syftbox_tests::PythonGeneration::V0_1;

use crate::cast::{Cast, Program};
use crate::player::{NewDataset, OWNER, Player, SCIENTIST};
use crate::trees::{Tree, assert_same, tree};

const PIXELS: &[u8] = &[0, 255, 254, 10, 13, 0, 137, 80];

/// One that any peer may see.
pub(super) fn publish_for_any(owner: &dyn Player) {
    owner.create_dataset(&NewDataset {
        name: "open_data",
        mock: owner.write("open/plain.csv", b"a,b\n1,2\n"),
        private: owner.write("open/plain_private.csv", b"a,b\n3,4\n"),
        summary: "For everybody",
        users: "any",
        ..NewDataset::default()
    });
}

/// One of several files with all that can be said of a dataset, and one whose private half is kept on Drive.
pub(super) fn publish_for_one(owner: &dyn Player) {
    owner.write("census/mock/pixels.bin", PIXELS);
    owner.write("census/private/pixels.bin", PIXELS);
    owner.write("census/mock/people.csv", "name,age\nZoë,1\n".as_bytes());
    let (mock, private) = (
        owner.write("census/mock/ages.csv", b"age\n1\n2\n"),
        owner.write("census/private/ages.csv", b"age\n1000\n2000\n"),
    );
    owner.create_dataset(&NewDataset {
        name: "census",
        mock: mock.parent().unwrap().to_owned(),
        private: private.parent().unwrap().to_owned(),
        readme: Some(owner.write("README.md", "# Käfer & Census\n".as_bytes())),
        summary: "Ages: \"made up\", yes",
        tags: &["ages", "2020", "no"],
        users: SCIENTIST,
        upload_private: false,
    });
    owner.create_dataset(&NewDataset {
        name: "backed-up_2",
        mock: owner.write("backed/up.csv", b"mock\n"),
        private: owner.write("backed/up_private.csv", b"TOP SECRET\n"),
        summary: "Kept",
        users: SCIENTIST,
        upload_private: true,
        ..NewDataset::default()
    });
}

/// The scientist gets all three, byte for byte, and nothing private; who was refused gets nothing.
pub(super) fn arrive(cast: &Cast, owner: &dyn Player, scientist: &dyn Player, eve: &dyn Player) {
    scientist.sync();
    let dataset = |name: &str, summary: &str, files: &[&str]| json!({"name": name, "owner": OWNER, "summary": summary, "mock_files": files});
    assert_eq!(
        json!(scientist.datasets()),
        json!([
            dataset("backed-up_2", "Kept", &["up.csv"]),
            dataset("census", "Ages: \"made up\", yes", &["ages.csv", "people.csv", "pixels.bin"]),
            dataset("open_data", "For everybody", &["plain.csv"]),
        ])
    );
    let public = |player: &dyn Player| -> Tree {
        let mut public = tree(&player.folder().join(OWNER).join("public/syft_datasets"));
        public.retain(|path, _| !path.ends_with("syft.pub.yaml"));
        public
    };
    let published = public(owner);
    assert!(published.keys().any(|path| path.ends_with("census/README.md")), "{published:?}");
    assert_same("the mock halves, as owner and scientist have them", &published, &public(scientist));
    assert!(!scientist.folder().join(OWNER).join("private").exists(), "private data reached the scientist");

    eve.sync();
    assert_eq!(json!(eve.datasets()), json!([]));
    assert_eq!(tree(&eve.folder().join(OWNER)), Tree::new());

    // On Drive, nobody else has found what the owner keeps there for themselves.
    let private = |player: &dyn Player| {
        let mut names = cast.on_drive(player);
        names.retain(|name| name.contains("private"));
        names
    };
    let hers = private(owner);
    assert!(hers.iter().any(|name| name.starts_with("syft_privatecollection_backed-up_2_")), "{hers:?}");
    assert!(hers.iter().any(|name| name == "up_private.csv"), "{hers:?}");
    assert_eq!(private(scientist), [""; 0]);
    assert_eq!(private(eve), [""; 0]);
}

/// A deleted dataset is gone for both, and on Drive.
pub(super) fn delete(cast: &Cast, owner: &dyn Player, scientist: &dyn Player) {
    owner.delete_dataset("backed-up_2");
    scientist.sync();
    let names = |player: &dyn Player| -> Vec<_> {
        player.datasets().iter().map(|dataset| dataset["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(owner), ["census", "open_data"]);
    // The Python owner of 0.1 forgets Drive.
    if cast.is(Program::Python, V0_1) && cast.owner == Program::Python {
        return;
    }
    assert_eq!(names(scientist), ["census", "open_data"]);
    assert!(!scientist.folder().join(OWNER).join("public/syft_datasets/backed-up_2").exists());
    assert!(!cast.on_drive(owner).iter().any(|name| name.contains("backed-up_2")));
}
