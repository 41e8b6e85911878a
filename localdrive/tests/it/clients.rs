//! Fidelity, judged by clients that nobody here wrote: Google's own for Python and for Node.

use std::process::Command;

use crate::{
    environment::{clients, node, python},
    support::Bench,
};

/// Runs a client's script against a new drive. The script checks what it gets and ends with `ok`.
fn run(mut command: Command) {
    let bench = Bench::new();
    let dir = tempfile::tempdir().unwrap();
    command
        .env("DRIVE_URL", bench.drive.url())
        .env("ANN_TOKEN", "ann-token")
        .env("BOB_TOKEN", "bob-token")
        .current_dir(dir.path());
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && stdout.trim_end().ends_with("ok"),
        "{command:?} failed ({})\n{stdout}\n{stderr}",
        output.status
    );
    assert!(bench.drive.requests().count() > 20, "the client used another server");
}

#[test]
fn googles_python_client_works() {
    let mut command = Command::new(python());
    command.arg(clients().join("drive_client.py"));
    run(command);
}

#[test]
fn googles_node_client_works() {
    let mut command = Command::new("node");
    command.arg(clients().join("drive_client.cjs")).env("NODE_PATH", node().join("node_modules"));
    run(command);
}
