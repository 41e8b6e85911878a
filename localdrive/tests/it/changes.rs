//! Following changes: what each account hears of.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Bench, Client, FOLDER, id_of, text};

async fn start(client: &Client) -> String {
    let token = client.get("/drive/v3/changes/startPageToken").await.ok();
    text(&token["startPageToken"])
}

/// All changes since `token`, over as many pages as it takes, and the token to go on with.
async fn follow(client: &Client, token: &str, page: usize) -> (Vec<Value>, String) {
    let (mut changes, mut token) = (Vec::new(), token.to_owned());
    loop {
        let path = format!("/drive/v3/changes?pageToken={token}&pageSize={page}&fields=*");
        let body = client.get(&path).await.ok();
        let found = body["changes"].as_array().unwrap();
        assert!(found.len() <= page);
        changes.extend(found.iter().cloned());
        match body["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => return (changes, text(&body["newStartPageToken"])),
        }
    }
}

fn names(changes: &[Value]) -> Vec<&str> {
    changes.iter().map(|change| change["file"]["name"].as_str().unwrap_or("removed")).collect()
}

#[tokio::test]
async fn an_account_hears_of_what_it_sees_and_of_nothing_else() {
    let bench = Bench::new();
    let (ann, bob) = (bench.client("ann"), bench.client("bob"));
    let (a, b) = (start(&ann).await, start(&bob).await);
    let folder = ann.folder("folder", "root").await;
    let id = ann.upload("file", &folder, b"x").await;
    let (changes, a) = follow(&ann, &a, 1).await;
    assert_eq!(names(&changes), ["folder", "file"]);
    assert_eq!(changes[1]["file"]["parents"], json!([folder]));
    assert_eq!((&changes[1]["type"], &changes[1]["removed"]), (&json!("file"), &json!(false)));
    assert!(follow(&ann, &a, 10).await.0.is_empty());
    let (changes, b) = follow(&bob, &b, 10).await;
    assert!(changes.is_empty());

    let permission = ann.share(&folder, "bob@x.org", "writer").await.ok();
    let (changes, b) = follow(&bob, &b, 10).await;
    assert_eq!(names(&changes), ["folder", "file"], "a shared folder brings all that is in it");
    bob.patch(&format!("/drive/v3/files/{id}"), json!({"name": "renamed"})).await.ok();
    bob.patch(&format!("/drive/v3/files/{id}"), json!({"name": "again"})).await.ok();
    let (changes, a) = follow(&ann, &a, 10).await;
    assert_eq!(names(&changes), ["folder", "again"], "only the latest change of a file is told");

    let path = format!("/drive/v3/files/{folder}/permissions/{}", text(&permission["id"]));
    ann.delete(&path).await.ok();
    let (changes, b) = follow(&bob, &b, 10).await;
    let removed: BTreeSet<&str> = changes.iter().map(|change| change["fileId"].as_str().unwrap()).collect();
    assert_eq!(removed, BTreeSet::from([folder.as_str(), id.as_str()]));
    assert!(changes.iter().all(|change| change["removed"] == true && change["file"] == Value::Null));

    ann.delete(&format!("/drive/v3/files/{folder}")).await.ok();
    let (changes, _) = follow(&ann, &a, 10).await;
    assert!(changes.iter().all(|change| change["removed"] == true));
    assert_eq!(changes.len(), 2);
    let path = format!("/drive/v3/changes?pageToken={a}&includeRemoved=false");
    assert_eq!(ann.get(&path).await.ok()["changes"], json!([]));
    assert!(follow(&bob, &b, 10).await.0.is_empty());
}

#[tokio::test]
async fn changes_survive_a_restart_and_wrong_tokens_are_refused() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let token = start(&ann).await;
    ann.folder("one", "root").await;
    ann.folder("two", "root").await;
    let bench = bench.restart();
    let ann = bench.client("ann");
    assert_eq!(names(&follow(&ann, &token, 10).await.0), ["one", "two"]);
    for bad in ["0", "-1", "x", "99999999"] {
        assert_eq!(ann.get(&format!("/drive/v3/changes?pageToken={bad}")).await.refused(400), "invalid");
    }
    assert_eq!(ann.get("/drive/v3/changes").await.refused(400), "required");
}

/// One thing that Ann does.
#[derive(Clone, Debug)]
enum Step {
    Create(usize),
    Share(usize, bool),
    Move(usize, usize),
    Trash(usize),
    Delete(usize),
    Rename(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => any::<usize>().prop_map(Step::Create),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(at, on)| Step::Share(at, on)),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(at, to)| Step::Move(at, to)),
        1 => any::<usize>().prop_map(Step::Trash),
        1 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::Rename),
    ];
    prop::collection::vec(step, 1..25)
}

/// What Bob would have in a copy of his view: id and name of each file that he finds.
async fn view(client: &Client) -> BTreeSet<(String, String)> {
    let list = client.get("/drive/v3/files?pageSize=1000").await.ok();
    let files = list["files"].as_array().unwrap().iter();
    files.map(|file| (text(&file["id"]), text(&file["name"]))).collect()
}

async fn take(ann: &Client, ids: &mut Vec<String>, number: usize, step: Step) {
    let pick = |at: usize| ids[at % ids.len()].clone();
    match step {
        Step::Create(at) => {
            let body = json!({"name": format!("f{number}"), "mimeType": FOLDER, "parents": [pick(at)]});
            // It is refused when the folder was deleted before.
            let answer = ann.post("/drive/v3/files", body).await;
            if answer.status == 200 {
                ids.push(id_of(&answer.json()));
            }
        }
        Step::Share(at, true) => drop(ann.share(&pick(at), "bob@x.org", "reader").await),
        Step::Share(at, false) => {
            let file = ann.file(&pick(at)).await.json();
            for id in file["permissionIds"].as_array().into_iter().flatten() {
                ann.delete(&format!("/drive/v3/files/{}/permissions/{}", pick(at), text(id))).await;
            }
        }
        Step::Move(at, to) => {
            let file = ann.file(&pick(at)).await.json();
            let from = file["parents"][0].as_str().unwrap_or_default();
            let path = format!("/drive/v3/files/{}?addParents={}&removeParents={from}", pick(at), pick(to));
            ann.patch(&path, json!({})).await;
        }
        Step::Trash(at) => {
            ann.patch(&format!("/drive/v3/files/{}", pick(at)), json!({"trashed": true})).await;
        }
        Step::Delete(at) => drop(ann.delete(&format!("/drive/v3/files/{}", pick(at))).await),
        Step::Rename(at) => {
            ann.patch(&format!("/drive/v3/files/{}", pick(at)), json!({"name": format!("n{number}")})).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whoever applies the changes to what they had has what a list gives.
    #[test]
    fn following_changes_keeps_a_copy_true(steps in steps()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let bench = Bench::new();
            let (ann, bob) = (bench.client("ann"), bench.client("bob"));
            let mut token = start(&bob).await;
            let mut ids = vec!["root".to_owned()];
            let mut copy = BTreeSet::new();
            for (number, step) in steps.into_iter().enumerate() {
                take(&ann, &mut ids, number, step).await;
                let (changes, next) = follow(&bob, &token, 3).await;
                token = next;
                for change in changes {
                    let id = text(&change["fileId"]);
                    copy.retain(|(known, _)| *known != id);
                    if change["removed"] == false {
                        copy.insert((id, text(&change["file"]["name"])));
                    }
                }
                assert_eq!(copy, view(&bob).await);
            }
        });
    }
}
