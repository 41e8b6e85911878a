//! The server as its clients see it, over HTTP.

#![cfg(test)]

mod batch;
mod changes;
mod clients;
mod crash;
mod environment;
mod faults;
mod files;
mod oauth;
mod permissions;
mod search;
mod support;
mod uploads;
