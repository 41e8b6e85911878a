//! The steps: each is done by us and by Python peers, with the same before it.

use serde_json::json;
use syftbox_tests::{Person, PythonGeneration, PythonPeer, Stage};

use crate::cost::{Cost, ours, ratio, row, theirs};
use crate::plant;

const OUR_OWNER: &str = "do@ours.org";
const OUR_SCIENTIST: &str = "ds@ours.org";
const THEIR_OWNER: &str = "do@theirs.org";
const THEIR_SCIENTIST: &str = "ds@theirs.org";
const GENERATION: PythonGeneration = PythonGeneration::V0_10;
const VERSION: &str = "0.10.0";
const PEERS: usize = 50;
const SCRIPT: &str = "with open('outputs/result.txt', 'w') as out:\n    out.write('42')\nprint('hello')\n";

/// Two owners and two scientists on one Drive.
pub(crate) struct Sides {
    stage: Stage,
    owner: Person,
    scientist: Person,
    python_owner: PythonPeer,
    python_scientist: PythonPeer,
}

impl Sides {
    /// Nobody has logged in.
    pub(crate) fn new() -> Self {
        let stage = Stage::open();
        Self {
            owner: stage.newcomer(OUR_OWNER, Some("do")),
            scientist: stage.newcomer(OUR_SCIENTIST, Some("ds")),
            python_owner: stage.python(GENERATION, THEIR_OWNER),
            python_scientist: stage.python(GENERATION, THEIR_SCIENTIST),
            stage,
        }
    }

    fn owners(&self, step: &str, our_calls: &[&[&str]], call: &str, arguments: serde_json::Value) {
        let ours = ours(&self.stage, &self.owner, our_calls);
        row(step, ours, theirs(&self.stage, &self.python_owner, call, arguments));
    }

    fn scientists(&self, step: &str, our_calls: &[&[&str]], call: &str, arguments: serde_json::Value) {
        let ours = ours(&self.stage, &self.scientist, our_calls);
        row(step, ours, theirs(&self.stage, &self.python_scientist, call, arguments));
    }

    /// All four have nothing new left.
    fn settle(&self) {
        for _ in 0..2 {
            self.owner.ask(&["sync"]);
            self.scientist.ask(&["sync"]);
            self.python_owner.ask("sync", json!({}));
            self.python_scientist.ask("sync", json!({}));
        }
    }
}

/// From the first login to peers who accepted each other.
pub(crate) fn become_peers(sides: &Sides) {
    let login = json!({"role": "do"});
    sides.owners("login on an empty Drive", &[&["login"]], "login", login.clone());
    sides.owners("login, known account", &[&["login"]], "login", login);
    sides.scientist.ask(&["login"]);
    sides.python_scientist.ask("login", json!({"role": "ds"}));
    sides.scientists("add_peer", &[&["peer", "add", OUR_OWNER]], "add_peer", json!({"email": THEIR_OWNER}));
    sides.owner.ask(&["sync"]);
    sides.python_owner.ask("peers", json!({}));
    let approve = json!({"email": THEIR_SCIENTIST});
    sides.owners("approve", &[&["peer", "approve", OUR_SCIENTIST]], "approve_peer", approve);
    sides.settle();
    sides.owners("idle sync, 1 peer", &[&["sync"]], "sync", json!({}));
}

/// A dataset, jobs, and a result.
pub(crate) fn exchange(sides: &Sides) {
    let data = sides.owner.write("data.csv", "a\n1\n");
    let data = data.to_str().unwrap();
    sides.owners(
        "create a dataset of one mock file, for one scientist",
        &[&["dataset", "create", "d", "--mock", data, "--private", data, "--users", OUR_SCIENTIST]],
        "create_dataset",
        json!({"name": "d", "mock_path": data, "private_path": data, "users": [THEIR_SCIENTIST]}),
    );
    sides.settle();

    let script = sides.scientist.write("main.py", SCRIPT);
    let script = script.to_str().unwrap();
    let submit = |name: &str| {
        sides.scientist.ask(&["job", "submit-python", OUR_OWNER, script, "--name", name]);
        sides.python_scientist.ask("submit_python", json!({"to": THEIR_OWNER, "path": script, "name": name}));
    };
    // The first job of a scientist makes folders, and the first that runs has the disk read what it runs in.
    submit("first");
    sides.settle();
    sides.owner.ask(&["job", "approve", "first"]);
    sides.python_owner.ask("approve_job", json!({"name": "first"}));
    sides.owner.ask(&["job", "process", "--share-outputs", "--share-logs"]);
    sides.python_owner.ask("process", json!({"share": true}));
    sides.settle();
    sides.scientists(
        "submit a job",
        &[&["job", "submit-python", OUR_OWNER, script, "--name", "one"]],
        "submit_python",
        json!({"to": THEIR_OWNER, "path": script, "name": "one"}),
    );
    sides.owners("owner's sync that receives 1 job", &[&["sync"]], "sync", json!({}));
    sides.owner.ask(&["job", "approve", "one"]);
    sides.python_owner.ask("approve_job", json!({"name": "one"}));
    sides.scientist.ask(&["sync"]);
    sides.python_scientist.ask("sync", json!({}));
    let process = ["job", "process", "--share-outputs", "--share-logs"];
    sides.owners("process one job and publish", &[&process], "process", json!({"share": true}));
    sides.scientists("scientist's sync of one result", &[&["sync"]], "sync", json!({}));
    for number in 0..10 {
        submit(&format!("job{number}"));
    }
    sides.owners("owner's sync that receives 10 jobs", &[&["sync"]], "sync", json!({}));
    sides.settle();
}

