//! The Python packages that a job asks for, from its submission to its run.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use syftbox_runner::runtime::default_cache_dir;
use syftbox_tests::{OWNER, Person};

use crate::scene;

/// Two wheels: one that any machine can use, and one with native code.
const WHEELS: &str = r#"
import sys, zipfile
for name, tag, text in [
    ("greeting", "py3-none-any", "WORD = 'good morning'"),
    ("stony", "cp312-cp312-manylinux_2_28_x86_64", "WORD = 'hard'"),
]:
    info = f"{name}-1.2.dist-info"
    with zipfile.ZipFile(f"{sys.argv[1]}/{name}-1.2-{tag}.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", text)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")
"#;

/// Calls the program as on a machine whose pip has these wheels and no others, and whose cache has the
/// runtimes and no packages.
fn call(person: &Person, wheels: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let cache = person.path("cache");
    if !cache.exists() {
        std::fs::create_dir(&cache).unwrap();
        symlink(default_cache_dir().unwrap().join("runtimes"), cache.join("runtimes")).unwrap();
    }
    let mut command = person.command();
    command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", wheels).env("SYFTBOX_CACHE_DIR", cache);
    let output = command.arg("--json").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn packages_are_shown_before_they_are_approved_and_native_ones_are_refused() {
    let stage = scene::peers();
    let (owner, scientist) = (&stage.owner, &stage.scientist);
    let wheels = owner.path("wheels");
    std::fs::create_dir(&wheels).unwrap();
    assert!(Command::new("python3").args(["-c", WHEELS]).arg(&wheels).status().unwrap().success());
    let script = scientist
        .write("main.py", "import greeting, pandas\nprint(greeting.WORD, pandas.DataFrame().empty)\n");
    let script = script.to_str().unwrap();

    for (name, packages, words) in [
        ("good", "greeting>=1,pandas>=2", &[][..]),
        ("old", "pandas<2", &["jobs have pandas 3"]),
        ("native", "stony", &["will refuse", "stony has native code"]),
    ] {
        let submit = ["job", "submit-python", OWNER, script, "--name", name, "--dependencies", packages];
        let (code, _, said) = call(scientist, &wheels, &submit);
        assert_eq!(code, Some(0), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!words.is_empty() || !said.contains("package"), "{said}");
    }
    owner.ask(&["sync"]);

    let (_, shown, _) = call(owner, &wheels, &["job", "show", "good"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let wheel = &shown[0]["packages"]["wheels"][0];
    assert_eq!(wheel["file"], "greeting-1.2-py3-none-any.whl", "{shown}");
    let hash = wheel["sha256"].as_str().unwrap();

    let (code, _, said) = call(owner, &wheels, &["job", "approve", "native"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("stony has native code") && said.contains("numpy"), "{said}");
    assert_eq!(scene::status(owner, "native"), "pending");

    // What was shown is what is approved, whatever the registry has by now.
    std::fs::remove_file(wheels.join("greeting-1.2-py3-none-any.whl")).unwrap();
    let (code, _, said) = call(owner, &wheels, &["job", "approve", "good"]);
    assert!(code == Some(0) && said.contains(hash), "{said}");
    let approvals = format!("{OWNER}/app_data/job/approvals/{}/v1/good.yaml", scientist.email());
    assert!(owner.read(approvals).contains(hash));
    let (code, _, said) = call(owner, &wheels, &["job", "process"]);
    assert!(code == Some(0) && said.contains("good morning True"), "{said}");
    let receipt =
        owner.read(format!("{OWNER}/app_data/job/review/{}/v1/good/receipt.json", scientist.email()));
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!(receipt["receipt"]["packages"][0]["sha256"], hash, "{receipt}");
}
