//! The one wasmtime configuration: what compiles a runtime at install and what loads it for a job
//! must agree, or the compiled file is refused.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use wasmtime::{Config, Engine, Module, OptLevel};

/// Bytes of the guest's own call stack: deep Python recursion needs far more than wasmtime's default.
const WASM_STACK: usize = 8 << 20;
/// Bytes of the native stack of the thread that runs a guest: its own stack and the host's calls.
pub(crate) const THREAD_STACK: usize = 24 << 20;

/// Which code a guest is compiled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// The fastest.
    Fast,
    /// Code that counts its instructions and computes the same on every machine, in about half as much time again.
    Counting,
}

impl Build {
    pub(crate) fn of(deterministic: bool) -> Self {
        if deterministic { Self::Counting } else { Self::Fast }
    }
}

/// The engine for compiling and running guests. There are no epoch checks in the compiled code,
/// which would cost up to a half of its speed: the runner kills the job's process at its deadline.
///
/// # Errors
/// When wasmtime can't work on this machine.
pub(crate) fn engine(build: Build) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    if build == Build::Counting {
        config.consume_fuel(true).cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
    }
    config
        .wasm_exceptions(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(WASM_STACK + (2 << 20))
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false);
    Engine::new(&config)
}

/// A text that differs between engines that can't load each other's compiled files: it covers
/// wasmtime's version, its configuration and the machine.
pub(crate) fn compatibility(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Loads a file that [`Engine::precompile_module`] made on this machine for this user.
///
/// # Errors
/// When the file could have been written by another user, or isn't for this engine.
pub(crate) fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Module> {
    let metadata = path.symlink_metadata()?;
    let ours = metadata.uid() == rustix::process::geteuid().as_raw() || metadata.uid() == 0;
    if !metadata.is_file() || !ours || metadata.mode() & 0o022 != 0 {
        let why = format!("{} is no file that only its owner can write", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why).into());
    }
    #[expect(unsafe_code, reason = "the file is native code; checked above to be what this user compiled")]
    // SAFETY: the file was written by `precompile_module` in the runtime cache, which only this
    // user can write, and is replaced by renaming, never changed in place.
    unsafe {
        Module::deserialize_file(engine, path)
    }
}
