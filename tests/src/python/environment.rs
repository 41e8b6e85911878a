//! Python environments: built once outside the clone, by the digest of what they hold, and shared by all clones and all
//! test processes.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use sha2::{Digest, Sha256};

/// The `python` of an environment that has exactly what the pinned `requirements` (a file below `tests/`) list.
///
/// It is built when the cache has none for these requirements and this Python. Where pip can't get them, the test that
/// asked fails and says so: a machine without the packages proves nothing about them.
pub fn python_environment(requirements: &str) -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join(requirements);
    let ready = cache().join(format!("python-{}", digest(&requirements)));
    // Only one process builds; an interrupted build leaves nothing that looks whole.
    let lock = fs::File::create(ready.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !ready.exists() {
        let building = tempfile::Builder::new().prefix("building-").tempdir_in(cache()).unwrap();
        build(building.path(), &requirements);
        fs::rename(building.path(), &ready).unwrap();
    }
    ready.join("bin/python")
}

fn build(into: &Path, requirements: &Path) {
    run(Command::new("python3").args(["-m", "venv"]).arg(into), requirements);
    let mut pip = Command::new(into.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]);
    run(pip.arg(requirements), requirements);
}

fn run(command: &mut Command, requirements: &Path) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    assert!(
        output.status.success(),
        "The Python packages of this test can't be installed. That takes python3 with venv, and a package index that has \
         everything in {}, once; later runs find them in {}.\n{command:?}: {}\n{}{}",
        requirements.display(),
        cache().display(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}

fn digest(requirements: &Path) -> String {
    let version = Command::new("python3").arg("--version").output();
    let version = version.unwrap_or_else(|error| panic!("this test needs python3: {error}"));
    let mut digest = Sha256::new();
    digest.update(&version.stdout);
    digest.update(fs::read(requirements).unwrap());
    digest.finalize()[..8].iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn cache() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("SYFTBOX_TEST_CACHE")
        .or_else(|| set("XDG_CACHE_HOME"))
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(|| {
            panic!("set SYFTBOX_TEST_CACHE to a folder for the environments of the Python peers")
        });
    let cache = base.join("syftbox-tests");
    fs::create_dir_all(&cache).unwrap();
    cache
}
