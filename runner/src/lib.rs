//! The `syftbox` program as a library: command line, sandbox, local files, OAuth.

pub mod cli;
pub mod demo;
pub mod jobs;
pub mod native;
pub mod notebook;
pub mod oauth;
pub mod policy;
pub mod runtime;
pub mod sandbox;
