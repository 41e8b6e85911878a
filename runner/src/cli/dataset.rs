//! `syftbox dataset …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use syftbox_core::datasets::{Audience, Dataset, NewDataset};

use super::{
    CliError, Output,
    options::Options,
    output::{note, table},
    session::Session,
    sources::source,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show your datasets and those that peers share with you, as of the last sync
    List {
        /// Sync first, unless `PRE_SYNC` is false
        #[arg(long)]
        refresh: bool,
    },
    /// Publish a dataset
    Create(Create),
    /// Let more peers see a dataset, and let their approved jobs use its private half
    Share {
        /// Which dataset
        name: String,
        /// Addresses with commas between them, or `any` for every peer
        #[arg(long, value_name = "ADDRESS,… | any")]
        users: String,
        /// Sync afterwards
        #[arg(long)]
        sync: bool,
    },
    /// Delete a dataset of yours, both halves, here and on Drive
    Delete {
        /// Which dataset
        name: String,
        /// Yes, for good
        #[arg(long)]
        yes: bool,
        /// Sync afterwards
        #[arg(long)]
        sync: bool,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// Letters, digits, `_` and `-`
    name: String,
    /// What peers see: a file, or a folder of files
    #[arg(long, value_name = "PATH")]
    mock: PathBuf,
    /// What stays on this machine, for jobs that you approve: a file or a folder
    #[arg(long, value_name = "PATH")]
    private: PathBuf,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,
    /// A file that explains it, published with the mock half
    #[arg(long, value_name = "PATH")]
    readme: Option<PathBuf>,
    /// A word to find it by; may be given more than once
    #[arg(long, value_name = "WORD")]
    tag: Vec<String>,
    /// Who may see it: addresses with commas between them, or `any` for every peer; nobody without this
    #[arg(long, value_name = "ADDRESS,… | any")]
    users: Option<String>,
    /// Keep a copy of the private half on your own Drive, shared with nobody
    #[arg(long)]
    upload_private: bool,
    /// Sync afterwards
    #[arg(long)]
    sync: bool,
}

pub(super) async fn run(options: &Options, output: Output, command: Command) -> Result<(), CliError> {
    let datasets = match command {
        Command::List { refresh } => {
            let mut session = Session::open(options).await?;
            let manager = &mut session.manager;
            if refresh { manager.datasets().await? } else { manager.known_datasets().await? }
        }
        Command::Create(create) => {
            let new = create.dataset()?;
            let is_shared = new.audience != Audience::Users(Vec::new());
            let dataset = Session::open(options).await?.manager.create_dataset(new).await?;
            if !is_shared {
                note(format!(
                    "nobody sees it yet; run `syftbox dataset share {} --users ADDRESS`",
                    dataset.name
                ));
            }
            vec![dataset]
        }
        Command::Share { name, users, sync } => {
            let (name, audience) = (name.parse()?, audience(&users)?);
            vec![Session::open(options).await?.manager.share_dataset(&name, &audience, sync).await?]
        }
        Command::Delete { name, yes, sync } => {
            let name = name.parse()?;
            if !yes {
                return Err(CliError::NotConfirmed {
                    what: format!("the dataset {name}, both halves of it,"),
                });
            }
            vec![Session::open(options).await?.manager.delete_dataset(&name, sync).await?]
        }
    };
    output.data(&datasets, || human(&datasets))
}

impl Create {
    fn dataset(&self) -> Result<NewDataset, CliError> {
        Ok(NewDataset {
            name: self.name.parse()?,
            mock: source(&self.mock)?,
            private: source(&self.private)?,
            summary: self.summary.clone(),
            readme: self.readme.as_deref().map(source).transpose()?,
            tags: self.tag.clone(),
            audience: self.users.as_deref().map_or(Ok(Audience::Users(Vec::new())), audience)?,
            upload_private: self.upload_private,
            sync: self.sync,
        })
    }
}

fn audience(text: &str) -> Result<Audience, CliError> {
    let names: Vec<_> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    match names.as_slice() {
        [] => Err(CliError::NoUsers),
        ["any"] => Ok(Audience::Any),
        names => Ok(Audience::Users(names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?)),
    }
}

fn human(datasets: &[Dataset]) -> String {
    let rows: Vec<_> = datasets
        .iter()
        .map(|dataset| {
            let summary = dataset.summary.clone().unwrap_or_default();
            [dataset.name.to_string(), dataset.owner.to_string(), dataset.mock_files.join(", "), summary]
        })
        .collect();
    table(["NAME", "OWNER", "MOCK FILES", "SUMMARY"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_any_or_addresses() {
        assert_eq!(audience("any").unwrap(), Audience::Any);
        let two = Audience::Users(vec!["a@x.org".parse().unwrap(), "b@x.org".parse().unwrap()]);
        assert_eq!(audience("a@x.org, b@x.org,").unwrap(), two);
        assert_eq!(audience(" , ").unwrap_err().exit_code(), 2);
        assert_eq!(audience("any,a").unwrap_err().exit_code(), 1);
    }
}
