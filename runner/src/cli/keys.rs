//! `syftbox keys …`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use syftbox_core::{
    domain::DatasitePath,
    encryption::{KeyFile, KeyReport},
    platform::FileStore,
};

use super::{
    CliError, Output,
    options::Options,
    output::{note, table},
    session::Session,
};
use crate::native::{Access, StdFiles};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show what tells our keys from others, and those of peers, as of the last sync
    Show,
    /// Trust the keys that a peer shows now
    Trust {
        /// Their address
        #[arg(value_name = "ADDRESS")]
        peer: String,
        /// What `syftbox keys show` prints for them on their machine
        fingerprint: String,
    },
    /// Use the keys in a file: from another machine, a backup, or a Python peer of this account
    Import {
        /// The key file
        file: PathBuf,
    },
    /// Write our keys to a file that only you can read, for a backup or another machine
    Export {
        /// Where to; what is there is replaced
        file: PathBuf,
    },
    /// Make new keys and show them to every peer; what was sealed for the old ones can't be opened any more
    New {
        /// Really do it
        #[arg(long)]
        yes: bool,
    },
    /// Show every peer the keys that are on this machine
    Publish {
        /// Really do it
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(options: &Options, output: Output, command: Command) -> Result<(), CliError> {
    let mut session = Session::open(options).await?;
    let folder = session.folder().to_owned();
    let manager = &mut session.manager;
    match command {
        Command::Show => {
            let keys = manager.keys().await?;
            return output.data(&keys, || human(&folder, &keys));
        }
        Command::Trust { peer, fingerprint } => {
            manager.trust_keys(&peer.parse()?, &fingerprint.parse()?).await?;
        }
        Command::Import { file } => {
            let (files, name) = beside(&file)?;
            let json =
                files.read(&name, KeyFile::MAX_BYTES).await.map_err(|error| unusable(&file, error.kind))?;
            manager.import_keys(&json).await?;
        }
        Command::Export { file } => {
            let json = manager.export_keys().await?;
            let (files, name) = beside(&file)?;
            files.write_private(&name, json.into()).await.map_err(|error| unusable(&file, error.kind))?;
            note(format!("The keys are in {}: whoever has it can read what peers send you.", file.display()));
        }
        Command::New { yes } => {
            agreed(yes, "make new keys: what was sealed for the old ones can't be opened any more")?;
            manager.new_keys().await?;
            note(
                "Every peer has to confirm the new keys; tell them the fingerprint in another way than by Drive.",
            );
        }
        Command::Publish { yes } => {
            agreed(
                yes,
                "show peers the keys on this machine: your other machines can't use theirs any more",
            )?;
            manager.publish_keys().await?;
        }
    }
    let fingerprint = manager.keys().await?.fingerprint;
    output.data(&json!({ "fingerprint": fingerprint }), || {
        fingerprint.as_ref().map_or_else(|| "no keys".to_owned(), |keys| format!("your keys: {keys}"))
    })
}

fn agreed(yes: bool, what: &'static str) -> Result<(), CliError> {
    if yes { Ok(()) } else { Err(CliError::NotAgreed { what }) }
}

/// The folder that a file is in, and its name there.
fn beside(file: &Path) -> Result<(StdFiles, DatasitePath), CliError> {
    let absolute = std::path::absolute(file).map_err(|error| unusable(file, error))?;
    let name = absolute.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
    match (absolute.parent(), name) {
        (Some(folder), Some(name)) => Ok((StdFiles::new(folder, Access::Umask), name)),
        _ => Err(unusable(file, "it is no name for a file")),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are handed over")]
fn unusable(file: &Path, why: impl ToString) -> CliError {
    CliError::Source { path: file.to_owned(), why: why.to_string() }
}

fn human(folder: &Path, keys: &KeyReport) -> String {
    let state = if keys.encryption { "on" } else { "off" };
    let ours = keys.fingerprint.as_ref().map_or("none", |keys| keys.as_str());
    let mut text = format!(
        "encryption  {state}\nyour keys   {ours}\nkey file    {}\n",
        folder.join(&keys.path).display()
    );
    let rows: Vec<_> = keys
        .peers
        .iter()
        .map(|peer| {
            let keys = peer.fingerprint.as_ref().map(ToString::to_string);
            [peer.email.to_string(), keys.or_else(|| peer.why.clone()).unwrap_or_default()]
        })
        .collect();
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&table(["PEER", "KEYS"], &rows));
    }
    text
}
