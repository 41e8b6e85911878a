//! `syftbox delete-syftbox`.

use clap::Args;
use syftbox_core::manager::DeleteOptions;

use super::{CliError, Output, options::Options, session::Session};

#[derive(Args)]
pub(super) struct Arguments {
    /// Yes, for good
    #[arg(long)]
    yes: bool,
    /// Don't tell peers to delete their copies of your datasite
    #[arg(long)]
    no_broadcast: bool,
    /// Leave the local `private` folder of your datasite, with the private halves of your datasets
    #[arg(long)]
    keep_private: bool,
}

pub(super) async fn run(options: &Options, output: Output, arguments: &Arguments) -> Result<(), CliError> {
    if !arguments.yes {
        let spared = if arguments.keep_private { " but the private folder" } else { "" };
        return Err(CliError::NotConfirmed {
            what: format!("all of your SyftBox, on Drive and in the local folder,{spared}"),
        });
    }
    let mut session = Session::open(options).await?;
    let how = DeleteOptions::default()
        .broadcast_delete_events(!arguments.no_broadcast)
        .keep_private(arguments.keep_private);
    let deleted = session.manager.delete_syftbox(&how).await?;
    output.data(&deleted, || {
        let told = match deleted.peers_told.len() {
            0 => String::new(),
            1 => "; 1 peer was told".to_owned(),
            many => format!("; {many} peers were told"),
        };
        format!(
            "deleted {} files and folders on Drive, {} of them outside the SyftBox folder, and the local files{told}",
            deleted.on_drive, deleted.outside
        )
    })
}
