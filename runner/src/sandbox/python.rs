//! `python3` in a script: the calls by which the bash guest starts Python beside itself, on a thread
//! of this process and in a store of its own, with the memory and the quota of the same job.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender, TryRecvError},
    },
    thread,
};

use serde::Deserialize;
use wasmtime::{Caller, Linker};

use super::{
    child::Program,
    engine,
    exceeded::Exceeded,
    frame::GuestEnd,
    instance::{EndsJob, Guest, World},
    limits::Limit,
    log::LogStream,
    quota,
    streams::{Event, Input, Output},
};

const MODULE: &str = "syftbox";
/// The most that run at once; a script that wants more waits. Each reserves addresses, which the process
/// has not many of.
const AT_ONCE: usize = 8;
/// Pieces that a Python is ahead of the script that reads it, at most; a print is one, however short.
const AHEAD: usize = 64;
/// The longest request, in bytes.
const LONGEST_REQUEST: usize = 4 << 20;

/// The Pythons that a script started.
pub(super) struct Pythons {
    world: Arc<World>,
    python: Program,
    running: BTreeMap<i32, Running>,
    /// The number of the last that was started.
    last: i32,
    /// A clone is with each that lives, also when the script let go of it.
    alive: Arc<()>,
}

struct Running {
    events: Receiver<Event>,
    input: SyncSender<Vec<u8>>,
    /// What came while words were put together.
    held: Option<Event>,
    /// What didn't fit into the script's buffer.
    left: Option<(LogStream, Vec<u8>)>,
    code: Option<i32>,
}

/// What the script asks for.
#[derive(Deserialize)]
struct Request {
    directory: String,
    path: String,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Pythons {
    pub(super) fn new(world: Arc<World>, python: Program) -> Self {
        Self { world, python, running: BTreeMap::new(), last: 0, alive: Arc::new(()) }
    }

    /// Starts one; `None` when as many live as may.
    fn start(&mut self, request: Request) -> wasmtime::Result<Option<i32>> {
        // When a thread ends is nothing that a deterministic script may notice.
        let living = if self.world.is_deterministic() {
            self.running.values().filter(|running| running.code.is_none()).count()
        } else {
            Arc::strong_count(&self.alive) - 1
        };
        if living >= AT_ONCE {
            return Ok(None);
        }
        let (number, most) = (i64::from(self.last) + 1, self.world.processes());
        if u64::try_from(number).is_ok_and(|number| number > most) {
            let over = Exceeded::now(Limit::Processes, most + 1, most, self.world.clock());
            return Err(EndsJob(GuestEnd::Exceeded(over)).into());
        }
        let mut program = self.python.clone();
        program.number = u32::try_from(number)?;
        program.arguments.extend([request.path, request.directory]);
        program.arguments.extend(request.arguments);
        program.environment.retain(|(name, _)| !request.environment.contains_key(name));
        program.environment.extend(request.environment);

        let (told, events) = mpsc::sync_channel(AHEAD);
        let (input, pieces) = mpsc::sync_channel(1);
        let (world, alive) = (Arc::clone(&self.world), Arc::clone(&self.alive));
        thread::Builder::new().name("python3".to_owned()).stack_size(engine::THREAD_STACK).spawn(
            move || {
                let streams = |builder: &mut wasmtime_wasi::WasiCtxBuilder| {
                    builder
                        .stdin(Input::new(told.clone(), pieces))
                        .stdout(Output::Starter(LogStream::Stdout, told.clone()))
                        .stderr(Output::Starter(LogStream::Stderr, told.clone()));
                };
                let (end, executed) = world.play(&program, None, streams);
                drop(alive);
                // Whoever started it may have let go of it.
                let _ = told.send(Event::Ended(end, executed));
            },
        )?;
        self.last += 1;
        self.running.insert(self.last, Running { events, input, held: None, left: None, code: None });
        Ok(Some(self.last))
    }

    /// What one did since it was last asked: its kind, and a number. Bytes go into `buffer`.
    fn next(&mut self, number: i32, buffer: &mut [u8]) -> wasmtime::Result<(i32, i32)> {
        let memory_refused = self.world.memory().refused().is_some();
        let running = self.running.get_mut(&number).ok_or_else(|| invalid("there is no such Python"))?;
        if running.left.is_none() && running.code.is_none() {
            // What a script sees must not depend on who is faster: it waits, and gets word by word.
            let waits = self.world.is_deterministic();
            match running.event(waits) {
                Ok(Event::Said(stream, bytes)) if waits => running.left = Some((stream, bytes)),
                Ok(Event::Said(stream, bytes)) => {
                    running.left = Some((stream, running.more(stream, bytes, buffer.len())));
                }
                Ok(Event::WantsInput) => return Ok((3, 0)),
                Ok(Event::Ended(end, executed)) => {
                    self.world.count(executed);
                    running.end(end, memory_refused)?;
                }
                Err(TryRecvError::Empty) => return Ok((0, 0)),
                Err(TryRecvError::Disconnected) => {
                    running.end(GuestEnd::Broken("Python's thread ended".to_owned()), false)?;
                }
            }
        }
        match (running.left.take(), running.code) {
            (Some((stream, mut bytes)), _) => {
                let count = bytes.len().min(buffer.len());
                buffer[..count].copy_from_slice(&bytes[..count]);
                bytes.drain(..count);
                if !bytes.is_empty() {
                    running.left = Some((stream, bytes));
                }
                let kind = if stream == LogStream::Stdout { 1 } else { 2 };
                Ok((kind, i32::try_from(count)?))
            }
            (None, Some(code)) => Ok((4, code)),
            (None, None) => Ok((0, 0)),
        }
    }
}

impl Running {
    fn event(&mut self, waits: bool) -> Result<Event, TryRecvError> {
        match self.held.take() {
            Some(event) => Ok(event),
            None if waits => self.events.recv().map_err(|_| TryRecvError::Disconnected),
            None => self.events.try_recv(),
        }
    }

