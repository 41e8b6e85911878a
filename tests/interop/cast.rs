//! Who takes part in a conversation, and with which program.

use std::fs;
use std::sync::Arc;

use syftbox_core::drive::{Drive, Query};
use syftbox_core::tokens::{AuthorizedUser, UserTokens};
use syftbox_tests::{PythonGeneration, Stage};

use crate::player::{EVE, OWNER, Player, SCIENTIST};
use crate::python::Python;

/// No payload of a conversation is longer.
const MAX_BYTES: u64 = 1 << 20;

/// What somebody uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Rust,
    Python,
}

/// The people of a conversation. Each account may have several machines.
pub(crate) struct Cast {
    stage: Stage,
    generation: PythonGeneration,
    /// What the owner uses.
    pub(crate) owner: Program,
    /// What the scientists use.
    pub(crate) scientist: Program,
    /// Whether all have encryption on (wire section 9).
    pub(crate) encrypted: bool,
}

impl Cast {
    pub(crate) fn new(generation: PythonGeneration, owner: Program, scientist: Program) -> Self {
        Self { stage: Stage::open(), generation, owner, scientist, encrypted: false }
    }

    /// The same people with encryption.
    pub(crate) fn encrypted(self) -> Self {
        Self { encrypted: true, ..self }
    }

    /// A new machine of the owner.
    pub(crate) fn owner(&self) -> Box<dyn Player> {
        self.player(self.owner, OWNER)
    }

    /// A new machine of the scientist.
    pub(crate) fn scientist(&self) -> Box<dyn Player> {
        self.player(self.scientist, SCIENTIST)
    }

    /// A machine of the one who is refused.
    pub(crate) fn eve(&self) -> Box<dyn Player> {
        self.player(self.scientist, EVE)
    }

    /// Whether one of the two is a Python peer of 0.1, which has defects of its own.
    pub(crate) fn is(&self, program: Program, generation: PythonGeneration) -> bool {
        self.generation == generation && (self.owner == program || self.scientist == program)
    }

    /// The names of everything on Drive that `player` can find.
    pub(crate) fn on_drive(&self, player: &dyn Player) -> Vec<String> {
        self.found(player, &Query::new())
    }

    /// The names of everything on Drive that is of `player`.
    pub(crate) fn owned_on_drive(&self, player: &dyn Player) -> Vec<String> {
        self.found(player, &Query::new().owned_by_me(true))
    }

    /// Every payload that `player` can find is sealed, if this is a conversation with encryption, and else none is.
    #[track_caller]
    pub(crate) fn assert_sealed_as_agreed(&self, player: &dyn Player) {
        let (runtime, drive) = self.drive_of(player);
        let otherwise: Vec<_> = runtime.block_on(async {
            let mut found = drive.list(&Query::new()).await.unwrap();
            found.retain(|file| file.name.ends_with(".tar.gz"));
            assert!(!found.is_empty());
            let mut otherwise = Vec::new();
            for file in found {
                let payload = drive.download(&file.id, MAX_BYTES).await.unwrap();
                if payload.starts_with(b"SYC2") != self.encrypted {
                    otherwise.push(file.name);
                }
            }
            otherwise
        });
        assert_eq!(otherwise, [""; 0]);
    }

    fn found(&self, player: &dyn Player, what: &Query) -> Vec<String> {
        let (runtime, drive) = self.drive_of(player);
        let found = runtime.block_on(drive.list(what)).unwrap();
        found.into_iter().map(|file| file.name).collect()
    }

    fn drive_of(&self, player: &dyn Player) -> (tokio::runtime::Runtime, Drive) {
        let platform = syftbox_runner::native::platform(player.folder().with_extension("by-hand")).unwrap();
        let user = AuthorizedUser::parse(&fs::read(player.token_file()).unwrap()).unwrap();
        let tokens = Arc::new(UserTokens::new(&platform, user, None));
        let drive = Drive::new(&platform, &self.stage.drive().url().parse().unwrap(), tokens);
        (tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(), drive)
    }

    /// Somebody with a Python peer of any generation.
    pub(crate) fn python(&self, generation: PythonGeneration, email: &str) -> Python {
        Python { peer: self.stage.python(generation, email), generation, encrypted: self.encrypted }
    }

    fn player(&self, program: Program, email: &str) -> Box<dyn Player> {
        let role = if email == OWNER { "do" } else { "ds" };
        match program {
            Program::Rust => {
                let options = ["--generation", self.generation.as_str(), "--encrypt"];
                let options = if self.encrypted { &options[..] } else { &options[..2] };
                Box::new(self.stage.newcomer(email, Some(role)).with(options))
            }
            Program::Python => Box::new(self.python(self.generation, email)),
        }
    }
}
