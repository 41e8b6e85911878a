//! Whatever an owner does to its files and rules, each scientist has exactly what it may read, and of
//! what it could read before, what it had then. Held against a model that knows nothing of messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use syftbox_core::manager::Roles;

use crate::machine::{Cloud, Machine};

const OWNER: &str = "do@test.org";
const SCIENTISTS: [&str; 3] = ["ann@test.org", "bob@test.org", "cat@test.org"];
const FOLDERS: [&str; 4] = ["", "a", "a/b", "c"];
const NAMES: [&str; 4] = ["x", "y", "z", "b"];

/// Who reads what lies directly or deeper in a folder; what no folder above says is the owner's.
type Rules = BTreeMap<&'static str, BTreeSet<usize>>;

/// The owner's files and rules, and what each scientist has to have.
#[derive(Default)]
struct Model {
    files: BTreeMap<String, Vec<u8>>,
    rules: Rules,
    copies: [BTreeMap<String, Vec<u8>>; 3],
    /// Who was sent each file as it is now, or as it was last.
    sent: BTreeMap<String, BTreeSet<usize>>,
}

impl Model {
    fn may_read(&self, scientist: usize, path: &str) -> bool {
        let deciding = self.rules.iter().filter(|(folder, _)| {
            folder.is_empty() || path.strip_prefix(**folder).is_some_and(|rest| rest.starts_with('/'))
        });
        deciding
            .max_by_key(|(folder, _)| folder.len())
            .is_some_and(|(_, readers)| readers.contains(&scientist))
    }

    /// What a sync brings about, by the protocol's words: a change goes to those who may read the file
    /// now, a deletion to those who have the last content, and nothing is taken back.
    fn sync(&mut self, before: &BTreeMap<String, Vec<u8>>) {
        for path in before.keys().filter(|path| !self.files.contains_key(*path)) {
            for scientist in self.sent.remove(path).unwrap_or_default() {
                self.copies[scientist].remove(path);
            }
        }
        let files = self.files.clone();
        for (path, content) in &files {
            let changed = before.get(path) != Some(content);
            let readers: BTreeSet<usize> = (0..3).filter(|one| self.may_read(*one, path)).collect();
            let sent = self.sent.entry(path.clone()).or_default();
            if changed {
                sent.clear();
            }
            sent.extend(&readers);
            for scientist in readers {
                self.copies[scientist].insert(path.clone(), content.clone());
            }
        }
    }
}

/// Numbers that are the same in every run (an xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn path(&mut self) -> String {
        let (folder, name) = (FOLDERS[self.roll(FOLDERS.len())], NAMES[self.roll(NAMES.len())]);
        if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
    }

    fn content(&mut self) -> Vec<u8> {
        match self.roll(4) {
            0 => Vec::new(),
            1 => vec![0, 159, 146, u8::try_from(self.roll(256)).unwrap()],
            2 => format!("line\r\n{}\n", self.roll(1000)).into_bytes(),
            // Same length, often, as what was there.
            _ => format!("{:04}", self.roll(10_000)).into_bytes(),
        }
    }
}

/// Does one thing to the owner's files, on disk and in the model.
fn edit(dice: &mut Dice, owner: &Machine, model: &mut Model) {
    let existing = |dice: &mut Dice, model: &Model| {
        let paths: Vec<_> = model.files.keys().cloned().collect();
        (!paths.is_empty()).then(|| paths[dice.roll(paths.len())].clone())
    };
    match dice.roll(8) {
        0..3 => {
            // A new or changed file; a folder in its place goes, and so does a file in the place of a folder.
            let (path, content) = (dice.path(), dice.content());
            let is_in_the_way = |other: &String| {
                other.starts_with(&format!("{path}/")) || path.starts_with(&format!("{other}/"))
            };
            let rules_in_the_way = model.rules.keys().any(|folder| path == *folder);
            if rules_in_the_way {
                return;
            }
            for other in model.files.keys().filter(|other| is_in_the_way(other)).cloned().collect::<Vec<_>>()
            {
                owner.remove(&other);
                model.files.remove(&other);
            }
            owner.write(&path, &content);
            model.files.insert(path, content);
        }
        3 => {
            // The same length and the same time of change: only the content tells.
            let Some(path) = existing(dice, model) else { return };
            let file = owner.datasite().join(&path);
            let time = fs::metadata(&file).unwrap().modified().unwrap();
            let content: Vec<u8> = model.files[&path].iter().map(|byte| byte ^ 1).collect();
            fs::write(&file, &content).unwrap();
            fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
            model.files.insert(path, content);
        }
        4 => {
            let Some(path) = existing(dice, model) else { return };
            owner.remove(&path);
            model.files.remove(&path);
        }
        5 => {
            // Renamed beside itself: what is there under the new name is replaced.
            let Some(path) = existing(dice, model) else { return };
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let name = NAMES[dice.roll(3)];
            let to = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let content = model.files.remove(&path).unwrap();
            fs::rename(owner.datasite().join(&path), owner.datasite().join(&to)).unwrap();
            model.files.insert(to, content);
        }
        6 => {
            let folder = FOLDERS[dice.roll(FOLDERS.len())];
            let is_a_file = |path: &str| model.files.contains_key(path);
            if is_a_file(folder) || folder.split_once('/').is_some_and(|(above, _)| is_a_file(above)) {
                return;
            }
            let readers: BTreeSet<usize> = (0..3).filter(|_| dice.roll(2) == 0).collect();
            let list: Vec<_> = readers.iter().map(|reader| SCIENTISTS[*reader]).collect();
            let rules = format!("rules:\n- pattern: '**'\n  access:\n    read: [{}]\n", list.join(", "));
            owner.write(&rules_of(folder), rules);
            model.rules.insert(folder, readers);
        }
        _ => {
            let folders: Vec<_> = model.rules.keys().copied().collect();
            if folders.is_empty() {
                return;
            }
            let folder = folders[dice.roll(folders.len())];
            owner.remove(&rules_of(folder));
            model.rules.remove(folder);
        }
    }
}

