//! Peers of both generations at once: each is met with the version, the folders and the job paths that it needs.

use bytes::Bytes;
use serde_json::{Value, json};
use syftbox_core::drive::{Grantee, NewFile, Query, Role};

use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::scene;

/// A scientist who belongs to the older generation.
const OLD: &str = "old@test.org";

/// Calls the program as somebody of the older generation.
#[track_caller]
fn as_old(person: &Person, arguments: &[&str]) -> Value {
    person.ask(&[&["--generation", "0.1"], arguments].concat())
}

/// The folders for messages between `datasite` and `other` that `owner` made: their generations.
fn pairs(stage: &Stage, owner: &Person, datasite: &str, other: &str) -> Vec<String> {
    let (runtime, drive) = scene::drive_of(stage, owner);
    let query = Query::new().folders().name_prefix("syft_datasite").owned_by_me(true);
    let found = runtime.block_on(drive.list(&query)).unwrap();
    let mut versions: Vec<String> = found
        .iter()
        .filter_map(|folder| {
            let parts: Vec<_> = folder.name.split('#').collect();
            (parts[2] == datasite && parts[4] == other).then(|| format!("{} {}", parts[1], parts[3]))
        })
        .collect();
    versions.sort();
    versions
}

/// The versions that `person` shows to `peer`, as that peer's own search finds them.
fn shown(stage: &Stage, person: &Person, peer: &Person) -> Vec<String> {
    let (runtime, drive) = scene::drive_of(stage, peer);
    runtime.block_on(async {
        let mut versions = Vec::new();
        for file in drive.list(&Query::new().name_is("SYFT_version.json").owned_by_me(false)).await.unwrap() {
            if file.owner.is_some_and(|owner| owner.as_str() == person.email()) {
                let json: Value =
                    serde_json::from_slice(&drive.download(&file.id, 1 << 20).await.unwrap()).unwrap();
                versions.push(json["syft_client_version"].as_str().unwrap().to_owned());
            }
        }
        versions
    })
}

/// Does on the Drive of `person` what a Python scientist of `version` does to ask the owner.
fn ask_as_python(stage: &Stage, person: &Person, version: &str) {
    let (runtime, drive) = scene::drive_of(stage, person);
    runtime.block_on(async {
        let mut ids = drive.generate_ids(3).await.unwrap();
        let new = |id, name: &str| NewFile::new(id, name, NewFile::my_drive());
        for kind in ["inbox", "outbox"] {
            let name = format!("syft_datasite#{version}#{OWNER}#{kind}#{}", person.email());
            let folder = drive.create_folder(new(ids.remove(0), &name)).await.unwrap();
            drive.share(&folder.id, Grantee::User(OWNER.parse().unwrap()), Role::Writer).await.unwrap();
        }
        let content = Bytes::from(scene::python_version(version));
        let file = drive.upload(new(ids.remove(0), "SYFT_version.json"), content.into()).await.unwrap();
        drive.share(&file.id, Grantee::User(OWNER.parse().unwrap()), Role::Reader).await.unwrap();
    });
}

/// The requests of a sync of the owner, and what it reported.
#[track_caller]
fn owner_sync(stage: &Stage) -> (u64, Value) {
    stage.drive().requests().reset();
    let report = stage.owner.ask(&["sync"]);
    (stage.drive().requests().count(), report)
}

/// Submits a job to `owner` and checks that it arrived in `layout`.
#[track_caller]
fn submit(stage: &Stage, owner: (&Person, &str), scientist: &Person, name: &str, layout: &str) {
    let script = scientist.write("main.py", "print(1)\n");
    let (owner, generation) = owner;
    scientist.ask(&["job", "submit-python", owner.email(), script.to_str().unwrap(), "--name", name]);
    let report = owner.ask(&["--generation", generation, "sync"]);
    assert_eq!(report["jobs_received"], 1, "{report}");
    let job = format!("{}/app_data/job/inbox/{}/{layout}{name}", owner.email(), scientist.email());
    assert!(owner.folder().join(&job).is_dir(), "no {job}");
    stage.drive().requests().reset();
}

/// The owner, a scientist of each generation, all peers.
fn mixed() -> (Stage, Person) {
    let stage = Stage::open();
    let old = stage.newcomer(OLD, Some("ds"));
    as_old(&old, &["login"]);
    as_old(&old, &["peer", "add", OWNER]);
    stage.make_peers();
    stage.owner.ask(&["peer", "approve", OLD]);
    as_old(&old, &["sync"]);
    stage.owner.ask(&["sync"]);
    (stage, old)
}

