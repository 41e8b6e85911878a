//! The answers of the Python package, asked of ours.

use std::collections::BTreeMap;

use serde::Deserialize;
use syftbox_core::{
    domain::{DatasitePath, Email},
    permissions::{Level, PermissionFile, Permissions},
};

#[derive(Deserialize)]
struct Case {
    /// By folder; the root is the empty text.
    files: BTreeMap<String, PermissionFile>,
    /// Path, user, level and the answer.
    asked: Vec<(DatasitePath, Email, String, bool)>,
}

#[test]
fn answers_are_those_of_the_python_package() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("fixtures/permissions.json")).unwrap();
    let owner: Email = "do@z.org".parse().unwrap();
    let mut allowed = 0;
    for Case { files, asked } in cases {
        let mut permissions = Permissions::default();
        for (folder, file) in &files {
            permissions.insert(folder.parse().ok().as_ref(), file.clone());
        }
        for (path, user, level, expected) in asked {
            let level = match level.as_str() {
                "read" => Level::Read,
                "write" => Level::Write,
                _ => Level::Admin,
            };
            let decision = permissions.decide(&user, &owner, &path, level);
            assert_eq!(decision.allowed, expected, "{path} {user} {level:?} {decision:?} {files:?}");
            allowed += usize::from(expected);
        }
    }
    assert!(allowed > 200);
}
