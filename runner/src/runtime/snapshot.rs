//! A runtime's snapshot: its memory after it imported what most jobs import, as a module of its own. A job
//! that begins there spends no time on that.

use std::{
    fs::{self, File},
    io::Write,
    ops::Range,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
};

use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use syftbox_core::domain::ContentHash;
use wasmtime::{Instance, Linker, Memory, Store, StoreLimits, StoreLimitsBuilder, Val};
use wasmtime_wasi::{
    FsPerms, WasiCtxBuilder,
    p1::{self, WasiP1Ctx},
    p2::pipe::MemoryOutputPipe,
};
use wasmtime_wizer::{InstanceState, ModuleContext, SnapshotVal, ValType, Wizer};

use super::{
    RuntimeError, preopens,
    table::{PYTHON, RuntimeEntry},
};
use crate::sandbox::{
    PACKAGES,
    engine::{self, Build},
    turn,
};

/// The most memory that a snapshot may hold, in bytes.
const MEMORY: usize = 1 << 30;
/// How much of what the guest says is kept, in bytes.
const SAID: usize = 64 << 10;
/// What a snapshot's file is called before it is whole.
const UNFINISHED: &str = "snapshot.unfinished";

/// How a runtime's snapshot is made and how a job begins in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipe {
    /// The Python that is run before the snapshot is taken.
    pub(super) source: &'static str,
}

/// A snapshot that is there.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// The compiled module.
    pub(super) module: PathBuf,
    pub(super) about: About,
}

