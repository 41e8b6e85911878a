//! Conversations with Python peers: the real packages in processes of their own, on one local Drive with our program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod conversation;
mod player;
mod python;
mod rust;
