//! Files and folders: their life from creation to deletion, and what answers show of them.

use serde_json::{Value, json};

use crate::support::{Bench, FOLDER, http, id_of, text, with_params};

#[tokio::test]
async fn a_file_is_created_read_changed_and_deleted() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let folder = ann.folder("SyftBox", "root").await;
    let id = ann.upload("notes.txt", &folder, b"hello").await;
    let file = ann.file(&id).await.ok();
    assert_eq!(file["kind"], "drive#file");
    assert_eq!(file["size"], "5");
    assert_eq!(file["mimeType"], "text/plain");
    assert_eq!(file["md5Checksum"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(file["sha256Checksum"], "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_eq!(file["parents"], json!([folder]));
    assert_eq!(file["owners"][0]["emailAddress"], "ann@x.org");
    assert_eq!((&file["ownedByMe"], &file["shared"]), (&json!(true), &json!(false)));
    assert_eq!(file["fileExtension"], "txt");
    assert_eq!(ann.download(&id).await, b"hello");

    let change = json!({"name": "new.txt", "starred": true, "appProperties": {"a": "1", "b": "2"}});
    ann.patch(&format!("/drive/v3/files/{id}"), change).await.ok();
    ann.patch(&format!("/drive/v3/files/{id}"), json!({"appProperties": {"a": null}})).await.ok();
    let changed = ann.file(&id).await.ok();
    assert_eq!((&changed["name"], &changed["starred"]), (&json!("new.txt"), &json!(true)));
    assert_eq!(changed["appProperties"], json!({"b": "2"}));
    let version = |file: &Value| text(&file["version"]).parse::<u64>().unwrap();
    assert!(version(&changed) > version(&file));

    assert_eq!(ann.delete(&format!("/drive/v3/files/{id}")).await.status, 204);
    assert_eq!(ann.file(&id).await.refused(404), "notFound");
    assert_eq!(ann.delete(&format!("/drive/v3/files/{id}")).await.refused(404), "notFound");
}

#[tokio::test]
async fn an_answer_has_the_defaults_or_what_is_selected() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let id = ann.folder("a", "root").await;
    let file = ann.get(&format!("/drive/v3/files/{id}")).await.ok();
    assert_eq!(file, json!({"kind": "drive#file", "id": id, "name": "a", "mimeType": FOLDER}));
    let list = ann.list(&[]).await.ok();
    assert_eq!(list, json!({"kind": "drive#fileList", "incompleteSearch": false, "files": [file]}));
    let list = ann.list(&[("fields", "files(id,owners/emailAddress),nextPageToken")]).await.ok();
    assert_eq!(list, json!({"files": [{"id": id, "owners": [{"emailAddress": "ann@x.org"}]}]}));
    assert_eq!(ann.list(&[("fields", "files(id,nonsense)")]).await.refused(400), "invalidParameter");
    assert_eq!(ann.get("/drive/v3/about").await.refused(400), "required");
    let about = ann.get("/drive/v3/about?fields=user(emailAddress)").await.ok();
    assert_eq!(about, json!({"user": {"emailAddress": "ann@x.org"}}));
}

#[tokio::test]
async fn two_files_may_have_one_name_and_a_generated_id_is_good_once() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let first = ann.upload("same", "root", b"1").await;
    let second = ann.upload("same", "root", b"2").await;
    assert_ne!(first, second);
    assert_eq!(ann.search("name = 'same'").await.len(), 2);

    let ids = ann.get("/drive/v3/files/generateIds?count=3&space=drive").await.ok();
    let id = text(&ids["ids"][2]);
    let body = json!({"id": id, "name": "once", "mimeType": FOLDER});
    assert_eq!(id_of(&ann.post("/drive/v3/files", body.clone()).await.ok()), id);
    assert_eq!(ann.post("/drive/v3/files", body).await.refused(409), "fileIdInUse");
    assert_eq!(ann.post("/drive/v3/files", json!({"id": "../x"})).await.refused(400), "invalidParameter");
}

