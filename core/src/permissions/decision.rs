//! The permission files of a datasite, and what they say.

use std::{collections::BTreeMap, fmt, iter};

use super::{
    Target,
    file::{PermissionFile, PermissionFileError, Rule},
    pattern::Matcher,
};
use crate::{
    domain::{DatasitePath, Email},
    wire::{job::is_approval, names::PERMISSION_FILE},
};

/// What one may do. Each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// See the content.
    Read,
    /// Propose other content.
    Write,
    /// See and change permission files.
    Admin,
}

/// All permission files of a datasite, by their folders. Empty, it leaves everything to the owner.
#[derive(Debug, Default)]
pub struct Permissions {
    /// By the folder's path; the root is the empty text.
    files: BTreeMap<String, Stored>,
}

type Stored = Result<Ready, PermissionFileError>;

/// A file whose rules are in the order in which they are asked.
#[derive(Debug)]
struct Ready {
    terminal: bool,
    rules: Vec<(Matcher, Rule)>,
}

impl Ready {
    fn new(mut file: PermissionFile) -> Self {
        // Stable: of two that are equally specific, the first in the file counts.
        file.rules.sort_by_cached_key(|rule| std::cmp::Reverse(rule.pattern.specificity()));
        let rules = file.rules.into_iter().map(|rule| (Matcher::new(&rule.pattern), rule)).collect();
        Self { terminal: file.terminal, rules }
    }
}

/// What was decided, and why.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// The answer.
    pub allowed: bool,
    /// What decided.
    pub because: Because<'a>,
}

/// What decided. A folder is the empty text for the datasite's root.
#[derive(Clone, Copy, Debug)]
pub enum Because<'a> {
    /// The owner may do everything.
    Owner,
    /// It is an approval of a job: the owner's alone, whatever permission files say.
    OwnerAlone,
    /// No permission file on the way to the path.
    NoFile,
    /// The permission file of this folder cannot be read.
    Unreadable {
        /// Its folder.
        folder: &'a str,
        /// What is wrong with it.
        error: &'a PermissionFileError,
    },
    /// The nearest permission file has no rule about the path.
    NoRule {
        /// Its folder.
        folder: &'a str,
    },
    /// The most specific rule about the path.
    Rule {
        /// The folder of its file.
        folder: &'a str,
        /// The rule.
        rule: &'a Rule,
    },
}

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = |folder: &str| match folder {
            "" => PERMISSION_FILE.to_owned(),
            folder => format!("{folder}/{PERMISSION_FILE}"),
        };
        match self {
            Self::Owner => write!(f, "the owner may do everything"),
            Self::OwnerAlone => {
                write!(f, "approvals of jobs are the owner's alone, whatever permission files say")
            }
            Self::NoFile => write!(f, "no {PERMISSION_FILE} is on the way to it, so it is the owner's alone"),
            Self::Unreadable { folder, error } => {
                write!(f, "{} can't be read ({error}), so all below is the owner's alone", file(folder))
            }
            Self::NoRule { folder } => {
                write!(f, "{} decides, and has no rule about it, so it is the owner's alone", file(folder))
            }
            Self::Rule { folder, rule } => {
                write!(f, "{} decides, with its rule for {}", file(folder), rule.pattern)
            }
        }
    }
}

impl Permissions {
    /// Takes in the permission file of `folder` (the root when `None`), instead of the one that was
    /// there.
    pub fn insert(&mut self, folder: Option<&DatasitePath>, file: PermissionFile) {
        self.files.insert(key(folder), Ok(Ready::new(file)));
    }

    /// Takes in the content of the permission file of `folder`. One that cannot be read closes all
    /// below the folder to everyone but the owner.
    pub fn insert_yaml(&mut self, folder: Option<&DatasitePath>, yaml: &[u8]) {
        self.files.insert(key(folder), PermissionFile::parse(yaml).map(Ready::new));
    }

    /// Forgets the permission file of `folder`.
    pub fn remove(&mut self, folder: Option<&DatasitePath>) {
        self.files.remove(&key(folder));
    }

    /// The folders whose permission files cannot be read, and why.
    pub fn unreadable(&self) -> impl Iterator<Item = (&str, &PermissionFileError)> {
        self.files.iter().filter_map(|(folder, file)| Some((folder.as_str(), file.as_ref().err()?)))
    }

