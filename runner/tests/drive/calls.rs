//! Small calls: making, finding, sharing, moving, following.

use std::collections::BTreeMap;

use bytes::Bytes;
use syftbox_core::drive::{BatchCall, Content, DriveError, Grantee, NewFile, Query, Role};
use syftbox_localdrive::{Fault, When};

use crate::support::{Scene, folder, new_file, text};

#[tokio::test]
async fn a_file_from_its_making_to_its_end() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    assert_eq!(ann.about().await.unwrap(), "Ann@Example.org".parse().unwrap());
    let inbox = folder(&ann, "it's \\ an inbox").await;
    assert!(inbox.is_folder() && inbox.owned_by_me);

    let mut new = new_file(&ann, "message", &inbox.id).await;
    new.app_properties.insert("syft_shared_with_any".to_owned(), "true".to_owned());
    let made = ann.upload(new, Content::Bytes(Bytes::from_static(b"\x00\r\n--bytes"))).await.unwrap();
    assert_eq!((made.size, made.parents.clone()), (Some(10), vec![inbox.id.clone()]));
    assert_eq!(made.owner, Some("ann@example.org".parse().unwrap()));
    assert!(made.md5.is_some() && made.created.is_some() && made.version.is_some());
    assert_eq!(ann.download(&made.id, 10).await.unwrap(), &b"\x00\r\n--bytes"[..]);

    let found =
        ann.list(&Query::new().name_is("it's \\ an inbox").folders().owned_by_me(true)).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&inbox));
    let query = Query::new().in_parent(&inbox.id).not_folders().app_property("syft_shared_with_any", "true");
    assert_eq!(ann.list(&query).await.unwrap().len(), 1);
    assert_eq!(ann.list(&Query::new().name_prefix("mess").owned_by_me(false)).await.unwrap(), []);

    let replaced = ann.replace_content(&made.id, Content::Bytes(Bytes::from_static(b"new"))).await.unwrap();
    assert_eq!((replaced.id.clone(), replaced.size), (made.id.clone(), Some(3)));
    let properties = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
    let renamed = ann.describe(&made.id, Some("renamed"), &properties).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.app_properties.len()), ("renamed", 2));

    let archive = folder(&ann, "archive").await;
    ann.move_to(&made.id, &inbox.id, &archive.id).await.unwrap();
    assert_eq!(ann.get(&made.id).await.unwrap().unwrap().parents, [archive.id]);

    ann.trash(&made.id).await.unwrap();
    assert!(ann.get(&made.id).await.unwrap().unwrap().trashed);
    ann.delete(&made.id).await.unwrap();
    ann.delete(&made.id).await.unwrap();
    assert_eq!(ann.get(&made.id).await.unwrap(), None);
    assert!(ann.download(&made.id, 9).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn sharing_decides_who_sees_and_writes() {
    let scene = Scene::new();
    let (ann, ben) = (scene.drive("ann"), scene.drive("ben"));
    let outbox = folder(&ann, "outbox").await;
    let file = text(&ann, "event", &outbox.id, "e").await;
    assert_eq!(ben.get(&outbox.id).await.unwrap(), None);

    let ben_as_grantee = Grantee::User("ben@example.org".parse().unwrap());
    ann.share(&outbox.id, ben_as_grantee.clone(), Role::Reader).await.unwrap();
    let seen = ben.list(&Query::new().name_is("event").owned_by_me(false)).await.unwrap();
    assert_eq!(seen[0].owner, Some("ann@example.org".parse().unwrap()));
    let refused = ben.replace_content(&file.id, Content::Bytes(Bytes::new())).await.unwrap_err();
    assert!(matches!(refused, DriveError::Forbidden { .. }), "{refused}");

    ann.share(&outbox.id, ben_as_grantee.clone(), Role::Writer).await.unwrap();
    let permissions = ann.permissions(&outbox.id).await.unwrap();
    assert_eq!(permissions.len(), 1, "the role is replaced: {permissions:?}");
    assert_eq!((&permissions[0].grantee, permissions[0].role), (&ben_as_grantee, Role::Writer));
    let bens = text(&ben, "from ben", &outbox.id, "b").await;
    assert_eq!(ann.get(&bens.id).await.unwrap().unwrap().owner, Some("ben@example.org".parse().unwrap()));

    ann.unshare(&outbox.id, &ben_as_grantee).await.unwrap();
    ann.unshare(&outbox.id, &ben_as_grantee).await.unwrap();
    assert_eq!(ben.get(&file.id).await.unwrap(), None);
    ann.share(&file.id, Grantee::Anyone, Role::Reader).await.unwrap();
    assert_eq!(scene.drive("cleo").download(&file.id, 9).await.unwrap(), "e");
}

#[tokio::test]
async fn lists_have_all_pages() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    let mut parents = Vec::new();
    for number in 0..3 {
        let parent = folder(&ann, &format!("inbox {number}")).await;
        for name in ["a", "b", "c"] {
            text(&ann, name, &parent.id, "x").await;
        }
        parents.push(parent.id);
    }
    scene.faults().limit_pages(2);
    let found = ann.list(&Query::new().in_any_parent(&parents)).await.unwrap();
    assert_eq!(found.len(), 9);
}