    /// Adds what was said since to the same stream, so that many short words don't take as many calls.
    fn more(&mut self, stream: LogStream, mut bytes: Vec<u8>, enough: usize) -> Vec<u8> {
        while bytes.len() < enough {
            match self.events.try_recv() {
                Ok(Event::Said(also, more)) if also == stream => bytes.extend(more),
                Ok(other) => {
                    self.held = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        bytes
    }

    /// # Errors
    /// An end that is also the job's.
    fn end(&mut self, end: GuestEnd, memory_refused: bool) -> wasmtime::Result<()> {
        let mut say = |code, words: &str| {
            self.left = Some((LogStream::Stderr, format!("python3: {words}\n").into_bytes()));
            self.code = Some(code);
        };
        match end {
            GuestEnd::Exited(code) => self.code = Some(code),
            GuestEnd::Crashed(why) => say(134, &format!("crashed: {why}")),
            GuestEnd::Broken(_) if memory_refused => say(137, "no memory is left to start"),
            GuestEnd::Exceeded(_) | GuestEnd::NotRunnable(_) | GuestEnd::Broken(_) => {
                return Err(EndsJob(end).into());
            }
        }
        Ok(())
    }
}

/// Adds the calls that the bash guest has and no other guest.
///
/// # Errors
/// When the linker refuses a definition.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "python_start", |mut caller: Caller<'_, Guest>, at: u32, length: u32| {
        let (memory, pythons) = enter(&mut caller)?;
        let bytes = memory.get(at as usize..).and_then(|rest| rest.get(..length as usize));
        let bytes = bytes.filter(|bytes| bytes.len() <= LONGEST_REQUEST);
        let request = serde_json::from_slice(bytes.ok_or_else(|| invalid("no request is there"))?)?;
        Ok(pythons.start(request)?.unwrap_or(-1))
    })?;
    linker.func_wrap(
        MODULE,
        "python_next",
        |mut caller: Caller<'_, Guest>, number: i32, at: u32, length: u32| {
            let (memory, pythons) = enter(&mut caller)?;
            let buffer = memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..length as usize));
            let (kind, value) =
                pythons.next(number, buffer.ok_or_else(|| invalid("the buffer isn't there"))?)?;
            Ok((i64::from(kind) << 32) | i64::from(value.cast_unsigned()))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "python_feed",
        |mut caller: Caller<'_, Guest>, number: i32, at: u32, length: u32| {
            let (memory, pythons) = enter(&mut caller)?;
            let bytes = memory.get(at as usize..).and_then(|rest| rest.get(..length as usize));
            let bytes = bytes.ok_or_else(|| invalid("the bytes aren't there"))?;
            if let Some(running) = pythons.running.get(&number) {
                // One that is over, or that didn't ask, needs no input.
                let _ = running.input.try_send(bytes.to_vec());
            }
            Ok(())
        },
    )?;
    linker.func_wrap(MODULE, "python_drop", |mut caller: Caller<'_, Guest>, number: i32| {
        enter(&mut caller)?.1.running.remove(&number);
        Ok(())
    })?;
    Ok(())
}

fn enter<'a>(caller: &'a mut Caller<'_, Guest>) -> wasmtime::Result<(&'a mut [u8], &'a mut Pythons)> {
    let (memory, guest) = quota::enter(caller)?;
    let pythons = guest.pythons.as_mut().ok_or_else(|| invalid("this guest starts no Python"))?;
    Ok((memory, pythons))
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
