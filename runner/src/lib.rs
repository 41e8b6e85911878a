//! The `syftbox` program as a library: command line, sandbox, local files, OAuth.

mod archive;
pub mod cli;
pub mod demo;
pub mod jobs;
pub mod native;
pub mod notebook;
pub mod oauth;
pub mod packages;
pub mod policy;
pub mod runtime;
pub mod sandbox;
