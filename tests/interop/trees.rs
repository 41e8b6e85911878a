//! Files as a test compares them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Files by their paths below some folder.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// Every file below `folder`; none when there is no such folder.
pub(crate) fn tree(folder: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Checks that two trees are the same, byte for byte, and says where they are not.
#[track_caller]
pub(crate) fn assert_same(what: &str, left: &Tree, right: &Tree) {
    let differs: Vec<_> = left
        .keys()
        .chain(right.keys())
        .filter(|name| left.get(*name) != right.get(*name))
        .map(|name| format!("{name}: {} | {}", brief(left.get(name)), brief(right.get(name))))
        .collect();
    assert!(differs.is_empty(), "{what}:\n{}", differs.join("\n"));
}

fn brief(content: Option<&Vec<u8>>) -> String {
    content.map_or_else(
        || "not there".to_owned(),
        |bytes| {
            format!("{} bytes {:?}", bytes.len(), String::from_utf8_lossy(&bytes[..bytes.len().min(200)]))
        },
    )
}
