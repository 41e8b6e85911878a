//! Google's JSON file for an OAuth client.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use url::Url;

use super::OAuthError;

/// The longest file, in bytes.
const MAX_LEN: u64 = 64 * 1024;

/// An OAuth client for a desktop app.
pub(super) struct ClientSecret {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) auth_uri: Url,
    pub(super) token_uri: Url,
}

#[derive(Deserialize)]
struct Content {
    installed: Option<Installed>,
}

#[derive(Deserialize)]
struct Installed {
    client_id: String,
    client_secret: String,
    auth_uri: Url,
    token_uri: Url,
}

impl ClientSecret {
    pub(super) fn read(path: &Path) -> Result<Self, OAuthError> {
        let mut json = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_LEN).read_to_end(&mut json));
        read.map_err(|source| OAuthError::SecretFile { path: path.to_owned(), source })?;
        Self::parse(&json).ok_or_else(|| OAuthError::NoSecret { path: PathBuf::from(path) })
    }

    fn parse(json: &[u8]) -> Option<Self> {
        let Installed { client_id, client_secret, auth_uri, token_uri } =
            serde_json::from_slice::<Content>(json).ok()?.installed?;
        let usable = |url: &Url| ["http", "https"].contains(&url.scheme());
        (usable(&auth_uri) && usable(&token_uri)).then_some(Self {
            id: client_id,
            secret: client_secret,
            auth_uri,
            token_uri,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_clients_for_desktop_apps() {
        let good = r#"{"installed": {"client_id": "c", "project_id": "p", "client_secret": "s",
            "auth_uri": "https://a.example/auth", "token_uri": "https://a.example/token", "redirect_uris": []}}"#;
        assert_eq!(ClientSecret::parse(good.as_bytes()).unwrap().id, "c");
        let web = good.replace("installed", "web");
        let odd = good.replace("https://a.example/auth", "file:///etc/passwd");
        for bad in ["", "{}", "[]", &web, &odd] {
            assert!(ClientSecret::parse(bad.as_bytes()).is_none(), "{bad}");
        }
        let missing = ClientSecret::read(Path::new("/not/there.json")).err().unwrap().to_string();
        assert!(missing.contains("/not/there.json") && missing.contains("--client-secret"), "{missing}");
    }
}
