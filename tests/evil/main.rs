//! Hostile guests, each in a file of `guests/`: every one must end as it says itself, and the host be as before.
//!
//! `cargo nextest run --workspace --test evil --no-capture` prints the table; `SYFTBOX_EVIL=links` in the
//! environment leaves of it those whose name contains that.

#![cfg(test)]

mod guest;
mod program;
mod world;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use guest::Guest;
use syftbox_runner::{
    runtime::{RuntimeStore, TerminalProgress, default_cache_dir},
    sandbox::{Cancel, Ending, Launcher, Outcome, Sandbox, SandboxError},
};
use world::{SECRET, SUCCESS, World};

/// Guests that run at once: a core each on small machines.
const AT_ONCE: usize = 2;

/// What came of a guest.
struct Finding {
    got: String,
    seconds: f64,
    wrong: Vec<String>,
}

#[test]
fn every_guest_ends_as_it_must_and_the_host_is_as_before() {
    run_all(Launcher::of(syftbox_tests::program()));
}

#[test]
fn they_do_so_too_where_the_kernel_adds_nothing() {
    run_all(Launcher::of(syftbox_tests::program()).without_kernel_layers());
}

fn run_all(launcher: Launcher) {
    let guests = guests();
    let sandboxes = sandboxes(launcher);
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    println!("{:<30} {:<40} {:<60} {:>6}", "GUEST", "EXPECTED", "GOT", "TIME");
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(guest) = guests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let runtime = match guest.language() {
                        "py" => "python",
                        "sh" => "bash",
                        _ => "none",
                    };
                    let finding = run(guest, &sandboxes[runtime]);
                    let got: String = finding.got.chars().take(60).collect();
                    let expected = guest.expect.join(" or ");
                    println!("{:<30} {expected:<40} {got:<60} {:>4.1} s", guest.name, finding.seconds);
                    for why in finding.wrong {
                        println!("    WRONG: {why}");
                        wrong.lock().unwrap().push(format!("{}: {why}", guest.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    println!("{} guests", guests.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn guests() -> Vec<Guest> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("evil/guests");
    let only = std::env::var("SYFTBOX_EVIL").unwrap_or_default();
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let guests: Vec<_> = paths.iter().map(|path| Guest::read(path)).collect();
    guests.into_iter().filter(|guest| guest.name.contains(&only)).collect()
}

fn sandboxes(launcher: Launcher) -> BTreeMap<&'static str, Sandbox> {
    let store = RuntimeStore::open(&default_cache_dir().unwrap());
    let installed = |name| store.ensure(name, &TerminalProgress::default()).unwrap().guest();
    BTreeMap::from([
        ("python", Sandbox::new(launcher.clone(), installed("python"))),
        ("bash", Sandbox::new(launcher.clone(), installed("bash"))),
        ("none", Sandbox::without_runtime(launcher)),
    ])
}

fn run(guest: &Guest, sandbox: &Sandbox) -> Finding {
    let world = World::with(guest);
    let ended = sandbox.run(&world.spec, &Cancel::default(), &mut |_| {});
    let (ending, got, seconds) = in_words(&ended);
    let mut wrong = world.damage();
    if !guest.expect.contains(&ending) {
        wrong.push(format!("it ended as {ending:?}"));
    }
    let missing = guest.because.iter().filter(|because| !got.contains(*because));
    wrong.extend(missing.map(|because| format!("nothing about {because:?} in its reason")));
    let logs = world.logs();
    let missing = guest.says.iter().filter(|said| !contains(&logs, said));
    wrong.extend(missing.map(|said| format!("it didn't say {said:?}")));
    let outputs = world.outputs();
    for hidden in guest.hides.iter().map(String::as_str).chain([SECRET, SUCCESS]) {
        if contains(&logs, hidden) || outputs.values().any(|content| contains(content, hidden)) {
            wrong.push(format!("{hidden:?} came out of it"));
        }
    }
    let left: Vec<_> = outputs.into_keys().collect();
    if guest.leaves.as_ref().is_some_and(|leaves| *leaves != left) {
        wrong.push(format!("it left {left:?}"));
    }
    if !wrong.is_empty() {
        let start = &logs[..logs.len().min(2000)];
        wrong.push(format!("it tries: {}; it said:\n{}", guest.tries, String::from_utf8_lossy(start)));
    }
    Finding { got, seconds, wrong }
}

/// The ending as guests name it, the whole of it in words, and how long it took.
fn in_words(ended: &Result<Outcome, SandboxError>) -> (String, String, f64) {
    match ended {
        Err(error) => ("not started".to_owned(), format!("not started: {error}"), 0.0),
        Ok(outcome) => {
            let ending = match &outcome.ending {
                Ending::FailedWithCode(code) => format!("failed {code}"),
                other => other.to_string(),
            };
            (ending, outcome.reason.clone(), outcome.wall_time.as_secs_f64())
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
