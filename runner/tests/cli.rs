//! The command line as a user meets it: what it prints where, and its exit codes.

#![cfg(test)]

use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use syftbox_localdrive::{Accounts, RunningDrive};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Calls the program with nothing of this machine's own settings.
fn syftbox(home: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syftbox"));
    command.env_clear().env("HOME", home.path()).current_dir(home.path());
    command.args(arguments).output().unwrap()
}

/// What a failed command says, with the exit code before it. Its stdout must be empty.
fn failure(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = syftbox(&home, arguments);
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8(output.stderr).unwrap().replace(home.path().to_str().unwrap(), "~");
    format!("{}: {said}", output.status.code().unwrap())
}

#[test]
fn help_names_every_command() {
    let home = tempfile::tempdir().unwrap();
    let help = syftbox(&home, &["-h"]);
    assert!(help.status.success());
    insta::assert_snapshot!(String::from_utf8(help.stdout).unwrap());
}

#[test]
fn wrong_usage_is_exit_code_2() {
    insta::assert_snapshot!(failure(&["sync"]), @"2: error: whose account is it? Say it with --email ADDRESS, or set SYFTBOX_EMAIL");
    insta::assert_snapshot!(
        failure(&["--email", "ann@x.org", "dataset", "delete", "d"]),
        @"2: error: the dataset d, both halves of it, would be deleted for good; add --yes if that is what you want"
    );
    for wrong in [&["sync", "--fast"] as &[&str], &["--role", "boss", "sync"], &["job"], &[]] {
        assert!(failure(wrong).starts_with("2: "), "{wrong:?}");
    }
}

#[test]
fn bad_input_is_exit_code_1_with_a_way_out() {
    let ann = |more: &[&'static str]| failure(&[&["--json", "--email", "ann@x.org"], more].concat());
    insta::assert_snapshot!(
        failure(&["--email", "ann", "sync"]),
        @r#"1: error: "ann" is not an e-mail address: it has no @; write it like name@example.org"#
    );
    insta::assert_snapshot!(
        ann(&["sync"]),
        @"1: error: there is no token file at ~/.config/syftbox/ann@x.org.token.json; run `syftbox login --client-secret FILE` to log in with a browser, or name another file with --token-path"
    );
    insta::assert_snapshot!(
        ann(&["dataset", "create", "../x", "--mock", "m", "--private", "p"]),
        @r#"1: error: "../x" cannot be a dataset's name; use up to 128 letters, digits, _ and -, and not v1 or the like"#
    );
    insta::assert_snapshot!(
        ann(&["dataset", "create", "x", "--mock", "m", "--private", "p"]),
        @"1: error: m can't be used: No such file or directory (os error 2); check the path"
    );
    insta::assert_snapshot!(
        ann(&["--drive-url", "localhost", "login"]),
        @r#"1: error: "localhost" is not the address of a Drive (relative URL without a base); give --drive-url like http://127.0.0.1:8080"#
    );
    insta::assert_snapshot!(
        failure(&["drive", "add-account", "ann@x.org", "--dir", "d"]),
        @"1: error: the local Drive in d was never started; run `syftbox drive serve --dir d` first"
    );
}

/// Follows the address that the program shows, as a browser does.
async fn browse(home: &TempDir, said: tokio::process::ChildStderr) {
    // Sets up TLS for the client below.
    let _platform = syftbox_runner::native::platform(home.path()).unwrap();
    let mut lines = BufReader::new(said).lines();
    let mut told = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("http://") {
            reqwest::get(&line).await.unwrap().error_for_status().unwrap();
        }
        told.push(line);
    }
    assert!(told.iter().any(|line| line.starts_with("http://")), "{told:?}");
}

#[tokio::test]
async fn a_login_with_a_browser_is_enough_for_later_commands() {
    let home = tempfile::tempdir().unwrap();
    let accounts = Accounts::new([("anns-token", "ann@x.org")]).unwrap();
    let drive = RunningDrive::start(&home.path().join("drive"), accounts).unwrap();
    let url = drive.url();
    let client = json!({ "installed": { "client_id": "desktop", "client_secret": "s",
        "auth_uri": format!("{url}/o/oauth2/v2/auth"), "token_uri": format!("{url}/token") } });
    std::fs::write(home.path().join("client.json"), client.to_string()).unwrap();

    let mut login = tokio::process::Command::new(env!("CARGO_BIN_EXE_syftbox"))
        .args(["--json", "--email", "ann@x.org", "--drive-url", url, "--token-path", "tokens/ann.json"])
        .args(["login", "--client-secret", "client.json", "--no-browser"])
        .env_clear()
        .env("HOME", home.path())
        .current_dir(home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let said = login.stderr.take().unwrap();
    let (output, ()) = tokio::join!(login.wait_with_output(), browse(&home, said));
    let output = output.unwrap();
    assert!(output.status.success());
    let folder = home.path().join("SyftBox_ann@x.org");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document, json!({"email": "ann@x.org", "folder": folder}));
    let token = home.path().join("tokens/ann.json");
    assert_eq!(std::fs::metadata(token).unwrap().permissions().mode() & 0o777, 0o600);

    let sync = syftbox(&home, &["--email", "ann@x.org", "sync"]);
    assert!(sync.status.success(), "{}", String::from_utf8_lossy(&sync.stderr));
    assert_eq!(String::from_utf8(sync.stdout).unwrap(), "nothing new\n");
}