fn rules_of(folder: &str) -> String {
    if folder.is_empty() { "syft.pub.yaml".to_owned() } else { format!("{folder}/syft.pub.yaml") }
}

#[test]
fn each_scientist_has_what_it_may_read_and_no_more() {
    for seed in 1..=6 {
        let cloud = Cloud::new(&[&[OWNER][..], &SCIENTISTS].concat());
        let owner = cloud.machine(OWNER, Roles::OWNER);
        let scientists = SCIENTISTS.map(|email| cloud.machine(email, Roles::SCIENTIST));
        owner.manager();
        for (scientist, email) in scientists.iter().zip(SCIENTISTS) {
            let mut manager = scientist.manager();
            scientist.wait(manager.add_peer(&OWNER.parse().unwrap(), false)).unwrap();
            let mut manager = owner.manager();
            owner.wait(manager.approve_peer_request(&email.parse().unwrap(), true)).unwrap();
        }
        let mut dice = Dice(seed * 7919);
        let mut model = Model::default();
        for round in 0..12 {
            let before = model.files.clone();
            for _ in 0..=dice.roll(4) {
                edit(&mut dice, &owner, &mut model);
            }
            owner.sync();
            model.sync(&before);
            for (at, scientist) in scientists.iter().enumerate() {
                scientist.sync();
                let mut copy = scientist.tree_of(OWNER);
                copy.retain(|path, _| !path.starts_with("app_data/"));
                assert_eq!(copy, model.copies[at], "seed {seed}, round {round}, {}", SCIENTISTS[at]);
            }
        }
    }
}

#[test]
fn what_is_no_longer_readable_stays_as_it_was_and_changes_no_more() {
    let cloud = Cloud::new(&[OWNER, SCIENTISTS[0]]);
    let (owner, ann) = (cloud.machine(OWNER, Roles::OWNER), cloud.machine(SCIENTISTS[0], Roles::SCIENTIST));
    owner.manager();
    let mut manager = ann.manager();
    ann.wait(manager.add_peer(&OWNER.parse().unwrap(), false)).unwrap();
    let mut manager = owner.manager();
    owner.wait(manager.approve_peer_request(&SCIENTISTS[0].parse().unwrap(), true)).unwrap();
    owner.write("a/syft.pub.yaml", "rules:\n- pattern: '**'\n  access:\n    read: [ann@test.org]\n");
    owner.write("a/x", "first");
    let sync = || {
        owner.sync();
        ann.sync();
        ann.tree_of(OWNER).get("a/x").cloned()
    };
    assert_eq!(sync().as_deref(), Some(&b"first"[..]));
    owner.write("a/syft.pub.yaml", "rules: []\n");
    assert_eq!(sync().as_deref(), Some(&b"first"[..]), "nothing can be taken back");
    owner.write("a/x", "second");
    assert_eq!(sync().as_deref(), Some(&b"first"[..]), "but it changes no more");
    owner.write("a/syft.pub.yaml", "rules:\n- pattern: '**'\n  access:\n    read: [ann@test.org]\n");
    assert_eq!(sync().as_deref(), Some(&b"second"[..]));
}
