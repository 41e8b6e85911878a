//! What the Python peers get wrong, and we must not: each defect of section 11 of the protocol in its
//! order, with the test that shows that we don't have it. Where another file has it already, it is named.
//!
//! Data lost, or stuck for good:
//!
//! | defect | test |
//! |---|---|
//! | a checkpoint drops empty files and fails on binary ones | `checkpoints::a_new_machine_has_all_files_byte_for_byte` |
//! | a failed upload after a local change loses the result | [`a_failed_upload_is_made_up_for`] |
//! | two machines overwrite each other's state | `two_machines`, [`approvals_of_two_machines_both_stay`] |
//! | a garbage file, or a job's name used twice, stops everybody's sync | `hostile_peers::files_that_are_no_messages`, `payloads_that_are_none`, [`a_job_submitted_twice_stops_nobody`] |
//! | a lost answer, or a search that lags, makes a second folder | `crash::any_answer_lost`, [`logins_with_a_lagging_search_share_one_folder`] |
//! | a restart reverts edits, a crash leaves a job running | [`what_was_edited_before_a_restart_is_published`], [`a_job_whose_program_was_killed_has_failed_and_says_so`] |
//! | folder jobs lose or change files | [`a_folder_job_arrives_byte_for_byte`] |
//! | lists end at the first page | `feed::lists_and_news_in_short_pages_are_read_to_the_end` |
//!
//! Security:
//!
//! | defect | test |
//! |---|---|
//! | `sender_email` is believed | `hostile_peers::a_message_that_lies_about_its_sender` |
//! | code is replaced after its approval | [`code_replaced_by_its_scientist_needs_another_approval`], `conversation::code_that_changes_after_approval_is_not_run` |
//! | a job runs as the owner | `sandbox_hostile` of the runner, and the thief of `syftbox demo` |
//! | logs reach the scientist unshared | `conversation::nothing_but_the_state_reaches_the_scientist_when_nothing_is_shared` |
//! | requests are by a folder's name, and spam hides them | [`requests_are_by_owner_and_spam_hides_none`] |
//! | a small message expands without bound | `hostile_peers::payloads_that_are_none` |
//! | an owner writes anywhere in a scientist's folder | [`an_owner_writes_only_its_own_datasite`], [`a_dataset_with_a_path_for_a_name_is_none`] |
//! | `..` and absolute paths stop the sync | `hostile_peers::changes_that_would_escape_or_may_not_be`, [`a_bad_path_stops_only_itself`] |
//!
//! The costs are budgets in `requests`.

use std::{fs, time::Duration};

use serde_json::{Value, json};
use syftbox_core::{
    domain::ContentHash,
    drive::{Grantee, NewFile, Query, Role},
    manager::Roles,
    peers::Peer,
    wire::PeerState,
};
use syftbox_localdrive::{Fault, When};

use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::{
    hostile_peers::{NAME, change, plant, plant_in, proposal, tar_gz},
    machine::Cloud,
    scene::{self, EVE},
};

#[test]
fn a_failed_upload_is_made_up_for() {
    let stage = scene::peers();
    scene::submit(&stage, "result", "print('here it is')\n");
    stage.owner.ask(&["job", "approve", "result"]);
    stage.drive().faults().next(50, When::method("POST").path("/upload/"), Fault::Status(400, None));
    stage.owner.run(&["job", "process", "--share-logs"]).failed();
    assert_eq!(scene::status(&stage.owner, "result"), "done");
    stage.drive().faults().clear();
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    assert_eq!(scene::status(&stage.scientist, "result"), "done");
    let log = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/result/stdout.txt");
    assert_eq!(stage.scientist.read(log), "here it is\n");
}