#[test]
fn one_owner_serves_scientists_of_both_generations() {
    let (stage, old) = mixed();
    assert_eq!(shown(&stage, &stage.owner, &old), ["0.1.117"]);
    assert_eq!(shown(&stage, &stage.owner, &stage.scientist), ["0.10.0"]);
    assert_eq!(shown(&stage, &old, &stage.owner), ["0.1.117"]);
    assert_eq!(pairs(&stage, &stage.owner, OLD, OWNER), ["0.1.117 inbox", "0.1.117 outbox"]);
    assert_eq!(pairs(&stage, &old, OWNER, OLD), ["0.1.117 inbox", "0.1.117 outbox"]);
    assert_eq!(pairs(&stage, &stage.owner, SCIENTIST, OWNER), ["0.10.0 inbox", "0.10.0 outbox"]);

    let file = stage.owner.write("data.csv", "a\n1\n");
    let file = file.to_str().unwrap();
    stage.owner.ask(&["dataset", "create", "d", "--mock", file, "--private", file, "--users", "any"]);
    let code = "import os\nos.makedirs('outputs', exist_ok=True)\nopen('outputs/x', 'w').write('done')\n";
    for (person, generation, layout) in [(&old, "0.1", ""), (&stage.scientist, "0.10", "v1/")] {
        let ask = |arguments: &[&str]| person.ask(&[&["--generation", generation], arguments].concat());
        ask(&["sync"]);
        assert_eq!(ask(&["dataset", "list"])[0]["name"], "d");
        let script = person.write("main.py", code);
        ask(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", "same"]);
        let report = stage.owner.ask(&["sync"]);
        assert_eq!(report["jobs_received"], 1, "{report}");
        assert_eq!(report["skipped_peers"], json!([]));
        let email = person.email();
        let inbox = format!("{OWNER}/app_data/job/inbox/{email}/{layout}same/config.yaml");
        let config = stage.owner.read(inbox);
        assert_eq!(
            config.contains("canonical_name: JobSubmissionMetadata"),
            generation == "0.10",
            "{config}"
        );
        stage.owner.ask(&["job", "approve", &format!("{email}/same")]);
        let processed = stage.owner.ask(&["job", "process", "--share-outputs"]);
        assert_eq!(processed[0]["status"], "done", "{processed}");
        ask(&["sync"]);
        let review = format!("{OWNER}/app_data/job/review/{email}/{layout}same");
        assert_eq!(person.read(format!("{review}/outputs/x")), "done");
        let state = person.read(format!("{review}/state.yaml"));
        assert_eq!(state.contains("canonical_name: JobState"), generation == "0.10", "{state}");
    }
    for person in [&old, &stage.scientist] {
        let generation = if person.email() == OLD { "0.1" } else { "0.10" };
        stage.drive().requests().reset();
        let report = person.ask(&["--generation", generation, "sync"]);
        assert_eq!((stage.drive().requests().count(), &report["events_applied"]), (1, &json!(0)), "{report}");
    }
    stage.owner.ask(&["sync"]);
    stage.drive().requests().reset();
    stage.owner.ask(&["sync"]);
    assert_eq!(stage.drive().requests().count(), 1);
}

#[test]
fn one_scientist_works_with_owners_of_both_generations() {
    let stage = scene::peers();
    let old = stage.newcomer(OLD, Some("do"));
    as_old(&old, &["login"]);
    stage.scientist.ask(&["peer", "add", OLD]);
    let asked = as_old(&old, &["peer", "list", "--refresh"]);
    assert_eq!((&asked[0]["state"], &asked[0]["skipped"]), (&json!("requested_by_peer"), &Value::Null));
    as_old(&old, &["peer", "approve", SCIENTIST]);
    // What the owner speaks is known from here on, and the scientist follows.
    let report = stage.scientist.ask(&["sync"]);
    assert_eq!(report["skipped_peers"], json!([]), "{report}");
    assert_eq!(shown(&stage, &stage.scientist, &old), ["0.1.117"]);
    assert_eq!(shown(&stage, &stage.scientist, &stage.owner), ["0.10.0"]);
    submit(&stage, (&old, "0.1"), &stage.scientist, "to-old", "");
    submit(&stage, (&stage.owner, "0.10"), &stage.scientist, "to-new", "v1/");
    stage.scientist.ask(&["sync"]);
    for name in ["to-old", "to-new"] {
        assert_eq!(scene::status(&stage.scientist, name), "pending");
    }
    let report = as_old(&old, &["sync"]);
    assert_eq!((&report["skipped_peers"], &report["refused"]), (&json!([]), &json!([])), "{report}");
}

#[test]
fn a_peer_that_upgrades_is_followed_and_gets_everything_again() {
    let (stage, peer) = mixed();
    let file = stage.owner.folder().join(OWNER).join("note.txt");
    std::fs::write(&file, "for all").unwrap();
    let rules = "rules:\n- pattern: '**'\n  access: {read: ['*'], write: [], admin: []}\n";
    std::fs::write(file.with_file_name("syft.pub.yaml"), rules).unwrap();
    stage.owner.ask(&["sync"]);
    as_old(&peer, &["sync"]);
    assert_eq!(peer.read(format!("{OWNER}/note.txt")), "for all");

    // As the Python peers do it: the local folder of the older generation goes.
    std::fs::remove_dir_all(peer.folder()).unwrap();
    peer.ask(&["--generation", "0.10", "login"]);
    let (_, report) = owner_sync(&stage);
    let skipped = report["skipped_peers"].to_string();
    assert!(skipped.contains(OLD) && skipped.contains("0.10"), "its new folders aren't there yet: {report}");
    assert_eq!(shown(&stage, &stage.owner, &peer), ["0.10.0"]);
    // A machine that is new to the account makes no folders at first: another may just have made them.
    peer.ask(&["sync"]);
    peer.ask(&["sync"]);
    assert_eq!(pairs(&stage, &peer, OWNER, OLD).len(), 4, "the old ones stay");
    let (_, report) = owner_sync(&stage);
    assert_eq!(report["skipped_peers"], json!([]), "{report}");
    assert_eq!(report["events_published"], 0, "nothing is new in the event log: {report}");
    peer.ask(&["sync"]);
    assert_eq!(peer.read(format!("{OWNER}/note.txt")), "for all");
    submit(&stage, (&stage.owner, "0.10"), &peer, "after", "v1/");
    stage.owner.ask(&["sync"]);
    assert_eq!(owner_sync(&stage).0, 1);
}

#[test]
fn a_python_peer_sees_exactly_its_own_version_patch_included() {
    let stage = Stage::open();
    stage.owner.ask(&["login"]);
    let python = stage.newcomer("python@test.org", None);
    ask_as_python(&stage, &python, "0.1.115");
    stage.owner.ask(&["sync"]);
    stage.drive().requests().reset();
    stage.owner.ask(&["peer", "approve", "python@test.org"]);
    let count = stage.drive().requests().count();
    assert!(count <= 8, "approving took {count} requests");
    assert_eq!(shown(&stage, &stage.owner, &python), ["0.1.115"]);
    assert_eq!(pairs(&stage, &stage.owner, "python@test.org", OWNER), ["0.1.117 inbox", "0.1.117 outbox"]);
    stage.owner.ask(&["sync"]);
    assert_eq!(owner_sync(&stage).0, 1);

    // Another patch, another generation, and back to where it was.
    for (version, generations, most) in
        [("0.1.116", 1, 5), ("0.10.1", 2, 6), ("0.10.0", 2, 5), ("0.1.115", 2, 7)]
    {
        scene::replace_version(&stage, &python, &scene::python_version(version));
        let (count, report) = owner_sync(&stage);
        assert!(count <= most, "{version}: {count} requests");
        assert_eq!(shown(&stage, &stage.owner, &python), [version], "{report}");
        let own = pairs(&stage, &stage.owner, "python@test.org", OWNER);
        assert_eq!(own.len(), 2 * generations, "{own:?}");
        assert_eq!(owner_sync(&stage).0, 1, "{version}");
    }
    let (runtime, drive) = scene::drive_of(&stage, &stage.owner);
    let folders = runtime.block_on(drive.list(&Query::new().folders().name_prefix("SYFT_version_"))).unwrap();
    assert_eq!(folders.len(), 1, "those that nobody needs are gone: {folders:?}");
}

#[test]
fn a_peer_whose_version_says_nothing_is_skipped_and_named() {
    let (stage, old) = mixed();
    let cases = [
        (scene::python_version("0.10.0.dev1"), "0.10.0.dev1"),
        (scene::python_version("0.11.0"), "0.11.0"),
        (b"not json".to_vec(), "understood"),
    ];
    for (content, word) in cases {
        scene::replace_version(&stage, &old, &content);
        let answer = stage.owner.run(&["sync"]).done().says(&["nothing exchanged with", OLD, word]);
        assert!(!answer.stderr.contains(SCIENTIST), "{answer}");
        let report = stage.owner.ask(&["sync"]);
        assert_eq!(report["skipped_peers"][0]["peer"], OLD, "{report}");
        let listed = stage.owner.ask(&["peer", "list"]);
        let peers = listed.as_array().unwrap();
        let why = |email| peers.iter().find(|peer| peer["email"] == email).unwrap()["skipped"].clone();
        assert!(why(OLD).as_str().unwrap().contains(word), "{listed}");
        assert_eq!(why(SCIENTIST), Value::Null);
        stage.owner.run(&["peer", "list"]).done().says(&[OLD, word]);
    }
    submit(&stage, (&stage.owner, "0.10"), &stage.scientist, "others-go-on", "v1/");

    // The same from the other side: a scientist learns why it can't submit.
    scene::replace_version(&stage, &stage.owner, &scene::python_version("nightly"));
    stage.scientist.run(&["sync"]).done().says(&[OWNER, "nightly"]);
    let script = stage.scientist.write("main.py", "print(1)\n");
    stage
        .scientist
        .run(&["job", "submit-python", OWNER, script.to_str().unwrap()])
        .failed()
        .says(&[OWNER, "nightly", "log in"]);
}
