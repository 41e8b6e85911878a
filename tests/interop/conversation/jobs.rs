//! Jobs of every kind and with every ending.

use std::path::PathBuf;

use crate::cast::{Cast, Program};
use crate::player::{OWNER, Player};
use crate::trees::{Tree, assert_same, tree};

const SCRIPT: &str = r#"
import csv, sys
try:
    import syft as sy
except ImportError:
    import syft_client as sy

files = {path.name: path for path in sy.resolve_dataset_files_path("census")}
with open(files["ages.csv"]) as data:
    total = sum(int(row["age"]) for row in csv.DictReader(data))
with open(sy.resolve_dataset_file_path("open_data")) as data:
    opened = data.read()
with open("outputs/total.txt", "w") as out:
    out.write(f"{total}\n{opened}")
with open("outputs/bytes.bin", "wb") as out:
    out.write(bytes(range(256)))
print("added up", total, "Zoë")
print("careful", file=sys.stderr)
"#;

const BASH: &str = "\
set -eu
mkdir -p code/outputs
sum=0
for number in 1 2 3; do sum=$((sum + number)); done
echo $sum > code/outputs/count.txt
echo counted
";

/// What the script leaves when it sees the private halves.
const TOTAL: &[u8] = b"3000\na,b\n3,4\n";

/// A script on private data, a folder, a bash script, one that fails, one that is rejected, one that isn't shared.
pub(super) fn run(cast: &Cast, owner: &dyn Player, scientist: &dyn Player) {
    let script = scientist.write("code/analysis.py", SCRIPT.as_bytes());
    scientist.submit_python(OWNER, &script, "add up");
    scientist.submit_python(OWNER, &folder(cast, scientist), "folder_job");
    let broken = scientist.write("broken/main.py", b"raise SystemExit('no such luck')\n");
    scientist.submit_python(OWNER, &broken, "broken");
    let unwanted = scientist.write("unwanted/main.py", b"print('never')\n");
    scientist.submit_python(OWNER, &unwanted, "unwanted");
    scientist.submit_bash(OWNER, BASH, "bash_job");

    owner.sync();
    let received = owner.jobs();
    for name in ["add up", "folder_job", "bash_job", "broken", "unwanted"] {
        assert_eq!(received[name], "pending", "{name}");
    }
    assert_same("what was submitted", &below(scientist, "inbox"), &below(owner, "inbox"));

    owner.reject_job("unwanted", "not today: \"no\"");
    for name in ["add up", "folder_job", "broken", "bash_job"] {
        owner.approve_job(name);
    }
    owner.process(true);
    scientist.sync();
    for jobs in [owner.jobs(), scientist.jobs()] {
        assert_eq!(jobs["add up"], "done");
        assert_eq!(jobs["folder_job"], "done");
        assert_eq!(jobs["bash_job"], "done");
        assert_eq!(jobs["broken"], "failed");
        assert_eq!(jobs["unwanted"], "rejected");
    }
    let results = below(scientist, "review");
    assert_same("what came of it", &below(owner, "review"), &results);
    let result = |path: &str| -> &[u8] {
        let found = results.iter().find(|(name, _)| name.ends_with(&format!("/{path}")));
        found.unwrap_or_else(|| panic!("no {path} among {:?}", results.keys())).1
    };
    let text = |path: &str| String::from_utf8(result(path).to_vec()).unwrap();
    assert_eq!(result("add up/outputs/total.txt"), TOTAL);
    assert_eq!(result("add up/outputs/bytes.bin"), (0..=255).collect::<Vec<u8>>());
    assert_eq!(text("add up/stdout.txt").trim(), "added up 3000 Zoë");
    assert_eq!(text("add up/stderr.txt").trim(), "careful");
    assert_eq!(text("add up/returncode.txt").trim(), "0");
    assert_eq!(text("folder_job/outputs/said.txt"), "hello from helpers\n");
    assert_eq!(text("bash_job/outputs/count.txt"), "6\n");
    assert_eq!(text("bash_job/stdout.txt"), "counted\n");
    assert!(text("broken/stderr.txt").contains("no such luck"));
    assert_eq!(text("broken/returncode.txt").trim(), "1");
    assert!(text("unwanted/state.yaml").contains("not today"));
    assert!(!results.keys().any(|path| path.contains("unwanted/outputs")));
}

const LATE: &str = r#"
try:
    import syft as sy
except ImportError:
    import syft_client as sy

with open(sy.resolve_dataset_file_path("backed-up_2")) as data, open("outputs/copy.txt", "w") as out:
    out.write(data.read())
print("copied")
"#;

/// On new machines: a job whose results stay with the owner, and one on private data that came along by Drive.
pub(super) fn run_late(cast: &Cast, owner: &dyn Player, scientist: &dyn Player) {
    let script = scientist.write("late/main.py", LATE.as_bytes());
    for (name, share) in [("quiet", false), ("late", true)] {
        scientist.submit_python(OWNER, &script, name);
        owner.sync();
        owner.approve_job(name);
        owner.process(share);
    }
    scientist.sync();
    for jobs in [owner.jobs(), scientist.jobs()] {
        assert_eq!(jobs["quiet"], "done");
        assert_eq!(jobs["late"], "done");
    }
    let results = below(scientist, "review");
    let (_, copy) = results.iter().find(|(path, _)| path.ends_with("late/outputs/copy.txt")).unwrap();
    assert_eq!(copy, b"TOP SECRET\n");
    let mut quiet: Vec<_> = results.keys().filter(|path| path.contains("/quiet/")).collect();
    if cast.owner == Program::Python {
        // A Python owner gives the logs away, asked or not.
        quiet.retain(|path| {
            ["stdout.txt", "stderr.txt", "returncode.txt"].iter().all(|log| !path.ends_with(log))
        });
    }
    assert!(matches!(quiet[..], [only] if only.ends_with("quiet/state.yaml")), "{quiet:?}");
}

/// A folder with a package in it, and with files that take care.
fn folder(cast: &Cast, scientist: &dyn Player) -> PathBuf {
    scientist.write("folder/helpers/words.py", b"def hello():\n    return 'hello from helpers'\n");
    // A Python scientist loses empty files and changes or refuses these.
    if cast.scientist == Program::Rust {
        scientist.write("folder/helpers/__init__.py", b"");
        scientist.write("folder/windows.txt", b"one\r\ntwo\r\n");
        scientist.write("folder/raw.bin", &[0, 159, 146, 150]);
    }
    let main = scientist.write(
        "folder/main.py",
        b"from helpers.words import hello\n\nwith open('outputs/said.txt', 'w') as out:\n    print(hello(), file=out)\n",
    );
    main.parent().unwrap().to_owned()
}

/// The jobs' files below `inbox` or `review`, without those that say who may see them.
fn below(player: &dyn Player, part: &str) -> Tree {
    let mut files = tree(&player.folder().join(OWNER).join("app_data/job").join(part));
    files.retain(|path, _| !path.ends_with("syft.pub.yaml"));
    files
}
