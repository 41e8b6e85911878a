//! Matching names against globs, in time bounded by the product of both lengths.
//!
//! The rules are those of the Python packages: `wcmatch` with `GLOBSTAR` for paths, `fnmatch` for
//! addresses.

use super::pattern::Coverage;

/// One place of a glob.
#[derive(Clone, Debug)]
enum Token {
    /// This character.
    Char(char),
    /// `?`
    One,
    /// `*`
    Run,
    /// `[…]`
    Class { negated: bool, items: Vec<ClassItem> },
}

/// Whether a character is in a named class.
type IsNamed = fn(char) -> bool;

#[derive(Clone, Debug)]
enum ClassItem {
    /// From the first to the second, nothing when they are the wrong way round.
    Range(char, char),
    /// `[:alpha:]` and the like.
    Named(IsNamed),
}

impl Token {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Char(token) => *token == c,
            Self::One | Self::Run => true,
            Self::Class { negated, items } => {
                let inside = items.iter().any(|item| match item {
                    ClassItem::Range(first, last) => (*first..=*last).contains(&c),
                    ClassItem::Named(is) => is(c),
                });
                inside != *negated
            }
        }
    }
}

/// Whether `text` has a character that makes it a glob.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// A glob for one name.
#[derive(Clone, Debug)]
pub(super) struct NameGlob(Vec<Token>);

impl NameGlob {
    /// Reads a glob for one component of a path: with `\` escapes, named classes and `[^…]`.
    pub(super) fn component(text: &str) -> Self {
        Self(tokens(text, true))
    }

    /// Reads a glob for an address, which knows none of these.
    pub(super) fn address(text: &str) -> Self {
        Self(tokens(text, false))
    }

    /// Whether all of `name` matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let tokens = &self.0;
        let name: Vec<char> = name.chars().collect();
        let (mut token, mut at) = (0, 0);
        // The last `*` and how far it reaches; an earlier one never has to reach further.
        let mut run: Option<(usize, usize)> = None;
        while at < name.len() {
            match tokens.get(token) {
                Some(Token::Run) => {
                    run = Some((token, at));
                    token += 1;
                }
                Some(one) if one.matches(name[at]) => {
                    token += 1;
                    at += 1;
                }
                _ => match &mut run {
                    Some((star, reach)) => {
                        *reach += 1;
                        (token, at) = (*star + 1, *reach);
                    }
                    None => return false,
                },
            }
        }
        tokens[token..].iter().all(|token| matches!(token, Token::Run))
    }

    /// Whether it matches as a component of a path.
    fn matches_component(&self, name: &str) -> bool {
        (!name.starts_with('.') || self.names_the_dot()) && self.matches(name)
    }

    /// Whether every name matches that isn't hidden.
    fn is_any(&self) -> bool {
        matches!(self.0.as_slice(), [Token::Run])
    }

    /// Whether a name that begins with a dot may match: only when the glob begins with one.
    fn names_the_dot(&self) -> bool {
        matches!(self.0.first(), Some(Token::Char('.')))
    }
}

fn tokens(text: &str, of_path: bool) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::with_capacity(chars.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '?' => tokens.push(Token::One),
            '*' => {
                if !matches!(tokens.last(), Some(Token::Run)) {
                    tokens.push(Token::Run);
                }
            }
            '\\' if of_path => {
                if let Some(&escaped) = chars.get(at) {
                    tokens.push(Token::Char(escaped));
                    at += 1;
                }
            }
            '[' => match class(&chars[at..], of_path) {
                Some((token, len)) => {
                    tokens.push(token);
                    at += len;
                }
                None => tokens.push(Token::Char('[')),
            },
            _ => tokens.push(Token::Char(c)),
        }
    }
    tokens
}

/// Reads a class behind its `[`, and how many characters it takes; `None` when it has no end.
fn class(chars: &[char], of_path: bool) -> Option<(Token, usize)> {
    let mut at = 0;
    let negated = chars.first() == Some(&'!') || (of_path && chars.first() == Some(&'^'));
    if negated {
        at += 1;
    }
    let start = at;
    let mut items = Vec::new();
    loop {
        let c = *chars.get(at)?;
        if c == ']' && at > start {
            return Some((Token::Class { negated, items }, at + 1));
        }
        if let Some((named, len)) = of_path.then(|| named_class(&chars[at..])).flatten() {
            items.push(ClassItem::Named(named));
            at += len;
            continue;
        }
        let (first, len) = class_char(&chars[at..], of_path)?;
        at += len;
        // `a-` before the end is two characters, not a range.
        if chars.get(at) == Some(&'-') && chars.get(at + 1).is_some_and(|&next| next != ']') {
            let (last, len) = class_char(&chars[at + 1..], of_path)?;
            at += 1 + len;
            items.push(ClassItem::Range(first, last));
        } else {
            items.push(ClassItem::Range(first, first));
        }
    }
}

