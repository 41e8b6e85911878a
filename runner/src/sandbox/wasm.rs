//! A job that is a WebAssembly program itself: a command of preview 1 or a component of preview 2, told
//! apart by its header. It is a stranger's, so it is compiled in the job's process, which has a limit on
//! the memory for that; the runner has one on the time.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use wasmtime::{Engine, Module, component::Component};

use super::{child::GuestLimits, confine};

/// A compiled program of a stranger.
pub(super) enum Wasm {
    /// For preview 1.
    Module(Module),
    /// For preview 2.
    Component(Component),
}

/// Why a stranger's program isn't run.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRunnable {
    #[error("it can't be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    #[error("it is no WebAssembly; build it for wasm32-wasip1 or wasm32-wasip2")]
    NotWasm,
    #[error("it is WebAssembly of another version than 1; build it for wasm32-wasip1 or wasm32-wasip2")]
    OtherVersion,
    #[error("it can't be compiled: {0}")]
    Invalid(wasmtime::Error),
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Module,
    Component,
}

impl Kind {
    /// What a file is, as its first eight bytes say: the magic number, a version and a layer.
    fn of(bytes: &[u8]) -> Result<Self, NotRunnable> {
        match bytes.get(..8) {
            Some(b"\0asm\x01\0\0\0") => Ok(Self::Module),
            Some(b"\0asm\x0d\0\x01\0") => Ok(Self::Component),
            Some([0, b'a', b's', b'm', ..]) => Err(NotRunnable::OtherVersion),
            _ => Err(NotRunnable::NotWasm),
        }
    }
}

impl Wasm {
    /// Reads and compiles a program.
    pub(super) fn compile(engine: &Engine, path: &Path, limits: &GuestLimits) -> Result<Self, NotRunnable> {
        let mut bytes = Vec::new();
        File::open(path)?.take(limits.wasm_bytes + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limits.wasm_bytes {
            return Err(NotRunnable::TooLarge(limits.wasm_bytes));
        }
        let kind = Kind::of(&bytes)?;
        let _limit = confine::limit_memory(limits.compile_memory)?;
        // Not `Module::new`, which would also take the text format.
        let compiled = match kind {
            Kind::Module => Module::from_binary(engine, &bytes).map(Self::Module),
            Kind::Component => Component::from_binary(engine, &bytes).map(Self::Component),
        };
        compiled.map_err(NotRunnable::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_it_is() {
        assert_eq!(Kind::of(b"\0asm\x01\0\0\0more").unwrap(), Kind::Module);
        assert_eq!(Kind::of(b"\0asm\x0d\0\x01\0").unwrap(), Kind::Component);
        for other in [&b"\0asm\x0c\0\x01\0"[..], b"\0asm\x02\0\0\0"] {
            assert!(matches!(Kind::of(other), Err(NotRunnable::OtherVersion)));
        }
        // An ELF file, such as what wasmtime compiles to, and others.
        for other in [&b"\x7fELF\x02\x01\x01\0\0\0"[..], b"", b"\0asm", b"(module)", b"#!/bin/bash"] {
            assert!(matches!(Kind::of(other), Err(NotRunnable::NotWasm)), "{other:?}");
        }
    }
}
