//! What the manager needs from the machine it runs on: HTTP, a clock, randomness and local files.
//!
//! This is the only place of the crate that knows whether it is compiled for the browser: there,
//! futures and values stay on one thread and are not `Send`.

mod clock;
mod files;
mod http;
#[cfg(any(test, feature = "test-support"))]
pub mod memory;
mod random;
#[cfg(any(test, feature = "test-support"))]
pub mod suite;
pub mod tree;

use std::sync::Arc;

pub use self::{
    clock::{Clock, TimedOut, timeout},
    files::{Entry, FileError, FileErrorKind, FileKind, FileSink, FileStat, FileStore},
    http::{Body, HttpClient, HttpError},
    random::{Random, uuid},
};

/// The four parts of a machine, cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// Requests to Drive and to token servers.
    pub http: Arc<dyn HttpClient>,
    /// The time, and waiting.
    pub clock: Arc<dyn Clock>,
    /// Randomness for names, ids and backoff.
    pub random: Arc<dyn Random>,
    /// The local `SyftBox` folder.
    pub files: Arc<dyn FileStore>,
}

/// Whether the standard library knows the time. In browsers asking it is a panic, and the encryption
/// library asks when it seals.
pub const HAS_STD_TIME: bool = cfg!(not(all(target_family = "wasm", target_os = "unknown")));

#[cfg(not(target_family = "wasm"))]
mod threads {
    use std::{future::Future, pin::Pin};

    use futures_util::Stream;

    /// `Send + Sync` natively, nothing in the browser.
    pub trait MaybeSend: Send + Sync {}
    impl<T: Send + Sync + ?Sized> MaybeSend for T {}

    /// A boxed future, `Send` natively.
    pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
    /// A boxed stream, `Send` natively.
    pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;
}

#[cfg(target_family = "wasm")]
mod threads {
    use std::{future::Future, pin::Pin};

    use futures_util::Stream;

    /// `Send + Sync` natively, nothing in the browser.
    pub trait MaybeSend {}
    impl<T: ?Sized> MaybeSend for T {}

    /// A boxed future, `Send` natively.
    pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;
    /// A boxed stream, `Send` natively.
    pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + 'a>>;
}

pub use threads::{BoxFuture, BoxStream, MaybeSend};
