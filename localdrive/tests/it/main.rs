//! The server as its clients see it, over HTTP.

mod files;
mod support;
