//! Giving and taking access to one file or folder: which rule to change, so that nobody else's
//! access changes (wire section 7).
//!
//! The nearest permission file decides alone, so the file that decides already is the one to change.
//! In it, a rule for exactly this file or folder takes over what was decided before, with one user
//! more or less.

use std::cmp::Reverse;

use super::{
    Access, Level, Pattern, PermissionFile, Rule,
    pattern::{Coverage, Matcher},
};
use crate::domain::{DatasitePath, Email};

/// What access is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One file.
    File(DatasitePath),
    /// All in a folder but hidden names; the whole datasite when `None`.
    Folder(Option<DatasitePath>),
}

impl Target {
    /// The path; `None` for the whole datasite.
    #[must_use]
    pub fn path(&self) -> Option<&DatasitePath> {
        match self {
            Self::File(path) => Some(path),
            Self::Folder(path) => path.as_ref(),
        }
    }

    /// The pattern of a rule for exactly this.
    fn pattern(&self) -> Pattern {
        match self {
            Self::File(path) => Pattern::literal(path),
            Self::Folder(Some(folder)) => Pattern::below(folder),
            Self::Folder(None) => Pattern::everything(),
        }
    }

    /// The same, seen from `folder`, in which it is.
    #[must_use]
    pub fn seen_from(&self, folder: &str) -> Self {
        let inside = |path: &DatasitePath| match folder {
            "" => Some(path.clone()),
            folder => folder.parse().ok().and_then(|folder| path.below(&folder)),
        };
        match self {
            Self::File(path) => Self::File(inside(path).unwrap_or_else(|| path.clone())),
            Self::Folder(path) => Self::Folder(path.as_ref().and_then(inside)),
        }
    }

    /// How much of this `matcher` is about when `user` asks.
    fn coverage(&self, matcher: &Matcher, user: &Email) -> Coverage {
        match self {
            Self::File(path) if matcher.matches(&path.components().collect::<Vec<_>>(), user) => {
                Coverage::All
            }
            Self::File(_) => Coverage::None,
            Self::Folder(folder) => {
                let folder: Vec<&str> = folder.iter().flat_map(DatasitePath::components).collect();
                matcher.coverage(&folder, user)
            }
        }
    }
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// There was nothing to change.
    Nothing,
    /// A rule for exactly the target says it now.
    Exactly,
    /// Only a rule that is about more could say it: the user has the same there. Nobody else has.
    Wider(Pattern),
}

/// A change that one rule can't express.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Several rules decide about parts of a folder, and a new one would stand above them.
    #[error(
        "the rule for {0} decides about a part of the folder, and a rule for all of it would overrule it; name the files one by one, or edit the permission file"
    )]
    Entangled(Pattern),
    /// The rule that gives access is about more than the target, and no other can overrule it.
    #[error("the rule for {0} gives it, which is about more than this; edit the permission file")]
    Through(Pattern),
    /// The user isn't named: an entry for many gives access.
    #[error(
        "the entry {entry} of the rule for {pattern} gives it, which is about others too; edit the permission file"
    )]
    Unnamed {
        /// The rule's pattern.
        pattern: Pattern,
        /// The entry.
        entry: String,
    },
    /// No more rules fit.
    #[error("the file has {max} rules, and no more are possible; edit the permission file", max = PermissionFile::MAX_RULES)]
    Full,
}

/// Which rules of a file decide about a target, by their places in it.
#[derive(Clone, Debug)]
pub struct Deciding {
    /// The rule for all of it.
    pub rule: Option<usize>,
    /// For a folder: the rules that stand above that one and are about parts of it.
    pub parts: Vec<usize>,
    /// The first of those that a rule for exactly the folder would overrule.
    overruled: Option<usize>,
}

impl PermissionFile {
    /// The rules that decide about `target`, a path relative to this file's folder, for `user`.
    #[must_use]
    pub fn deciding(&self, target: &Target, user: &Email) -> Deciding {
        let own = Reverse(target.pattern().specificity());
        let mut order: Vec<usize> = (0..self.rules.len()).collect();
        order.sort_by_cached_key(|at| Reverse(self.rules[*at].pattern.specificity()));
        let mut deciding = Deciding { rule: None, parts: Vec::new(), overruled: None };
        for at in order {
            let pattern = &self.rules[at].pattern;
            match target.coverage(&Matcher::new(pattern), user) {
                Coverage::None => {}
                Coverage::All => {
                    deciding.rule = Some(at);
                    break;
                }
                Coverage::Part => {
                    deciding.parts.push(at);
                    if Reverse(pattern.specificity()) > own {
                        deciding.overruled = deciding.overruled.or(Some(at));
                    }
                }
            }
        }
        deciding
    }

