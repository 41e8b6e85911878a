//! Permissions are decided as the Python peers' packages decide them (wire section 7): the same 10,000
//! datasites of random rules, asked of each.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;
use syftbox_core::permissions::{Level, PermissionFile, Permissions};
use syftbox_tests::python_environment;

const QUESTIONS: usize = 4;
const OWNER: &str = "do@z.org";

/// One datasite and what is asked of it.
struct Case {
    /// The permission files as YAML, by folder; the root is the empty text.
    files: BTreeMap<String, String>,
    /// Path, user and level.
    asked: Vec<(String, &'static str, &'static str)>,
}

/// Numbers that are the same in every run: splitmix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    fn path(&mut self, names: &[&str], most: usize) -> String {
        let names: Vec<_> = (0..=self.roll(most)).map(|_| self.pick(names)).collect();
        names.join("/")
    }

    fn access(&mut self) -> Vec<&'static str> {
        let entries = [
            "*",
            "ann@x.org",
            "bob@x.org",
            "*@x.org",
            "*@y.org",
            "USER",
            "b?b@x.org",
            "a*",
            "*[ab]*@x.org",
            "x",
        ];
        (0..self.roll(3)).map(|_| self.pick(&entries)).collect()
    }

    fn file(&mut self) -> String {
        let parts = [
            "**",
            "**",
            "*",
            "a",
            "b",
            "d",
            "?",
            "a*",
            "*b",
            "[ab]",
            "[!a]",
            "[a-c]?",
            ".*",
            ".h",
            "é",
            "{{.UserEmail}}",
            "x{{.UserEmail}}",
            "*@x.org",
            "syft.pub.yaml",
            "*.yaml",
            "a**",
            "[",
            "a]b",
            "\\*",
            "{a,b}",
            "a b",
        ];
        let rules: Vec<_> = (0..self.roll(5))
            .map(|_| {
                let access = json!({"read": self.access(), "write": self.access(), "admin": self.access()});
                json!({"pattern": self.path(&parts, 4), "access": access})
            })
            .collect();
        let file: PermissionFile =
            serde_json::from_value(json!({"rules": rules, "terminal": self.roll(6) == 0})).unwrap();
        file.to_yaml().unwrap()
    }

    fn case(&mut self) -> Case {
        let names = ["a", "b", "ab", "d", ".h", "é", "ann@x.org", "xbob@x.org", "*", "a b", "a]b", "{a,b}"];
        let mut files = BTreeMap::new();
        for _ in 0..=self.roll(3) {
            let folder = if self.roll(2) == 0 { String::new() } else { self.path(&names, 2) };
            files.insert(folder, self.file());
        }
        let folders: Vec<String> = files.keys().cloned().collect();
        let asked = (0..QUESTIONS)
            .map(|_| {
                let mut path = self.path(&names, 4);
                // Mostly below a folder with rules, or most answers would be no.
                let folder = &folders[self.roll(folders.len())];
                if self.roll(3) > 0 && !folder.is_empty() {
                    path = format!("{folder}/{path}");
                }
                if self.roll(8) == 0 {
                    path.push_str(self.pick(&["/syft.pub.yaml", "syft.pub.yaml"]));
                }
                let user = self.pick(&["ann@x.org", "bob@x.org", "cat@y.org", OWNER]);
                (path, user, self.pick(&["read", "write", "admin"]))
            })
            .collect();
        Case { files, asked }
    }
}

fn ours(case: &Case) -> Vec<bool> {
    let mut permissions = Permissions::default();
    for (folder, yaml) in &case.files {
        permissions.insert_yaml(folder.parse().ok().as_ref(), yaml.as_bytes());
    }
    let owner = OWNER.parse().unwrap();
    let level = |level: &str| match level {
        "read" => Level::Read,
        "write" => Level::Write,
        _ => Level::Admin,
    };
    let asked = case.asked.iter();
    asked
        .map(|(path, user, wanted)| {
            permissions.allows(&user.parse().unwrap(), &owner, &path.parse().unwrap(), level(wanted))
        })
        .collect()
}

/// What `package` of the environment with `requirements` answers.
fn theirs(requirements: &str, package: &str, cases: &[Case]) -> Vec<Vec<bool>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/permissions.py");
    let mut python = Command::new(python_environment(requirements))
        .arg(script)
        .arg(package)
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = String::new();
    for case in cases {
        writeln!(input, "{}", json!({"files": case.files, "asked": case.asked})).unwrap();
    }
    let mut stdin = python.stdin.take().unwrap();
    let asking = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = python.wait_with_output().unwrap();
    asking.join().unwrap().unwrap();
    assert!(output.status.success(), "{package} failed");
    let lines = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Vec<bool>> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

/// Asks the two packages of one generation of Python peers, and prints where they and we differ.
fn agree(requirements: &str, count: usize) {
    let mut dice = Dice(7);
    let cases: Vec<Case> = (0..count).map(|_| dice.case()).collect();
    let our_answers: Vec<_> = cases.iter().map(ours).collect();
    let mut differences = 0;
    let packages = ["syft-permissions", "syft-perms"];
    let answers = std::thread::scope(|scope| {
        let cases = &cases;
        let asked = packages.map(|package| scope.spawn(move || theirs(requirements, package, cases)));
        asked.map(|asked| asked.join().unwrap())
    });
    for (package, answers) in packages.into_iter().zip(answers) {
        for ((case, ours), theirs) in cases.iter().zip(&our_answers).zip(answers) {
            for (((path, user, level), ours), theirs) in case.asked.iter().zip(ours).zip(theirs) {
                if *ours != theirs {
                    differences += 1;
                    println!("{package}: {user} {level} {path:?}: {theirs}, ours {ours}\n{:#?}", case.files);
                }
            }
        }
    }
    let yes = our_answers.iter().flatten().filter(|answer| **answer).count();
    println!("{count} datasites, {} questions, {yes} times yes", count * QUESTIONS);
    assert!(yes > count / 2 && yes < count * QUESTIONS / 2, "{yes}: the questions are no good");
    assert_eq!(differences, 0, "disagreements are printed above");
}

#[test]
fn decisions_are_those_of_the_packages_of_0_1() {
    // The packages of both generations have the same code so far: a sample tells when that ends.
    agree("interop/python-0.1.txt", 1_000);
}

#[test]
fn decisions_are_those_of_the_packages_of_0_10() {
    agree("interop/python-0.10.txt", 10_000);
}
