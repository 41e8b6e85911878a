//! Where a job's files are in a datasite.

use std::{fmt, str::FromStr};

use crate::{
    domain::{DatasitePath, Email, Generation, PathError},
    platform::Random,
    wire::{dataset::is_version_folder, names::PERMISSION_FILE, payload::cut},
};

const JOBS: &str = "app_data/job";
/// The folder of format 1, in which 0.10 keeps its jobs.
const FORMAT_1: &str = "v1";

/// What a job is called: one component of a path, not a permission file's name and not `v1` or the
/// like.
///
/// It may hold what means something in a pattern: make rules for it with
/// [`Pattern::literal`](crate::permissions::Pattern::literal).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobName(String);

/// A text that no job may be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot be a job's name: {reason}; choose another with --name")]
pub struct JobNameError {
    name: String,
    reason: String,
}

impl JobName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `Job - ` and 8 random hex digits.
    #[must_use]
    pub fn random(random: &dyn Random) -> Self {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        Self(format!("Job - {:08x}", u32::from_be_bytes(bytes)))
    }
}

impl FromStr for JobName {
    type Err = JobNameError;

    fn from_str(name: &str) -> Result<Self, JobNameError> {
        let refused = |reason: &str| JobNameError { name: cut(name), reason: reason.to_owned() };
        if name.contains('/') {
            return Err(refused("it has a /"));
        }
        if name.len() > Self::MAX_BYTES {
            return Err(refused("it is longer than 128 bytes"));
        }
        if name.trim() != name {
            return Err(refused("it begins or ends with a space"));
        }
        if name == PERMISSION_FILE || is_version_folder(name) {
            return Err(refused("it means something else in a datasite"));
        }
        match name.parse::<DatasitePath>() {
            Ok(_) => Ok(Self(name.to_owned())),
            Err(error) => Err(refused(&error.to_string())),
        }
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The two halves of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobSide {
    /// What the data scientist submitted.
    Inbox,
    /// What the data owner decided, and what came out.
    Review,
}

impl JobSide {
    fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Review => "review",
        }
    }
}

fn folder(side: JobSide, ds: &Email) -> Result<DatasitePath, PathError> {
    format!("{JOBS}/{}/{ds}", side.as_str()).parse()
}

/// The folder of what an owner approved. Only the owner may read it or write there, whatever
/// permission files say (wire section 5).
pub const APPROVALS_FOLDER: &str = "app_data/job/approvals";

/// The file that says which content of a job was approved.
///
/// # Errors
/// When the path gets too long.
pub fn approval_file(generation: Generation, ds: &Email, name: &JobName) -> Result<DatasitePath, PathError> {
    let layout = match generation {
        Generation::V0_1 => "",
        Generation::V0_10 => "v1/",
    };
    format!("{APPROVALS_FOLDER}/{ds}/{layout}{name}.yaml").parse()
}

/// Whether `path` is in [`APPROVALS_FOLDER`], also for a file system that takes upper and lower case
/// for the same, or passes over letters that aren't seen.
#[must_use]
pub fn is_approval(path: &DatasitePath) -> bool {
    let seen = |name: &str| -> String {
        let is_seen = |letter: &char| !matches!(*letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        name.chars().filter(is_seen).flat_map(char::to_uppercase).collect()
    };
    let folder = APPROVALS_FOLDER.split('/');
    let mut names = path.components();
    folder.map(str::to_uppercase).all(|wanted| names.next().is_some_and(|name| seen(name) == wanted))
}

/// The folder of all that `ds` submitted.
///
/// # Errors
/// When the path gets too long.
pub fn inbox_folder(ds: &Email) -> Result<DatasitePath, PathError> {
    folder(JobSide::Inbox, ds)
}

/// The folder of all that was decided about the jobs of `ds`.
///
/// # Errors
/// When the path gets too long.
pub fn review_folder(ds: &Email) -> Result<DatasitePath, PathError> {
    folder(JobSide::Review, ds)
}

/// One half of the job `job` of `ds`.
///
/// # Errors
/// When the path gets too long.
pub fn job_folder(
    generation: Generation,
    side: JobSide,
    ds: &Email,
    job: &JobName,
) -> Result<DatasitePath, PathError> {
    folder(side, ds)?.join(&below_scientist(generation, job))
}

/// The job's folder as seen from [`inbox_folder`] and [`review_folder`].
fn below_scientist(generation: Generation, job: &JobName) -> String {
    match generation {
        Generation::V0_1 => job.to_string(),
        Generation::V0_10 => format!("{FORMAT_1}/{job}"),
    }
}

/// A path in a job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobPath {
    /// Who submitted it: the folder says so, and only the folder.
    pub ds: Email,
    /// Which of that scientist's jobs.
    pub job: JobName,
    /// In which layout.
    pub generation: Generation,
    /// Which half.
    pub side: JobSide,
    /// The path in the job's folder; `None` for the folder itself.
    pub rest: Option<DatasitePath>,
}