    /// Gives `user` `level` on `target`, a path relative to this file's folder. Nobody else's access
    /// changes, and rules about parts of a folder stay as they are.
    ///
    /// # Errors
    /// [`EditError::Entangled`] or [`EditError::Full`]; the file is unchanged then.
    pub fn give(&mut self, target: &Target, user: &Email, level: Level) -> Result<Edited, EditError> {
        let before = self.deciding(target, user).rule;
        if before.is_some_and(|at| self.rules[at].access.allows(user, level)) {
            return Ok(Edited::Nothing);
        }
        if let Some(at) = self.exact_rule(target, user)? {
            self.rules[at].access.add(user, level);
            return Ok(Edited::Exactly);
        }
        let Some(at) = before else { return Ok(Edited::Nothing) };
        self.rules[at].access.add(user, level);
        Ok(Edited::Wider(self.rules[at].pattern.clone()))
    }

    /// Takes `level` and those that include it from `user`, on `target`. What it may do below that
    /// level stays, and so does everybody else's access.
    ///
    /// # Errors
    /// When `user` isn't named, or the rule is about more than the target; unchanged then.
    pub fn take(&mut self, target: &Target, user: &Email, level: Level) -> Result<Edited, EditError> {
        let Some(before) = self.deciding(target, user).rule else { return Ok(Edited::Nothing) };
        let Rule { access, pattern } = &self.rules[before];
        if !access.allows(user, level) {
            return Ok(Edited::Nothing);
        }
        let less = access.without(user, level);
        if let Some(entry) = less.entry_for(user, level) {
            return Err(EditError::Unnamed { pattern: pattern.clone(), entry: entry.to_owned() });
        }
        let through = EditError::Through(pattern.clone());
        let at = self.exact_rule(target, user)?.ok_or(through)?;
        self.rules[at].access = less;
        Ok(Edited::Exactly)
    }

    /// The rule for exactly `target`, which is added with what is decided without it. `None` when
    /// another rule stands above it for `user`; nothing is added then.
    fn exact_rule(&mut self, target: &Target, user: &Email) -> Result<Option<usize>, EditError> {
        let pattern = target.pattern();
        let before = self.deciding(target, user);
        if let Some(at) = before.rule.filter(|at| self.rules[*at].pattern == pattern) {
            return Ok(Some(at));
        }
        if let Some(at) = before.overruled {
            return Err(EditError::Entangled(self.rules[at].pattern.clone()));
        }
        if self.rules.len() >= Self::MAX_RULES {
            return Err(EditError::Full);
        }
        let access = before.rule.map(|at| self.rules[at].access.clone()).unwrap_or_default();
        // Of equals the first counts: behind those about parts, before the one that it takes over from.
        let equal = |at: &usize| self.rules[*at].pattern.specificity() == pattern.specificity();
        let at = before.rule.filter(equal).unwrap_or(self.rules.len());
        self.rules.insert(at, Rule { access, pattern });
        if self.deciding(target, user).rule == Some(at) {
            return Ok(Some(at));
        }
        self.rules.remove(at);
        Ok(None)
    }
}

impl Access {
    fn list(&mut self, level: Level) -> &mut Vec<String> {
        match level {
            Level::Read => &mut self.read,
            Level::Write => &mut self.write,
            Level::Admin => &mut self.admin,
        }
    }

    fn add(&mut self, user: &Email, level: Level) {
        self.list(level).push(user.to_string());
    }