#[test]
fn approvals_of_two_machines_both_stay() {
    let cloud = Cloud::new(&[OWNER, SCIENTIST, EVE]);
    let [first, second] = [(); 2].map(|()| cloud.machine(OWNER, Roles::OWNER));
    first.sync();
    second.sync();
    for (machine, email) in [(&first, SCIENTIST), (&second, EVE)] {
        let scientist = cloud.machine(email, Roles::SCIENTIST);
        let mut manager = scientist.manager();
        scientist.wait(manager.add_peer(&OWNER.parse().unwrap(), false)).unwrap();
        let mut manager = machine.manager();
        machine.wait(manager.approve_peer_request(&email.parse().unwrap(), true)).unwrap();
    }
    for machine in [&first, &second] {
        machine.sync();
        let mut manager = machine.manager();
        let peers: Vec<Peer> = machine.wait(manager.known_peers(true)).unwrap();
        assert_eq!(peers.len(), 2);
        assert!(peers.iter().all(|peer| peer.state == PeerState::Accepted), "{peers:?}");
    }
}

#[test]
fn a_job_submitted_twice_stops_nobody() {
    let stage = scene::peers();
    scene::submit(&stage, "twice", "print('first')\n");
    // Another machine of the scientist that doesn't know of the first.
    let again = stage.newcomer(SCIENTIST, Some("ds"));
    let eve = stage.newcomer(EVE, Some("ds"));
    eve.ask(&["peer", "add", OWNER]);
    stage.owner.ask(&["peer", "approve", EVE]);
    let submit = |person: &Person, name: &str, code: &str| {
        let script = person.write("main.py", code);
        person.ask(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", name]);
    };
    submit(&again, "twice", "print('second')\n");
    submit(&eve, "other", "print('other')\n");
    let report = stage.owner.ask(&["sync"]);
    assert!(scene::refused(&report).contains("twice"), "{report}");
    assert_eq!(scene::status(&stage.owner, "other"), "pending");
    let code = format!("{OWNER}/app_data/job/inbox/{SCIENTIST}/v1/twice/code/main.py");
    assert_eq!(stage.owner.read(code), "print('first')\n");
    assert_eq!(stage.owner.ask(&["sync"])["proposals_received"], 0);
}

#[test]
fn logins_with_a_lagging_search_share_one_folder() {
    let stage = Stage::open();
    let lag = Duration::from_millis(300);
    stage.drive().faults().lag_search(lag);
    stage.owner.ask(&["login"]);
    stage.owner.ask(&["login"]);
    // A machine that can't know of the first makes a folder of its own; then the older one is everybody's.
    let other = stage.newcomer(OWNER, Some("do"));
    other.ask(&["login"]);
    std::thread::sleep(lag);
    other.ask(&["login"]);
    stage.scientist.ask(&["peer", "add", OWNER]);
    std::thread::sleep(lag);
    other.ask(&["peer", "approve", SCIENTIST]);
    std::thread::sleep(lag);
    assert_eq!(stage.owner.ask(&["peer", "list", "--refresh"])[0]["state"], "accepted");
    let (runtime, drive) = scene::drive_of(&stage, &stage.owner);
    let files = runtime.block_on(drive.list(&Query::new())).unwrap();
    let count = |name: &str| files.iter().filter(|file| file.owned_by_me && file.name == name).count();
    assert!(count("SyftBox") <= 2, "one for each machine at most");
    assert_eq!(count("SYFT_peers.json"), 1);
}

#[test]
fn what_was_edited_before_a_restart_is_published() {
    let stage = scene::peers();
    scene::submit(&stage, "kept", "print(1)\n");
    stage.owner.ask(&["job", "approve", "kept"]);
    let rules = format!("{OWNER}/notes/syft.pub.yaml");
    stage.owner.write(
        &format!("SyftBox/{rules}"),
        format!("rules:\n- pattern: '**'\n  access:\n    read: [{SCIENTIST}]\n"),
    );
    stage.owner.write(&format!("SyftBox/{OWNER}/notes/a"), "edited");
    stage.owner.ask(&["login"]);
    assert_eq!(scene::status(&stage.owner, "kept"), "approved");
    stage.owner.ask(&["sync"]);
    assert_eq!(scene::status(&stage.owner, "kept"), "approved");
    assert_eq!(stage.owner.read(format!("{OWNER}/notes/a")), "edited");
    stage.scientist.ask(&["sync"]);
    assert_eq!(stage.scientist.read(format!("{OWNER}/notes/a")), "edited");
    assert_eq!(scene::status(&stage.scientist, "kept"), "approved");
}

#[test]
fn a_job_whose_program_was_killed_has_failed_and_says_so() {
    let stage = scene::peers();
    scene::submit(&stage, "long", "import time\nprint('begun', flush=True)\ntime.sleep(100)\n");
    stage.owner.ask(&["job", "approve", "long"]);
    let mut program = stage.owner.command().args(["job", "process"]).spawn().unwrap();
    let review = stage.owner.folder().join(format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/long"));
    let log = review.join("stdout.txt");
    while !fs::read_to_string(&log).is_ok_and(|text| text.contains("begun")) {
        assert!(program.try_wait().unwrap().is_none(), "it ended before the job began");
        std::thread::sleep(Duration::from_millis(50));
    }
    program.kill().unwrap();
    program.wait().unwrap();
    stage.owner.ask(&["sync"]);
    assert_eq!(scene::status(&stage.owner, "long"), "failed");
    assert!(fs::read_to_string(review.join("state.yaml")).unwrap().contains("the program that ran it ended"));
    assert_eq!(stage.owner.ask(&["job", "process"]), json!([]), "it doesn't run twice by itself");
    stage.scientist.ask(&["sync"]);
    assert_eq!(scene::status(&stage.scientist, "long"), "failed");
}

#[test]
fn a_folder_job_arrives_byte_for_byte() {
    let stage = scene::peers();
    let files: [(&str, &[u8]); 7] = [
        ("main.py", b"print(1)\r\nprint(2)\n"),
        ("data/bytes.bin", &[0, 255, 254, 128]),
        ("pkg/__init__.py", b""),
        (".hidden", b"h"),
        (".config/deep/.x", b"x"),
        ("pkg/.empty", b""),
        ("text.txt", "\u{feff}caf\u{e9}\n".as_bytes()),
    ];
    for (name, content) in files {
        stage.scientist.write(&format!("code/{name}"), content);
    }
    let folder = stage.scientist.path("code");
    stage.scientist.ask(&["job", "submit-python", OWNER, folder.to_str().unwrap(), "--name", "bytes"]);
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(scene::refused(&report), "[]");
    let there = stage.owner.folder().join(format!("{OWNER}/app_data/job/inbox/{SCIENTIST}/v1/bytes/code"));
    for (name, content) in files {
        assert_eq!(fs::read(there.join(name)).unwrap(), content, "{name}");
    }
}

#[test]
fn code_replaced_by_its_scientist_needs_another_approval() {
    let stage = scene::peers();
    scene::submit(&stage, "bait", "print('harmless')\n");
    stage.owner.ask(&["job", "approve", "bait"]);
    let path = format!("app_data/job/inbox/{SCIENTIST}/v1/bait/code/main.py");
    let mut replaced = change(&path, "print('harmful')\n");
    replaced["old_hash"] = ContentHash::of(b"print('harmless')\n").to_string().into();
    plant(&stage, vec![(NAME, proposal(&json!([replaced])))]);
    let processed = stage.owner.ask(&["sync"]);
    assert!(scene::refused(&processed).contains("bait"), "{processed}");
    assert_eq!(scene::status(&stage.owner, "bait"), "pending");
    assert_eq!(stage.owner.ask(&["job", "process"]), json!([]));
}

#[test]
fn requests_are_by_owner_and_spam_hides_none() {
    let stage = Stage::open();
    stage.owner.ask(&["login"]);
    let eve = stage.newcomer(EVE, Some("ds"));
    let (runtime, drive) = scene::drive_of(&stage, &eve);
    runtime.block_on(async {
        for (number, id) in drive.generate_ids(120).await.unwrap().into_iter().enumerate() {
            let name = format!("syft_datasite#0.10.0#{OWNER}#inbox#victim{number}@x.org");
            drive.create_folder(NewFile::new(id.clone(), name, NewFile::my_drive())).await.unwrap();
            drive.share(&id, Grantee::User(OWNER.parse().unwrap()), Role::Writer).await.unwrap();
        }
    });
    stage.scientist.ask(&["peer", "add", OWNER]);
    let requests = stage.owner.ask(&["peer", "list", "--refresh"]);
    let asked: Vec<_> = requests.as_array().unwrap().iter().map(|peer| &peer["email"]).collect();
    assert_eq!(asked, [SCIENTIST]);
    stage.owner.run(&["peer", "approve", "victim7@x.org"]).failed().says(&["has not asked"]);
}

/// An events message with files for `datasite`.
fn events(datasite: &str, paths: &[&str]) -> Vec<u8> {
    let time = 4_000_000_000.5;
    let id = "0b0e7a1a-46a9-4c55-8d34-0c3f6fdf2e10";
    let events: Vec<Value> = paths
        .iter()
        .map(|path| {
            json!({
                "id": id, "path_in_datasite": path, "datasite_email": datasite, "content": "evil",
                "old_hash": null, "new_hash": ContentHash::of(b"evil").to_string(), "is_deleted": false,
                "submitted_timestamp": time, "timestamp": time, "content_type": "text",
            })
        })
        .collect();
    let filepath = json!({"id": id, "timestamp": time, "extension": ".tar.gz"});
    let message = json!({"events": events, "message_filepath": filepath});
    tar_gz("proposed_file_changes.json", message.to_string().as_bytes())
}

#[test]
fn an_owner_writes_only_its_own_datasite() {
    let stage = scene::peers();
    let outbox = Query::new().name_is(&format!("syft_datasite#0.10.0#{OWNER}#outbox#{SCIENTIST}"));
    let name = |number: u8| {
        format!("syfteventsmessagev3_4000000000.{number}_0b0e7a1a-46a9-4c55-8d34-0c3f6fdf2e1{number}.tar.gz")
    };
    let paths = ["../other@x.org/x", "/x", ".syftbox/x/../../../x", "private/x", "honest/x"];
    let messages = [(name(1), events(OWNER, &paths)), (name(2), events("other@x.org", &["x", "y"]))];
    let messages = messages.iter().map(|(name, content)| (name.as_str(), content.clone())).collect();
    plant_in(&stage, &stage.owner, &outbox, messages);
    let report = stage.scientist.ask(&["sync"]);
    assert_eq!(report["refused"].as_array().unwrap().len(), 6, "{report}");
    assert_eq!(stage.scientist.read(format!("{OWNER}/honest/x")), "evil");
    for evil in ["other@x.org", "x", "y", ".syftbox/x"] {
        assert!(!stage.scientist.folder().join(evil).exists(), "{evil}");
    }
    assert!(!stage.scientist.path("x").exists());
}

#[test]
fn a_dataset_with_a_path_for_a_name_is_none() {
    let stage = scene::peers();
    scene::publish(&stage, "honest", "a\n1\n", "a\n2\n");
    let (runtime, drive) = scene::drive_of(&stage, &stage.owner);
    runtime.block_on(async {
        for name in ["../../..", "..", "a/b", ""] {
            let id = drive.generate_ids(1).await.unwrap().remove(0);
            let name = format!("syft_datasetcollection_{name}_0123456789ab");
            drive.create_folder(NewFile::new(id.clone(), name, NewFile::my_drive())).await.unwrap();
            drive.share(&id, Grantee::User(SCIENTIST.parse().unwrap()), Role::Reader).await.unwrap();
        }
    });
    let report = stage.scientist.ask(&["sync", "--full"]);
    assert_eq!(report["datasets_fetched"], 0, "{report}");
    let datasets = stage.scientist.ask(&["dataset", "list"]);
    assert_eq!(datasets.as_array().unwrap().len(), 1, "{datasets}");
    assert!(stage.scientist.folder().join(".syftbox/account.json").exists());
}

#[test]
fn a_bad_path_stops_only_itself() {
    let stage = scene::peers();
    let good = format!("app_data/job/inbox/{SCIENTIST}/v1/job/code/main.py");
    let changes = json!([change("../../x", "evil"), change("/etc/x", "evil"), change(&good, "print(1)\n")]);
    plant(&stage, vec![(NAME, proposal(&changes))]);
    let report = stage.owner.ask(&["sync"]);
    assert_eq!(report["changes_applied"], 1, "{report}");
    assert!(scene::refused(&report).contains("../../x") && scene::refused(&report).contains("/etc/x"));
    assert_eq!(stage.owner.read(format!("{OWNER}/{good}")), "print(1)\n");
}