    /// Whether `user` has `level` on `path` in the datasite of `owner`.
    #[must_use]
    pub fn allows(&self, user: &Email, owner: &Email, path: &DatasitePath, level: Level) -> bool {
        self.decide(user, owner, path, level).allowed
    }

    /// The same, with what decided.
    #[must_use]
    pub fn decide(&self, user: &Email, owner: &Email, path: &DatasitePath, level: Level) -> Decision<'_> {
        if user == owner {
            return Decision { allowed: true, because: Because::Owner };
        }
        let refused = |because| Decision { allowed: false, because };
        if is_approval(path) {
            return refused(Because::OwnerAlone);
        }
        let (folder, file) = match self.nearest(path) {
            None => return refused(Because::NoFile),
            Some((folder, Err(error))) => return refused(Because::Unreadable { folder, error }),
            Some((folder, Ok(file))) => (folder, file),
        };
        let depth = folder.split('/').filter(|name| !name.is_empty()).count();
        let below: Vec<&str> = path.components().skip(depth).collect();
        match file.rules.iter().find(|(matcher, _)| matcher.matches(&below, user)) {
            None => refused(Because::NoRule { folder }),
            Some((_, rule)) => {
                // As the Python peers do: by how the path ends, not by its last name.
                let level = if path.as_str().ends_with(PERMISSION_FILE) { Level::Admin } else { level };
                Decision { allowed: rule.access.allows(user, level), because: Because::Rule { folder, rule } }
            }
        }
    }

    /// The folder whose permission file decides about `target`, the empty text for the root, and
    /// what is wrong with that file; `None` without such a file.
    #[must_use]
    pub fn deciding_folder(&self, target: &Target) -> Option<(&str, Option<&PermissionFileError>)> {
        let (folder, file) = match target.path() {
            Some(path) => self.nearest(path),
            None => self.files.get_key_value("").map(|(folder, file)| (folder.as_str(), file)),
        }?;
        Some((folder, file.as_ref().err()))
    }

    /// The folders in `target` whose own permission files decide about what is in them.
    pub fn folders_in<'a>(&'a self, target: &'a Target) -> impl Iterator<Item = &'a str> {
        let is_terminal = |folder: &str| {
            self.files.get(folder).is_some_and(|file| file.as_ref().map_or(true, |file| file.terminal))
        };
        let folders = self.files.keys().map(String::as_str);
        folders.filter(move |folder| {
            let is_inside = match target {
                Target::File(_) => false,
                Target::Folder(None) => !folder.is_empty(),
                Target::Folder(Some(path)) => {
                    folder.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'))
                }
            };
            // One that a terminal file above makes be without effect doesn't decide.
            let above = || folder.match_indices('/').map(|(end, _)| &folder[..end]).chain(iter::once(""));
            is_inside && !above().any(|above| above != *folder && is_terminal(above))
        })
    }

    /// The file that decides about `path`: the nearest one, or the first on the way that is terminal
    /// or that cannot be read, and so might be terminal.
    fn nearest(&self, path: &DatasitePath) -> Option<(&str, &Stored)> {
        let mut nearest = None;
        let path = path.as_str();
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        // A folder's own permission file decides about the folder too.
        for folder in iter::once("").chain(folders).chain(iter::once(path)) {
            let Some((folder, file)) = self.files.get_key_value(folder) else { continue };
            nearest = Some((folder.as_str(), file));
            if file.as_ref().map_or(true, |file| file.terminal) {
                break;
            }
        }
        nearest
    }
}

