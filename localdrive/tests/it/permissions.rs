//! Sharing: who sees, writes, shares and deletes what.

use serde_json::{Value, json};

use crate::support::{Bench, id_of, text};

#[tokio::test]
async fn what_one_may_not_see_is_not_there() {
    let bench = Bench::new();
    let (ann, bob) = (bench.client("ann"), bench.client("bob"));
    let folder = ann.folder("mine", "root").await;
    let id = ann.upload("f", &folder, b"x").await;
    let path = format!("/drive/v3/files/{id}");
    for answer in [
        bob.get(&path).await,
        bob.get(&format!("{path}?alt=media")).await,
        bob.patch(&path, json!({"name": "y"})).await,
        bob.delete(&path).await,
        bob.post(&format!("{path}/copy"), json!({})).await,
        bob.get(&format!("{path}/permissions")).await,
        bob.share(&id, "bob@x.org", "owner").await,
        bob.try_upload("x", &folder, b"y").await,
    ] {
        assert_eq!(answer.refused(404), "notFound");
    }
}

#[tokio::test]
async fn each_role_may_do_its_own() {
    let bench = Bench::new();
    let (ann, bob, eve) = (bench.client("ann"), bench.client("bob"), bench.client("eve"));
    let folder = ann.folder("shared", "root").await;
    let id = ann.upload("f", &folder, b"x").await;
    let path = format!("/drive/v3/files/{id}");
    ann.share(&folder, "bob@x.org", "reader").await.ok();
    assert_eq!(bob.download(&id).await, b"x");
    assert_eq!(bob.patch(&path, json!({"starred": true})).await.status, 200);
    for answer in [
        bob.patch(&path, json!({"name": "y"})).await,
        bob.share(&id, "eve@y.org", "reader").await,
        bob.get(&format!("{path}/permissions")).await,
        bob.try_upload("x", &folder, b"y").await,
        bob.delete(&path).await,
    ] {
        assert_eq!(answer.refused(403), "insufficientFilePermissions");
    }
    assert_eq!(bob.file(&id).await.ok()["permissions"], Value::Null);

    ann.share(&folder, "bob@x.org", "writer").await.ok();
    assert_eq!(bob.patch(&path, json!({"name": "y"})).await.status, 200);
    let added = bob.upload("his", &folder, b"z").await;
    assert_eq!(ann.file(&added).await.ok()["owners"][0]["emailAddress"], "bob@x.org");
    assert_eq!(ann.patch(&format!("/drive/v3/files/{added}"), json!({"name": "renamed"})).await.status, 200);
    assert_eq!(bob.share(&folder, "eve@y.org", "reader").await.status, 200);
    assert_eq!(eve.download(&added).await, b"z");
    for answer in [
        bob.patch(&path, json!({"trashed": true})).await,
        bob.delete(&path).await,
        ann.delete(&format!("/drive/v3/files/{added}")).await,
    ] {
        assert_eq!(answer.refused(403), "insufficientFilePermissions");
    }
    ann.patch(&format!("/drive/v3/files/{folder}"), json!({"writersCanShare": false})).await.ok();
    assert_eq!(bob.share(&folder, "eve@y.org", "writer").await.refused(403), "cannotShare");
}

