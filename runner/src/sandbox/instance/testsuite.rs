//! The WASI project's own test programs of preview 1. `runner/tests/wasi/README.md` says where they are from.

use std::{collections::BTreeMap, fs, io::Cursor, time::Duration};

use serde::Deserialize;
use zip::ZipArchive;

use super::{
    super::child::{GuestLimits, Mount},
    *,
};
use crate::archive::{self, Bounds};

const PROGRAMS: &[u8] = include_bytes!("../../../tests/wasi/programs.zip");

/// The programs that don't apply, and why.
const NOT_HERE: [(&str, &str); 7] = [
    ("rust/nofollow_errors", LINKS),
    ("rust/path_exists", LINKS),
    ("rust/path_link", LINKS),
    ("rust/path_symlink_trailing_slashes", LINKS),
    ("rust/readlink", LINKS),
    ("rust/symlink_create", LINKS),
    ("rust/symlink_filestat", LINKS),
];
const LINKS: &str = "it makes links, which no job may";

/// What lies beside a program: how it is started and how it has to end.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    root: Option<String>,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    exit_code: i32,
}

#[test]
fn the_programs_of_the_wasi_project_end_as_they_say() {
    let all = tempfile::tempdir().unwrap();
    let mut zip = ZipArchive::new(Cursor::new(PROGRAMS)).unwrap();
    archive::extract(&mut zip, all.path(), Bounds { bytes: 16 << 20, files: 1_000 }, &Some).unwrap();
    let (mut ran, mut wrong) = (0, Vec::new());
    for language in ["assemblyscript", "c", "rust"] {
        let folder = all.path().join(language);
        let programs = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        for program in programs.filter(|path| path.extension().is_some_and(|kind| kind == "wasm")) {
            let name = format!("{language}/{}", program.file_stem().unwrap().to_str().unwrap());
            if let Some((_, why)) = NOT_HERE.iter().find(|(other, _)| *other == name) {
                println!("{name}: {why}");
                continue;
            }
            ran += 1;
            let (expected, got) = run_program(&folder, &program);
            if got != GuestEnd::Exited(expected) {
                wrong.push(format!("{name}: {got:?}"));
            }
        }
    }
    println!("{ran} programs ran, {} don't apply", NOT_HERE.len());
    assert!(ran == 65 && wrong.is_empty(), "{ran} ran\n{}", wrong.join("\n"));
}

fn run_program(folder: &Path, program: &Path) -> (i32, GuestEnd) {
    let manifest = fs::read(program.with_extension("json"))
        .map_or_else(|_| Manifest::default(), |manifest| serde_json::from_slice(&manifest).unwrap());
    let home = tempfile::tempdir().unwrap();
    let mut mounts = Vec::new();
    if let Some(root) = &manifest.root {
        copy(&folder.join(root), home.path());
        mounts.push(Mount { host: home.path().to_path_buf(), guest: "/".to_owned(), writable: true });
    }
    let mut arguments = vec![program.file_name().unwrap().to_str().unwrap().to_owned()];
    arguments.extend(manifest.args);
    let assignment = Assignment {
        program: Program {
            number: 0,
            code: Code::Wasm(program.to_path_buf()),
            arguments,
            environment: manifest.env.into_iter().collect(),
        },
        python: None,
        deterministic: false,
        mounts,
        counted: vec![home.path().to_path_buf()],
        limits: GuestLimits {
            instructions: 1 << 30,
            time: Duration::from_secs(60),
            open_files: 100,
            processes: 9,
            memory: 1 << 30,
            output_bytes: 1 << 30,
            output_files: 1000,
            wasm_bytes: 64 << 20,
            compile_memory: 8 << 30,
        },
    };
    let thread = std::thread::Builder::new().stack_size(engine::THREAD_STACK);
    let report = thread.spawn(move || run(assignment, Stopwatch::start())).unwrap().join().unwrap();
    (manifest.exit_code, report.end)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
