use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use super::{
    super::{
        child::{GuestLimits, Mount},
        limits::Limit,
    },
    *,
};

const MEMORY: &str = "(memory (export \"memory\") 1)";

/// Runs a module of the text format, with 1 MiB of memory, 100 bytes and 2 files.
fn run_text(text: &str, mode: u32) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("module.cwasm");
    let compiled = engine::engine(engine::Build::Fast)
        .unwrap()
        .precompile_module(&wat::parse_str(text).unwrap())
        .unwrap();
    fs::write(&module, compiled).unwrap();
    fs::set_permissions(&module, fs::Permissions::from_mode(mode)).unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let assignment = Assignment {
        program: Program {
            code: Code::Compiled(module),
            arguments: Vec::new(),
            environment: Vec::new(),
            number: 0,
        },
        python: None,
        mounts: vec![Mount { host: out.clone(), guest: "/".to_owned(), writable: true }],
        counted: vec![out],
        deterministic: false,
        limits: GuestLimits {
            time: Duration::from_secs(60),
            instructions: 1 << 30,
            open_files: 9,
            processes: 9,
            memory: 1 << 20,
            output_bytes: 100,
            output_files: 2,
            wasm_bytes: 1000,
            compile_memory: 1 << 30,
        },
    };
    let thread = std::thread::Builder::new().stack_size(engine::THREAD_STACK);
    thread.spawn(move || run(assignment, Stopwatch::start())).unwrap().join().unwrap()
}

fn end_of_start(body: &str) -> GuestEnd {
    let imports = r#"
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "path_symlink" (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))"#;
    let data = r#"(data (i32.const 8) "\40\00\00\00\65\00\00\00") (data (i32.const 64) "abc")"#;
    run_text(&format!("(module {imports} {MEMORY} {data} (func (export \"_start\") {body}))"), 0o600).end
}

#[test]
fn a_command_ends_with_its_code_and_a_reactor_with_its_result() {
    assert_eq!(end_of_start(""), GuestEnd::Exited(0));
    assert_eq!(end_of_start("(call $exit (i32.const 200))"), GuestEnd::Exited(200));
    let reactor = format!(
        "(module {MEMORY} (global $g (mut i32) (i32.const 1))
           (func (export \"_initialize\") (global.set $g (i32.const 7)))
           (func (export \"run\") (result i32) (global.get $g)))"
    );
    assert_eq!(run_text(&reactor, 0o600).end, GuestEnd::Exited(7));
}

#[test]
fn traps_and_endless_stacks_are_crashes() {
    assert!(matches!(end_of_start("unreachable"), GuestEnd::Crashed(_)));
    let deep = format!("(module {MEMORY} (func $f (export \"_start\") (call $f)))");
    assert!(matches!(run_text(&deep, 0o600).end, GuestEnd::Crashed(_)));
}

#[test]
fn memory_past_the_limit_is_refused_and_said() {
    let grow = format!(
        "(module {MEMORY} (func (export \"run\") (result i32)
           (drop (memory.grow (i32.const 14))) (memory.grow (i32.const 2))))"
    );
    let report = run_text(&grow, 0o600);
    assert_eq!(report.end, GuestEnd::Exited(255));
    let refused = report.memory_refused.unwrap();
    assert_eq!((refused.asked, refused.allowed), (Some(17 << 16), 1 << 20));
    assert_eq!(report.peak_memory, 15 << 16);
}

#[test]
fn tables_past_the_limit_are_refused() {
    let table = format!(
        "(module {MEMORY} (table $t 0 funcref) (func (export \"run\") (result i32)
           (table.grow $t (ref.null func) (i32.const 2000000))))"
    );
    assert_eq!(run_text(&table, 0o600).end, GuestEnd::Exited(255));
}

#[test]
fn links_are_refused_and_quotas_end_the_guest() {
    let errno_of_link = "(call $exit (call $symlink (i32.const 64) (i32.const 1) (i32.const 3) (i32.const 65) (i32.const 1)))";
    assert_eq!(end_of_start(errno_of_link), GuestEnd::Exited(63));
    let mkdir = "(drop (call $mkdir (i32.const 3) (i32.const 64) (i32.const 1)))";
    let too_many = "(drop (call $mkdir (i32.const 3) (i32.const 65) (i32.const 1))) (drop (call $mkdir (i32.const 3) (i32.const 66) (i32.const 1)))";
    assert_eq!(end_of_start(mkdir), GuestEnd::Exited(0));
    let past = |end| match end {
        GuestEnd::Exceeded(over) => (over.limit, over.asked, over.allowed),
        other => panic!("{other:?}"),
    };
    let end = end_of_start(&format!("{mkdir} {too_many}"));
    assert_eq!(past(end), (Limit::OutputFiles, Some(3), 2));
    // 101 bytes: the buffer at 8.
    let write = "(drop (call $pwrite (i32.const 3) (i32.const 8) (i32.const 1) (i64.const 0) (i32.const 0)))";
    assert_eq!(past(end_of_start(write)), (Limit::OutputBytes, Some(101), 100));
}

#[test]
fn a_module_that_others_can_write_or_that_asks_for_more_is_not_run() {
    let module = format!("(module {MEMORY} (func (export \"_start\")))");
    assert!(matches!(run_text(&module, 0o620).end, GuestEnd::Broken(why) if why.contains("only its owner")));
    let asks = format!("(module (import \"env\" \"f\" (func)) {MEMORY} (func (export \"_start\")))");
    assert!(matches!(run_text(&asks, 0o600).end, GuestEnd::Broken(_)));
    let neither = format!("(module {MEMORY})");
    assert!(matches!(run_text(&neither, 0o600).end, GuestEnd::Broken(_)));
}
