//! One conversation, held by every pair of players.

use serde_json::json;
use syftbox_tests::{PythonGeneration, Stage};

use crate::player::{NewDataset, OWNER, Player, SCIENTIST, files};

const SCRIPT: &str = "\
import csv, os
try:
    import syft as sy
except ImportError:
    import syft_client as sy

with open(sy.resolve_dataset_file_path('line')) as data:
    total = sum(int(row['x']) for row in csv.DictReader(data))
os.makedirs('outputs', exist_ok=True)
with open('outputs/total.txt', 'w') as out:
    out.write(str(total))
print('added up', total)
";

/// Two strangers become peers, a dataset is published, a job runs on it and its result comes back.
fn converse(owner: &dyn Player, scientist: &dyn Player) {
    owner.login();
    scientist.login();
    scientist.add_peer(OWNER);
    assert_eq!(owner.peers()[SCIENTIST], "requested_by_peer");
    owner.approve_peer(SCIENTIST);
    assert_eq!(owner.peers()[SCIENTIST], "accepted");

    let dataset = NewDataset {
        name: "line",
        mock: owner.write("mock/data.csv", b"x\n1\n2\n"),
        private: owner.write("private/data.csv", b"x\n1000\n2000\n"),
        readme: None,
        summary: "Points of a line",
        users: SCIENTIST,
        upload_private: false,
    };
    owner.create_dataset(&dataset);
    scientist.sync();
    let expected = json!([
        {"name": "line", "owner": OWNER, "summary": "Points of a line", "mock_files": ["data.csv"]},
    ]);
    assert_eq!(json!(scientist.datasets()), expected);

    let script = scientist.write("code/main.py", SCRIPT.as_bytes());
    scientist.submit_python(OWNER, &script, "add up");
    owner.sync();
    assert_eq!(owner.jobs()["add up"], "pending");
    owner.approve_job("add up");
    owner.process();
    assert_eq!(owner.jobs()["add up"], "done");
    scientist.sync();
    assert_eq!(scientist.jobs()["add up"], "done");
    let got = files(&scientist.folder().join(OWNER));
    let result = |name: &str| {
        let found = got.iter().find(|(path, _)| path.ends_with(&format!("add up/{name}")));
        found.unwrap_or_else(|| panic!("no {name} among {:?}", got.keys())).1.clone()
    };
    assert_eq!(result("outputs/total.txt"), b"3000");
    assert_eq!(String::from_utf8(result("stdout.txt")).unwrap().trim(), "added up 3000");

    scientist.submit_python(OWNER, &script, "unwanted");
    owner.sync();
    owner.reject_job("unwanted", "not today");
    owner.delete_dataset("line");
    owner.sync();
    scientist.sync();
    assert_eq!(scientist.jobs()["unwanted"], "rejected");
}

#[test]
fn rust_owner_python_0_10_scientist() {
    let stage = Stage::open();
    let owner = stage.newcomer(OWNER, Some("do"));
    converse(&owner, &stage.python(PythonGeneration::V0_10, SCIENTIST));
}

#[test]
fn rust_owner_python_0_1_scientist() {
    let stage = Stage::open();
    let owner = stage.newcomer(OWNER, Some("do")).with(&["--generation", "0.1"]);
    converse(&owner, &stage.python(PythonGeneration::V0_1, SCIENTIST));
}

#[test]
fn python_0_10_owner_rust_scientist() {
    let stage = Stage::open();
    let scientist = stage.newcomer(SCIENTIST, Some("ds"));
    converse(&stage.python(PythonGeneration::V0_10, OWNER), &scientist);
}

#[test]
fn python_0_1_owner_rust_scientist() {
    let stage = Stage::open();
    let scientist = stage.newcomer(SCIENTIST, Some("ds")).with(&["--generation", "0.1"]);
    converse(&stage.python(PythonGeneration::V0_1, OWNER), &scientist);
}
