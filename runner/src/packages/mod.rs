//! The Python packages that a job asks for: those that the runtime has, and wheels without native code.
//!
//! A wheel is fetched with pip by the owner's program, never by a job, and is a stranger's archive. It is
//! named by its hash: an approval is for exact wheels. Jobs see them read-only.

mod cache;
mod error;
mod instead;
mod marker;
mod name;
mod pip;
mod provided;
mod requirement;
mod resolve;
mod wheel;

pub use cache::PackageCache;
pub use error::PackageError;
pub use marker::MarkerError;
pub use name::{InvalidName, PackageName};
pub use requirement::{Requirement, RequirementError};
pub use resolve::{Provided, Refusal, Resolution, wanted};
