//! Running a component of preview 2: `wasi:cli/command`, with the same files and limits as a module.

use std::{
    io,
    sync::{Arc, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Signal, getpid, kill_process};
use wasmtime::{
    Store,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{
    WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView,
    p2::{self, bindings::sync::Command},
};

use super::{
    fixed::Inodes,
    frame::{self, GuestEnd},
    instance::{HOST_OBJECTS, World, report},
    meter::Meter,
    quota::OverQuota,
};

/// How often the folders that the component writes to are measured: unlike those of preview 1, its calls
/// aren't counted.
const MEASURE: Duration = Duration::from_millis(100);

mod fixed_files;

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    meter: Meter,
    /// In a deterministic job.
    inodes: Inodes,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Runs a component to its end.
pub(super) fn play(world: &World, component: &Component, mut wasi: WasiCtxBuilder) -> GuestEnd {
    let engine = world.engine();
    if let Err(error) = keep_measuring(world) {
        return GuestEnd::Broken(error.to_string());
    }
    let mut executed = 0;
    let mut run = || -> wasmtime::Result<i32> {
        let mut linker: Linker<Guest> = Linker::new(engine);
        p2::add_to_linker_sync(&mut linker)?;
        if world.is_deterministic() {
            fixed_files::add_to_linker(&mut linker)?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(HOST_OBJECTS);
        let (wasi, meter) = (wasi.build(), world.memory().meter());
        let mut store = Store::new(engine, Guest { wasi, table, meter, inodes: Inodes::default() });
        store.set_hostcall_fuel(world.hostcall_fuel());
        store.limiter(|guest| &mut guest.meter);
        let fuel = world.fuel();
        if let Some(fuel) = fuel {
            store.set_fuel(fuel)?;
        }
        let ended = Command::instantiate(&mut store, component, &linker)
            .and_then(|command| command.wasi_cli_run().call_run(&mut store));
        if let Some(fuel) = fuel {
            executed = fuel.saturating_sub(store.get_fuel()?);
        }
        Ok(i32::from(ended?.is_err()))
    };
    let ended = run();
    world.count(executed);
    world.end_of(ended)
}

/// Ends the process when its folders grow past their limits.
fn keep_measuring(world: &World) -> io::Result<()> {
    let (quota, memory, files) = (Arc::clone(world.quota()), world.memory().clone(), world.files().clone());
    thread::Builder::new().name("measure".to_owned()).spawn(move || {
        loop {
            thread::sleep(MEASURE);
            let over = quota.lock().unwrap_or_else(PoisonError::into_inner).check();
            if let Err(OverQuota(over)) = over {
                let report = report(GuestEnd::Exceeded(over), &memory, &files);
                // The runner, if it still listens, needs nothing more of this process.
                let _ = frame::write_report(&mut io::stdout().lock(), &report);
                let _ = kill_process(getpid(), Signal::KILL);
            }
        }
    })?;
    Ok(())
}
