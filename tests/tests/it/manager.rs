//! The manager's calls as notebooks make them, and their commands.

use std::sync::Arc;

use serde_json::json;
use syftbox_core::{
    ManagerError, SyftboxManager,
    manager::NotebookOptions,
    tokens::{AuthorizedUser, UserTokens},
    wire::PeerState,
};
use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

use crate::scene::{self, EVE};

/// The manager of `person` in a notebook with this setting, in the folder `home/SyftBox_…`.
async fn notebook(
    stage: &Stage,
    person: &Person,
    options: NotebookOptions,
) -> Result<SyftboxManager, ManagerError> {
    let home = person.path("home").to_string_lossy().into_owned();
    let platform = syftbox_runner::native::platform(options.jupyter_folder(&home)).unwrap();
    let user = AuthorizedUser::parse(&std::fs::read(person.token_file()).unwrap()).unwrap();
    let tokens = Arc::new(UserTokens::new(&platform, user, None));
    SyftboxManager::for_jupyter(options.drive_url(stage.drive().url()), &home, platform, tokens).await
}

fn options(email: &str) -> NotebookOptions {
    NotebookOptions::new(email.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notebooks_lists_sync_first_unless_told_not_to() {
    let stage = tokio::task::spawn_blocking(scene::peers).await.unwrap();
    let both = options(OWNER).only_ds(true).only_datasite_owner(true);
    let error = notebook(&stage, &stage.owner, both).await.err().unwrap();
    assert!(matches!(error, ManagerError::BothOnly), "{error}");

    let mut owner = notebook(&stage, &stage.owner, options(OWNER).only_datasite_owner(true)).await.unwrap();
    let mut quiet = options(SCIENTIST).only_ds(true).pre_sync(false);
    let mut scientist = notebook(&stage, &stage.scientist, quiet.clone()).await.unwrap();
    assert!(owner.is_do() && !scientist.is_do());
    assert!(owner.syftbox_folder().ends_with("home/SyftBox_do@test.org"), "{}", owner.syftbox_folder());
    assert_eq!(owner.email().as_str(), OWNER);
    assert_eq!(owner.peers().await.unwrap()[0].email.as_str(), SCIENTIST);
    stage.drive().requests().reset();
    let seen = scientist.peers().await.unwrap();
    assert_eq!(
        seen[0].state,
        PeerState::RequestedByPeer,
        "the login saw the folders, and nothing was read since"
    );
    assert!(scientist.jobs().await.unwrap().is_empty() && scientist.datasets().await.unwrap().is_empty());
    assert_eq!(stage.drive().requests().count(), 0);
    assert_eq!(scientist.load_peers().await.unwrap()[0].state, PeerState::Accepted);
    drop(scientist);
    quiet = quiet.pre_sync(true);
    let mut scientist = notebook(&stage, &stage.scientist, quiet).await.unwrap();
    stage.drive().requests().reset();
    assert!(scientist.jobs().await.unwrap().is_empty());
    assert!(stage.drive().requests().count() > 0);
    let error = scientist.explain_permission("x", &OWNER.parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("role do"), "{error}");
    let path = scientist.resolve_path("syft://do@test.org/public/a").unwrap();
    assert!(path.ends_with("SyftBox_ds@test.org/do@test.org/public/a"), "{path}");
    // The people's machines run their Drive's last requests outside of this runtime.
    tokio::task::spawn_blocking(move || drop(stage)).await.unwrap();
}

#[test]
fn lists_sync_first_when_asked_to() {
    let stage = scene::peers();
    let script = stage.scientist.write("main.py", "print(1)\n");
    stage.scientist.ask(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", "new"]);
    assert_eq!(stage.owner.ask(&["job", "list"]), json!([]));
    let mut command = stage.owner.command();
    let quiet =
        command.args(["job", "list", "--refresh", "--json"]).env("PRE_SYNC", "false").output().unwrap();
    assert_eq!(String::from_utf8(quiet.stdout).unwrap().trim(), "[]");
    assert_eq!(stage.owner.ask(&["job", "list", "--refresh"])[0]["name"], "new");

    let file = stage.owner.write("data.csv", "a\n1\n");
    let file = file.to_str().unwrap();
    let create =
        ["dataset", "create", "d", "--mock", file, "--private", file, "--users", SCIENTIST, "--sync"];
    stage.owner.ask(&create);
    assert_eq!(stage.scientist.ask(&["dataset", "list"]), json!([]));
    assert_eq!(stage.scientist.ask(&["dataset", "list", "--refresh"])[0]["name"], "d");
    stage.owner.ask(&["dataset", "share", "d", "--users", "any", "--sync"]);
    stage.owner.ask(&["dataset", "delete", "d", "--yes", "--sync"]);
    assert_eq!(stage.scientist.ask(&["dataset", "list", "--refresh"]), json!([]));
}

#[test]
fn asking_again_costs_nothing_unless_forced() {
    let stage = scene::peers();
    let requests = |arguments: &[&str]| {
        stage.drive().requests().reset();
        let peers = stage.scientist.ask(arguments);
        assert_eq!(peers[0]["state"], "accepted", "{peers}");
        stage.drive().requests().count()
    };
    assert_eq!(requests(&["peer", "add", OWNER]), 1);
    assert!(requests(&["peer", "add", OWNER, "--force"]) > 1);
}

#[test]
fn a_peer_may_be_approved_before_it_asked() {
    let stage = scene::peers();
    let eve = stage.newcomer(EVE, Some("ds"));
    eve.ask(&["login"]);
    stage.owner.run(&["peer", "approve", EVE]).failed().says(&["has not asked"]);
    let approved = stage.owner.ask(&["peer", "approve", EVE, "--without-request"]);
    assert_eq!(approved[0]["state"], "accepted");
    eve.ask(&["peer", "add", OWNER]);
    assert_eq!(eve.ask(&["peer", "list", "--refresh"])[0]["state"], "accepted");
}

#[test]
fn an_address_leads_to_a_file() {
    let stage = scene::peers();
    let path = stage.owner.ask(&["resolve-path", "syft://do@test.org/public/syft_datasets/d"]);
    let expected = stage.owner.folder().join("do@test.org/public/syft_datasets/d");
    assert_eq!(path, json!(expected));
    for bad in ["do@test.org/x", "syft://do@test.org", "syft://do@test.org/../x", "syft:///x"] {
        stage.owner.run(&["resolve-path", bad]).failed().says(&["syft://"]);
    }
}

#[test]
fn colab_uses_the_machines_default_credentials() {
    let stage = Stage::open();
    let login = |credentials: &std::path::Path| {
        let mut command = std::process::Command::new(syftbox_tests::program());
        command
            .env_clear()
            .env("HOME", stage.owner.path("home"))
            .env("GOOGLE_APPLICATION_CREDENTIALS", credentials);
        command.args(["--colab", "--email", OWNER, "--drive-url", stage.drive().url(), "--folder"]);
        command.arg(stage.owner.path("colab")).arg("login").output().unwrap()
    };
    let none = login(&stage.owner.path("none.json"));
    assert!(!none.status.success());
    assert!(String::from_utf8(none.stderr).unwrap().contains("none.json"));
    let before = std::fs::read(stage.owner.token_file()).unwrap();
    let done = login(&stage.owner.token_file());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(std::fs::read(stage.owner.token_file()).unwrap(), before, "the machine's file stays as it is");
}
