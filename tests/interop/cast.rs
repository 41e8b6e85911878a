//! Who takes part in a conversation, and with which program.

use std::fs;
use std::sync::Arc;

use syftbox_core::drive::{Drive, Query};
use syftbox_core::tokens::{AuthorizedUser, UserTokens};
use syftbox_tests::{PythonGeneration, Stage};

use crate::player::{EVE, OWNER, Player, SCIENTIST};

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
}

impl Cast {
    pub(crate) fn new(generation: PythonGeneration, owner: Program, scientist: Program) -> Self {
        Self { stage: Stage::open(), generation, owner, scientist }
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

    fn found(&self, player: &dyn Player, what: &Query) -> Vec<String> {
        let platform = syftbox_runner::native::platform(player.folder().with_extension("by-hand")).unwrap();
        let user = AuthorizedUser::parse(&fs::read(player.token_file()).unwrap()).unwrap();
        let tokens = Arc::new(UserTokens::new(&platform, user, None));
        let drive = Drive::new(&platform, &self.stage.drive().url().parse().unwrap(), tokens);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(drive.list(what)).unwrap();
        found.into_iter().map(|file| file.name).collect()
    }

    fn player(&self, program: Program, email: &str) -> Box<dyn Player> {
        let role = if email == OWNER { "do" } else { "ds" };
        match program {
            Program::Rust => Box::new(
                self.stage.newcomer(email, Some(role)).with(&["--generation", self.generation.as_str()]),
            ),
            Program::Python => Box::new(self.stage.python(self.generation, email)),
        }
    }
}
