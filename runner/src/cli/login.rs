//! `syftbox login`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{CliError, Output, options::Options, output::note, session::Session, settings::Settings};
use crate::{
    native::{self, TokenFile},
    oauth,
};

#[derive(Args)]
pub(super) struct Arguments {
    /// Log in with a browser, as the OAuth client in this file (from Google's console, type "Desktop app"),
    /// and write the token file; without this, the token file is there already
    #[arg(long, value_name = "FILE")]
    client_secret: Option<PathBuf>,
    /// Only show the address to open, don't open a browser
    #[arg(long, requires = "client_secret")]
    no_browser: bool,
}

pub(super) async fn run(options: &Options, output: Output, arguments: Arguments) -> Result<(), CliError> {
    let settings = Settings::resolve(options).await?;
    if let Some(client_secret) = &arguments.client_secret {
        let platform = native::platform(&settings.folder)?;
        let user = oauth::login(&platform, client_secret, Some(&settings.email), |url| {
            note(format!("Open this address in a browser on this machine and allow the access:\n\n{url}\n"));
            if !arguments.no_browser && oauth::open_browser(url) {
                note("A browser was asked to open it.");
            }
        })
        .await?;
        TokenFile::at(&settings.token_path)?.write(&user).await?;
        note(format!("The token is in {}.", settings.token_path.display()));
    }
    let mut session = Session::login(settings).await?;
    // Logged in they are also when the keys are on another machine: then they take them over next.
    session.manager.prepare_keys().await?;
    let email = session.manager.email();
    let folder = session.folder().to_string_lossy();
    output.data(&json!({"email": email, "folder": folder}), || {
        format!("logged in as {email}; the folder is {folder}")
    })
}