    /// The same without `level` for `user`, as far as the user is named. It keeps the levels below.
    fn without(&self, user: &Email, level: Level) -> Self {
        let mut less = self.clone();
        let levels = [Level::Read, Level::Write, Level::Admin];
        for taken in levels.into_iter().filter(|taken| *taken >= level) {
            less.list(taken).retain(|entry| !entry.eq_ignore_ascii_case(user.as_str()));
        }
        if let Some(kept) = levels.into_iter().rfind(|kept| *kept < level)
            && self.allows(user, kept)
            && !less.allows(user, kept)
        {
            less.add(user, kept);
        }
        less
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::permissions::Permissions;

    fn email(text: &str) -> Email {
        text.parse().unwrap()
    }

    fn file(rules: &[(&str, &str)]) -> PermissionFile {
        let rules = rules.iter().map(|(pattern, readers)| Rule {
            access: Access {
                read: readers.split_whitespace().map(str::to_owned).collect(),
                ..Access::default()
            },
            pattern: pattern.parse().unwrap(),
        });
        PermissionFile { rules: rules.collect(), terminal: false }
    }

    fn one(path: &str) -> Target {
        Target::File(path.parse().unwrap())
    }

    fn below(path: &str) -> Target {
        Target::Folder(path.parse().ok())
    }

    fn reads(file: &PermissionFile, target: &Target, user: &str) -> bool {
        let deciding = file.deciding(target, &email(user)).rule;
        deciding.is_some_and(|at| file.rules[at].access.allows(&email(user), Level::Read))
    }

    #[test]
    fn a_new_rule_keeps_what_was_decided_before() {
        let (ann, bob) = (email("ann@x.org"), "bob@x.org");
        let mut rules = file(&[("**", bob), ("**/*.csv", "*@y.org")]);
        assert_eq!(rules.give(&one("a/b.csv"), &ann, Level::Read), Ok(Edited::Exactly));
        assert_eq!(rules.rules.len(), 3);
        for (path, user, expected) in [
            ("a/b.csv", "ann@x.org", true),
            ("a/b.csv", "eve@y.org", true),
            ("a/b.csv", bob, false),
            ("a/c.csv", "ann@x.org", false),
            ("a/b.txt", "ann@x.org", false),
            ("a/b.txt", bob, true),
        ] {
            assert_eq!(reads(&rules, &one(path), user), expected, "{path} {user}");
        }
        assert_eq!(rules.give(&one("a/b.csv"), &ann, Level::Read), Ok(Edited::Nothing));
        assert_eq!(rules.give(&one("a/b.csv"), &ann, Level::Write), Ok(Edited::Exactly));
        assert_eq!(rules.rules.len(), 3, "the rule for it was there already");
    }

    #[test]
    fn a_folder_that_several_rules_decide_about_is_left_alone() {
        let ann = email("ann@x.org");
        let mut rules = file(&[("**", "bob@x.org"), ("**/*.csv", "*")]);
        let before = rules.clone();
        let error = rules.give(&below("a"), &ann, Level::Read).unwrap_err();
        assert_eq!(error, EditError::Entangled("**/*.csv".parse().unwrap()));
        assert_eq!(rules, before);
        let mut simple = file(&[("**", "bob@x.org"), ("a/secret", "")]);
        assert_eq!(simple.give(&below("a"), &ann, Level::Read), Ok(Edited::Exactly));
        assert!(reads(&simple, &one("a/x/y"), "ann@x.org") && reads(&simple, &one("a/x/y"), "bob@x.org"));
        assert!(!reads(&simple, &one("a/secret"), "ann@x.org"), "a rule about a part of it stays");
        assert!(!reads(&simple, &one("b"), "ann@x.org"));
    }

    #[test]
    fn what_is_taken_is_taken_there_alone() {
        let ann = email("ann@x.org");
        let mut rules = file(&[("**", "ann@x.org bob@x.org")]);
        rules.rules[0].access.admin.push("ANN@x.org".to_owned());
        assert_eq!(rules.take(&one("a"), &ann, Level::Write), Ok(Edited::Exactly));
        let access = rules.access(&"a".parse().unwrap()).unwrap();
        assert!(access.allows(&ann, Level::Read) && !access.allows(&ann, Level::Write));
        assert!(reads(&rules, &one("b"), "ann@x.org") && reads(&rules, &one("a"), "bob@x.org"));
        assert_eq!(rules.take(&one("a"), &ann, Level::Read), Ok(Edited::Exactly));
        assert!(!reads(&rules, &one("a"), "ann@x.org") && reads(&rules, &one("a"), "bob@x.org"));
        assert_eq!(rules.take(&one("a"), &ann, Level::Read), Ok(Edited::Nothing));
    }

    #[test]
    fn what_is_given_to_many_cant_be_taken_from_one() {
        let ann = email("ann@x.org");
        for entry in ["*", "*@x.org", "USER"] {
            let mut rules = file(&[("**", entry)]);
            let error = rules.take(&one("a"), &ann, Level::Read).unwrap_err();
            let pattern = Pattern::everything();
            assert_eq!(error, EditError::Unnamed { pattern, entry: entry.to_owned() });
        }
    }

    #[test]
    fn a_rule_for_everybodys_own_folder_is_extended_for_one() {
        let ann = email("ann@x.org");
        let mut rules = file(&[("{{.UserEmail}}/**", "USER"), ("**", "")]);
        let own = one("ann@x.org/a");
        let wider = Edited::Wider("{{.UserEmail}}/**".parse().unwrap());
        assert_eq!(rules.give(&own, &ann, Level::Write), Ok(wider));
        assert!(!rules.rules[0].access.allows(&email("bob@x.org"), Level::Write));
        let error = rules.take(&own, &ann, Level::Write).unwrap_err();
        assert!(matches!(error, EditError::Through(_)), "{error}");
    }

    fn arbitrary_rules() -> impl Strategy<Value = PermissionFile> {
        let entry = prop_oneof![
            "[a-c]@x\\.org",
            Just("*".to_owned()),
            Just("?@x.org".to_owned()),
            Just("USER".to_owned())
        ];
        let entries = || proptest::collection::vec(entry.clone(), 0..3);
        let access =
            (entries(), entries(), entries()).prop_map(|(admin, read, write)| Access { admin, read, write });
        let pattern = prop_oneof![
            4 => "([ab*?]|\\*\\*|\\[a\\]|a@x\\.org|\\{\\{\\.UserEmail\\}\\}|\\.a)(/([ab*?]|\\*\\*|\\{\\{\\.UserEmail\\}\\})){0,3}",
            1 => "([ab/*]|\\*\\*/){1,5}",
        ];
        let pattern = pattern.prop_filter_map("no pattern", |text| text.parse().ok());
        let rule = (access, pattern).prop_map(|(access, pattern)| Rule { access, pattern });
        (proptest::collection::vec(rule, 0..6), proptest::bool::weighted(0.1))
            .prop_map(|(rules, terminal)| PermissionFile { rules, terminal })
    }

    /// All short paths of a few names.
    fn paths() -> Vec<DatasitePath> {
        let names = ["a", "b", ".a", "a@x.org", "b@x.org"];
        let mut paths: Vec<String> = names.map(str::to_owned).to_vec();
        for _ in 0..2 {
            let longer = paths.iter().flat_map(|path| names.map(|name| format!("{path}/{name}")));
            paths = longer.chain(paths.iter().cloned()).collect();
        }
        paths.sort();
        paths.dedup();
        paths.iter().map(|path| path.parse().unwrap()).collect()
    }

    fn is_in(target: &Target, path: &DatasitePath) -> bool {
        let visible = |path: DatasitePath| path.components().all(|name| !name.starts_with('.'));
        match target {
            Target::File(file) => file == path,
            Target::Folder(None) => visible(path.clone()),
            Target::Folder(Some(folder)) => path.below(folder).is_some_and(visible),
        }
    }

    const LEVELS: [Level; 3] = [Level::Read, Level::Write, Level::Admin];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn nobody_elses_access_changes(
            mut rules in arbitrary_rules(),
            path in "([ab]|\\.a|[ab]@x\\.org)(/([ab]|[ab]@x\\.org)){0,2}",
            whole_folder: bool,
            user in "[a-c]@x\\.org",
            level in 0..3_usize,
            takes: bool,
        ) {
            let (user, level, owner) = (email(&user), LEVELS[level], email("do@z.org"));
            let path: DatasitePath = path.parse().unwrap();
            let target = if whole_folder { Target::Folder(Some(path)) } else { Target::File(path) };
            let ready = |rules: &PermissionFile| {
                let mut permissions = Permissions::default();
                permissions.insert(None, rules.clone());
                permissions
            };
            let decided = |permissions: &Permissions, who: &Email, path: &DatasitePath| {
                LEVELS.map(|level| permissions.allows(who, &owner, path, level))
            };
            let before = rules.clone();
            let parts = before.deciding(&target, &user).parts;
            let edited = if takes { rules.take(&target, &user, level) } else { rules.give(&target, &user, level) };
            if edited.is_err() {
                prop_assert_eq!(&rules, &before);
            }
            let (old, new) = (ready(&before), ready(&rules));
            for path in paths() {
                let inside = is_in(&target, &path);
                for who in ["a@x.org", "b@x.org", "c@x.org", "d@y.org"].map(email) {
                    let same = decided(&old, &who, &path) == decided(&new, &who, &path);
                    prop_assert!(who == user || same, "{} on {}: {:?}", who, path, rules);
                    let exactly = !matches!(edited, Ok(Edited::Wider(_)));
                    prop_assert!(inside || !exactly || same, "{} on {}: {:?}", who, path, rules);
                }
                if inside && edited.is_ok() {
                    let (was, is) = (decided(&old, &user, &path), decided(&new, &user, &path));
                    let by_a_part = parts.iter().any(|at| {
                        let part = Matcher::new(&before.rules[*at].pattern);
                        part.matches(&path.components().collect::<Vec<_>>(), &user)
                    });
                    let at = LEVELS.iter().position(|other| *other == level).unwrap();
                    prop_assert!(is[at] != takes || by_a_part, "{}: {:?}", path, rules);
                    let in_order = if takes { is <= was } else { is >= was };
                    prop_assert!(in_order, "{}: {:?} {:?}", path, was, is);
                    if takes && level > Level::Read {
                        prop_assert_eq!(is[0], was[0], "reading stays");
                    }
                }
            }
        }
    }
}
