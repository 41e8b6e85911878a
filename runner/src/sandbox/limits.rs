//! How much a job may use: every limit there is, what it is unless somebody says otherwise, and the most
//! that anybody can say.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::ByteSize;

/// How much a job may use before it is ended. Nothing is unlimited: [`GREATEST`](Self::GREATEST) holds for
/// what an owner sets too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall time from the start of the job's process. 5 minutes; at most 30 days.
    pub time: Duration,
    /// Bytes of the guests' memory together. 4 GiB, which is all that 32-bit addresses reach.
    pub memory: u64,
    /// Instructions that the guests execute together, counted in deterministic jobs alone. A trillion; at most
    /// a million times that.
    pub instructions: u64,
    /// Bytes of all files in `outputs/` and `/tmp` together, at any moment. 1 GiB; at most 1 TiB.
    pub output_bytes: u64,
    /// Files and folders in `outputs/` and `/tmp` together, at any moment. 10,000; at most a million.
    pub output_files: u64,
    /// Bytes of standard output, and again of standard error. 10 MiB; at most 1 GiB.
    pub log_bytes_per_stream: u64,
    /// Files that the job has open at once, of which one more is refused. 512; at most 3,072.
    pub open_files: u64,
    /// Processes that a bash script starts, one after the other or at once: each `python3` is one. 10,000; at
    /// most a million.
    pub processes: u64,
    /// Bytes of a job's own WebAssembly program. 64 MiB; at most 1 GiB.
    pub wasm_bytes: u64,
    /// Bytes of memory for compiling that. 2 GiB; at most 64 GiB.
    pub compile_memory: u64,
    /// Wall time for compiling that, of `time`. 1 minute; at most 1 hour.
    pub compile_time: Duration,
}

impl Limits {
    /// What nobody can go past.
    pub const GREATEST: Self = Self {
        time: Duration::from_secs(30 * 24 * 3600),
        memory: 4 << 30,
        instructions: 1_000_000_000_000_000_000,
        output_bytes: 1 << 40,
        output_files: 1_000_000,
        log_bytes_per_stream: 1 << 30,
        open_files: 3072,
        processes: 1_000_000,
        wasm_bytes: 1 << 30,
        compile_memory: 64 << 30,
        compile_time: Duration::from_secs(3600),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(300),
            memory: 4 << 30,
            instructions: 1_000_000_000_000,
            output_bytes: 1 << 30,
            output_files: 10_000,
            log_bytes_per_stream: 10 << 20,
            open_files: 512,
            processes: 10_000,
            wasm_bytes: 64 << 20,
            compile_memory: 2 << 30,
            compile_time: Duration::from_secs(60),
        }
    }
}

/// One of the limits, by the name that a policy file has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// [`Limits::time`].
    Time,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::instructions`].
    Instructions,
    /// [`Limits::output_bytes`].
    OutputBytes,
    /// [`Limits::output_files`].
    OutputFiles,
    /// [`Limits::log_bytes_per_stream`].
    LogBytes,
    /// [`Limits::open_files`].
    OpenFiles,
    /// [`Limits::processes`].
    Processes,
    /// [`Limits::wasm_bytes`].
    WasmBytes,
    /// [`Limits::compile_memory`].
    CompileMemory,
    /// [`Limits::compile_time`].
    CompileTime,
}

/// What the number of a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 11] = [
        Self::Time,
        Self::Memory,
        Self::Instructions,
        Self::OutputBytes,
        Self::OutputFiles,
        Self::LogBytes,
        Self::OpenFiles,
        Self::Processes,
        Self::WasmBytes,
        Self::CompileMemory,
        Self::CompileTime,
    ];

    /// Its name in policies and receipts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Memory => "memory",
            Self::Instructions => "instructions",
            Self::OutputBytes => "output_bytes",
            Self::OutputFiles => "output_files",
            Self::LogBytes => "log_bytes",
            Self::OpenFiles => "open_files",
            Self::Processes => "processes",
            Self::WasmBytes => "wasm_bytes",
            Self::CompileMemory => "compile_memory",
            Self::CompileTime => "compile_time",
        }
    }

    /// What its number counts.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Time | Self::CompileTime => Unit::Milliseconds,
            Self::Memory | Self::OutputBytes | Self::LogBytes | Self::WasmBytes | Self::CompileMemory => {
                Unit::Bytes
            }
            Self::Instructions | Self::OutputFiles | Self::OpenFiles | Self::Processes => Unit::Count,
        }
    }

    /// A value of it as people read it.
    #[must_use]
    pub fn show(self, value: u64) -> String {
        match self.unit() {
            Unit::Milliseconds => format!("{} s", Duration::from_millis(value).as_secs_f64()),
            Unit::Bytes => ByteSize(value).to_string(),
            Unit::Count => value.to_string(),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().replace('_', " "))
    }
}

impl Limits {
    /// One of them, in its unit.
    #[must_use]
    pub fn get(&self, limit: Limit) -> u64 {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match limit {
            Limit::Time => milliseconds(self.time),
            Limit::Memory => self.memory,
            Limit::Instructions => self.instructions,
            Limit::OutputBytes => self.output_bytes,
            Limit::OutputFiles => self.output_files,
            Limit::LogBytes => self.log_bytes_per_stream,
            Limit::OpenFiles => self.open_files,
            Limit::Processes => self.processes,
            Limit::WasmBytes => self.wasm_bytes,
            Limit::CompileMemory => self.compile_memory,
            Limit::CompileTime => milliseconds(self.compile_time),
        }
    }

    /// Sets one of them, in its unit.
    pub fn set(&mut self, limit: Limit, value: u64) {
        match limit {
            Limit::Time => self.time = Duration::from_millis(value),
            Limit::Memory => self.memory = value,
            Limit::Instructions => self.instructions = value,
            Limit::OutputBytes => self.output_bytes = value,
            Limit::OutputFiles => self.output_files = value,
            Limit::LogBytes => self.log_bytes_per_stream = value,
            Limit::OpenFiles => self.open_files = value,
            Limit::Processes => self.processes = value,
            Limit::WasmBytes => self.wasm_bytes = value,
            Limit::CompileMemory => self.compile_memory = value,
            Limit::CompileTime => self.compile_time = Duration::from_millis(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_default_below_what_nobody_can_go_past() {
        let mut copy = Limits::GREATEST;
        for limit in Limit::ALL {
            let default = Limits::default().get(limit);
            assert!(default > 0 && default <= Limits::GREATEST.get(limit), "{limit}");
            copy.set(limit, default);
        }
        assert_eq!(copy, Limits::default());
    }
}