#[tokio::test]
async fn moving_changes_the_parent_and_never_the_owner() {
    let bench = Bench::new();
    let (ann, bob) = (bench.client("ann"), bench.client("bob"));
    let inbox = bob.folder("inbox", "root").await;
    bob.share(&inbox, "ann@x.org", "writer").await.ok();
    let message = bob.upload("msg", &inbox, b"m").await;
    let archive = ann.folder("archive", "root").await;
    let path = format!("/drive/v3/files/{message}?addParents={archive}&fields=parents,ownedByMe");
    assert_eq!(ann.patch(&path, json!({})).await.refused(403), "cannotAddParent");
    let moved = ann.patch(&format!("{path}&removeParents={inbox}"), json!({})).await.ok();
    assert_eq!(moved, json!({"parents": [archive], "ownedByMe": false}));
    let seen = bob.file(&message).await.ok();
    assert_eq!((&seen["parents"], &seen["ownedByMe"]), (&Value::Null, &json!(true)));
    assert_eq!(ann.download(&message).await, b"m");
    assert!(bob.search(&format!("'{inbox}' in parents")).await.is_empty());
    assert_eq!(ann.search(&format!("'{archive}' in parents")).await, ["msg"]);

    let inner = ann.folder("inner", &archive).await;
    let into_itself = format!("/drive/v3/files/{archive}?addParents={inner}&removeParents=root");
    assert_eq!(ann.patch(&into_itself, json!({})).await.refused(403), "cyclicParents");
    let body = json!({"parents": [inner]});
    assert_eq!(ann.patch(&format!("/drive/v3/files/{archive}"), body).await.refused(403), "fieldNotWritable");
}

#[tokio::test]
async fn the_trash_takes_a_folder_with_all_in_it_and_gives_it_back() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let folder = ann.folder("f", "root").await;
    ann.upload("in", &folder, b"x").await;
    ann.patch(&format!("/drive/v3/files/{folder}"), json!({"trashed": true})).await.ok();
    assert_eq!(ann.search("trashed = true").await, ["f", "in"]);
    assert!(ann.search("trashed = false").await.is_empty());
    ann.patch(&format!("/drive/v3/files/{folder}"), json!({"trashed": false})).await.ok();
    assert_eq!(ann.search("not trashed").await, ["f", "in"]);
    ann.patch(&format!("/drive/v3/files/{folder}"), json!({"trashed": true})).await.ok();
    assert_eq!(ann.delete("/drive/v3/files/trash").await.status, 204);
    assert!(ann.search("").await.is_empty());
}

#[tokio::test]
async fn deleting_a_folder_leaves_what_others_own_with_them() {
    let bench = Bench::new();
    let (ann, bob) = (bench.client("ann"), bench.client("bob"));
    let folder = ann.folder("shared", "root").await;
    ann.share(&folder, "bob@x.org", "writer").await.ok();
    let deep = ann.folder("deep", &folder).await;
    let hers = ann.upload("hers", &deep, b"a").await;
    let his = bob.upload("his", &deep, b"b").await;
    assert_eq!(
        bob.delete(&format!("/drive/v3/files/{hers}")).await.refused(403),
        "insufficientFilePermissions"
    );
    assert_eq!(bob.delete(&format!("/drive/v3/files/{folder}")).await.status, 403);
    assert_eq!(ann.delete(&format!("/drive/v3/files/{folder}")).await.status, 204);
    assert_eq!(ann.file(&hers).await.status, 404);
    assert_eq!(bob.download(&his).await, b"b");
    assert_eq!(bob.search("'root' in parents").await, ["his"]);
}

#[tokio::test]
async fn a_copy_is_the_callers_own_and_lives_on_its_own() {
    let bench = Bench::new();
    let (ann, bob) = (bench.client("ann"), bench.client("bob"));
    for bytes in [b"small".to_vec(), vec![7; 300_000]] {
        let id = ann.upload("doc", "root", &bytes).await;
        ann.share(&id, "bob@x.org", "reader").await.ok();
        let copy = id_of(&bob.post(&format!("/drive/v3/files/{id}/copy"), json!({})).await.ok());
        ann.delete(&format!("/drive/v3/files/{id}")).await.ok();
        assert_eq!(bob.download(&copy).await, bytes);
        let file = bob.file(&copy).await.ok();
        assert_eq!((&file["name"], &file["ownedByMe"]), (&json!("Copy of doc"), &json!(true)));
    }
}

