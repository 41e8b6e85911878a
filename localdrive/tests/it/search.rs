//! Searches: every operator of `q`, and what an account may find.

use serde_json::json;

use crate::support::{Bench, FOLDER, with_params};

#[tokio::test]
async fn every_operator_finds_what_it_should() {
    let bench = Bench::new();
    let (ann, bob) = (bench.client("ann"), bench.client("bob"));
    let folder = ann.folder("SyftBox", "root").await;
    let inbox = ann.folder("syft_datasite#0.10.0#bob@x.org#inbox#ann@x.org", &folder).await;
    ann.share(&inbox, "bob@x.org", "writer").await.ok();
    ann.upload("HelloWorld.txt", &folder, b"a").await;
    let quoted = ann.upload("it's a \\ file", &folder, b"b").await;
    let described = json!({"description": "Hello there world", "starred": true,
        "properties": {"p": "it's"}, "appProperties": {"syft_shared_with_any": "true"},
        "modifiedTime": "2020-01-02T03:04:05.678Z", "viewedByMeTime": "2021-01-01T00:00:00Z"});
    ann.patch(&format!("/drive/v3/files/{quoted}"), described).await.ok();
    bob.upload("from bob", &inbox, b"c").await;

    let (box_, in_, hello, its, bobs) = (
        "SyftBox",
        "syft_datasite#0.10.0#bob@x.org#inbox#ann@x.org",
        "HelloWorld.txt",
        "it's a \\ file",
        "from bob",
    );
    let in_folder = format!("'{folder}' in parents and name contains 'hello'");
    let cases: Vec<(&str, Vec<&str>)> = vec![
        ("name = 'SyftBox'", vec![box_]),
        ("name='syftbox'", vec![]),
        ("name != 'SyftBox' and mimeType = 'application/vnd.google-apps.folder'", vec![in_]),
        (r"name = 'it\'s a \\ file'", vec![its]),
        ("name contains 'hello'", vec![hello]),
        ("name contains 'World'", vec![]),
        ("name contains 'inbox'", vec![in_]),
        ("name contains 'syft_datasite#0.10.0#bob'", vec![in_]),
        ("mimeType != 'application/vnd.google-apps.folder'", vec![hello, bobs, its]),
        ("mimeType contains 'text/'", vec![hello, bobs, its]),
        ("fullText contains 'there'", vec![its]),
        ("fullText contains '\"hello there\"'", vec![its]),
        ("fullText contains 'ther'", vec![]),
        ("'root' in parents", vec![box_]),
        (&in_folder, vec![hello]),
        ("'nowhere' in parents", vec![]),
        ("'me' in owners", vec![hello, box_, its, in_]),
        ("not 'me' in owners", vec![bobs]),
        ("'bob@x.org' in owners", vec![bobs]),
        ("'BOB@x.org' in writers", vec![bobs, in_]),
        ("'bob@x.org' in readers and not 'bob@x.org' in owners", vec![in_]),
        ("'no address' in owners", vec![]),
        ("trashed = true", vec![]),
        ("starred = true", vec![its]),
        ("starred", vec![its]),
        ("starred != true and 'me' in owners and name contains 'syft'", vec![box_, in_]),
        ("sharedWithMe", vec![]),
        ("modifiedTime < '2020-06-01T00:00:00'", vec![its]),
        ("modifiedTime = '2020-01-02T03:04:05.678+00:00'", vec![its]),
        ("modifiedTime >= '2020-01-02T04:04:05.678+01:00' and modifiedTime <= '2020-01-02'", vec![]),
        ("createdTime > '2020-06-01T12:00:00' and name contains 'it'", vec![its]),
        ("viewedByMeTime > '2020-06-01'", vec![its]),
        (r"properties has { key='p' and value='it\'s' }", vec![its]),
        ("appProperties has {key='syft_shared_with_any' and value='true'}", vec![its]),
        ("appProperties has {key='p' and value='it'}", vec![]),
        ("visibility = 'limited' and name = 'SyftBox'", vec![box_]),
        ("visibility != 'limited'", vec![]),
        ("name = 'SyftBox' or name contains 'hello' and starred", vec![box_]),
        ("(name = 'SyftBox' or name contains 'hello') and not starred", vec![hello, box_]),
        ("not (starred or mimeType = 'text/plain') and trashed=false", vec![box_, in_]),
    ];
    for (query, mut expected) in cases {
        expected.sort_unstable();
        assert_eq!(ann.search(query).await, expected, "{query}");
    }
    assert_eq!(bob.search("sharedWithMe and trashed = false").await, [in_]);
    assert_eq!(bob.search("").await, [bobs, in_]);
    assert_eq!(bob.search("name contains 'syft' and not 'me' in owners").await, [in_]);
    assert!(bench.client("eve").search("").await.is_empty());
}

#[tokio::test]
async fn what_is_no_query_is_refused() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let deep = format!("{}starred{}", "(".repeat(500), ")".repeat(500));
    let long = vec!["starred"; 3000].join(" or ");
    for bad in [
        "name",
        "name = ",
        "name = SyftBox",
        "name = 'x",
        "name like 'x'",
        "nome = 'x'",
        "title = 'x'",
        "'x' in",
        "'x' in folders",
        "parents in 'x'",
        "name = 'x' and",
        "name = 'x' 'y'",
        "(name = 'x'",
        "name = 'x')",
        "trashed = maybe",
        "trashed = 'true'",
        "modifiedTime > 'yesterday'",
        "modifiedTime contains '2020'",
        "properties has {key='a'}",
        "properties has {value='a' and key='b'}",
        "properties = 'a'",
        "fullText = 'a'",
        "name > 'a'",
        "not",
        "and",
        "\"name\" = 'x'",
        "name = 'x' && starred",
        &deep,
        &long,
    ] {
        assert_eq!(ann.list(&[("q", bad)]).await.refused(400), "invalid", "{bad}");
    }
}

#[tokio::test]
async fn a_link_opens_a_folder_that_no_search_finds() {
    let bench = Bench::new();
    let (ann, eve) = (bench.client("ann"), bench.client("eve"));
    let folder = ann.folder("public", "root").await;
    ann.upload("in", &folder, b"x").await;
    let permissions = format!("/drive/v3/files/{folder}/permissions");
    ann.post(&permissions, json!({"type": "anyone", "role": "reader"})).await.ok();
    assert!(eve.search("name = 'public'").await.is_empty());
    assert_eq!(eve.search(&format!("'{folder}' in parents")).await, ["in"]);
    assert_eq!(ann.search("visibility = 'anyoneWithLink'").await, ["in", "public"]);
    let discoverable =
        json!({"type": "domain", "domain": "y.org", "role": "reader", "allowFileDiscovery": true});
    ann.post(&permissions, discoverable).await.ok();
    assert_eq!(eve.search("name = 'public'").await, ["public"]);
    assert!(bench.client("bob").search("").await.is_empty());
}

#[tokio::test]
async fn a_long_query_may_come_in_the_body_of_a_post() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    ann.folder("found", "root").await;
    let query = with_params("", &[("q", &format!("mimeType = '{FOLDER}' and name = 'found'"))]);
    let request = ann
        .request(reqwest::Method::POST, "/drive/v3/files")
        .header("x-http-method-override", "GET")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(query.trim_start_matches('?').to_owned());
    assert_eq!(ann.send(request).await.ok()["files"][0]["name"], "found");
}
