//! `syftbox drive …`: a Drive on this machine.

use std::{
    fs,
    io::ErrorKind,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::json;
use syftbox_core::{
    domain::Email,
    tokens::{AccessToken, AuthorizedUser, TokenError},
};
use syftbox_localdrive::{Accounts, LocalDrive};
use tokio::net::TcpListener;
use url::Url;

use super::{
    CliError, Output,
    options::Options,
    output::note,
    settings::{drive_url, token_path_of},
};
use crate::native::{TokenFile, TokenFileError};

/// The file in a Drive's folder that says where it was served last. It keeps its address, so that what
/// logged in to it finds it again.
const ADDRESS: &str = "address";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Serve the Drive in a folder until Ctrl-C, and print its address
    Serve {
        /// The Drive's folder, made when it isn't there
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Where to answer on this machine; 0 for any free port [default: the port of the last time]
        #[arg(long)]
        port: Option<u16>,
        /// Who may use it, a JSON file like {"TOKEN": "name@example.org"} [default: accounts.json in the folder]
        #[arg(long, value_name = "FILE")]
        accounts: Option<PathBuf>,
    },
    /// Make an account and write its token file, to log in with; the Drive may be serving meanwhile
    AddAccount {
        /// The account's address
        #[arg(value_name = "ADDRESS")]
        account: String,
        /// The Drive's folder
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

pub(super) async fn run(options: &Options, output: Output, command: Command) -> Result<(), CliError> {
    match command {
        Command::Serve { dir, port, accounts } => serve(output, &dir, port, accounts.as_deref()).await,
        Command::AddAccount { account, dir } => add_account(options, output, &account, &dir).await,
    }
}

async fn serve(
    output: Output,
    dir: &Path,
    port: Option<u16>,
    accounts: Option<&Path>,
) -> Result<(), CliError> {
    let accounts = match accounts {
        Some(file) if !file.exists() => {
            return Err(CliError::Source { path: file.to_owned(), why: "there is no such file".to_owned() });
        }
        Some(file) => Accounts::load(file)?,
        None => Accounts::in_dir(dir)?,
    };
    let nobody = accounts.emails().is_empty();
    let drive = LocalDrive::open(dir, accounts)?;
    let port = port.or_else(|| served_at(dir)?.port()).unwrap_or(0);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = listener.map_err(|source| CliError::Port { port, source })?;
    let address = listener.local_addr().map_err(|source| CliError::Port { port, source })?;
    let url = format!("http://{address}");
    let kept = dir.join(ADDRESS);
    fs::write(&kept, &url).map_err(|source| CliError::Write { path: kept, source })?;
    if nobody {
        note(format!(
            "it has no account yet; run `syftbox drive add-account ADDRESS --dir {}`",
            dir.display()
        ));
    }
    output.data(&json!({"url": url}), || url.clone())?;
    drive.serve(listener, interrupted()).await?;
    Ok(())
}

/// Ends at Ctrl-C, or when the system asks the program to end.
async fn interrupted() {
    let asked = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = asked => {}
    }
}

/// Where the Drive in `dir` was served last.
fn served_at(dir: &Path) -> Option<Url> {
    match fs::read_to_string(dir.join(ADDRESS)) {
        Ok(address) => Url::parse(address.trim()).ok(),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                tracing::warn!(%error, "the last address of the local Drive can't be read");
            }
            None
        }
    }
}

async fn add_account(options: &Options, output: Output, account: &str, dir: &Path) -> Result<(), CliError> {
    let account: Email = account.parse()?;
    let root = match &options.drive_url {
        Some(url) => drive_url(url)?,
        None => served_at(dir).ok_or_else(|| CliError::NeverServed { dir: dir.to_owned() })?,
    };
    let token_uri = root
        .join("/token")
        .map_err(|error| CliError::DriveUrl { url: root.to_string(), why: error.to_string() })?;
    let path = token_path_of(options, &account)?;
    let token = Accounts::in_dir(dir)?.add(account.as_str())?;
    let mut user = AuthorizedUser::new(token_uri, "syftbox".to_owned(), "local".to_owned(), &[]);
    user.token = Some(access_token(&path, &token)?);
    user.refresh_token = Some(token);
    TokenFile::at(&path)?.write(&user).await?;
    let shown = path.display();
    output.data(&json!({"email": account, "token_path": path, "drive_url": root}), || {
        format!("{account} can log in with\n  syftbox --email {account} --drive-url {root} --token-path {shown} login")
    })
}

fn access_token(path: &Path, token: &str) -> Result<AccessToken, CliError> {
    let bad = |source: TokenError| TokenFileError::Content { path: path.to_owned(), source };
    Ok(AccessToken::try_from(token.to_owned()).map_err(bad)?)
}
