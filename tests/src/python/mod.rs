//! Python peers: the real packages, each in an environment and a process of its own.

mod environment;
mod peer;

pub use environment::python_environment;
pub use peer::{PythonGeneration, PythonPeer};
