//! From what a job asks for to what it gets: package by package, the newest wheel that fits, and what that
//! wants in turn. There is no second guess: where two wants exclude each other, that is said.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use syftbox_core::{domain::ContentHash, wire::job::ApprovedPackage};

use super::{
    PackageCache, PackageError, PackageName, Requirement,
    instead::instead,
    pip::{self, Got, Otherwise},
    provided,
    wheel::About,
};

/// How many wheels a job may bring, and how many wants are looked at.
const MOST_WHEELS: usize = 40;
const MOST_WANTS: usize = 1000;

/// What a job asks for, sorted into what there is and what there isn't.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What the runtime has.
    pub provided: Vec<Provided>,
    /// Wheels that the job brings.
    pub wheels: Vec<ApprovedPackage>,
    /// What is there in another version than was asked for: the job may still run.
    pub notes: Vec<Refusal>,
    /// What can't be had.
    pub refused: Vec<Refusal>,
}

/// A package of the runtime that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provided {
    /// Its name.
    pub name: PackageName,
    /// The version that is there.
    pub version: String,
}

/// A package that a job can't have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What was asked for, and by whom.
    pub wanted: String,
    /// Why it can't be had, and what is there instead.
    pub why: String,
}

/// A want, and the package that has it; `None` for the job itself.
struct Want {
    requirement: Requirement,
    by: Option<PackageName>,
}

impl Want {
    fn words(&self) -> String {
        match &self.by {
            Some(by) => format!("{} (for {by})", self.requirement),
            None => self.requirement.to_string(),
        }
    }
}

/// A wheel that was taken for a package.
struct Taken {
    kept: ApprovedPackage,
    about: About,
    /// All wants that it has to meet.
    wanted: Requirement,
}

/// What a job's config asks for beside the peers' own package, which comes first in it (wire section 5).
pub fn wanted(dependencies: &[String]) -> impl Iterator<Item = &str> {
    dependencies.iter().skip(1).map(String::as_str).filter(|text| !text.trim().is_empty())
}

impl PackageCache {
    /// Finds and gets what a job asks for. The answer is remembered: the same wants get the same wheels.
    ///
    /// # Errors
    /// When it can't be found out, because the registry can't be reached, say.
    pub fn resolve<'a>(&self, wanted: impl Iterator<Item = &'a str>) -> Result<Resolution, PackageError> {
        let mut texts: Vec<_> = wanted.map(str::trim).collect();
        texts.sort_unstable();
        texts.dedup();
        let key = ContentHash::of(format!("{}\n{}", provided::all(), texts.join("\n")).as_bytes());
        if let Some(known) = self.resolved(key) {
            return Ok(known);
        }
        let mut search = Search {
            cache: self,
            found: Resolution::default(),
            taken: BTreeMap::new(),
            open: VecDeque::new(),
        };
        for text in texts {
            match text.parse() {
                Ok(requirement) => search.open.push_back(Want { requirement, by: None }),
                Err(error) => search.refuse(text.to_owned(), format!("{error}")),
            }
        }
        search.run()?;
        let mut found = search.found;
        found.wheels = search.taken.into_values().map(|taken| taken.kept).collect();
        found.provided.sort_by(|a, b| a.name.cmp(&b.name));
        found.provided.dedup();
        // What is refused today may be there tomorrow.
        if found.refused.is_empty() {
            self.remember(key, &found)?;
        }
        Ok(found)
    }
}