#[tokio::test]
async fn a_lost_answer_makes_nothing_twice() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    scene.faults().next(1, When::method("POST").path("/drive/v3/files"), Fault::DropAnswer);
    let inbox = folder(&ann, "inbox").await;
    scene.faults().next(1, When::method("POST").path("/upload/"), Fault::DropAnswer);
    let file = text(&ann, "message", &inbox.id, "m").await;
    assert_eq!(ann.list(&Query::new().name_is("inbox")).await.unwrap(), std::slice::from_ref(&inbox));
    assert_eq!(ann.list(&Query::new().name_is("message")).await.unwrap(), std::slice::from_ref(&file));

    let archive = folder(&ann, "archive").await;
    scene.faults().next(1, When::method("PATCH"), Fault::DropAnswer);
    ann.move_to(&file.id, &inbox.id, &archive.id).await.unwrap();
    scene.faults().next(1, When::method("DELETE"), Fault::DropAnswer);
    ann.delete(&file.id).await.unwrap();
    assert_eq!(ann.get(&file.id).await.unwrap(), None);
}

#[tokio::test]
async fn changes_tell_of_all_folders_of_both_sides() {
    let scene = Scene::new();
    let (ann, ben) = (scene.drive("ann"), scene.drive("ben"));
    let from = ben.start_page_token().await.unwrap();
    let inbox = folder(&ann, "inbox").await;
    ann.share(&inbox.id, Grantee::User("ben@example.org".parse().unwrap()), Role::Writer).await.unwrap();
    let (kept, gone) = (text(&ann, "kept", &inbox.id, "k").await, text(&ann, "gone", &inbox.id, "g").await);

    scene.faults().limit_pages(1);
    let first = ben.changes(&from).await.unwrap();
    let ids: Vec<_> = first.changes.iter().map(|change| &change.id).collect();
    assert!([&inbox.id, &kept.id, &gone.id].iter().all(|id| ids.contains(id)), "{ids:?}");
    assert!(first.changes.iter().all(|change| change.file.is_some()));

    ann.delete(&gone.id).await.unwrap();
    let second = ben.changes(&first.next).await.unwrap();
    assert_eq!(second.changes.len(), 1);
    assert_eq!((&second.changes[0].id, &second.changes[0].file), (&gone.id, &None));
    assert_eq!(ben.changes(&second.next).await.unwrap().changes, []);
}

#[tokio::test]
async fn a_batch_is_one_request_and_retries_only_what_failed() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    let ids = ann.generate_ids(5).await.unwrap();
    let create = |n: usize| {
        BatchCall::CreateFolder(NewFile::new(ids[n].clone(), format!("f{n}"), NewFile::my_drive()))
    };
    let made = ann.batch((0..4).map(create).collect()).await.unwrap();
    assert!(made.iter().all(|one| one.as_ref().unwrap().as_ref().unwrap().is_folder()));
    assert_eq!(scene.requests("POST"), 1);

    let file = text(&ann, "file", &ids[0], "x").await;
    scene.server.requests().reset();
    scene.faults().next(1, When::method("DELETE").path(ids[3].as_str()), Fault::Status(503, None));
    let grantee = Grantee::User("ben@example.org".parse().unwrap());
    let results = ann
        .batch(vec![
            BatchCall::Get(ids[1].clone()),
            BatchCall::Move { id: file.id.clone(), from: ids[0].clone(), to: ids[1].clone() },
            BatchCall::Share { id: ids[2].clone(), grantee, role: Role::Reader },
            BatchCall::Delete(ids[3].clone()),
            BatchCall::Get(ids[4].clone()),
            create(0),
            BatchCall::Share { id: ids[4].clone(), grantee: Grantee::Anyone, role: Role::Reader },
        ])
        .await
        .unwrap();
    let told: Vec<_> =
        results.iter().map(|one| one.as_ref().map(Option::is_some).map_err(ToString::to_string)).collect();
    assert_eq!(told[..6], [Ok(true), Ok(true), Ok(false), Ok(false), Ok(false), Ok(true)]);
    assert!(results[6].as_ref().unwrap_err().is_not_found(), "nothing has the last id");
    assert_eq!(ann.get(&file.id).await.unwrap().unwrap().parents, [ids[1].clone()]);
    assert_eq!(ann.get(&ids[3]).await.unwrap(), None);
    assert_eq!(ann.permissions(&ids[2]).await.unwrap().len(), 1);
    assert_eq!(scene.requests("POST"), 2, "the second has the one call that failed");
}

#[tokio::test]
async fn a_lost_batch_makes_nothing_twice() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    let ids = ann.generate_ids(3).await.unwrap();
    let creates =
        ids.iter().map(|id| BatchCall::CreateFolder(NewFile::new(id.clone(), "twin", NewFile::my_drive())));
    scene.faults().next(1, When::method("POST").path("/batch/"), Fault::DropAnswer);
    let made = ann.batch(creates.collect()).await.unwrap();
    assert!(made.iter().all(|one| one.as_ref().is_ok_and(Option::is_some)), "{made:?}");
    assert_eq!(ann.list(&Query::new().name_is("twin")).await.unwrap().len(), 3);
}
