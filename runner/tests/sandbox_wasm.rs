//! What a job can do that is a WebAssembly program itself, and what becomes of one that can't be run.

#![cfg(test)]

mod common;

use std::{fs, path::PathBuf, process::Command, time::Duration};

use common::Case;
use syftbox_runner::sandbox::{Ending, Limits};

/// A job that is this module of the text format.
fn text(module: &str) -> Case {
    bytes(&wat::parse_str(module).unwrap())
}

fn bytes(program: &[u8]) -> Case {
    let case = Case::files("program.wasm", &[]);
    fs::write(case.spec.code.join("program.wasm"), program).unwrap();
    case
}

/// A command of preview 1 with this body, `$write` for `fd_write`, and `words` at 16.
fn command(body: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\10\00\00\00\06\00\00\00") (data (i32.const 16) "words\n")
            (func $say (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))))
            (func (export "_start") {body}))"#
    )
}

#[track_caller]
fn assert_refused(case: Case, why: &str) {
    let run = case.run();
    run.assert_ending(&Ending::FailedWithCode(126));
    assert!(run.outcome.reason.contains(why), "{}", run.outcome.reason);
}

/// Compiles the example for a target, and gives the program.
fn example(target: &str) -> PathBuf {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/wasm");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wasm-example");
    let built = Command::new(env!("CARGO"))
        .current_dir(&source)
        .args(["build", "--release", "--locked", "--target", target, "--target-dir"])
        .arg(&folder)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .unwrap();
    assert!(built.success());
    folder.join(target).join("release/mean.wasm")
}

#[test]
fn the_example_runs_as_a_module_and_as_a_component() {
    for (target, layer) in [("wasm32-wasip1", 0), ("wasm32-wasip2", 1)] {
        let program = fs::read(example(target)).unwrap();
        assert_eq!(program[6], layer, "{target}");
        let run = bytes(&program).dataset("numbers", &[("a.txt", "1\n")], &[("a.txt", "1\n2\n6\n")]).run();
        run.assert_ending(&Ending::Finished);
        assert_eq!(run.stdout(), "3 numbers\n");
        assert_eq!(run.output("mean.txt"), "3\n");
        let too_large = bytes(&program).dataset("numbers", &[("a.txt", "1\n")], &[("a.txt", "1\n")]);
        too_large.limits(|limits| limits.output_bytes = 1).run().assert_ending(&Ending::OutputTooLarge);
        // Without data it fails, and says so.
        let run = bytes(&program).run();
        run.assert_ending(&Ending::FailedWithCode(1));
        assert!(run.stderr().contains("numbers"), "{}", run.stderr());
    }
}

/// What differs between two runs of a program: the time, how long something takes, and chance.
const CHANCE: &str = r#"
use std::{collections::hash_map::RandomState, hash::BuildHasher, time::{Instant, SystemTime}};
fn main() {
    let began = Instant::now();
    let chance = RandomState::new().hash_one(1);
    println!("{:?} {chance} {:?}", SystemTime::now(), began.elapsed());
    std::fs::write("outputs/file", "x").unwrap();
    println!("{:?}", std::fs::metadata("outputs/file").unwrap().modified());
}
"#;

#[test]
fn a_program_gives_the_same_bytes_where_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("chance.rs");
    fs::write(&source, CHANCE).unwrap();
    for target in ["wasm32-wasip1", "wasm32-wasip2"] {
        let program = folder.path().join(target);
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "--crate-name", "chance", "--target", target, "-o"]);
        assert!(rustc.args([&program, &source]).status().unwrap().success());
        let program = fs::read(program).unwrap();
        let says = |deterministic| {
            let mut case = bytes(&program);
            case.spec.deterministic = deterministic;
            let run = case.run();
            run.assert_ending(&Ending::Finished);
            run.stdout()
        };
        assert_eq!(says(true), says(true), "{target}");
        assert_ne!(says(false), says(false), "{target}");
    }
}