struct Search<'a> {
    cache: &'a PackageCache,
    found: Resolution,
    taken: BTreeMap<PackageName, Taken>,
    open: VecDeque<Want>,
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), PackageError> {
        let mut seen = 0;
        while let Some(want) = self.open.pop_front() {
            seen += 1;
            if seen > MOST_WANTS || self.taken.len() > MOST_WHEELS {
                self.refuse(want.words(), format!("the job wants more than {MOST_WHEELS} packages"));
                return Ok(());
            }
            self.meet(&want)?;
        }
        Ok(())
    }

    fn meet(&mut self, want: &Want) -> Result<(), PackageError> {
        let requirement = &want.requirement;
        let name = &requirement.name;
        // The condition of what another package wants was looked at before.
        if want.by.is_none() && !requirement.applies(None) {
            return Ok(());
        }
        if provided::is_ours(name) {
            let version = "of the sandbox".to_owned();
            self.found.provided.push(Provided { name: name.clone(), version });
            return Ok(());
        }
        if let Some(version) = provided::version(name) {
            if requirement.takes(version) {
                self.found.provided.push(Provided { name: name.clone(), version: version.to_string() });
            } else {
                let why = format!("jobs have {name} {version} and no other, which may do or not");
                self.found.notes.push(Refusal { wanted: want.words(), why });
            }
            return Ok(());
        }
        let Some(taken) = self.taken.get_mut(name) else { return self.take(want, requirement.clone()) };
        if requirement.takes(&taken.about.version) {
            let known: Vec<_> = taken.wanted.extras.clone();
            let new: Vec<_> =
                requirement.extras.iter().filter(|extra| !known.contains(extra)).cloned().collect();
            taken.wanted.extras.extend(new.clone());
            let wants = wants_of(&taken.about, &new, false);
            self.open.extend(wants);
            return Ok(());
        }
        // A second look with both ranges. What the first choice wanted stays: it is more than is needed.
        let mut both = taken.wanted.clone();
        let ranges = both.versions.iter().chain(requirement.versions.iter()).cloned();
        both.versions = ranges.collect();
        both.extras.extend(requirement.extras.iter().cloned());
        self.take(want, both)
    }

    /// Gets a wheel for a package.
    fn take(&mut self, want: &Want, wanted: Requirement) -> Result<(), PackageError> {
        let work = self.cache.work_folder()?;
        let wheel = match pip::download(&wanted, &self.cache.source, work.path())? {
            Got::Wheel(wheel) => wheel,
            Got::TooLarge => {
                self.refuse(want.words(), "it is larger than any package that a job may bring".to_owned());
                return Ok(());
            }
            Got::Failed { said } => {
                self.refuse(want.words(), format!("pip doesn't take it: {said}"));
                return Ok(());
            }
            Got::Nothing { versions } if !versions.is_empty() => {
                let some: Vec<_> = versions.iter().rev().take(5).map(String::as_str).collect();
                let why = format!(
                    "no version of it without native code fits {wanted}; there are {}; {}",
                    some.join(", "),
                    instead(want.by.as_ref().unwrap_or(&wanted.name))
                );
                self.refuse(want.words(), why);
                return Ok(());
            }
            Got::Nothing { .. } => {
                let name = &wanted.name;
                let why = match pip::otherwise(name, &self.cache.source, work.path())? {
                    Otherwise::Native => {
                        format!("{name} has native code, which can't run in the sandbox; {}", instead(name))
                    }
                    Otherwise::Source => {
                        format!("{name} has no wheel, and nothing is built here; {}", instead(name))
                    }
                    Otherwise::Nothing => format!("the registry has no package {name}"),
                };
                self.refuse(want.words(), why);
                return Ok(());
            }
        };
        match self.cache.add(&wheel)? {
            Ok((kept, about)) => {
                self.open.extend(wants_of(&about, &wanted.extras, true));
                self.taken.insert(wanted.name.clone(), Taken { kept, about, wanted });
            }
            Err(bad) => self.refuse(want.words(), bad.to_string()),
        }
        Ok(())
    }

    fn refuse(&mut self, wanted: String, why: String) {
        self.found.refused.push(Refusal { wanted, why });
    }
}

/// What a package wants here for these optional parts, and, when `always`, for none.
fn wants_of(about: &About, extras: &[PackageName], always: bool) -> Vec<Want> {
    let applies = |want: &Requirement| {
        (always && want.applies(None)) || extras.iter().any(|extra| want.applies(Some(extra)))
    };
    let by = Some(about.name.clone());
    about
        .wants
        .iter()
        .filter(|want| applies(want))
        .map(|want| Want { requirement: want.clone(), by: by.clone() })
        .collect()
}
