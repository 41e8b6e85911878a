//! Deterministic jobs: the same job gives the same bytes, and the same receipt but for the times.

use serde_json::Value;
use syftbox_tests::{OWNER, Person, SCIENTIST};

use crate::scene;

/// Everything in Python that is another every time, or on every machine.
const PYTHON: &str = r#"
import os, random, secrets, tempfile, time, uuid
from datetime import datetime
import numpy as np
print(random.random(), np.random.rand(3), np.random.default_rng().integers(1 << 60))
print(os.urandom(8).hex(), secrets.token_hex(8), uuid.uuid4(), hash("text"), {"a", "b", "c", "d"})
begun = time.monotonic()
print(datetime.now(), time.time_ns(), time.perf_counter_ns(), time.process_time_ns())
time.sleep(1000)
print("slept", time.monotonic() - begun >= 1000)
print(tempfile.mkdtemp(), os.stat("main.py").st_mtime)
np.savez_compressed("outputs/random.npz", x=np.random.rand(50, 50) @ np.random.rand(50, 50))
"#;

/// The same in bash, with Pythons that talk to one another.
const BASH: &str = r#"
echo $RANDOM $SECONDS; date; mktemp
python3 -c 'import random; [print(random.random()) for _ in range(200)]' | tee outputs/numbers |
    python3 -c 'import sys, random; print(sum(map(float, sys.stdin)), random.random())'
python3 -c 'print("x\n" * 100000)' | head -1
sleep 100; date > outputs/later
"#;

/// A program that writes 8 random bytes and the time to its output.
const WASM: &str = r#"(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\20\00\00\00\10\00\00\00")
  (func (export "_start")
    (drop (call $random (i32.const 32) (i32.const 8)))
    (drop (call $time (i32.const 0) (i64.const 0) (i32.const 40)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;

const JOBS: [&str; 3] = ["python", "bash", "wasm"];

/// The receipt of a job without its times.
fn receipt(person: &Person, job: &str) -> Value {
    let file = person.read(format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/{job}/receipt.json"));
    let mut receipt = serde_json::from_str::<Value>(&file).unwrap()["receipt"].take();
    assert!(receipt.as_object_mut().unwrap().remove("times").is_some());
    receipt
}

#[test]
fn the_same_job_gives_the_same_bytes() {
    let stage = scene::peers();
    scene::publish(&stage, "numbers", "x\n1\n", "x\n2\n");
    scene::submit(&stage, "python", PYTHON);
    stage.scientist.ask(&["job", "submit-bash", OWNER, "--script", BASH, "--name", "bash"]);
    let program = stage.scientist.write("program.wasm", wat::parse_str(WASM).unwrap());
    let program = program.to_str().unwrap();
    stage.scientist.ask(&["job", "submit-wasm", OWNER, program, "--name", "wasm"]);
    stage.owner.ask(&["sync"]);
    let mut seen = Vec::new();
    for time in 0..2 {
        for job in JOBS {
            stage.owner.ask(&["job", if time == 0 { "approve" } else { "rerun" }, job]);
        }
        let processed = stage.owner.run(&["job", "process", "--deterministic"]).done();
        for job in JOBS {
            assert_eq!(scene::status(&stage.owner, job), "done", "{processed}");
        }
        seen.push(JOBS.map(|job| {
            let stdout = format!("{OWNER}/app_data/job/review/{SCIENTIST}/v1/{job}/stdout.txt");
            let printed = std::fs::read(stage.owner.folder().join(stdout)).unwrap();
            (String::from_utf8_lossy(&printed).into_owned(), receipt(&stage.owner, job))
        }));
    }
    let [python, _, _] = &seen[0];
    assert!(python.0.contains("2000-01-01") && python.0.contains("slept True"), "{}", python.0);
    for (job, (first, second)) in JOBS.iter().zip(seen[0].iter().zip(&seen[1])) {
        assert_eq!(first, second, "{job}");
        assert_eq!(first.1["deterministic"], true);
        assert!(first.1["outcome"]["instructions"].as_u64().is_some_and(|count| count > 0), "{}", first.1);
    }
    // Without it, the same job gives other bytes.
    stage.owner.ask(&["job", "rerun", "wasm"]);
    stage.owner.ask(&["job", "process"]);
    let other = receipt(&stage.owner, "wasm");
    assert_ne!(other["logs"], seen[0][2].1["logs"]);
    assert_eq!(other["deterministic"], false);
}

#[test]
fn instructions_run_out_at_the_same_place_each_time() {
    let stage = scene::peers();
    let script = stage.scientist.write("a/count.sh", "while :; do i=$((i + 1)); echo $i; done\n");
    let tried = || {
        let script = script.to_str().unwrap();
        let limit = ["--deterministic", "--instructions", "1000000000"];
        let answer = stage.scientist.run(&[&["try", script], &limit[..]].concat()).failed();
        assert!(
            answer.stderr.contains("too many instructions: asked for more than 1000000000 instructions"),
            "{answer}"
        );
        answer.stderr.lines().filter(|line| line.parse::<u32>().is_ok()).count()
    };
    let count = tried();
    assert!(count > 0);
    assert_eq!(tried(), count);
    let script = script.to_str().unwrap();
    stage.scientist.run(&["try", script, "--instructions", "5"]).wrong_usage().says(&["--deterministic"]);
}