#[tokio::test]
async fn lists_are_paged_in_order_and_pages_survive_changes() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let folder = ann.folder("many", "root").await;
    for number in (0..25).rev() {
        ann.upload(&format!("file{number}"), &folder, &vec![0; number]).await;
    }
    let query = format!("'{folder}' in parents");
    for order in ["", "name_natural", "quotaBytesUsed desc", "folder,createdTime desc,name"] {
        let mut names = Vec::new();
        let mut token = String::new();
        loop {
            let params =
                [("q", query.as_str()), ("orderBy", order), ("pageSize", "7"), ("pageToken", &token)];
            let page = ann.list(&params).await.ok();
            let files = page["files"].as_array().unwrap().clone();
            assert!(files.len() <= 7);
            names.extend(files.iter().map(|file| text(&file["name"])));
            match page["nextPageToken"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => break,
            }
        }
        let mut expected: Vec<String> = (0..25).map(|number| format!("file{number}")).collect();
        match order {
            "" => {
                names.sort();
                expected.sort();
            }
            "quotaBytesUsed desc" => expected.reverse(),
            "name_natural" => {}
            _ => names.sort_by_key(|name| name[4..].parse::<u32>().unwrap()),
        }
        assert_eq!(names, expected, "{order}");
    }
    let first = ann.list(&[("q", &query), ("pageSize", "7"), ("orderBy", "name")]).await.ok();
    let token = text(&first["nextPageToken"]);
    let last = &first["files"][6]["id"];
    ann.delete(&format!("/drive/v3/files/{}", text(last))).await.ok();
    let params = [("q", query.as_str()), ("pageSize", "1000"), ("orderBy", "name"), ("pageToken", &token)];
    assert_eq!(ann.list(&params).await.ok()["files"].as_array().unwrap().len(), 18);
    assert_eq!(ann.list(&[("q", "trashed=true"), ("pageToken", &token)]).await.refused(400), "invalid");
    assert_eq!(ann.list(&[("pageSize", "1001")]).await.refused(400), "invalidParameter");
    assert_eq!(ann.list(&[("orderBy", "size")]).await.refused(400), "invalid");
    let wide =
        [("corpora", "allDrives"), ("includeItemsFromAllDrives", "true"), ("supportsAllDrives", "true")];
    assert_eq!(ann.list(&wide).await.status, 200);
}

#[tokio::test]
async fn ranges_of_small_and_large_bodies_are_served() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    for size in [1_000_usize, 700_000] {
        let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let id = ann.upload("data", "root", &bytes).await;
        let path = format!("/drive/v3/files/{id}?alt=media");
        for (range, from, to) in [("10-19", 10, 20), ("990-", 990, size), ("-5", size - 5, size)] {
            let request = ann.request(reqwest::Method::GET, &path).header("range", format!("bytes={range}"));
            let answer = ann.send(request).await;
            assert_eq!(answer.status, 206);
            assert_eq!(answer.header("content-range"), Some(&*format!("bytes {from}-{}/{size}", to - 1)));
            assert_eq!(answer.bytes, bytes[from..to]);
        }
        let beyond = ann.request(reqwest::Method::GET, &path).header("range", format!("bytes={size}-"));
        let answer = ann.send(beyond).await;
        assert_eq!(answer.header("content-range"), Some(&*format!("bytes */{size}")));
        assert_eq!(answer.refused(416), "requestedRangeNotSatisfiable");
    }
    let folder = ann.folder("f", "root").await;
    assert_eq!(
        ann.get(&format!("/drive/v3/files/{folder}?alt=media")).await.refused(403),
        "fileNotDownloadable"
    );
    let path = with_params(&format!("/drive/v3/files/{folder}/export"), &[("mimeType", "text/plain")]);
    assert_eq!(ann.get(&path).await.refused(403), "fileNotExportable");
}

#[tokio::test]
async fn who_has_no_token_gets_nothing_but_the_preflight() {
    let bench = Bench::new();
    let nobody = crate::support::Client::new(bench.drive.url(), "wrong");
    let answer = nobody.list(&[]).await;
    assert!(answer.header("www-authenticate").is_some());
    assert_eq!(answer.refused(401), "authError");
    let preflight = http(reqwest::Client::builder())
        .request(reqwest::Method::OPTIONS, format!("{}/upload/drive/v3/files", bench.drive.url()))
        .header("origin", "http://localhost:5173")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    let answer = nobody.send(preflight).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("authorization"));
    let exposed = nobody
        .send(nobody.request(reqwest::Method::GET, "/drive/v3/files").header("origin", "http://a"))
        .await;
    assert!(exposed.header("access-control-expose-headers").unwrap().contains("location"));
    assert_eq!(nobody.get("/nowhere").await.refused(404), "notFound");
    assert_eq!(nobody.post("/drive/v3/about", json!({})).await.refused(405), "httpMethodNotAllowed");
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_stored_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.client("ann").upload("large", "root", &vec![1; 100_000]).await;
    let mode = |path: &str| bench.dir.path().join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("metadata.redb"), mode("bodies"), mode("uploads")), (0o600, 0o700, 0o700));
}
