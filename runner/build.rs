//! Compiles the bash of jobs, the crate in `bash/`, to a wasm module that becomes a part of the program.
//!
//! That takes minutes, so the module is also kept in the user's cache, under a hash of all that it is
//! made of: other checkouts, profiles and clippy find it there.
//!
//! It does without crates: one that others need too, with other features, would build them twice.

use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const TARGET: &str = "wasm32-wasip1";
const SOURCES: [&str; 4] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "src"];
/// What this build is told and the one within must not hear: it is for another target.
const NOT_FOR_GUESTS: [&str; 9] = [
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "CARGO_TARGET_DIR",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
];

fn main() -> ExitCode {
    match bash() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The bash of jobs can't be compiled: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bash() -> io::Result<()> {
    let source = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("bash");
    let out = PathBuf::from(variable("OUT_DIR")?);
    for part in SOURCES {
        println!("cargo::rerun-if-changed={}", source.join(part).display());
    }
    let name = format!("bash-{:016x}.wasm", key(&source)?);
    let kept = cache().map(|cache| cache.join(&name));
    let built = out.join(&name);
    if let Some(kept) = kept.as_deref().filter(|kept| kept.is_file()) {
        fs::copy(kept, &built)?;
    } else if !built.is_file() {
        replace(&compile(&source, &out.join("bash"))?, &built)?;
    }
    // A cache that can't be written costs time, nothing else.
    if let Some(kept) = kept.filter(|kept| !kept.is_file())
        && let Err(error) = replace(&built, &kept)
    {
        println!("cargo::warning=the bash of jobs isn't kept in {}: {error}", kept.display());
    }
    println!("cargo::rustc-env=SYFTBOX_BASH={}", built.display());
    println!("cargo::rustc-env=SYFTBOX_BASHKIT={}", version_of_bashkit(&source)?);
    Ok(())
}

/// A hash of all that the module is made of.
fn key(source: &Path) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in files(source)? {
        path.strip_prefix(source).map_err(io::Error::other)?.hash(&mut hasher);
        fs::read(&path)?.hash(&mut hasher);
    }
    Command::new(variable("RUSTC")?).arg("-vV").output()?.stdout.hash(&mut hasher);
    Ok(hasher.finish())
}

fn files(source: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left: Vec<_> = SOURCES.iter().map(|part| source.join(part)).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                left.push(entry?.path());
            }
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn compile(source: &Path, target_dir: &Path) -> io::Result<PathBuf> {
    let library = ["--print", "target-libdir", "--target", TARGET];
    let library = Command::new(variable("RUSTC")?).args(library).output()?;
    if !Path::new(String::from_utf8_lossy(&library.stdout).trim()).is_dir() {
        let why = format!("Rust's target {TARGET} is missing; install it with `rustup target add {TARGET}`");
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    let mut cargo = Command::new(variable("CARGO")?);
    // In its folder, where its settings are.
    cargo.current_dir(source).args(["build", "--release", "--locked", "--target-dir"]).arg(target_dir);
    for variable in NOT_FOR_GUESTS {
        cargo.env_remove(variable);
    }
    if !cargo.status()?.success() {
        return Err(io::Error::other("cargo says above why"));
    }
    Ok(target_dir.join(TARGET).join("release/syftbox-bash.wasm"))
}

/// Copies a file to a place where it is whole or not there, whoever else does the same.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = to.with_extension(std::process::id().to_string());
    fs::copy(from, &unfinished)?;
    fs::rename(unfinished, to)
}

/// `${XDG_CACHE_HOME:-~/.cache}/syftbox-build`.
fn cache() -> Option<PathBuf> {
    println!("cargo::rerun-if-env-changed=XDG_CACHE_HOME");
    let cache = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    Some(cache.or_else(|| Some(env::home_dir()?.join(".cache")))?.join("syftbox-build"))
}

fn version_of_bashkit(source: &Path) -> io::Result<String> {
    let manifest = fs::read_to_string(source.join("Cargo.toml"))?;
    let pinned = manifest.split_once("bashkit = { version = \"=").and_then(|(_, rest)| rest.split_once('"'));
    let (version, _) = pinned.ok_or_else(|| io::Error::other("bash/Cargo.toml pins no bashkit"))?;
    Ok(version.to_owned())
}

fn variable(name: &str) -> io::Result<std::ffi::OsString> {
    env::var_os(name).ok_or_else(|| io::Error::other(format!("cargo doesn't set {name}")))
}
