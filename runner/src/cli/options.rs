//! The options that every command takes, each also from the environment.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use syftbox_core::{Roles, domain::Generation};

/// Who calls, and where things are. A flag wins over the environment, and that over what `login` was given.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options for every command")]
pub(crate) struct Options {
    /// Whose account it is
    #[arg(long, global = true, value_name = "ADDRESS", env = "SYFTBOX_EMAIL")]
    pub(crate) email: Option<String>,
    /// Act as data owner (do) or as data scientist (ds) only; as both without this
    #[arg(long, global = true, env = "SYFTBOX_ROLE")]
    pub(crate) role: Option<Role>,
    /// The local SyftBox folder [default: ~/SyftBox_{email}]
    #[arg(long, global = true, value_name = "DIR", env = "SYFTBOX_FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// The file with the account's token, as Google's libraries write it [default: {email}.token.json in
    /// `syftbox` of the user's configuration folder]
    #[arg(long, global = true, value_name = "FILE", env = "SYFTBOX_TOKEN_PATH")]
    pub(crate) token_path: Option<PathBuf>,
    /// The root of Drive [default: Google's]
    #[arg(long, global = true, value_name = "URL", env = "SYFTBOX_DRIVE_URL")]
    pub(crate) drive_url: Option<String>,
    /// The generation you belong to, 0.10 or 0.1: it names your own folders on Drive, and peers that speak both or
    /// show no version yet are talked to in it. Peers of either generation are served whatever it is [default: 0.10]
    #[arg(long, global = true, value_name = "VERSION", env = "SYFTBOX_GENERATION")]
    pub(crate) generation: Option<Generation>,
    /// List all that is ours on Drive once in so many seconds, in case Drive's news missed something
    /// [default: 3600]
    #[arg(long, global = true, value_name = "SECONDS", env = "SYFTBOX_LIST_EVERY")]
    pub(crate) list_every: Option<u64>,
    /// On Google Colab: the folder is /content/SyftBox_{email}, and the token that of the machine's default
    /// credentials
    #[arg(long, global = true, env = "SYFTBOX_COLAB", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) colab: bool,
    /// Encrypt what is exchanged with peers; `--encrypt=false` turns it off [default: as this account did before]
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(), env = "SYFTBOX_ENCRYPT")]
    pub(crate) encrypt: Option<bool>,
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more of what happens; twice for even more (or set `SYFTBOX_LOG`)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// One of the two roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Do,
    Ds,
}

impl Role {
    pub(crate) fn roles(role: Option<Self>) -> Roles {
        match role {
            None => Roles::BOTH,
            Some(Self::Do) => Roles::OWNER,
            Some(Self::Ds) => Roles::SCIENTIST,
        }
    }
}
