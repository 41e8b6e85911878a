//! Giving, taking and explaining access, and what peers get of it.

use serde_json::json;

use syftbox_tests::{OWNER, SCIENTIST, Stage};

use crate::scene::{self, EVE};

/// The owner's datasite has three reports.
fn with_reports() -> Stage {
    let stage = scene::peers();
    for name in ["a", "b", "c"] {
        stage.owner.write(&format!("SyftBox/{OWNER}/reports/2026/{name}.txt"), name);
    }
    stage
}

/// Which of the reports the scientist has after both synced.
fn received(stage: &Stage) -> Vec<&'static str> {
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    let folder = stage.scientist.folder().join(format!("{OWNER}/reports/2026"));
    ["a", "b", "c"].into_iter().filter(|name| folder.join(format!("{name}.txt")).exists()).collect()
}

#[test]
fn what_is_granted_arrives_and_nothing_else() {
    let stage = with_reports();
    let explain = |path: &str| stage.owner.ask(&["permission", "explain", path, SCIENTIST]);
    assert!(explain("reports/2026/a.txt")["why"].as_str().unwrap().contains("no syft.pub.yaml"));
    assert!(received(&stage).is_empty());

    let granted = stage.owner.ask(&["permission", "grant", "reports/2026/a.txt", SCIENTIST, "read"]);
    assert_eq!(
        (&granted["changed"], &granted["read"], &granted["write"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(granted["file"], "reports/2026/syft.pub.yaml");
    assert_eq!(received(&stage), ["a"]);
    let again = stage.owner.ask(&["permission", "grant", "reports/2026/a.txt", SCIENTIST, "read"]);
    assert_eq!(again["changed"], false);

    // The folder's own file decides already, so it gets the rule, and the one for eve stays.
    stage.owner.ask(&["permission", "grant", "reports/2026/c.txt", EVE, "write"]);
    stage.owner.ask(&["permission", "grant", "reports/2026", SCIENTIST, "read"]);
    assert_eq!(received(&stage), ["a", "b"], "c has a rule of its own");
    let folder = explain("reports/2026/");
    assert_eq!(folder["read"], true);
    assert_eq!(folder["exceptions"], json!(["the rule for a.txt", "the rule for c.txt"]), "{folder}");
    assert_eq!(stage.owner.ask(&["permission", "explain", "reports/2026/c.txt", EVE])["write"], true);

    let revoked = stage.owner.ask(&["permission", "revoke", "reports/2026/b.txt", SCIENTIST]);
    assert_eq!((&revoked["changed"], &revoked["read"]), (&json!(true), &json!(false)));
    stage.owner.write(&format!("SyftBox/{OWNER}/reports/2026/b.txt"), "changed");
    stage.owner.ask(&["sync"]);
    stage.scientist.ask(&["sync"]);
    assert_eq!(stage.scientist.read(format!("{OWNER}/reports/2026/b.txt")), "b", "no news of it any more");

    let listed = stage.owner.ask(&["permission", "list"]);
    let files: Vec<_> = listed.as_array().unwrap().iter().map(|file| &file["file"]).collect();
    assert!(files.contains(&&json!("reports/2026/syft.pub.yaml")), "{listed}");
    assert!(stage.owner.run(&["permission", "list"]).done().stdout.contains(EVE));
}

#[test]
fn a_grant_above_takes_nothing_away_below() {
    let stage = with_reports();
    stage.owner.ask(&["permission", "grant", ".", EVE, "read"]);
    stage.owner.ask(&["permission", "grant", "reports/2026/a.txt", SCIENTIST, "read"]);
    let files = stage.owner.ask(&["permission", "list"]);
    let own = files.as_array().unwrap().iter().find(|file| file["file"] == "syft.pub.yaml").unwrap();
    assert_eq!(own["rules"].as_array().unwrap().len(), 2, "the file above decides, so it has both: {own}");
    for path in ["reports/2026/a.txt", "reports/2026/b.txt"] {
        assert_eq!(stage.owner.ask(&["permission", "explain", path, EVE])["read"], true, "{path}");
    }
    assert_eq!(received(&stage), ["a"]);
}

#[test]
fn permissions_that_cannot_be_given_or_taken() {
    let stage = with_reports();
    let change = |arguments: &[&str]| stage.owner.run(&[&["permission"], arguments].concat());
    let rules = "rules:\n- {pattern: '**', access: {read: ['*']}}\n- {pattern: '**/*.txt', access: {}}\n";
    stage.owner.write(&format!("SyftBox/{OWNER}/open/syft.pub.yaml"), rules);
    change(&["revoke", "open/data", SCIENTIST]).failed().says(&["open/syft.pub.yaml", "entry *", "**"]);
    change(&["grant", "open/folder/", SCIENTIST, "write"]).failed().says(&["**/*.txt", "one by one"]);
    change(&["grant", "private/x", SCIENTIST, "read"]).failed().says(&["never synced"]);
    change(&["grant", "public/syft_datasets/d", SCIENTIST, "read"]).failed().says(&["dataset share"]);
    change(&["grant", "open/syft.pub.yaml", SCIENTIST, "read"]).failed().says(&["admin"]);
    change(&["grant", "../x", SCIENTIST, "read"]).failed().says(&["../x"]);
    change(&["grant", "open/x", "nobody", "read"]).failed().says(&["e-mail address"]);
    change(&["grant", "open/x", SCIENTIST, "all"]).wrong_usage();
    stage.owner.write(&format!("SyftBox/{OWNER}/broken/syft.pub.yaml"), "rules: 1");
    change(&["grant", "broken/x", SCIENTIST, "read"]).failed().says(&["mend it first"]);
    let answer = stage.owner.ask(&["permission", "explain", "broken/x", SCIENTIST]);
    assert!(answer["why"].as_str().unwrap().contains("can't be read"), "{answer}");
    assert_eq!(stage.owner.ask(&["permission", "revoke", "reports", SCIENTIST])["changed"], false);
    assert_eq!(stage.owner.ask(&["permission", "explain", "private/x", OWNER])["admin"], true);
    for call in
        [&["explain", "x", EVE] as &[&str], &["grant", "x", EVE, "read"], &["revoke", "x", EVE], &["list"]]
    {
        stage.scientist.run(&[&["permission"], call].concat()).failed().says(&["--role do"]);
    }
}
