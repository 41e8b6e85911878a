//! Two machines of one data owner: whatever either does, in whatever order they sync, both end with
//! the same, and nothing is lost.

use std::{
    collections::BTreeSet,
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use syftbox_core::{
    datasets::Source,
    jobs::{JobRunner, NewPythonJob, ProcessOptions, RunOutcome, RunRequest, RunnerError},
    manager::Roles,
    platform::BoxFuture,
    sync::SyncOptions,
    wire::{job::JobStatus, receipt::RunRecord},
};

use crate::machine::{Cloud, Machine, make_peers};

const OWNER: &str = "do@test.org";
const SCIENTIST: &str = "ds@test.org";

/// Something that is done on a machine.
#[derive(Clone, Copy, Debug)]
enum Step {
    Write(&'static str, &'static str),
    Remove(&'static str),
    Sync,
}
use Step::{Remove, Sync, Write};

fn play(machine: &Machine, step: Step) {
    match step {
        Write(path, content) => machine.write(path, content),
        Remove(path) if machine.datasite().join(path).exists() => machine.remove(path),
        Remove(_) => {}
        Sync => _ = machine.sync(),
    }
}

/// All orders of the steps of two that keep each one's own order; `true` stands for the first one.
fn orders(first: usize, second: usize) -> Vec<Vec<bool>> {
    if first == 0 || second == 0 {
        return vec![[vec![true; first], vec![false; second]].concat()];
    }
    let begin = |is_first: bool, rest: Vec<Vec<bool>>| {
        rest.into_iter().map(move |rest| [vec![is_first], rest].concat())
    };
    begin(true, orders(first - 1, second)).chain(begin(false, orders(first, second - 1))).collect()
}

#[test]
fn any_order_ends_in_the_same_tree_everywhere() {
    // Most of the time is waiting for the disk.
    let orders = orders(OF_A.len(), OF_B.len());
    std::thread::scope(|threads| {
        for some in orders.chunks(orders.len().div_ceil(5)) {
            threads.spawn(move || some.iter().for_each(|order| play_in(order)));
        }
    });
}

/// Each writes the same file and one that the other changes or deletes.
const OF_A: [Step; 3] = [Write("both", "a"), Sync, Write("kept", "a")];
const OF_B: [Step; 3] = [Write("both", "b"), Remove("kept"), Sync];

fn play_in(order: &[bool]) {
    let cloud = Cloud::new(&[OWNER]);
    let (a, b) = (cloud.machine(OWNER, Roles::OWNER), cloud.machine(OWNER, Roles::OWNER));
    a.write("kept", "at first");
    a.sync();
    b.sync();
    let (mut steps_of_a, mut steps_of_b) = (OF_A.into_iter(), OF_B.into_iter());
    for is_a in order {
        if *is_a { play(&a, steps_of_a.next().unwrap()) } else { play(&b, steps_of_b.next().unwrap()) }
    }
    for machine in [&a, &b, &a] {
        machine.sync();
    }
    assert_eq!(a.tree(), b.tree(), "{order:?}");
    assert!(a.tree().contains_key("both"));
    let fresh = cloud.machine(OWNER, Roles::OWNER);
    fresh.sync();
    assert_eq!(fresh.tree(), a.tree(), "{order:?}");
    for machine in [&a, &b] {
        let report = machine.sync();
        assert_eq!((report.events_published, report.events_followed), (0, 0), "{order:?}");
    }
}

#[test]
fn checkpoints_of_both_lose_nothing() {
    let cloud = Cloud::new(&[OWNER]);
    let (a, b) = (cloud.machine(OWNER, Roles::OWNER), cloud.machine(OWNER, Roles::OWNER));
    let choices = SyncOptions::default().checkpoint_threshold(3);
    for round in 0..12 {
        for (machine, name) in [(&a, "a"), (&b, "b")] {
            machine.write(&format!("{name}/{}", round % 5), format!("{name}{round}"));
            // One of them sleeps for a while, now and then.
            if round % 3 != 1 || name == "a" {
                let report = machine.sync_with(&choices);
                assert!(report.refused.is_empty(), "{report:?}");
            }
        }
        if round % 4 == 3 {
            let fresh = cloud.machine(OWNER, Roles::OWNER);
            fresh.sync_with(&choices);
            for name in ["a", "b"] {
                assert!(fresh.tree().keys().any(|path| path.starts_with(name)), "{round}");
            }
        }
    }
    a.sync_with(&choices);
    b.sync_with(&choices);
    a.sync_with(&choices);
    assert_eq!(a.tree(), b.tree());
    let fresh = cloud.machine(OWNER, Roles::OWNER);
    fresh.sync_with(&choices);
    assert_eq!(fresh.tree(), a.tree());
}

/// Writes a result, and counts.
#[derive(Default)]
struct Runner {
    runs: AtomicUsize,
    folder: std::path::PathBuf,
}

impl JobRunner for Runner {
    fn run<'a>(&'a self, request: &'a RunRequest) -> BoxFuture<'a, Result<RunOutcome, RunnerError>> {
        Box::pin(async move {
            self.runs.fetch_add(1, Ordering::Relaxed);
            let outputs = self.folder.join(request.outputs.as_str());
            fs::create_dir_all(&outputs).unwrap();
            fs::write(outputs.join("result.txt"), "42").unwrap();
            fs::write(self.folder.join(request.stdout.as_str()), "").unwrap();
            fs::write(self.folder.join(request.stderr.as_str()), "").unwrap();
            Ok(RunOutcome { return_code: 0, record: RunRecord::default() })
        })
    }
}

fn process(machine: &Machine) -> usize {
    let folder = machine.datasite().parent().unwrap().to_owned();
    let runner = Runner { folder, ..Runner::default() };
    let options = ProcessOptions { share_outputs_with_submitter: true, ..ProcessOptions::default() };
    let mut manager = machine.manager();
    let processed = machine.wait(manager.process_approved_jobs(&runner, &options)).unwrap();
    assert!(processed.not_run.is_empty() && processed.sync.refused.is_empty(), "{processed:?}");
    runner.runs.load(Ordering::Relaxed)
}

fn status(machine: &Machine) -> JobStatus {
    let manager = machine.manager();
    machine.wait(manager.job("j")).unwrap().status()
}

#[test]
fn a_job_is_approved_on_one_machine_and_run_once_on_another() {
    let cloud = Cloud::new(&[OWNER, SCIENTIST]);
    let (a, b) = (cloud.machine(OWNER, Roles::OWNER), cloud.machine(OWNER, Roles::OWNER));
    let scientist = cloud.machine(SCIENTIST, Roles::SCIENTIST);
    make_peers(&a, &scientist);
    b.sync();
    submit(&scientist);
    a.sync();
    b.sync();
    assert_eq!((status(&a), status(&b)), (JobStatus::Pending, JobStatus::Pending));
    let mut manager = a.manager();
    a.wait(manager.approve_job("j", None)).unwrap();
    assert_eq!(process(&b), 0, "B hasn't heard of it");
    a.sync();
    assert_eq!(process(&b), 1);
    assert_eq!(process(&a), 0, "B ran it");
    assert_eq!((status(&a), status(&b)), (JobStatus::Done, JobStatus::Done));
    assert_eq!(a.tree(), b.tree());
    scientist.sync();
    assert_eq!(status(&scientist), JobStatus::Done);
    let theirs = scientist.tree_of(OWNER);
    assert!(theirs.keys().any(|path| path.ends_with("outputs/result.txt")), "{:?}", theirs.keys());
    assert!(!theirs.keys().any(|path| path.contains("approvals")), "{:?}", theirs.keys());
    let fresh = cloud.machine(OWNER, Roles::OWNER);
    assert_eq!(process(&fresh), 0);
    assert_eq!(fresh.tree(), a.tree());
}

fn submit(scientist: &Machine) {
    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("main.py"), "print(1)\n").unwrap();
    let files = syftbox_runner::native::platform(source.path()).unwrap().files;
    let mut manager = scientist.manager();
    let code = Source { files, path: Some("main.py".parse().unwrap()), shown: "main.py".to_owned() };
    let job = NewPythonJob::new(code).name(Some("j".parse().unwrap()));
    scientist.wait(manager.submit_python_job(&OWNER.parse().unwrap(), job)).unwrap();
}

#[test]
fn an_approval_of_one_machine_is_not_erased_by_the_other() {
    let others = ["one@test.org", "two@test.org", "three@test.org"];
    let cloud = Cloud::new(&[&[OWNER], &others[..]].concat());
    let (a, b) = (cloud.machine(OWNER, Roles::OWNER), cloud.machine(OWNER, Roles::OWNER));
    a.sync();
    b.sync();
    for other in others {
        let machine = cloud.machine(other, Roles::SCIENTIST);
        let mut manager = machine.manager();
        machine.wait(manager.add_peer(&OWNER.parse().unwrap(), false)).unwrap();
    }
    // Both looked before either wrote, and the feed tells neither of the other.
    let (mut first, mut second) = (a.manager(), b.manager());
    a.wait(first.known_peers(true)).unwrap();
    b.wait(second.known_peers(true)).unwrap();
    a.wait(first.approve_peer_request(&others[0].parse().unwrap(), true)).unwrap();
    b.wait(second.approve_peer_request(&others[1].parse().unwrap(), true)).unwrap();
    a.wait(first.reject_peer_request(&others[2].parse().unwrap())).unwrap();
    let states: BTreeSet<String> = b
        .wait(second.known_peers(true))
        .unwrap()
        .into_iter()
        .map(|peer| format!("{} {}", peer.email, peer.state.as_str()))
        .collect();
    let expected = ["one@test.org accepted", "two@test.org accepted", "three@test.org rejected"];
    assert_eq!(states, expected.map(str::to_owned).into());
}

#[test]
fn folders_that_both_made_at_the_same_time_lose_nothing() {
    let cloud = Cloud::new(&[OWNER]);
    let (a, b) = (cloud.machine(OWNER, Roles::OWNER), cloud.machine(OWNER, Roles::OWNER));
    let lag = Duration::from_millis(1500);
    cloud.drive.faults().lag_search(lag);
    a.write("a", "a");
    b.write("b", "b");
    a.sync();
    b.sync();
    std::thread::sleep(lag);
    cloud.drive.faults().lag_search(Duration::ZERO);
    for machine in [&a, &b, &a] {
        machine.sync_with(&SyncOptions::default().full(true));
    }
    assert_eq!(a.tree(), b.tree());
    assert_eq!(a.tree().len(), 2);
    let fresh = cloud.machine(OWNER, Roles::OWNER);
    fresh.sync();
    assert_eq!(fresh.tree(), a.tree());
}