fn key(folder: Option<&DatasitePath>) -> String {
    folder.map(DatasitePath::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::permissions::{Access, Pattern};

    fn at(path: &str) -> DatasitePath {
        path.parse().unwrap()
    }

    fn email(text: &str) -> Email {
        text.parse().unwrap()
    }

    fn reads(permissions: &Permissions, user: &str, path: &str) -> bool {
        permissions.allows(&email(user), &email("do@x.org"), &at(path), Level::Read)
    }

    #[test]
    fn approvals_are_the_owners_alone() {
        let mut permissions = Permissions::default();
        let ann = email("ann@x.org");
        let all = b"rules: [{pattern: '**', access: {admin: ['*']}}]";
        permissions.insert_yaml(None, all);
        permissions.insert_yaml(Some(&at("app_data/job/approvals")), all);
        permissions.insert_yaml(Some(&at("app_data/job/approvals/ann@x.org")), all);
        for path in [
            "app_data/job/approvals/ann@x.org/v1/j.yaml",
            "app_data/job/Approvals/x",
            "app_data/job/approvals",
        ] {
            for level in [Level::Read, Level::Write, Level::Admin] {
                assert!(!permissions.allows(&ann, &email("do@x.org"), &at(path), level), "{path}");
            }
            assert!(permissions.allows(&ann, &ann, &at(path), Level::Write));
        }
        assert!(reads(&permissions, "ann@x.org", "app_data/job/approvals.txt"));
    }

    #[test]
    fn the_nearest_file_decides_alone() {
        let ann = email("ann@x.org");
        let mut permissions = Permissions::default();
        assert!(!reads(&permissions, "ann@x.org", "a/b"), "nothing is said, so it is the owner's alone");
        permissions.insert(None, PermissionFile::single(Pattern::everything(), Access::read([&ann])));
        assert!(reads(&permissions, "ann@x.org", "a/b"));
        assert!(reads(&permissions, "ANN@x.org", "a/b"), "addresses are compared ignoring case");
        permissions.insert(Some(&at("a")), PermissionFile::default());
        assert!(!reads(&permissions, "ann@x.org", "a/b"));
        assert!(reads(&permissions, "ann@x.org", "b"));
        permissions.remove(Some(&at("a")));
        assert!(reads(&permissions, "ann@x.org", "a/b"));
    }

    #[test]
    fn a_terminal_file_stops_the_walk() {
        let mut permissions = Permissions::default();
        permissions.insert(None, PermissionFile { terminal: true, ..PermissionFile::default() });
        permissions
            .insert(Some(&at("a")), PermissionFile::single(Pattern::everything(), Access::read_by_anyone()));
        assert!(!reads(&permissions, "ann@x.org", "a/b"));
    }

    #[test]
    fn an_unreadable_file_closes_all_below_it() {
        let mut permissions = Permissions::default();
        let open = PermissionFile::single(Pattern::everything(), Access::read_by_anyone());
        permissions.insert(None, open.clone());
        permissions.insert(Some(&at("a/b")), open);
        permissions.insert_yaml(Some(&at("a")), b"rules: [{pattern: '{{.Year}}', access: {}}]");
        assert!(!reads(&permissions, "ann@x.org", "a/x"));
        assert!(!reads(&permissions, "ann@x.org", "a/b/x"), "the unreadable file might be terminal");
        assert!(reads(&permissions, "ann@x.org", "x"));
        assert!(reads(&permissions, "do@x.org", "a/x"));
        let (folder, error) = permissions.unreadable().next().unwrap();
        assert!(folder == "a" && error.to_string().contains("{{.Year}}"), "{folder} {error}");
        let decision = permissions.decide(&email("ann@x.org"), &email("do@x.org"), &at("a/x"), Level::Read);
        assert!(matches!(decision.because, Because::Unreadable { folder: "a", .. }));
        permissions.insert_yaml(Some(&at("a")), b"");
        assert_eq!(permissions.unreadable().count(), 0);
    }

    #[test]
    fn permission_files_need_admin() {
        let ann = email("ann@x.org");
        let mut permissions = Permissions::default();
        let mut file = PermissionFile::single(Pattern::everything(), Access::write([&ann]));
        permissions.insert(Some(&at("a")), file.clone());
        assert!(permissions.allows(&ann, &email("do@x.org"), &at("a/f"), Level::Write));
        assert!(!reads(&permissions, "ann@x.org", "a/syft.pub.yaml"));
        file.grant(Pattern::everything(), Level::Admin, &ann);
        permissions.insert(Some(&at("a")), file);
        assert!(permissions.allows(&ann, &email("do@x.org"), &at("a/syft.pub.yaml"), Level::Write));
    }

    #[test]
    fn the_most_specific_rule_decides() {
        let ds = email("ds@x.org");
        let mut file = PermissionFile::single(Pattern::everything(), Access::read([&ds]));
        let folder = at("v1/job [1]");
        file.set(Pattern::below(&folder.join("outputs").unwrap()), Access::read([&email("do@x.org")]));
        let mut permissions = Permissions::default();
        permissions.insert(Some(&at("review")), file);
        assert!(reads(&permissions, "ds@x.org", "review/v1/job [1]/state.yaml"));
        assert!(!reads(&permissions, "ds@x.org", "review/v1/job [1]/outputs/a/b"));
        let decision =
            permissions.decide(&ds, &email("do@x.org"), &at("review/v1/job [1]/outputs/a"), Level::Read);
        match decision.because {
            Because::Rule { folder: "review", rule } => {
                assert_eq!(rule.pattern.as_str(), "v1/job [[]1]/outputs/**");
            }
            other => panic!("{other:?}"),
        }
    }

    fn arbitrary_file() -> impl Strategy<Value = PermissionFile> {
        let entry = prop_oneof![
            "[a-b]@x\\.org",
            Just("*".to_owned()),
            Just("*@x.org".to_owned()),
            "[*?\\[a!\\]]{0,9}"
        ];
        let entries = || proptest::collection::vec(entry.clone(), 0..3);
        let access =
            (entries(), entries(), entries()).prop_map(|(admin, read, write)| Access { admin, read, write });
        let pattern = "([a-c*?.!^\\[\\]\\\\-]{0,4}/?){0,4}|(\\*\\*/){0,5}a|(a\\*){0,40}b";
        let pattern = pattern.prop_filter_map("no pattern", |text| text.parse().ok());
        let rule = (access, pattern).prop_map(|(access, pattern)| super::super::Rule { access, pattern });
        (proptest::collection::vec(rule, 0..5), any::<bool>())
            .prop_map(|(rules, terminal)| PermissionFile { rules, terminal })
    }

    proptest! {
        #[test]
        fn the_owner_may_everything_and_levels_include_each_other(
            files in proptest::collection::vec(("[ab](/[ab]){0,2}", arbitrary_file()), 0..4),
            path in "[abc.]*[abc](/[abc.]*[abc]){0,4}|(a{1,40}/){0,9}a",
            user in "[a-c]@x\\.org",
        ) {
            let Ok(path) = path.parse::<DatasitePath>() else { return Ok(()) };
            let (user, owner) = (email(&user), email("do@x.org"));
            let mut permissions = Permissions::default();
            for (folder, file) in files {
                // What is written is what is read.
                let yaml = file.to_yaml().unwrap();
                prop_assert_eq!(&PermissionFile::parse(yaml.as_bytes()).unwrap(), &file);
                permissions.insert(Some(&at(&folder)), file);
            }
            let levels = [Level::Admin, Level::Write, Level::Read];
            prop_assert!(levels.iter().all(|level| permissions.allows(&owner, &owner, &path, *level)));
            let allowed = levels.map(|level| permissions.allows(&user, &owner, &path, level));
            prop_assert!(allowed[0] <= allowed[1] && allowed[1] <= allowed[2]);
            let decision = permissions.decide(&user, &owner, &path, Level::Read);
            let by_a_rule = matches!(decision.because, Because::Rule { .. });
            prop_assert!(by_a_rule || !decision.allowed);
        }

        #[test]
        fn a_literal_pattern_is_about_its_path_alone(
            path in "[a*?\\[\\]{}!^.-]{1,6}(/[a*?\\[\\]{}!^.-]{1,6}){0,2}",
            other in "[a*?\\[\\]{}!^.-]{1,6}(/[a*?\\[\\]{}!^.-]{1,6}){0,2}",
        ) {
            let (Ok(path), Ok(other)) = (path.parse::<DatasitePath>(), other.parse::<DatasitePath>()) else {
                return Ok(());
            };
            let mut permissions = Permissions::default();
            let pattern: Pattern = Pattern::literal(&path).as_str().parse().unwrap();
            permissions.insert(None, PermissionFile::single(pattern, Access::read_by_anyone()));
            prop_assert!(reads(&permissions, "ann@x.org", path.as_str()));
            prop_assert_eq!(reads(&permissions, "ann@x.org", other.as_str()), other == path);
        }
    }
}
