//! Two machines and a Drive in one process, which can be put aside and taken up again at any point
//! of their story.

use std::{
    fs,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use syftbox_core::{
    ManagerError, Roles, Settings, SyftboxManager,
    domain::{Generation, Timestamp},
    jobs::{JobRunner, RunOutcome, RunRequest, RunnerError},
    platform::{BoxFuture, Clock, Platform},
    tokens::{AuthorizedUser, UserTokens},
    wire::receipt::RunRecord,
};
use syftbox_localdrive::{Accounts, LocalDrive};
use syftbox_runner::native::{Access, StdFiles, SystemRandom};
use syftbox_tests::{OWNER, SCIENTIST};
use tempfile::TempDir;

use super::fate::{Fate, Mishap, MortalFiles, MortalHttp};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Owner,
    Scientist,
}

impl Who {
    pub(crate) fn email(self) -> &'static str {
        match self {
            Self::Owner => OWNER,
            Self::Scientist => SCIENTIST,
        }
    }

    fn token(self) -> &'static str {
        match self {
            Self::Owner => "do-token",
            Self::Scientist => "ds-token",
        }
    }
}

/// Something that a person does, from the start of the program to its end.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) who: Who,
    pub(crate) act: Act,
}

/// What is done in a step.
pub(crate) type Act = for<'a> fn(
    &'a mut SyftboxManager,
    &'a World,
) -> Pin<Box<dyn Future<Output = Result<(), ManagerError>> + 'a>>;

/// How a step ended.
pub(crate) enum Ended {
    /// The program came to its end, one way or the other.
    Itself(Result<(), ManagerError>),
    /// It was killed.
    Killed,
}

/// The Drive and the machines. What they have on disk goes with it.
pub(crate) struct World {
    folder: TempDir,
    drive: LocalDrive,
    clock: Arc<StoryClock>,
    runs: Arc<Mutex<Vec<String>>>,
}

/// A world put aside.
pub(crate) struct Saved {
    folder: TempDir,
    micros: u64,
    runs: Vec<String>,
}

fn temporary() -> TempDir {
    // In memory where there is such a place: nothing here outlives the test.
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

impl World {
    /// Nobody has logged in.
    pub(crate) fn new() -> Self {
        Self::at(temporary(), 1_795_408_000_000_000, Vec::new())
    }

    fn at(folder: TempDir, micros: u64, runs: Vec<String>) -> Self {
        let accounts = [Who::Owner, Who::Scientist].map(|who| (who.token(), who.email()));
        let drive = LocalDrive::open(&folder.path().join("drive"), Accounts::new(accounts).unwrap()).unwrap();
        let clock = Arc::new(StoryClock { micros: AtomicU64::new(micros) });
        Self { folder, drive, clock, runs: Arc::new(Mutex::new(runs)) }
    }

    /// Puts the world aside.
    pub(crate) fn save(self) -> Saved {
        let Self { folder, drive, clock, runs } = self;
        drop(drive);
        let runs = runs.lock().unwrap().clone();
        Saved { folder, micros: clock.micros.load(Ordering::SeqCst), runs }
    }

    /// From now on, or no longer, searches see the Drive as it was.
    pub(crate) fn lag_search(&self, lags: bool) {
        self.drive.faults().lag_search(Duration::from_secs(if lags { 3600 } else { 0 }));
    }

    /// A person's `SyftBox` folder.
    pub(crate) fn home(&self, who: Who) -> PathBuf {
        self.folder.path().join(who.email())
    }

    /// The jobs that ran so far, by name.
    pub(crate) fn runs(&self) -> Vec<String> {
        self.runs.lock().unwrap().clone()
    }

    pub(crate) fn platform(&self, who: Who, fate: &Fate) -> Platform {
        let files = Arc::new(StdFiles::new(self.home(who), Access::Owner));
        Platform {
            http: Arc::new(MortalHttp { drive: self.drive.clone(), fate: fate.clone() }),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::new(SystemRandom),
            files: Arc::new(MortalFiles { files, fate: fate.clone() }),
        }
    }

    pub(crate) fn tokens(who: Who, platform: &Platform) -> Arc<UserTokens> {
        let user = serde_json::json!({
            "token": who.token(), "refresh_token": who.token(), "token_uri": "http://drive.test/token",
            "client_id": "client", "client_secret": "secret", "expiry": "2100-01-01T00:00:00Z",
        });
        let user = AuthorizedUser::parse(user.to_string().as_bytes()).unwrap();
        Arc::new(UserTokens::new(platform, user, None))
    }

    /// Plays a step in a program of its own.
    pub(crate) fn play(&self, step: &Step, mishap: Mishap) -> (Ended, Fate) {
        let fate = Fate::new(mishap);
        let platform = self.platform(step.who, &fate);
        let settings = Settings {
            email: step.who.email().parse().unwrap(),
            roles: if step.who == Who::Owner { Roles::OWNER } else { Roles::SCIENTIST },
            generation: Generation::V0_10,
            drive_url: "http://drive.test/".parse().unwrap(),
            folder: "/home/of/nobody".to_owned(),
            list_every: Settings::LIST_EVERY,
            pre_sync: true,
            encrypt: None,
        };
        let tokens = Self::tokens(step.who, &platform);
        let life = async {
            let mut manager = SyftboxManager::open(settings, platform, tokens).await?;
            (step.act)(&mut manager, self).await
        };
        // A runtime of its own: it ends only when no thread of the program does anything any more.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ended = runtime.block_on(async {
            tokio::select! {
                biased;
                () = fate.over() => Ended::Killed,
                result = life => Ended::Itself(result),
            }
        });
        drop(runtime);
        (ended, fate)
    }

    /// Plays a step in which nothing goes wrong.
    #[track_caller]
    pub(crate) fn do_step(&self, step: &Step) {
        match self.play(step, Mishap::None).0 {
            Ended::Itself(result) => result.unwrap_or_else(|error| panic!("{}: {error}", step.name)),
            Ended::Killed => unreachable!("nothing kills it"),
        }
    }
}

impl Saved {
    /// Takes a copy of the world up again.
    pub(crate) fn wake(&self) -> World {
        let folder = temporary();
        copy(self.folder.path(), folder.path());
        World::at(folder, self.micros, self.runs.clone())
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// A clock of the story: each look is a millisecond later, and waiting is short.
struct StoryClock {
    micros: AtomicU64,
}

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_duration(Duration::from_micros(self.micros.fetch_add(1000, Ordering::SeqCst)))
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time / 20))
    }
}

impl JobRunner for World {
    /// Leaves a log and a result, and notes that the job ran.
    fn run<'a>(&'a self, request: &'a RunRequest) -> BoxFuture<'a, Result<RunOutcome, RunnerError>> {
        Box::pin(async move {
            self.runs.lock().unwrap().push(request.id.name.to_string());
            let home = self.home(Who::Owner);
            let outputs = home.join(request.outputs.as_str());
            fs::create_dir_all(&outputs).unwrap();
            fs::write(outputs.join("result.bin"), [0, 159, 146, 150]).unwrap();
            fs::write(outputs.join("empty"), []).unwrap();
            fs::write(home.join(request.stdout.as_str()), "it ran\n").unwrap();
            fs::write(home.join(request.stderr.as_str()), "").unwrap();
            Ok(RunOutcome { return_code: 0, record: RunRecord::default() })
        })
    }
}
