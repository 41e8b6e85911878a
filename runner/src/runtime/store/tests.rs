use std::{
    fs::File,
    io::Write,
    sync::{Arc, LazyLock},
    thread,
};

use tempfile::TempDir;

use super::{
    super::{
        Silent,
        snapshot::Recipe,
        table::{Member, Source, Wheel},
    },
    *,
};
use crate::sandbox::Calling;

fn wheel_with(digest: &'static str, files: &'static [Member]) -> Wheel {
    Wheel {
        // pip refuses this name without asking anybody.
        package: "no package has this name!",
        digest,
        module: Member { name: "tiny/module.wasm", path: "module.wasm", bytes: 8 },
        files,
        unpacked: None,
        snapshot: None,
    }
}

/// A cache, a wheel with the smallest module there is, and a table that pins it.
struct Tiny {
    folder: TempDir,
    store: RuntimeStore,
}

impl Tiny {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut wheel = zip::ZipWriter::new(File::create(folder.path().join("tiny.whl")).unwrap());
        for (name, content) in [("tiny/module.wasm", &b"\0asm\x01\0\0\0"[..]), ("tiny/lib.txt", b"library")] {
            wheel.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            wheel.write_all(content).unwrap();
        }
        wheel.finish().unwrap();
        let digest =
            syftbox_core::domain::ContentHash::of(&fs::read(folder.path().join("tiny.whl")).unwrap());
        let table = vec![RuntimeEntry {
            name: "tiny",
            version: "1",
            source: Source::Wheel(wheel_with(
                Box::leak(digest.to_string().into_boxed_str()),
                &[Member { name: "tiny/lib.txt", path: "lib/lib.txt", bytes: 7 }],
            )),
            mounts: &[("lib", "/lib")],
            environment: &[("A", "b")],
            arguments: || vec!["tiny".to_owned()],
            calling: Calling::Bash,
            packages: &[],
            python3: None,
        }];
        let store = RuntimeStore {
            folder: folder.path().join("cache/runtimes"),
            table: Box::leak(table.into()),
            build: Build::Fast,
        };
        Self { folder, store }
    }

    fn wheel(&self) -> PathBuf {
        self.folder.path().join("tiny.whl")
    }

    /// What is in the store but its locks.
    fn kept(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.store.folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| name != "tiny.lock").collect()
    }
}

#[test]
fn an_installed_runtime_is_whole_and_listed() {
    let tiny = Tiny::new();
    assert!(!tiny.store.list().unwrap()[0].installed);
    assert!(tiny.store.installed("tiny").unwrap().is_none());
    let runtime = tiny.store.install("tiny", Some(&tiny.wheel()), &Silent).unwrap();
    let guest = runtime.guest();
    assert!(guest.module.is_file());
    assert_eq!(guest.mounts, [(runtime.path().join("lib"), "/lib".to_owned())]);
    assert_eq!(fs::read(runtime.path().join("lib/lib.txt")).unwrap(), b"library");
    let status = &tiny.store.list().unwrap()[0];
    assert_eq!((status.installed, status.path.as_deref()), (true, Some(runtime.path())));
    assert!(status.bytes.is_some_and(|bytes| bytes > 7));
    assert_eq!(tiny.kept().len(), 1);
    // Nothing more to get: the wheel may be gone.
    fs::remove_file(tiny.wheel()).unwrap();
    tiny.store.ensure("tiny", &Silent).unwrap();
    tiny.store.install("tiny", Some(&tiny.wheel()), &Silent).unwrap();
}

#[test]
fn another_wheel_and_half_a_wheel_are_refused_and_leave_nothing() {
    let tiny = Tiny::new();
    let whole = fs::read(tiny.wheel()).unwrap();
    let mut other = whole.clone();
    other[40] ^= 1;
    for wrong in [&whole[..whole.len() / 2], &other, b""] {
        fs::write(tiny.wheel(), wrong).unwrap();
        let error = tiny.store.install("tiny", Some(&tiny.wheel()), &Silent).unwrap_err();
        assert!(matches!(error, RuntimeError::Digest { .. }), "{error}");
        assert!(tiny.kept().is_empty(), "{:?}", tiny.kept());
    }
    fs::remove_file(tiny.wheel()).unwrap();
    let error = tiny.store.install("tiny", Some(&tiny.wheel()), &Silent).unwrap_err();
    assert!(matches!(error, RuntimeError::Wheel { .. }), "{error}");
}

#[test]
fn a_package_that_pip_cannot_get_is_said() {
    let tiny = Tiny::new();
    let error = tiny.store.ensure("tiny", &Silent).unwrap_err();
    assert!(matches!(&error, RuntimeError::Download { said, .. } if !said.is_empty()), "{error}");
    assert!(tiny.kept().is_empty());
    assert!(matches!(tiny.store.ensure("ruby", &Silent), Err(RuntimeError::Unknown { .. })));
}

