//! What a site lets jobs use: its own defaults, and ceilings that no option goes past, for all peers or for
//! some. `docs/policy.md` shows a policy file.

mod document;
mod error;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use syftbox_core::domain::Email;

use self::document::Document;
pub use self::error::{OverCeiling, PolicyError};
use crate::sandbox::{Limit, Limits};

/// The longest policy file, in bytes.
const LONGEST: u64 = 1 << 20;

/// Some limits, each in its unit; what isn't named is as it would be without.
pub type SomeLimits = BTreeMap<Limit, u64>;

/// A site's rules for the limits of jobs. The default has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    path: Option<PathBuf>,
    site: Rules,
    peers: BTreeMap<Email, Rules>,
    /// By domain, in lower case.
    domains: BTreeMap<String, Rules>,
}

/// What holds for some jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rules {
    defaults: SomeLimits,
    ceilings: SomeLimits,
}

/// A value and who set it.
type Ceiling<'a> = (u64, Option<&'a Path>);

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// When it can't be read, or isn't understood to the last word.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let unreadable = |source| PolicyError::Unreadable { path: path.to_path_buf(), source };
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
            .map_err(unreadable)?;
        if text.len() as u64 > LONGEST {
            return Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 1 MiB")));
        }
        let mut policy =
            Document::parse(&text).map_err(|why| PolicyError::Wrong { path: path.to_path_buf(), why })?;
        policy.path = Some(path.to_path_buf());
        Ok(policy)
    }

    /// Where it was read from; `None` when there is no policy file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The limits of a job of `peer`, for an owner who asked for `asked`: what was asked for, else what the
    /// peer has by default, else the site, else the program. A default above a ceiling is the ceiling.
    ///
    /// # Errors
    /// When more is asked for than the peer's jobs may have.
    pub fn limits_for(&self, peer: &Email, asked: &SomeLimits) -> Result<Limits, OverCeiling> {
        let rules = self.rules_for(peer);
        let mut limits = Limits::default();
        for limit in Limit::ALL {
            let (ceiling, by) = self.ceiling(rules, limit);
            let value = match asked.get(&limit) {
                Some(asked) if *asked > ceiling => {
                    let (asked, by) = (*asked, by.map(Path::to_path_buf));
                    return Err(OverCeiling { limit, asked, ceiling, by, peer: Some(peer.clone()) });
                }
                Some(asked) => *asked,
                None => {
                    let set = rules.and_then(|rules| rules.defaults.get(&limit));
                    let set = set.or_else(|| self.site.defaults.get(&limit)).copied();
                    set.unwrap_or_else(|| limits.get(limit)).min(ceiling)
                }
            };
            limits.set(limit, value);
        }
        Ok(limits)
    }

    /// Looks whether anybody's job may have what was asked for.
    ///
    /// # Errors
    /// When nobody's may.
    pub fn check(&self, asked: &SomeLimits) -> Result<(), OverCeiling> {
        for (limit, asked) in asked {
            let all = self.peers.values().chain(self.domains.values()).map(Some).chain([None]);
            let (ceiling, by) =
                all.map(|rules| self.ceiling(rules, *limit)).max().unwrap_or((u64::MAX, None));
            if *asked > ceiling {
                let by = by.map(Path::to_path_buf);
                return Err(OverCeiling { limit: *limit, asked: *asked, ceiling, by, peer: None });
            }
        }
        Ok(())
    }

    fn ceiling(&self, rules: Option<&Rules>, limit: Limit) -> Ceiling<'_> {
        let set = rules.and_then(|rules| rules.ceilings.get(&limit));
        match set.or_else(|| self.site.ceilings.get(&limit)) {
            Some(ceiling) => (*ceiling, self.path()),
            None => (Limits::GREATEST.get(limit), None),
        }
    }

    /// The rules of the peer's own, else those of its domain.
    fn rules_for(&self, peer: &Email) -> Option<&Rules> {
        self.peers.get(peer).or_else(|| self.domains.get(&peer.domain().to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests;