/// What the file beside a snapshot's module says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct About {
    /// The size of the compiled module in bytes.
    pub(super) module_bytes: u64,
    /// The memory that a job has before it does anything, in bytes.
    pub(super) memory: u64,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoSnapshot {
    #[error(transparent)]
    Wasm(#[from] wasmtime::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Unknown(#[from] preopens::NotFound),
    #[error("its imports failed with code {code}: {said}")]
    Imports { code: i32, said: String },
    #[error("it took more than one step")]
    Pending,
    #[error("its thread ended")]
    Thread,
}

impl Recipe {
    /// A name that differs between snapshots that aren't the same.
    fn stem(&self) -> String {
        let hash = ContentHash::of(self.source.as_bytes()).to_string();
        format!("snapshot-{}", &hash[..16])
    }

    /// The snapshot in an installed runtime's folder.
    pub(super) fn installed(&self, folder: &Path) -> Option<Snapshot> {
        let stem = folder.join(self.stem());
        let about: About = serde_json::from_slice(&fs::read(stem.with_extension("json")).ok()?).ok()?;
        let module = stem.with_extension("cwasm");
        let whole = fs::metadata(&module).is_ok_and(|file| file.len() == about.module_bytes);
        whole.then_some(Snapshot { module, about })
    }

    /// Puts a compiled snapshot into the folder, in place of others.
    pub(super) fn keep(&self, folder: &Path, compiled: &[u8], memory: u64) -> std::io::Result<()> {
        for other in fs::read_dir(folder)?.flatten() {
            if other.file_name().to_string_lossy().starts_with("snapshot") {
                fs::remove_file(other.path())?;
            }
        }
        let unfinished = folder.join(UNFINISHED);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.write_all(compiled)?;
        file.sync_all()?;
        let stem = folder.join(self.stem());
        fs::rename(&unfinished, stem.with_extension("cwasm"))?;
        let about = About { module_bytes: compiled.len() as u64, memory };
        // Without it the snapshot isn't there.
        let mut file = File::create_new(stem.with_extension("json"))?;
        file.write_all(&serde_json::to_vec(&about)?)?;
        file.sync_all()
    }
}

/// A runtime's module with everything exported that a snapshot of it needs, and otherwise the same.
pub(super) fn instrument(wasm: &[u8]) -> wasmtime::Result<(ModuleContext<'_>, Vec<u8>)> {
    Wizer::new().instrument(wasm)
}

/// A snapshot that was taken.
pub(super) struct Taken {
    /// The module that begins where the recipe ended.
    pub(super) wasm: Vec<u8>,
    /// The memory that it begins with, in bytes.
    pub(super) memory: u64,
}

/// Runs a recipe in a runtime's compiled module, which was instrumented.
pub(super) fn take(
    entry: &RuntimeEntry,
    recipe: Recipe,
    wasm: &[u8],
    compiled: &Path,
) -> Result<Taken, NoSnapshot> {
    let preopens = preopens::table(wasm)?;
    let (context, _) = instrument(wasm)?;
    thread::scope(|scope| {
        let guest = thread::Builder::new().stack_size(engine::THREAD_STACK).spawn_scoped(scope, || {
            let tmp = tempfile::tempdir()?;
            let mut guest = Guest::start(entry, compiled, tmp.path())?;
            guest.run(recipe)?;
            guest.clear(preopens)?;
            let memory = guest.memory()?.data_size(&guest.store) as u64;
            let wasm = Wizer::new().snapshot(&context, &mut guest).now_or_never();
            Ok(Taken { wasm: wasm.ok_or(NoSnapshot::Pending)??, memory })
        })?;
        guest.join().map_err(|_| NoSnapshot::Thread)?
    })
}

struct State {
    wasi: WasiP1Ctx,
    limits: StoreLimits,
}

/// The instance that a snapshot is taken of. It reads the runtime's own files and writes to a folder that is
/// gone afterwards.
struct Guest {
    store: Store<State>,
    instance: Instance,
    said: MemoryOutputPipe,
}

impl Guest {
    fn start(entry: &RuntimeEntry, compiled: &Path, tmp: &Path) -> Result<Self, NoSnapshot> {
        let said = MemoryOutputPipe::new(SAID);
        let mut wasi = WasiCtxBuilder::new();
        wasi.allow_blocking_current_thread(true)
            .args(&[PYTHON])
            .envs(entry.environment)
            .stdout(said.clone())
            .stderr(said.clone());
        let [root, own] = ["root", "tmp"].map(|name| tmp.join(name));
        let installed = compiled.parent().unwrap_or(compiled);
        for (folder, guest) in entry.mounts.iter().copied().chain([("", "/tmp")]) {
            fs::create_dir_all(root.join(guest.trim_start_matches('/')))?;
            if !folder.is_empty() {
                wasi.preopened_dir(installed.join(folder), guest, FsPerms::ReadOnly)?;
            }
        }
        fs::create_dir(&own)?;
        wasi.preopened_dir(own, "/tmp", FsPerms::ReadWrite)?;
        wasi.preopened_dir(root, "/", FsPerms::ReadOnly)?;

        let engine = engine::engine(Build::Fast)?;
        let module = engine::load(&engine, compiled)?;
        let mut linker: Linker<State> = Linker::new(&engine);
        p1::add_to_linker_sync(&mut linker, |state| &mut state.wasi)?;
        linker.func_wrap("host", "call", |_: i32, _: i32, _: i32, _: i32| -1_i32)?;
        let limits = StoreLimitsBuilder::new().memory_size(MEMORY).build();
        let mut store = Store::new(&engine, State { wasi: wasi.build_p1(), limits });
        store.limiter(|state| &mut state.limits);
        let instance = linker.instantiate(&mut store, &module)?;
        Ok(Self { store, instance, said })
    }

    fn run(&mut self, recipe: Recipe) -> Result<(), NoSnapshot> {
        let source = serde_json::to_string(recipe.source).map_err(std::io::Error::from)?;
        let packages = PACKAGES;
        // A module of its own, whose frames no traceback shows.
        let text = format!(
            "import sys, types\n\
             sys.modules['_syftbox'] = types.ModuleType('_syftbox')\n\
             sys.modules['_syftbox'].PACKAGES = {packages:?}\n\
             exec(compile({source}, '<reactor>', 'exec'), sys.modules['_syftbox'].__dict__)\n"
        );
        let code = turn::turn(&mut self.store, &self.instance, &text)?;
        if code == 0 {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&self.said.contents()).into_owned();
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        Err(NoSnapshot::Imports { code, said: crate::sandbox::printable(last) })
    }

    fn clear(&mut self, bytes: Range<usize>) -> Result<(), NoSnapshot> {
        let zeros = vec![0; bytes.len()];
        let memory = self.memory()?;
        Ok(memory.write(&mut self.store, bytes.start, &zeros).map_err(wasmtime::Error::from)?)
    }

    fn memory(&mut self) -> wasmtime::Result<Memory> {
        let memory = self.instance.get_memory(&mut self.store, "memory");
        memory.ok_or_else(|| wasmtime::Error::msg("the module exports no memory"))
    }
}

/// The crate gives names that it put into the module itself, and has no way to say that one is missing: a
/// zero would then be a wrong snapshot, but there is none that isn't there.
impl InstanceState for Guest {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut self.store, name);
        match global.map(|global| global.get(&mut self.store)) {
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(bits)) => SnapshotVal::F32(bits),
            Some(Val::F64(bits)) => SnapshotVal::F64(bits),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            _ => SnapshotVal::I32(0),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        if let Some(memory) = self.instance.get_memory(&mut self.store, name) {
            contents(memory.data(&self.store));
        }
    }
}
