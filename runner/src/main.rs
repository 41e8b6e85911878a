//! The `syftbox` program.

fn main() {}