#[test]
fn a_command_ends_as_it_says() {
    let run = text(&command("(call $say)")).run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "words\n");
    text(&command("(call $exit (i32.const 7))")).run().assert_ending(&Ending::FailedWithCode(7));
    text(&command("unreachable")).run().assert_ending(&Ending::FailedWithCode(134));
    let deep = "(module (memory (export \"memory\") 1) (func $f (export \"_start\") (call $f)))";
    text(deep).run().assert_ending(&Ending::FailedWithCode(134));
}

#[test]
fn limits_are_those_of_any_job() {
    let run = text(&command("(loop $l (br $l))")).limits(|limits| limits.time = Duration::from_secs(1)).run();
    run.assert_ending(&Ending::TimedOut);
    let run = text(&command("(loop $l (call $say) (br $l))"))
        .limits(|limits| limits.log_bytes_per_stream = 10_000)
        .run();
    run.assert_ending(&Ending::LogTooLarge);
    let bomb = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 100)) (i32.const -1)))) unreachable";
    let run = text(&command(bomb)).limits(|limits| limits.memory = 64 << 20).run();
    run.assert_ending(&Ending::OutOfMemory);
    let large = "(module (memory (export \"memory\") 32768) (func (export \"_start\")))";
    text(large).limits(|limits| limits.memory = 1 << 30).run().assert_ending(&Ending::OutOfMemory);
}

#[test]
fn what_is_no_command_is_refused() {
    for (program, why) in [
        (&b"\x7fELF\x02\x01\x01\0\0\0\0\0"[..], "no WebAssembly"),
        (b"#!/bin/bash\necho hi\n", "no WebAssembly"),
        (b"(module)", "no WebAssembly"),
        (b"", "no WebAssembly"),
        (b"\0asm\x02\0\0\0", "another version"),
        (b"\0asm\x01\0\0\0garbage", "can't be compiled"),
        (b"\0asm\x0d\0\x01\0", "wasi:cli/run"),
    ] {
        assert_refused(bytes(program), why);
    }
    assert_refused(text("(module (memory (export \"memory\") 1))"), "_start");
    assert_refused(text("(module (import \"env\" \"system\" (func)) (func (export \"_start\")))"), "env");
    for of_runtimes in [
        "(import \"host\" \"call\" (func (param i32 i32 i32 i32) (result i32)))",
        "(import \"syftbox\" \"python_drop\" (func (param i32)))",
    ] {
        assert_refused(text(&format!("(module {of_runtimes} (func (export \"_start\")))")), "unknown import");
    }
    // What wasmtime made itself is native code, and no job's.
    let compiled = wasmtime_made();
    assert_refused(bytes(&compiled), "no WebAssembly");
}

/// A program as it looks once it was compiled: the runtime that the tests have installed.
fn wasmtime_made() -> Vec<u8> {
    common::sandbox("bash");
    let cache = syftbox_runner::runtime::default_cache_dir().unwrap();
    let store = syftbox_runner::runtime::RuntimeStore::open(&cache);
    fs::read(store.installed("bash").unwrap().unwrap().guest().module).unwrap()
}

#[test]
fn compiling_has_limits_of_its_own() {
    assert_refused(text(&command("")).limits(|limits| limits.wasm_bytes = 100), "more than 100 bytes");
    // 6,000 functions of a hundred branches each take long to compile, and little to write down.
    let body = "(local.set 0 (i32.add (local.get 0) (i32.load (local.get 0)))) (if (local.get 0) (then (local.set 0 (i32.mul (local.get 0) (local.get 0)))))".repeat(100);
    let functions = format!("(func (param i32) {body})").repeat(6_000);
    let slow = wat::parse_str(format!(
        "(module (memory (export \"memory\") 1) {functions} (func (export \"_start\")))"
    ))
    .unwrap();
    let with = |change: &dyn Fn(&mut Limits)| bytes(&slow).limits(change).run();
    let run = with(&|limits| limits.compile_time = Duration::from_secs(1));
    run.assert_ending(&Ending::TimedOut);
    assert!(run.outcome.reason.contains("compiling"), "{}", run.outcome.reason);
    let run = with(&|limits| limits.compile_memory = 64 << 20);
    assert!(
        matches!(run.outcome.ending, Ending::OutOfMemory | Ending::FailedWithCode(126)),
        "{:?}",
        run.outcome
    );
}