fn class_char(chars: &[char], of_path: bool) -> Option<(char, usize)> {
    match chars {
        ['\\', escaped, ..] if of_path => Some((*escaped, 2)),
        [c, ..] => Some((*c, 1)),
        [] => None,
    }
}

fn named_class(chars: &[char]) -> Option<(IsNamed, usize)> {
    let rest = chars.strip_prefix(&['[', ':'])?;
    let end = rest.iter().take(8).position(|&c| c == ':')?;
    (rest.get(end + 1) == Some(&']')).then_some(())?;
    let name: String = rest[..end].iter().collect();
    let is: IsNamed = match name.as_str() {
        "alnum" => |c| c.is_ascii_alphanumeric(),
        "alpha" => |c| c.is_ascii_alphabetic(),
        "ascii" => |c| c.is_ascii(),
        "blank" => |c| matches!(c, ' ' | '\t'),
        "cntrl" => |c| c.is_ascii_control(),
        "digit" => |c| c.is_ascii_digit(),
        "graph" => |c| c.is_ascii_graphic(),
        "lower" => |c| c.is_ascii_lowercase(),
        "print" => |c| c == ' ' || c.is_ascii_graphic(),
        "punct" => |c| c.is_ascii_punctuation(),
        "space" => |c| c.is_ascii_whitespace() || c == '\u{b}',
        "upper" => |c| c.is_ascii_uppercase(),
        "word" => |c| c.is_ascii_alphanumeric() || c == '_',
        "xdigit" => |c| c.is_ascii_hexdigit(),
        _ => return None,
    };
    Some((is, end + 4))
}

/// One component of a glob for paths.
#[derive(Clone, Debug)]
enum Component {
    /// `**`: any number of components, none of them hidden.
    Any,
    /// One component.
    One(NameGlob),
}

/// A glob for paths.
#[derive(Clone, Debug)]
pub(super) struct PathGlob(Vec<Component>);

impl PathGlob {
    /// Reads a glob; `None` when no path can match it: it begins or ends with a `/`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') || text.ends_with('/') {
            return None;
        }
        let mut components = Vec::new();
        for component in text.split('/').filter(|component| !component.is_empty()) {
            if component != "**" {
                components.push(Component::One(NameGlob::component(component)));
            } else if !matches!(components.last(), Some(Component::Any)) {
                components.push(Component::Any);
            }
        }
        Some(Self(components))
    }

    /// How much of what is in the folder with these components matches.
    pub(super) fn coverage(&self, folder: &[&str]) -> Coverage {
        // Which parts of the glob's end are left for what is in the folder.
        let mut left = vec![false; self.0.len() + 1];
        left[0] = true;
        self.skip_empty(&mut left);
        for name in folder {
            let mut next = vec![false; left.len()];
            for (at, component) in self.0.iter().enumerate().filter(|(at, _)| left[*at]) {
                match component {
                    Component::Any => next[at] |= !name.starts_with('.'),
                    Component::One(glob) => next[at + 1] |= glob.matches_component(name),
                }
            }
            self.skip_empty(&mut next);
            left = next;
        }
        let ends = left.iter().zip(0..).filter(|(left, _)| **left).map(|(_, at)| &self.0[at..]);
        ends.fold(Coverage::None, |found, end| match end {
            [] => found,
            [Component::Any] => Coverage::All,
            [Component::Any, Component::One(glob)] if glob.is_any() => Coverage::All,
            _ if found == Coverage::None => Coverage::Part,
            _ => found,
        })
    }

    /// `**` may stand for nothing.
    fn skip_empty(&self, left: &mut [bool]) {
        for (at, component) in self.0.iter().enumerate() {
            left[at + 1] |= left[at] && matches!(component, Component::Any);
        }
    }

    /// Whether all of the path with these components matches.
    pub(super) fn matches(&self, path: &[&str]) -> bool {
        // Which starts of the path the glob's start can match.
        let mut matched = vec![false; path.len() + 1];
        matched[0] = true;
        for (at, component) in self.0.iter().enumerate() {
            // `a/**` is what is in `a`, not `a` itself.
            let not_empty = at > 0 && at + 1 == self.0.len();
            matched = match component {
                Component::Any => after_any(&matched, path, not_empty),
                Component::One(glob) => after_one(&matched, path, glob),
            };
        }
        matched[path.len()]
    }
}

fn after_any(before: &[bool], path: &[&str], not_empty: bool) -> Vec<bool> {
    let mut after = vec![false; before.len()];
    for end in 0..before.len() {
        let absorbs_one = end > 0 && !path[end - 1].starts_with('.') && (after[end - 1] || before[end - 1]);
        after[end] = absorbs_one || (before[end] && !not_empty);
    }
    after
}

