//! The `syftbox` program.

use std::process::ExitCode;

use syftbox_runner::{cli, sandbox};

fn main() -> ExitCode {
    if sandbox::is_child() {
        return sandbox::child_main();
    }
    cli::main()
}
