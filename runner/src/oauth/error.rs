//! Why a login failed.

use std::{io, path::PathBuf};

use syftbox_core::tokens::TokenError;

/// A login that gave no token.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// The client's file can't be read.
    #[error("the OAuth client's file {} can't be read ({source}); give another --client-secret", path.display())]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The client's file isn't Google's JSON for a desktop app.
    #[error(
        "{} is not Google's JSON for an OAuth client; make one of the type \"Desktop app\" in Google's console and download it",
        path.display()
    )]
    NoSecret {
        /// The file.
        path: PathBuf,
    },
    /// No port of this machine could be opened for the browser's return.
    #[error("no port of 127.0.0.1 can be opened for the browser ({source}); check the machine's firewall")]
    Port {
        /// What the system said.
        source: io::Error,
    },
    /// The user, or Google, said no.
    #[error("the login was refused ({reason}); run it again and allow the access")]
    Refused {
        /// OAuth's name of the reason, such as `access_denied`.
        reason: String,
    },
    /// The browser never came back.
    #[error(
        "nobody logged in for {minutes} minutes; run it again and open the address in a browser on this machine"
    )]
    NobodyCame {
        /// How long it was waited for.
        minutes: u64,
    },
    /// The token server gave no token for the login.
    #[error("the login went well, but no token came: {0}")]
    Exchange(#[source] TokenError),
    /// The user took Drive off the list.
    #[error("the login doesn't include Google Drive; run it again and leave its box ticked")]
    NoDrive,
    /// The token would end in an hour, with nothing to renew it.
    #[error("Google gave no refresh token; remove the app's access in the Google account and log in again")]
    NoRefreshToken,
}
