//! The Python packages that jobs bring: real ones from the registry, and hostile ones from a folder.

#![cfg(test)]

mod common;

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use common::Case;
use syftbox_runner::{
    packages::{PackageCache, PackageError, Resolution},
    sandbox::Ending,
};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

/// A cache, and a folder of wheels in the registry's place.
struct Shelf {
    folder: TempDir,
    cache: PackageCache,
}

impl Shelf {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("wheels")).unwrap();
        let cache = PackageCache::in_folder(folder.path().join("cache"));
        let cache = cache.taking_from(folder.path().join("wheels"));
        Self { folder, cache }
    }

    /// Makes a wheel of these files, and whatever `more` adds.
    fn wheel(&self, file: &str, wants: &[&str], files: &[(&str, &str)], more: impl Fn(&mut ZipWriter<File>)) {
        let mut parts = file.split('-');
        let (name, version) = (parts.next().unwrap(), parts.next().unwrap());
        let mut zip = ZipWriter::new(File::create(self.folder.path().join("wheels").join(file)).unwrap());
        let info = format!("{name}-{version}.dist-info");
        let tag = file.trim_end_matches(".whl").splitn(3, '-').last().unwrap();
        let wants: String = wants.iter().flat_map(|want| ["Requires-Dist: ", want, "\n"]).collect();
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{wants}\nText.\n");
        let about = format!("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n");
        for (path, content) in
            [(&*format!("{info}/METADATA"), &*metadata), (&format!("{info}/WHEEL"), &about)]
                .into_iter()
                .chain(files.iter().copied())
        {
            zip.start_file(path, SimpleFileOptions::default()).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        more(&mut zip);
        zip.finish().unwrap();
    }

    fn plain(&self, file: &str, wants: &[&str], files: &[(&str, &str)]) {
        self.wheel(file, wants, files, |_| {});
    }

    fn resolve(&self, wanted: &[&str]) -> Resolution {
        self.cache.resolve(wanted.iter().copied()).unwrap()
    }

    /// Why a job that asks for this is refused.
    #[track_caller]
    fn refusal(&self, wanted: &str) -> String {
        let found = self.resolve(&[wanted]);
        assert_eq!(found.refused.len(), 1, "{found:?}");
        assert!(found.wheels.iter().all(|wheel| !wanted.starts_with(&wheel.name)), "{found:?}");
        assert!(!self.folder.path().join("evil.py").exists() && !Path::new("/tmp/syftbox-evil.py").exists());
        format!("{}: {}", found.refused[0].wanted, found.refused[0].why)
    }

    /// The folders of what was found, for a job.
    fn folders(&self, wanted: &[&str]) -> Vec<PathBuf> {
        let found = self.resolve(wanted);
        assert_eq!(found.refused, []);
        self.cache.for_job(wanted.iter().copied(), &found.wheels).unwrap()
    }
}

#[test]
fn what_the_runtime_has_needs_no_wheel() {
    let shelf = Shelf::new();
    let found =
        shelf.resolve(&["pandas>=2", "Scikit_Learn", "syft==0.10.0", "tomli; python_version < '3.11'"]);
    assert!(found.wheels.is_empty() && found.refused.is_empty() && found.notes.is_empty(), "{found:?}");
    let names: Vec<_> = found.provided.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["pandas", "scikit-learn", "syft"]);
    let found = shelf.resolve(&["pandas<2"]);
    assert!(found.notes[0].why.contains("jobs have pandas 3."), "{found:?}");
}

