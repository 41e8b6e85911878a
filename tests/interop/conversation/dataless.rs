//! A conversation without datasets: all that a Python scientist of 0.1 can do with encryption. It takes the files of
//! datasets for envelopes, which they never are (wire section 9), and from the first on every sync of it raises.

use std::fs;

use syftbox_tests::PythonGeneration::V0_1;

use super::{changes, datasets, end, machines, peers};
use crate::cast::Cast;
use crate::player::{OWNER, Player, SCIENTIST};
use crate::trees::{assert_same, tree};

const SCRIPT: &[u8] = b"open('outputs/sum.txt', 'w').write(str(sum(range(10))))\nprint('added')\n";
const BASH: &str = "mkdir -p code/outputs\necho from bash > code/outputs/said.txt\n";

/// Peers, jobs, files and new machines; then a dataset, and what becomes of it.
pub(crate) fn hold(cast: &Cast) {
    let (owner, scientist, eve) = (&*cast.owner(), &*cast.scientist(), &*cast.eve());
    owner.login();
    peers::meet(owner, scientist, eve);
    run_jobs(owner, scientist, "first");
    changes::follow(owner, scientist);
    let scientist = &*machines::new_scientist(cast, scientist);
    let owner = &*machines::new_owner(cast, owner);
    run_jobs(owner, scientist, "second");

    let told_too_late = &cast.python(V0_1, SCIENTIST);
    machines::go_on_in_place_of(cast, scientist, told_too_late);
    datasets::publish_for_any(owner);
    fs::write(owner.folder().join(OWNER).join("notes/news.txt"), "it comes").unwrap();
    owner.sync();
    let raised = told_too_late.sync_fails();
    assert!(raised.contains("SYC envelope"), "{raised}");
    // What comes in messages comes all the same, and jobs can go out.
    let news = told_too_late.folder().join(OWNER).join("notes/news.txt");
    assert_eq!(fs::read_to_string(news).unwrap(), "it comes");
    let script = told_too_late.write("third/main.py", SCRIPT);
    told_too_late.submit_python(OWNER, &script, "third");
    owner.sync();
    assert_eq!(owner.jobs()["third"], "pending");

    cast.assert_sealed_as_agreed(owner);
    cast.assert_sealed_as_agreed(told_too_late);
    owner.delete_dataset("open_data");
    told_too_late.sync();
    end::delete_everything(cast, owner, told_too_late);
}

/// A script and a bash script, with results and logs; one is rejected, one fails.
fn run_jobs(owner: &dyn Player, scientist: &dyn Player, name: &str) {
    let script = scientist.write(&format!("{name}/main.py"), SCRIPT);
    let broken = scientist.write(&format!("{name} broken/main.py"), b"raise SystemExit('no luck')\n");
    scientist.submit_python(OWNER, &script, name);
    scientist.submit_python(OWNER, &broken, &format!("{name} broken"));
    scientist.submit_python(OWNER, &script, &format!("{name} unwanted"));
    scientist.submit_bash(OWNER, BASH, &format!("{name} bash"));
    owner.sync();
    owner.reject_job(&format!("{name} unwanted"), "no");
    for end in ["", " broken", " bash"] {
        owner.approve_job(&format!("{name}{end}"));
    }
    owner.process(true);
    scientist.sync();
    for jobs in [owner.jobs(), scientist.jobs()] {
        let ended = ["", " broken", " unwanted", " bash"].map(|end| jobs[&format!("{name}{end}")].clone());
        assert_eq!(ended, ["done", "failed", "rejected", "done"]);
    }
    let review = |player: &dyn Player| {
        let mut files = tree(&player.folder().join(OWNER).join("app_data/job/review"));
        files.retain(|path, _| !path.ends_with("syft.pub.yaml"));
        files
    };
    let results = review(scientist);
    assert_same("what came of it", &review(owner), &results);
    for (end, content) in [
        (format!("{name}/outputs/sum.txt"), &b"45"[..]),
        (format!("{name}/stdout.txt"), b"added\n"),
        (format!("{name} bash/outputs/said.txt"), b"from bash\n"),
    ] {
        let found = results.iter().find(|(path, _)| path.ends_with(&end));
        assert_eq!(found.unwrap_or_else(|| panic!("no {end}")).1, content);
    }
}