#[test]
fn a_wheel_with_more_than_the_table_says_is_refused() {
    let tiny = Tiny::new();
    let mut table = Vec::new();
    for entry in tiny.store.table {
        let digest = Box::leak(entry.digest().to_owned().into_boxed_str());
        table.push(RuntimeEntry {
            source: Source::Wheel(wheel_with(
                digest,
                &[Member { name: "tiny/lib.txt", path: "lib.txt", bytes: 6 }],
            )),
            ..entry.clone()
        });
    }
    let store = RuntimeStore { table: Box::leak(table.into()), ..tiny.store.clone() };
    let error = store.install("tiny", Some(&tiny.wheel()), &Silent).unwrap_err();
    assert!(matches!(&error, RuntimeError::Unpack { why, .. } if why.contains("larger than 6")), "{error}");
    assert!(tiny.kept().is_empty());
}

#[test]
fn what_an_interrupted_installation_left_is_replaced() {
    let tiny = Tiny::new();
    let folder = tiny.store.folder_of(&tiny.store.table[0]).unwrap();
    for half in [tiny.store.folder.join(".unfinished-tiny-abc"), folder.clone()] {
        fs::create_dir_all(half.join("runtime")).unwrap();
        fs::write(half.join(MODULE), "half").unwrap();
    }
    assert!(tiny.store.installed("tiny").unwrap().is_none());
    tiny.store.install("tiny", Some(&tiny.wheel()), &Silent).unwrap();
    assert_eq!(tiny.kept(), [folder.file_name().unwrap().to_str().unwrap()]);

    fs::write(folder.join(MODULE), "torn").unwrap();
    assert!(tiny.store.installed("tiny").unwrap().is_none());
    tiny.store.install("tiny", Some(&tiny.wheel()), &Silent).unwrap();
    assert!(tiny.store.installed("tiny").unwrap().is_some());
}

#[test]
fn many_installations_at_once_make_one() {
    let tiny = Arc::new(Tiny::new());
    let installers: Vec<_> = (0..4)
        .map(|_| {
            let tiny = Arc::clone(&tiny);
            thread::spawn(move || tiny.store.install("tiny", Some(&tiny.wheel()), &Silent).unwrap())
        })
        .collect();
    let folders: Vec<_> = installers.into_iter().map(|thread| thread.join().unwrap().folder).collect();
    assert!(folders.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(tiny.kept().len(), 1);
}

#[test]
fn what_came_with_the_program_is_installed_with_what_it_starts() {
    static DIGEST: LazyLock<String> = LazyLock::new(|| "0".repeat(64));
    let tiny = Tiny::new();
    let own = RuntimeEntry {
        name: "own",
        source: Source::Own(b"\0asm\x01\0\0\0", &DIGEST),
        mounts: &[],
        python3: Some("tiny"),
        ..tiny.store.table[0].clone()
    };
    let table = vec![tiny.store.table[0].clone(), own];
    let store = RuntimeStore { table: Box::leak(table.into()), ..tiny.store.clone() };
    // tiny can't be had from anywhere.
    assert!(matches!(store.ensure("own", &Silent), Err(RuntimeError::Download { .. })));
    store.install("tiny", Some(&tiny.wheel()), &Silent).unwrap();
    let wheel = tiny.wheel();
    assert!(matches!(
        store.install("own", Some(&wheel), &Silent),
        Err(RuntimeError::NoWheel { name: "own" })
    ));
    let guest = store.ensure("own", &Silent).unwrap().guest();
    assert!(guest.module.is_file());
    assert_eq!(guest.python3, Some(Box::new(store.installed("tiny").unwrap().unwrap().guest())));
}

/// What was told to the user.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<String>>);

impl super::super::Progress for Told {
    fn begin(&self, _: super::super::Step, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn warn(&self, words: &str) {
        self.0.lock().unwrap().push(words.to_owned());
    }
}

#[test]
fn a_module_that_the_recipe_does_not_know_is_installed_without_a_snapshot() {
    let tiny = Tiny::new();
    let mut entry = tiny.store.table[0].clone();
    if let Source::Wheel(wheel) = &mut entry.source {
        wheel.snapshot = Some(Recipe { source: "" });
    }
    let store = RuntimeStore { table: Box::leak(vec![entry].into()), ..tiny.store.clone() };
    let told = Told::default();
    let runtime = store.install("tiny", Some(&tiny.wheel()), &told).unwrap();
    assert!(runtime.guest().module.is_file());
    assert_eq!(runtime.guest().snapshot, None);
    let told = told.0.into_inner().unwrap();
    assert!(told.len() == 1 && told[0].contains("__wasilibc_reset_preopens"), "{told:?}");
    assert_eq!(store.list().unwrap()[0].snapshot, Some(false));
}

#[test]
fn a_new_snapshot_takes_the_place_of_an_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|source| Recipe { source });
    old.keep(folder.path(), b"1234", 7).unwrap();
    fs::write(folder.path().join("snapshot.unfinished"), "of a run that was cut off").unwrap();
    assert_eq!(old.installed(folder.path()).unwrap().about.memory, 7);
    assert!(new.installed(folder.path()).is_none());
    new.keep(folder.path(), b"12345", 8).unwrap();
    assert!(old.installed(folder.path()).is_none());
    let there = new.installed(folder.path()).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    fs::write(there.module, b"torn").unwrap();
    assert!(new.installed(folder.path()).is_none());
}