#[test]
fn packages_and_what_they_want_are_there_read_only_and_behind_the_runtimes_own() {
    let shelf = Shelf::new();
    let wants = ["beta (>=2,<3)", "numpy>=1", "gamma; extra == 'more'", "torch; sys_platform == 'win32'"];
    shelf.plain(
        "alpha-1.5-py3-none-any.whl",
        &wants,
        &[("alpha/__init__.py", "import beta\nWORD = beta.WORD + '!'\n")],
    );
    for version in ["1.9", "2.4", "3.0"] {
        let text = format!("WORD = 'beta {version}'\n");
        shelf.plain(
            &format!("beta-{version}-py2.py3-none-any.whl"),
            &[],
            &[("beta.py", &text), ("json.py", "broken =")],
        );
    }
    shelf.plain("gamma-1-py3-none-any.whl", &[], &[("gamma-1.data/purelib/gamma.py", "HERE = True\n")]);

    let script = "import json, os, alpha\nprint(alpha.WORD, json.dumps([1]))\n\
                  try:\n    open(alpha.__file__, 'a')\nexcept OSError:\n    print('read-only')\n\
                  try:\n    import gamma\n    print('gamma')\nexcept ImportError:\n    print('no gamma')\n";
    for (wanted, last) in [("alpha>=1", "no gamma"), ("alpha[more]", "gamma")] {
        let mut case = Case::files("main.py", &[("main.py", script)]);
        case.spec.packages = shelf.folders(&[wanted]);
        let run = case.run();
        run.assert_ending(&Ending::Finished);
        assert_eq!(run.stdout(), format!("beta 2.4! [1]\nread-only\n{last}\n"), "{}", run.stderr());
    }
}

#[test]
fn the_same_wants_get_the_same_wheels_and_no_others_than_those_approved() {
    let shelf = Shelf::new();
    shelf.plain("alpha-1-py3-none-any.whl", &[], &[("alpha.py", "")]);
    let first = shelf.resolve(&["alpha"]);
    shelf.plain("alpha-2-py3-none-any.whl", &[], &[("alpha.py", "")]);
    assert_eq!(shelf.resolve(&[" alpha "]), first);

    // On another machine of the owner's, the registry's file of that name is another one now.
    shelf.plain("alpha-1-py3-none-any.whl", &[], &[("alpha.py", "changed = True")]);
    let other = PackageCache::in_folder(shelf.folder.path().join("other"));
    let other = other.taking_from(shelf.folder.path().join("wheels"));
    let error = other.for_job(["alpha"].into_iter(), &first.wheels).unwrap_err();
    assert!(
        matches!(&error, PackageError::OtherWheel { file } if file == "alpha-1-py3-none-any.whl"),
        "{error}"
    );
    let error = shelf.cache.for_job(["alpha", "beta"].into_iter(), &first.wheels).unwrap_err();
    assert!(matches!(&error, PackageError::NotApproved { what } if what == "beta"), "{error}");
}

