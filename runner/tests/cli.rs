//! The command line as a user meets it: what it prints where, and its exit codes.

#![cfg(test)]

use std::process::{Command, Output};

use tempfile::TempDir;

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
