//! The Drive client and the native platform against a local Drive over real sockets.

#![cfg(test)]

mod calls;
mod errors;
mod login;
mod support;
mod transfer;