#[test]
fn wheels_that_reach_out_of_their_folder_are_refused() {
    for (name, path) in
        [("up", "../../../evil.py"), ("root", "/tmp/syftbox-evil.py"), ("back", "a\\..\\evil.py")]
    {
        let shelf = Shelf::new();
        shelf.plain(&format!("{name}-1-py3-none-any.whl"), &[], &[(path, "")]);
        let why = shelf.refusal(name);
        assert!(why.contains("no plain file"), "{why}");
    }
    let shelf = Shelf::new();
    shelf.wheel("linked-1-py3-none-any.whl", &[], &[], |zip| {
        zip.add_symlink("linked.py", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    });
    assert!(shelf.refusal("linked").contains("no plain file"));
}

#[test]
fn wheels_that_unpack_to_too_much_are_refused() {
    let shelf = Shelf::new();
    shelf.wheel("bomb-1-py3-none-any.whl", &[], &[], |zip| {
        zip.start_file("bomb.bin", SimpleFileOptions::default()).unwrap();
        let zeros = vec![0; 1 << 20];
        (0..=300).for_each(|_| zip.write_all(&zeros).unwrap());
    });
    assert!(shelf.refusal("bomb").contains("larger than"));
    shelf.wheel("many-1-py3-none-any.whl", &[], &[], |zip| {
        (0..=20_000)
            .for_each(|number| zip.start_file(format!("{number}.py"), SimpleFileOptions::default()).unwrap());
    });
    assert!(shelf.refusal("many").contains("more than 20000 files"));
    let kept = fs::read_dir(shelf.folder.path().join("cache")).unwrap().count();
    assert_eq!(kept, 0, "nothing of a refused wheel stays");
}

#[test]
fn wheels_with_native_code_and_impostors_are_refused() {
    let shelf = Shelf::new();
    shelf.plain("native-1-py3-none-any.whl", &[], &[("native/core.cpython-315-wasm32-wasi.so", "")]);
    assert!(shelf.refusal("native").contains("has native code"));
    shelf.plain("wants-1-py3-none-any.whl", &["native>=1"], &[("wants.py", "")]);
    let found = shelf.resolve(&["wants"]);
    let (wanted, why) = (&found.refused[0].wanted, &found.refused[0].why);
    assert!(wanted == "native>=1 (for wants)" && why.starts_with("it has native code"), "{found:?}");
    shelf.plain("address-1-py3-none-any.whl", &["x @ file:///etc/passwd"], &[("address.py", "")]);
    assert!(shelf.refusal("address").contains("address"));
    // Inside it says that it is another package.
    shelf.plain("alpha-1-py3-none-any.whl", &[], &[("alpha.py", "")]);
    let wheels = shelf.folder.path().join("wheels");
    fs::rename(wheels.join("alpha-1-py3-none-any.whl"), wheels.join("pandaz-1-py3-none-any.whl")).unwrap();
    let why = shelf.refusal("pandaz");
    assert!(why.contains("alpha") || why.contains("pip doesn't take it"), "{why}");
    fs::write(wheels.join("torn-1-py3-none-any.whl"), b"PK\x03\x04").unwrap();
    shelf.refusal("torn");
    for wanted in ["--index-url=http://x", "x @ https://x/y.whl", "../x"] {
        shelf.refusal(wanted);
    }
}

#[test]
fn wants_that_exclude_each_other_are_named() {
    let shelf = Shelf::new();
    for version in ["1", "2"] {
        shelf.plain(&format!("base-{version}-py3-none-any.whl"), &[], &[("base.py", "")]);
    }
    shelf.plain("one-1-py3-none-any.whl", &["base<2"], &[("one.py", "")]);
    shelf.plain("two-1-py3-none-any.whl", &["base>=2"], &[("two.py", "")]);
    let found = shelf.resolve(&["one", "two"]);
    assert!(found.refused[0].why.contains("there are"), "{found:?}");
    // With a way out, it is taken.
    let found = shelf.resolve(&["base", "one"]);
    assert_eq!(found.refused, []);
    assert_eq!(found.wheels.iter().find(|wheel| wheel.name == "base").unwrap().version, "1");
}

/// Needs the registry. Where it can't be reached, that is said, and it is what is tested.
#[test]
fn real_packages_come_from_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let cache = PackageCache::in_folder(folder.path().join("packages"));
    let found = match cache.resolve(["humanize>=4,<5"].into_iter()) {
        Ok(found) => found,
        Err(error @ PackageError::Unreachable { .. }) => {
            println!("not tested, that real packages are fetched and refused: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(found.refused, []);
    assert_eq!((found.wheels.len(), found.wheels[0].name.as_str()), (1, "humanize"));
    let script = "import humanize\nprint(humanize.intcomma(1234567))\n";
    let mut case = Case::files("main.py", &[("main.py", script)]);
    case.spec.packages = cache.for_job(["humanize>=4,<5"].into_iter(), &found.wheels).unwrap();
    let run = case.run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "1,234,567\n");

    let found = cache.resolve(["pyarrow", "polars", "humanize>99"].into_iter()).unwrap();
    let refused: Vec<_> = found.refused.iter().map(|refusal| refusal.why.as_str()).collect();
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(refused.iter().any(|why| why.contains("without native code fits humanize>99")), "{refused:?}");
    assert!(
        refused.iter().any(|why| why.contains("pyarrow has native code, which can't run")),
        "{refused:?}"
    );
    // It is a shell around another package, whose native code is the point.
    assert!(
        refused.iter().any(|why| why.contains("fits polars-runtime") && why.contains("pandas")),
        "{refused:?}"
    );
}

#[test]
fn a_registry_that_cannot_be_reached_is_said() {
    let shelf = Shelf::new();
    // Nothing listens there.
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "asks_a_registry_that_is_away", "--ignored", "--nocapture"]);
    command.env("PIP_INDEX_URL", "http://127.0.0.1:9/simple").env("SHELF", shelf.folder.path());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("can't be reached"), "{said}");
}

#[test]
#[ignore = "run by the test before it, with an environment of its own"]
fn asks_a_registry_that_is_away() {
    let Some(folder) = std::env::var_os("SHELF") else { return };
    let cache = PackageCache::in_folder(PathBuf::from(folder).join("packages"));
    let error = cache.resolve(["humanize"].into_iter()).unwrap_err();
    assert!(matches!(error, PackageError::Unreachable { .. }), "{error:?}");
    println!("{error}");
}