impl JobPath {
    /// Takes apart a path of a datasite; `None` when it is in no job.
    #[must_use]
    pub fn parse(path: &DatasitePath) -> Option<Self> {
        let mut names = path.as_str().strip_prefix(JOBS)?.strip_prefix('/')?.splitn(5, '/').peekable();
        let side = match names.next()? {
            "inbox" => JobSide::Inbox,
            "review" => JobSide::Review,
            _ => return None,
        };
        let ds = names.next()?.parse().ok()?;
        let generation = match names.next_if_eq(&FORMAT_1) {
            Some(_) => Generation::V0_10,
            None => Generation::V0_1,
        };
        let job = names.next()?.parse().ok()?;
        let rest: Vec<&str> = names.collect();
        let rest = if rest.is_empty() { None } else { Some(rest.join("/").parse().ok()?) };
        Some(Self { ds, job, generation, side, rest })
    }

    /// The job's folder.
    ///
    /// # Errors
    /// When the path gets too long.
    pub fn folder(&self) -> Result<DatasitePath, PathError> {
        job_folder(self.generation, self.side, &self.ds, &self.job)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::platform::memory::MemoryRandom;

    fn parse(path: &str) -> Option<JobPath> {
        JobPath::parse(&path.parse().unwrap())
    }

    #[test]
    fn paths_are_taken_apart() {
        let path = parse("app_data/job/inbox/ds@x.org/v1/Job - 0a/code/pkg/__init__.py").unwrap();
        assert_eq!((path.ds.as_str(), path.job.as_str()), ("ds@x.org", "Job - 0a"));
        assert_eq!((path.side, path.generation), (JobSide::Inbox, Generation::V0_10));
        assert_eq!(path.rest.unwrap().as_str(), "code/pkg/__init__.py");
        let path = parse("app_data/job/review/ds@x.org/py1/state.yaml").unwrap();
        assert_eq!((path.side, path.generation), (JobSide::Review, Generation::V0_1));
        assert_eq!(path.rest.as_ref().unwrap().as_str(), "state.yaml");
        assert_eq!(path.folder().unwrap().as_str(), "app_data/job/review/ds@x.org/py1");
        assert_eq!(parse("app_data/job/inbox/ds@x.org/v1/py1").unwrap().rest, None);
        for none in [
            "app_data/job/inbox/ds@x.org/syft.pub.yaml",
            "app_data/job/inbox/ds@x.org/v1",
            "app_data/job/inbox/ds@x.org/v1/syft.pub.yaml",
            "app_data/job/inbox/ds@x.org/v2/py1/run.sh",
            "app_data/job/inbox/ds@x.org",
            "app_data/job/inbox/nobody/py1/run.sh",
            "app_data/job/outbox/ds@x.org/py1/run.sh",
            "app_data/jobs/inbox/ds@x.org/py1/run.sh",
            "x/app_data/job/inbox/ds@x.org/py1/run.sh",
        ] {
            assert_eq!(parse(none), None, "{none}");
        }
    }

    #[test]
    fn names() {
        assert!(JobName::random(&MemoryRandom::default()).to_string().starts_with("Job - "));
        let random = JobName::random(&MemoryRandom::default());
        assert_eq!(random.as_str().len(), 14);
        assert_eq!(random.as_str().parse(), Ok(random));
        for bad in ["", ".", "..", "a/b", "../x", "/x", "v1", "v22", "syft.pub.yaml", "a\nb", " a", "a\\b"] {
            let error = bad.parse::<JobName>().unwrap_err().to_string();
            assert!(error.contains("--name"), "{error}");
        }
        assert!("a".repeat(129).parse::<JobName>().is_err());
        for good in ["a", "v1x", "été 2", ".hidden", "*"] {
            assert!(good.parse::<JobName>().is_ok(), "{good}");
        }
    }

    proptest! {
        #[test]
        fn what_is_built_is_taken_apart(name in "[ -~é]{1,20}", old: bool, review: bool) {
            let Ok(job) = name.parse::<JobName>() else { return Ok(()) };
            let generation = if old { Generation::V0_1 } else { Generation::V0_10 };
            let side = if review { JobSide::Review } else { JobSide::Inbox };
            let ds: Email = "ds@x.org".parse().unwrap();
            let folder = job_folder(generation, side, &ds, &job).unwrap();
            let parsed = JobPath::parse(&folder.join("a/b").unwrap()).unwrap();
            let rest = Some("a/b".parse().unwrap());
            prop_assert_eq!(parsed, JobPath { ds, job, generation, side, rest });
        }
    }

    #[test]
    fn approvals_are_known_in_any_spelling() {
        let ds = "ds@x.org".parse().unwrap();
        let file = |generation| approval_file(generation, &ds, &"j".parse().unwrap()).unwrap();
        assert_eq!(file(Generation::V0_1).as_str(), "app_data/job/approvals/ds@x.org/j.yaml");
        assert_eq!(file(Generation::V0_10).as_str(), "app_data/job/approvals/ds@x.org/v1/j.yaml");
        for yes in [
            "app_data/job/approvals",
            "app_data/job/approvals/ds@x.org/v1/j.yaml",
            "App_Data/JOB/Approvals/x",
            "app_data/job/approval\u{17f}/x",
            "app_data/job/app\u{200c}rovals/x",
        ] {
            assert!(is_approval(&yes.parse().unwrap()), "{yes}");
        }
        for no in ["app_data/job/approvals.yaml", "app_data/job", "approvals/x", "x/app_data/job/approvals/x"]
        {
            assert!(!is_approval(&no.parse().unwrap()), "{no}");
        }
    }
}
