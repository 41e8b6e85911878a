//! `syftbox peer …`.

use clap::Subcommand;
use serde_json::json;
use syftbox_core::{domain::Email, peers::Peer};

use super::{
    CliError, Output,
    options::Options,
    output::{note, table},
    session::Session,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show peers and requests, as of the last sync
    List {
        /// Ask Drive first
        #[arg(long)]
        refresh: bool,
    },
    /// Ask somebody to be your peer
    Add {
        /// Their address
        #[arg(value_name = "ADDRESS")]
        peer: String,
        /// Do all of it again though you asked before, to repair what is missing
        #[arg(long)]
        force: bool,
    },
    /// Accept somebody who asked
    Approve {
        /// Their address
        #[arg(value_name = "ADDRESS")]
        peer: String,
        /// Accept them though they didn't ask yet
        #[arg(long)]
        without_request: bool,
    },
    /// Refuse somebody who asked
    Reject {
        /// Their address
        #[arg(value_name = "ADDRESS")]
        peer: String,
    },
    /// Check receipts by the keys that somebody publishes now, in place of those first seen of them. Ask them first,
    /// not over Drive
    Trust {
        /// Their address
        #[arg(value_name = "ADDRESS")]
        peer: String,
    },
}

pub(super) async fn run(options: &Options, output: Output, command: Command) -> Result<(), CliError> {
    let mut session = Session::open(options).await?;
    let manager = &mut session.manager;
    let peers = match command {
        Command::List { refresh } => manager.known_peers(refresh).await?,
        Command::Add { peer, force } => {
            let peer = manager.add_peer(&peer.parse()?, force).await?;
            if peer.state == syftbox_core::wire::PeerState::RequestedByMe {
                note(format!("asked; they accept with `syftbox peer approve {}`", manager.email()));
            }
            vec![peer]
        }
        Command::Approve { peer, without_request } => {
            vec![manager.approve_peer_request(&peer.parse()?, !without_request).await?]
        }
        Command::Trust { peer } => {
            let peer: Email = peer.parse()?;
            let keys = manager.trust_signing_keys(&peer).await?;
            let rows: Vec<_> = keys.iter().map(|key| [peer.to_string(), key.to_string()]).collect();
            return output.data(&json!({"peer": peer, "keys": keys}), || table(["PEER", "KEY"], &rows));
        }
        Command::Reject { peer } => vec![manager.reject_peer_request(&peer.parse()?).await?],
    };
    output.data(&peers, || human(&peers))
}

fn human(peers: &[Peer]) -> String {
    for peer in peers {
        if let Some(why) = &peer.skipped {
            note(format!("nothing exchanged with {}: {why}", peer.email));
        }
    }
    let rows: Vec<_> = peers
        .iter()
        .map(|peer| {
            let version = peer.version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
            [peer.email.to_string(), peer.state.as_str().to_owned(), version]
        })
        .collect();
    table(["PEER", "STATE", "VERSION"], &rows)
}
