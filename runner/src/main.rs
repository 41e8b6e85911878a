//! The `syftbox` program.

use std::process::ExitCode;

use syftbox_runner::sandbox;

fn main() -> ExitCode {
    if sandbox::is_child() {
        return sandbox::child_main();
    }
    ExitCode::SUCCESS
}
