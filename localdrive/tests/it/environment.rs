//! The environments of Google's own clients: built once outside the clone, by the digest of what they hold, and
//! shared by all clones and all test processes.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Where this crate's client scripts and pinned requirements are.
pub(crate) fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn cache() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("SYFTBOX_TEST_CACHE")
        .or_else(|| set("XDG_CACHE_HOME"))
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .expect("set SYFTBOX_TEST_CACHE to a folder for the environments of the tests' clients");
    base.join("syftbox-tests")
}

fn run(command: &mut Command, what: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: can't run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{what}: {command:?} failed ({}); it needs a package registry the first time\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn version_of(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let output = output.unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The environment `kind` that `build` makes of `requirements`: from the cache, or built into a temporary folder
/// and renamed, so that an interrupted build leaves none that looks whole. Only one process builds.
fn environment(kind: &str, requirements: &[&str], version: &str, build: impl FnOnce(&Path)) -> PathBuf {
    let mut digest = Sha256::new();
    digest.update(version);
    for name in requirements {
        digest.update(fs::read(clients().join(name)).unwrap());
    }
    let digest = BASE64_URL_SAFE_NO_PAD.encode(&digest.finalize()[..9]);
    let cache = cache();
    fs::create_dir_all(&cache).unwrap();
    let ready = cache.join(format!("localdrive-{kind}-{digest}"));
    let lock = fs::File::create(cache.join(format!("localdrive-{kind}-{digest}.lock"))).unwrap();
    lock.lock().unwrap();
    if !ready.exists() {
        let building = tempfile::Builder::new().prefix("building-").tempdir_in(&cache).unwrap();
        build(building.path());
        fs::rename(building.path(), &ready).unwrap();
    }
    ready
}

/// A Python with `google-api-python-client`.
pub(crate) fn python() -> PathBuf {
    let ready = environment("python", &["requirements.txt"], &version_of("python3"), |into| {
        run(Command::new("python3").args(["-m", "venv"]).arg(into), "making a Python environment");
        run(
            Command::new(into.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"])
                .arg(clients().join("requirements.txt")),
            "installing google-api-python-client",
        );
    });
    ready.join("bin/python")
}

/// A folder whose `node_modules` has `@googleapis/drive`.
pub(crate) fn node() -> PathBuf {
    environment("node", &["package.json", "package-lock.json"], &version_of("node"), |into| {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(clients().join(name), into.join(name)).unwrap();
        }
        let mut command = Command::new("npm");
        command.args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(into);
        run(&mut command, "installing @googleapis/drive");
    })
}
