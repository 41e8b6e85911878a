//! What a job costs in the sandbox: whole child processes, ten runs each with the median, beside the way of the
//! Python peers (a fresh environment with uv, its packages from a warm cache, the script) in the same run.
//!
//! Run it with `cargo xtask bench sandbox`, which installs the runtimes first.

#![allow(clippy::unwrap_used, reason = "a bench that meets a failure has nothing to print")]

mod jobs;
mod native;
mod watched;

use std::{thread, time::Duration};

use self::{
    jobs::Bench,
    native::{Native, tidy},
    watched::Watched,
};

const RUNS: usize = 10;

const PRINT: &str = "print('hello')\n";
const WAIT: &str = "import pandas, time\ntime.sleep(0.1)\n";
const GROUPBY: &str = "\
import pandas as pd
data = pd.read_csv('census.csv')
print(data.groupby('region')['income'].mean())
";
const FIGURE: &str = "\
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.linear_model import LinearRegression
data = pd.read_csv('census.csv')
model = LinearRegression().fit(data[['age']], data['income'])
plt.scatter(data['age'], data['income'], s=2)
plt.plot(data['age'], model.predict(data[['age']]))
import os
os.makedirs('outputs', exist_ok=True)
plt.savefig('outputs/figure.png')
print(model.coef_[0])
";
const CHUNKS: &str = "\
import pandas as pd
total = 0
for chunk in pd.read_csv('/syftbox/do@bench.org/private/syft_datasets/big/big.csv', chunksize=200_000):
    total += int(chunk['income'].sum())
print(total)
";
const LOOP: &str = "\
import time
started = time.perf_counter()
total = 0
for number in range(5_000_000):
    total += number * number % 7
print(time.perf_counter() - started)
";
const MATMUL: &str = "\
import time
import numpy as np
a = np.random.rand(500, 500)
b = np.random.rand(500, 500)
a @ b
started = time.perf_counter()
for _ in range(5):
    a @ b
print((time.perf_counter() - started) / 5)
";

fn main() {
    let bench = Bench::new();
    let native = Native::new();
    println!("{:<52} {:>12} {:>16} {:>8}", "median of ten runs", "the sandbox", "the native way", "times");
    let census = census(1_000);
    let files = |script: &'static str| vec![("main.py", script.to_owned()), ("census.csv", census.clone())];
    for (what, script, packages) in [
        ("print", PRINT, &["pandas"][..]),
        ("a CSV and a groupby with pandas", GROUPBY, &["pandas"]),
        ("scikit-learn and a figure", FIGURE, &["pandas", "scikit-learn", "matplotlib"]),
    ] {
        let ours = median(|| bench.run("python", "main.py", &files(script)).wall_time);
        let theirs = native.as_ref().map(|native| native.environment(&files(script), packages));
        row(what, ours, theirs);
    }
    let ours = median(|| bench.run("bare python", "main.py", &files(PRINT)).wall_time);
    row("print, without what the kernel adds", ours, None);
    let echo = vec![("script.sh", "echo hello\n".to_owned())];
    let ours = median(|| bench.run("bash", "script.sh", &echo).wall_time);
    row("echo in bash (natively: bash alone)", ours, Some(median(|| native::bash("echo hello"))));
    let component = bench.component();
    let ours = median(|| bench.run_example(&component).wall_time);
    row("a component in Rust, compiled within", ours, None);

    let started = std::time::Instant::now();
    (0..20).for_each(|_| drop(bench.run("python", "main.py", &files(GROUPBY))));
    let one = started.elapsed();
    println!("{:<52} {:>12}", "20 jobs with pandas in a row, with all around them", tidy(one));
    let started = std::time::Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..10).for_each(|_| drop(bench.run("python", "main.py", &files(GROUPBY)))));
        }
    });
    println!("{:<52} {:>12}", "the same 20 on two workers", tidy(started.elapsed()));

    for (what, script) in [("a loop of 5,000,000 rounds", LOOP), ("a product of 500 x 500 matrices", MATMUL)]
    {
        let job = vec![("main.py", script.to_owned())];
        let ours = median(|| bench.seconds(&job));
        let theirs = native.as_ref().map(|native| median(|| native.seconds(script)));
        row(&format!("{what}, inside"), ours, theirs);
    }

    println!();
    let watched = Watched::start();
    bench.run("python", "main.py", &files(WAIT));
    memory("a job that imports pandas and waits", watched);
    let big = bench.big_csv();
    let watched = Watched::start();
    let outcome = bench.run_with_dataset(CHUNKS, &big);
    memory(&format!("a CSV of 1 GB in chunks of 200,000 rows, {}", tidy(outcome.wall_time)), watched);
    let peak = outcome.peak_memory.unwrap_or_default();
    println!("  the guest's memory, as far as it ever grew   {:>6} MiB", peak >> 20);
}

/// What was seen of a job's process.
fn memory(what: &str, watched: Watched) {
    let seen = watched.finish();
    println!("{what}");
    println!("  pages of its own, the guest's that it wrote among them {:>6} MiB", seen.anonymous >> 20);
    println!("  pages of files: the program, the runtime's code, the snapshot {:>6} MiB", seen.file >> 20);
}

/// A table of people, the same in each run.
fn census(rows: u32) -> String {
    use std::fmt::Write;
    let mut csv = String::from("region,age,income\n");
    for number in 0..rows {
        let region = ["north", "south", "east", "west"][number as usize % 4];
        let age = 20 + number * 7919 % 61;
        let _ = writeln!(csv, "{region},{age},{}", 1000 + 25 * age + number % 97);
    }
    csv
}

fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    // One that doesn't count: files come into the page cache.
    measure();
    let mut times: Vec<_> = (0..RUNS).map(|_| measure()).collect();
    times.sort_unstable();
    (times[RUNS / 2 - 1] + times[RUNS / 2]) / 2
}

fn row(what: &str, ours: Duration, theirs: Option<Duration>) {
    let (native, times) = match theirs {
        Some(theirs) => (tidy(theirs), format!("{:.1}", theirs.as_secs_f64() / ours.as_secs_f64())),
        None => ("-".to_owned(), "-".to_owned()),
    };
    println!("{what:<52} {:>12} {native:>16} {times:>8}", tidy(ours));
}