/// The owner has a checkpoint, and logs in on a new machine.
pub(crate) fn new_machine(sides: &Sides) {
    sides.owner.ask(&["checkpoint", "create"]);
    sides.python_owner.ask("create_checkpoint", json!({}));
    let (ours, theirs) = first_logins(&sides.stage, OUR_OWNER, THEIR_OWNER, "do");
    row("owner's login on a new machine, with a checkpoint", ours, theirs);
}

/// New machines of both accounts log in, and have everything: the first call of the program logs in by itself.
fn first_logins(stage: &Stage, our_email: &str, their_email: &str, role: &'static str) -> (Cost, Cost) {
    let person = stage.newcomer(our_email, Some(role));
    let peer = stage.python(GENERATION, their_email);
    let ours = ours(stage, &person, &[&["sync"]]);
    (ours, theirs(stage, &peer, "login", json!({"role": role})))
}

/// The first logins of owners and scientists whose datasites have 1,000 events; our part of the owners' wall time.
pub(crate) fn thousand_events(sides: &Sides) -> f64 {
    let stage = &sides.stage;
    let merged = merged_events(stage);
    let log = |email: &str| format!("{VERSION}#{email}");
    let outbox = format!("syft_datasite#{VERSION}#{THEIR_OWNER}#outbox#{THEIR_SCIENTIST}");
    plant::messages(stage, &sides.python_owner.token_file(), &outbox, THEIR_OWNER);
    let (ours, theirs) = first_logins(stage, &merged, THEIR_SCIENTIST, "ds");
    row("scientist's first login, 1,000 events, ours merged", ours, theirs);

    let [our_email, their_email] = ["log@ours.org", "log@theirs.org"];
    for email in [our_email, their_email] {
        let before = stage.newcomer(email, Some("do"));
        before.ask(&["login"]);
        plant::messages(stage, &before.token_file(), &log(email), email);
    }
    let (ours, theirs) = first_logins(stage, our_email, their_email, "do");
    row("owner's first login, 1,000 events, no checkpoint", ours, theirs);
    ratio(ours, theirs)
}

/// A scientist for whom an owner of ours published 1,000 events, 25 a sync.
fn merged_events(stage: &Stage) -> String {
    let [owner, scientist] = ["many@ours.org", "reader@ours.org"];
    let (owner, scientist) = (stage.newcomer(owner, Some("do")), stage.newcomer(scientist, Some("ds")));
    owner.ask(&["login"]);
    scientist.ask(&["peer", "add", owner.email()]);
    owner.ask(&["peer", "approve", scientist.email()]);
    let notes = format!("SyftBox/{}/notes", owner.email());
    let read = format!("rules:\n- pattern: '**'\n  access:\n    read: [{}]\n", scientist.email());
    owner.write(&format!("{notes}/syft.pub.yaml"), read);
    for number in 0..plant::EVENTS {
        owner.write(
            &format!("{notes}/{}/{number}.txt", number % 10),
            format!("This is what file {number} says.\n"),
        );
        if number % 25 == 24 {
            owner.ask(&["sync"]);
        }
    }
    scientist.email().to_owned()
}

/// Both owners get 49 peers more.
pub(crate) fn many_peers(sides: &Sides) {
    let peers: Vec<_> = (1..PEERS)
        .map(|number| sides.stage.newcomer(&format!("peer{number}@many.org"), Some("ds")))
        .collect();
    for peer in &peers {
        peer.ask(&["peer", "add", OUR_OWNER]);
        peer.ask(&["peer", "add", THEIR_OWNER]);
    }
    sides.python_owner.ask("peers", json!({}));
    for peer in &peers {
        sides.owner.ask(&["peer", "approve", peer.email()]);
        sides.python_owner.ask("approve_peer", json!({"email": peer.email()}));
    }
    sides.settle();
    sides.owners("idle sync, 50 peers", &[&["sync"]], "sync", json!({}));
}