fn after_one(before: &[bool], path: &[&str], glob: &NameGlob) -> Vec<bool> {
    let mut after = vec![false; before.len()];
    for (at, name) in path.iter().enumerate() {
        after[at + 1] = before[at] && glob.matches_component(name);
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        PathGlob::parse(glob).is_some_and(|glob| glob.matches(&path))
    }

    /// Each answer is that of `wcmatch.glob.globmatch(path, glob, flags=GLOBSTAR)`, version 12.
    #[test]
    fn paths_match_as_in_wcmatch() {
        for (glob, yes, no) in [
            ("**", &["a", "a/b"][..], &[".a", "a/.b", "a/.b/c"][..]),
            ("a/**", &["a/b", "a/b/c"], &["a", "a/.b"]),
            ("**/a", &["a", "b/a", "b/c/a"], &[".x/a"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/.x/b"]),
            ("a/**/**/b", &["a/b"], &["a"]),
            ("**/.h/**", &[".h/x", "a/.h/x/y"], &["a/.h"]),
            ("*/**", &["a/b"], &["a"]),
            ("*", &["a"], &[".a", "a/b"]),
            (".*", &[".a"], &["a", ".a/b"]),
            ("*.txt", &["a.txt"], &[".txt", "a.txt/b"]),
            ("?", &["a", "é"], &["aa"]),
            ("[.]a", &[], &[".a"]),
            ("[!a]b", &["cb"], &["ab", ".b"]),
            ("[^a]b", &["cb", "^b"], &["ab"]),
            ("[]a]", &["]", "a"], &["b"]),
            ("[!]", &["[!]"], &["a"]),
            ("[a", &["[a"], &["a"]),
            ("[a/b]", &["[a/b]"], &["a", "b"]),
            ("[a-c]x", &["bx"], &["dx"]),
            ("[c-a]x", &[], &["bx", "cx"]),
            ("[a-c-e]", &["b", "-", "e"], &["d"]),
            ("[a\\-z]", &["-", "a"], &["b"]),
            ("[[:alpha:]]", &["a"], &["1", ":"]),
            ("\\*", &["*"], &["a"]),
            ("a**", &["ab"], &["a/b"]),
            ("a//b*", &["a/b"], &["a"]),
            ("/a*", &[], &["a"]),
            ("a*/", &[], &["a"]),
            ("{a,b}*", &["{a,b}c"], &["a"]),
            ("!a*", &["!ab"], &["b"]),
            ("A*", &["Ab"], &["ab"]),
        ] {
            for path in yes {
                assert!(matches(glob, path), "{glob} should match {path}");
            }
            for path in no {
                assert!(!matches(glob, path), "{glob} should not match {path}");
            }
        }
    }

    #[test]
    fn what_is_in_a_folder_is_covered() {
        let coverage = |glob: &str, folder: &str| {
            let folder: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
            PathGlob::parse(glob).unwrap().coverage(&folder)
        };
        for (glob, folder, expected) in [
            ("**", "", Coverage::All),
            ("**", "a/b", Coverage::All),
            ("**", ".a", Coverage::None),
            ("**/*", "a", Coverage::All),
            ("a/**", "a", Coverage::All),
            ("a/**", "a/b", Coverage::All),
            ("a/**", "b", Coverage::None),
            ("a/**", "", Coverage::Part),
            ("*/**", "a", Coverage::All),
            ("**/*.csv", "a", Coverage::Part),
            ("a/*", "a", Coverage::Part),
            ("a/*", "a/b", Coverage::None),
            ("[a]", "a", Coverage::None),
            ("**/a/**", "a", Coverage::All),
            ("**/a/**", "b", Coverage::Part),
        ] {
            assert_eq!(coverage(glob, folder), expected, "{glob} in {folder}");
        }
    }

    #[test]
    fn many_wildcards_end_soon() {
        let name = "a".repeat(255);
        assert!(!matches(&format!("{}b", "a*".repeat(2000)), &name));
        let path = ["a"; 512].join("/");
        assert!(!matches(&format!("{}b*", "**/a*/".repeat(500)), &path));
        assert!(matches(&format!("{}a*", "**/*/".repeat(10)), &path));
    }

    #[test]
    fn addresses_match_as_in_fnmatch() {
        let matches = |glob: &str, name: &str| NameGlob::address(glob).matches(name);
        assert!(matches("*@x.org", "ann@x.org"));
        assert!(!matches("*@x.org", "ann@y.org"));
        assert!(!matches("*@x.org", "ann@x.org.evil.net"));
        assert!(matches("?nn@x.org", "ann@x.org"));
        assert!(matches("[!b]*@x.org", "ann@x.org"));
        assert!(matches("[^b]*@x.org", "bob@x.org"), "in an address ^ is a character like others");
    }
}
