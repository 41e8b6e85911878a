//! The main job step by step, as two people type it: wall time of each call, and what it asked of Drive.
//!
//! Run it with `cargo xtask bench`, which installs the runtime first.

#![allow(clippy::unwrap_used, reason = "a bench that meets a failure has nothing to print")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

const ROWS: u32 = 100_000;

const SCRIPT: &str = "\
import pandas as pd
import syft_client as sc

data = pd.read_csv(sc.resolve_dataset_file_path('census'))
print(data.groupby('region')['income'].mean())
data.groupby('region')['income'].mean().to_csv('outputs/income.csv')
";

fn main() {
    let stage = Stage::open();
    let (owner, scientist) = (&stage.owner, &stage.scientist);
    let mock = owner.write("mock/census.csv", census(100));
    let private = owner.write("private/census.csv", census(ROWS));
    let script = scientist.write("income.py", SCRIPT);
    let hello = scientist.write("hello.py", "print('hello')\n");
    let (mock, private) = (mock.to_str().unwrap(), private.to_str().unwrap());

    let mut table = Table::new(&stage);
    println!("{:<44} {:>9} {:>9} {:>6}", "step", "wall time", "requests", "calls");
    table.step(owner, &["login"]);
    table.step(scientist, &["login"]);
    table.step(scientist, &["peer", "add", OWNER]);
    table.step(owner, &["sync"]);
    table.step(owner, &["peer", "approve", SCIENTIST]);
    table.step(
        owner,
        &["dataset", "create", "census", "--mock", mock, "--private", private, "--users", SCIENTIST],
    );
    table.step(scientist, &["sync"]);
    table.step(scientist, &["dataset", "list"]);
    for (name, file) in [("income", &script), ("hello", &hello)] {
        let file = file.to_str().unwrap();
        table.step(scientist, &["job", "submit-python", OWNER, file, "--name", name]);
        table.step(owner, &["sync"]);
        table.step(owner, &["job", "approve", name]);
        table.step(owner, &["job", "process", "--share-outputs", "--share-logs"]);
        table.step(scientist, &["sync"]);
        table.step(scientist, &["job", "logs", name]);
        table.step(scientist, &["job", "outputs", name]);
    }
    table.step(owner, &["sync"]);
    table.step(scientist, &["sync"]);
    table.close();
}

/// Prints a line for each step, and the sum.
struct Table<'a> {
    stage: &'a Stage,
    time: Duration,
    requests: u64,
    calls: u64,
}

impl<'a> Table<'a> {
    fn new(stage: &'a Stage) -> Self {
        Self { stage, time: Duration::ZERO, requests: 0, calls: 0 }
    }

    fn step(&mut self, person: &Person, arguments: &[&str]) {
        let log = self.stage.drive().requests();
        log.reset();
        let began = Instant::now();
        person.run(arguments).done();
        let taken = began.elapsed();
        let who = person.email().split('@').next().unwrap();
        let what: Vec<_> = arguments.iter().take(2).copied().collect();
        line(&format!("{who}: {}", what.join(" ")), taken, log.count(), log.calls());
        self.time += taken;
        self.requests += log.count();
        self.calls += log.calls();
    }

    fn close(self) {
        line("all", self.time, self.requests, self.calls);
    }
}

fn line(what: &str, time: Duration, requests: u64, calls: u64) {
    println!("{what:<44} {:>6} ms {requests:>9} {calls:>6}", time.as_millis());
}

/// A CSV with as many rows of made-up people.
fn census(rows: u32) -> String {
    let mut csv = String::from("id,region,income\n");
    for id in 0..rows {
        writeln!(csv, "{id},{},{}", id % 7, 20_000 + (id * 7919) % 60_000).unwrap();
    }
    csv
}
