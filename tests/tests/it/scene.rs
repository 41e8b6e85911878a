//! What many tests begin with.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use syftbox_core::{
    drive::{Drive, Query},
    tokens::{AuthorizedUser, UserTokens},
};
use syftbox_tests::{OWNER, Person, SCIENTIST, Stage};

/// Another scientist's address.
pub(crate) const EVE: &str = "eve@other.org";

/// Owner and scientist are peers, and know it.
pub(crate) fn peers() -> Stage {
    let stage = Stage::open();
    stage.make_peers();
    stage.owner.ask(&["sync"]);
    stage
}

/// The owner publishes the dataset `name`, and the scientist has it.
pub(crate) fn publish(stage: &Stage, name: &str, mock: &str, private: &str) {
    let mock = stage.owner.write("mock/data.csv", mock);
    let private = stage.owner.write("private/data.csv", private);
    let (mock, private) = (mock.to_str().unwrap(), private.to_str().unwrap());
    let halves = ["--mock", mock, "--private", private, "--summary", "Some data", "--users", SCIENTIST];
    stage.owner.ask(&[&["dataset", "create", name], &halves[..]].concat());
    stage.scientist.ask(&["sync"]);
}

/// The scientist submits a script under `name`, and the owner receives it.
pub(crate) fn submit(stage: &Stage, name: &str, script: &str) {
    let script = stage.scientist.write(&format!("{name}/main.py"), script);
    stage.scientist.ask(&["job", "submit-python", OWNER, script.to_str().unwrap(), "--name", name]);
    stage.owner.ask(&["sync"]);
}

/// The status of the one job called `name`.
#[track_caller]
pub(crate) fn status(person: &Person, name: &str) -> String {
    let jobs = person.ask(&["job", "list"]);
    let job = jobs.as_array().unwrap().iter().find(|job| job["name"] == name);
    job.unwrap_or_else(|| panic!("no job {name} in {jobs}"))["status"].as_str().unwrap().to_owned()
}

/// What a sync refused, as one text.
pub(crate) fn refused(report: &Value) -> String {
    report["refused"].to_string()
}

/// The Drive as `person` may use it without our program, and what runs calls of it.
pub(crate) fn drive_of(stage: &Stage, person: &Person) -> (tokio::runtime::Runtime, Drive) {
    let platform = syftbox_runner::native::platform(person.path("by-hand")).unwrap();
    let user = AuthorizedUser::parse(&std::fs::read(person.token_file()).unwrap()).unwrap();
    let tokens = Arc::new(UserTokens::new(&platform, user, None));
    let drive = Drive::new(&platform, &stage.drive().url().parse().unwrap(), tokens);
    (tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(), drive)
}

/// What a Python peer of `version` writes.
pub(crate) fn python_version(version: &str) -> Vec<u8> {
    json!({
        "syft_client_version": version, "min_supported_syft_client_version": "0.1.0", "protocol_version": "1.0.0",
        "min_supported_protocol_version": "1.0.0", "updated_at": "2026-11-23T04:29:51.422803Z",
    })
    .to_string()
    .into_bytes()
}

/// Puts `content` into the version file of `person`, as another program would.
pub(crate) fn replace_version(stage: &Stage, person: &Person, content: &[u8]) {
    let (runtime, drive) = drive_of(stage, person);
    runtime.block_on(async {
        for file in drive.list(&Query::new().name_is("SYFT_version.json").owned_by_me(true)).await.unwrap() {
            drive.replace_content(&file.id, Bytes::copy_from_slice(content).into()).await.unwrap();
        }
    });
}