#[tokio::test]
async fn permissions_are_listed_changed_inherited_and_taken_back() {
    let bench = Bench::new();
    let (ann, bob) = (bench.client("ann"), bench.client("bob"));
    let folder = ann.folder("f", "root").await;
    let inner = ann.upload("inner", &folder, b"x").await;
    let permissions = format!("/drive/v3/files/{folder}/permissions");
    let created = ann.share(&folder, "Bob@X.org", "reader").await.ok();
    assert_eq!((&created["kind"], &created["type"]), (&json!("drive#permission"), &json!("user")));
    let again = ann.share(&folder, "bob@x.org", "writer").await.ok();
    assert_eq!(again["id"], created["id"]);
    let id = id_of(&created);

    let all = "fields=permissions(id,role,emailAddress,type,permissionDetails(inherited))";
    let listed = ann.get(&format!("{permissions}?{all}")).await.ok();
    let roles: Vec<(String, String)> = listed["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (text(&one["emailAddress"]), text(&one["role"])))
        .collect();
    assert_eq!(roles, [("ann@x.org".into(), "owner".into()), ("Bob@X.org".into(), "writer".into())]);
    assert_eq!(ann.file(&folder).await.ok()["shared"], true);

    let of_inner = format!("/drive/v3/files/{inner}/permissions");
    let inherited = ann.get(&format!("{of_inner}?{all}")).await.ok();
    assert_eq!(inherited["permissions"][1]["permissionDetails"][0]["inherited"], true);
    assert_eq!(ann.delete(&format!("{of_inner}/{id}")).await.refused(403), "cannotModifyInheritedPermission");

    ann.patch(&format!("{permissions}/{id}"), json!({"role": "reader"})).await.ok();
    assert_eq!(bob.patch(&format!("/drive/v3/files/{inner}"), json!({"name": "n"})).await.status, 403);
    assert_eq!(bob.get(&format!("{permissions}/{id}")).await.ok()["role"], "reader");
    assert_eq!(ann.delete(&format!("{permissions}/{id}")).await.status, 204);
    assert_eq!(bob.file(&inner).await.status, 404);
    assert_eq!(ann.delete(&format!("{permissions}/{id}")).await.refused(404), "notFound");
    assert_eq!(ann.file(&folder).await.ok()["shared"], false);

    ann.share(&folder, "bob@x.org", "reader").await.ok();
    assert_eq!(bob.delete(&format!("{permissions}/{id}")).await.status, 204);
    assert!(bob.search("").await.is_empty());
}

#[tokio::test]
async fn ownership_moves_only_when_asked_for_in_full() {
    let bench = Bench::new();
    let (ann, bob) = (bench.client("ann"), bench.client("bob"));
    let id = ann.upload("f", "root", b"x").await;
    let permissions = format!("/drive/v3/files/{id}/permissions");
    let body = json!({"type": "user", "role": "owner", "emailAddress": "bob@x.org"});
    assert_eq!(ann.post(&permissions, body.clone()).await.refused(403), "forbidden");
    let given = ann.post(&format!("{permissions}?transferOwnership=true"), body).await.ok();
    assert_eq!(given["role"], "owner");
    assert_eq!(bob.file(&id).await.ok()["ownedByMe"], true);
    assert_eq!(ann.patch(&format!("/drive/v3/files/{id}"), json!({"name": "still"})).await.status, 200);
    assert_eq!(ann.delete(&format!("/drive/v3/files/{id}")).await.status, 403);
    assert_eq!(bob.delete(&format!("/drive/v3/files/{id}")).await.status, 204);
}

#[tokio::test]
async fn an_expired_permission_is_none_and_a_wrong_one_is_refused() {
    let bench = Bench::new();
    let (ann, bob) = (bench.client("ann"), bench.client("bob"));
    let id = ann.upload("f", "root", b"x").await;
    let permissions = format!("/drive/v3/files/{id}/permissions");
    for (body, reason) in [
        (json!({"type": "user", "role": "reader"}), "invalidSharingRequest"),
        (json!({"type": "user", "role": "reader", "emailAddress": "nobody"}), "invalidSharingRequest"),
        (json!({"type": "robot", "role": "reader"}), "invalidSharingRequest"),
        (json!({"type": "domain", "role": "reader"}), "invalidSharingRequest"),
        (json!({"type": "anyone", "role": "king"}), "invalid"),
        (json!({"type": "anyone"}), "required"),
        (json!({"type": "anyone", "role": 7}), "parseError"),
    ] {
        assert_eq!(ann.post(&permissions, body).await.refused(400), reason);
    }
    let past = json!({"type": "user", "role": "reader", "emailAddress": "bob@x.org",
        "expirationTime": "2020-01-01T00:00:00Z"});
    assert_eq!(ann.post(&permissions, past).await.refused(400), "invalid");
    let future = json!({"type": "user", "role": "reader", "emailAddress": "bob@x.org",
        "expirationTime": "2099-01-01T00:00:00Z"});
    ann.post(&permissions, future).await.ok();
    assert_eq!(bob.download(&id).await, b"x");
    assert_eq!(ann.share("root", "bob@x.org", "reader").await.refused(403), "cannotShare");
}
