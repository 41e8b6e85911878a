//! Which account, folder, token and Drive a command is about: flag, else environment, else what `login`
//! was given, else the default.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use syftbox_core::{
    Roles,
    domain::{Email, Generation},
    drive::GOOGLE_ROOT,
    manager::NotebookOptions,
    platform::{FileErrorKind, FileStore},
};
use url::Url;

use super::{
    CliError,
    options::{Options, Role},
};
use crate::{
    native::{Access, StdFiles},
    notebook::default_credentials,
};

/// Where what `login` was given is remembered, in the `SyftBox` folder.
const REMEMBERED: &str = ".syftbox/cli.json";
/// That file is never longer, in bytes.
const REMEMBERED_MAX: u64 = 64 * 1024;

/// Everything a command has to know before it can call the manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) email: Email,
    pub(crate) roles: Roles,
    pub(crate) generation: Generation,
    pub(crate) folder: PathBuf,
    pub(crate) token_path: PathBuf,
    pub(crate) drive_url: Url,
    pub(crate) list_every: Duration,
    pub(crate) encrypt: Option<bool>,
    /// Whether something was remembered for the folder.
    pub(crate) is_remembered: bool,
    /// Whether the token file is ours: renewed tokens aren't written to the machine's credentials.
    pub(crate) keeps_token: bool,
}

/// What `login` was given, so that later commands need the address only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Remembered {
    drive_url: Option<Url>,
    token_path: Option<PathBuf>,
    generation: Option<Generation>,
    encrypt: Option<bool>,
}

/// The user's own folders.
struct Places {
    home: PathBuf,
    config: PathBuf,
}

impl Settings {
    /// The settings of a command with these options.
    pub(crate) async fn resolve(options: &Options) -> Result<Self, CliError> {
        let places = Places::of_user();
        let email = email(options)?;
        let folder = folder(options, &email, places.as_ref())?;
        let remembered = Remembered::read(&folder).await?;
        Self::choose(options, email, folder, remembered, places.as_ref())
    }

    fn choose(
        options: &Options,
        email: Email,
        folder: PathBuf,
        remembered: Remembered,
        places: Option<&Places>,
    ) -> Result<Self, CliError> {
        let is_remembered = remembered != Remembered::default();
        let token_path = match options.token_path.clone().or(remembered.token_path) {
            Some(path) => absolute(&path)?,
            None if options.colab => default_credentials()?,
            None => default_token_path(&email, places)?,
        };
        let keeps_token = !options.colab;
        let drive_url = match (&options.drive_url, remembered.drive_url) {
            (Some(url), _) => drive_url(url)?,
            (None, Some(url)) => url,
            (None, None) => drive_url(GOOGLE_ROOT)?,
        };
        let generation = options.generation.or(remembered.generation).unwrap_or_default();
        let encrypt = options.encrypt.or(remembered.encrypt);
        let roles = Role::roles(options.role);
        let list_every = options.list_every.map_or(syftbox_core::Settings::LIST_EVERY, Duration::from_secs);
        Ok(Self {
            email,
            roles,
            generation,
            folder,
            token_path,
            drive_url,
            list_every,
            encrypt,
            is_remembered,
            keeps_token,
        })
    }

    /// Remembers what leads to the account, for commands that are given its address only.
    pub(crate) async fn remember(&self) -> Result<(), CliError> {
        let remembered = Remembered {
            drive_url: Some(self.drive_url.clone()),
            token_path: Some(self.token_path.clone()),
            generation: Some(self.generation),
            encrypt: self.encrypt,
        };
        remembered.write(&self.folder).await
    }
}

impl Remembered {
    async fn read(folder: &Path) -> Result<Self, CliError> {
        let bad = |why| CliError::Remembered { path: folder.join(REMEMBERED), why };
        let name = REMEMBERED.parse().map_err(|error| bad(format!("{error}")))?;
        match StdFiles::new(folder, Access::Owner).read(&name, REMEMBERED_MAX).await {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| bad(error.to_string())),
            Err(error) if matches!(error.kind, FileErrorKind::Missing) => Ok(Self::default()),
            Err(error) => Err(bad(error.kind.to_string())),
        }
    }

    async fn write(&self, folder: &Path) -> Result<(), CliError> {
        let bad = |why| CliError::Remembered { path: folder.join(REMEMBERED), why };
        let name = REMEMBERED.parse().map_err(|error| bad(format!("{error}")))?;
        let json = serde_json::to_vec_pretty(self).map_err(|error| bad(error.to_string()))?;
        let files = StdFiles::new(folder, Access::Owner);
        files.write(&name, json.into()).await.map_err(|error| bad(error.kind.to_string()))
    }
}

impl Places {
    fn of_user() -> Option<Self> {
        let user = directories::BaseDirs::new()?;
        Some(Self { home: user.home_dir().to_owned(), config: user.config_dir().to_owned() })
    }
}

/// Where the token of `email` is when nobody says.
pub(crate) fn token_path_of(options: &Options, email: &Email) -> Result<PathBuf, CliError> {
    match &options.token_path {
        Some(path) => absolute(path),
        None => default_token_path(email, Places::of_user().as_ref()),
    }
}

/// Where the site's policy is when nobody says; `None` when the user has no home.
pub(crate) fn default_policy_path() -> Option<PathBuf> {
    Places::of_user().map(|places| places.config.join("syftbox").join("policy.toml"))
}

/// The root of a Drive that somebody wrote.
pub(crate) fn drive_url(text: &str) -> Result<Url, CliError> {
    let bad = |why: &str| CliError::DriveUrl { url: text.to_owned(), why: why.to_owned() };
    let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(bad("it begins neither with http:// nor with https://")),
    }
}

fn email(options: &Options) -> Result<Email, CliError> {
    Ok(options.email.as_ref().ok_or(CliError::NoEmail)?.parse()?)
}

fn folder(options: &Options, email: &Email, places: Option<&Places>) -> Result<PathBuf, CliError> {
    match (&options.folder, places) {
        (Some(folder), _) => absolute(folder),
        (None, _) if options.colab => Ok(NotebookOptions::new(email.clone()).colab_folder().into()),
        (None, Some(places)) => Ok(places.home.join(format!("SyftBox_{email}"))),
        (None, None) => Err(CliError::NoHome),
    }
}

fn default_token_path(email: &Email, places: Option<&Places>) -> Result<PathBuf, CliError> {
    let places = places.ok_or(CliError::NoHome)?;
    Ok(places.config.join("syftbox").join(format!("{email}.token.json")))
}

fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path)
        .map_err(|source| CliError::Source { path: path.to_owned(), why: source.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places { home: "/home/ann".into(), config: "/home/ann/.config".into() }
    }

    fn chosen(options: &Options, remembered: Remembered) -> Result<Settings, CliError> {
        let places = places();
        let email = email(options)?;
        let folder = folder(options, &email, Some(&places))?;
        Settings::choose(options, email, folder, remembered, Some(&places))
    }

    fn ann() -> Options {
        Options { email: Some("ann@example.org".to_owned()), ..Options::default() }
    }

    fn remembered() -> Remembered {
        Remembered {
            drive_url: Url::parse("http://127.0.0.1:8080").ok(),
            token_path: Some("/tokens/ann.json".into()),
            generation: Some(Generation::V0_1),
            encrypt: Some(true),
        }
    }

    #[test]
    fn an_address_is_enough() {
        let settings = chosen(&ann(), Remembered::default()).unwrap();
        assert_eq!(settings.folder, Path::new("/home/ann/SyftBox_ann@example.org"));
        assert_eq!(settings.token_path, Path::new("/home/ann/.config/syftbox/ann@example.org.token.json"));
        assert_eq!(settings.drive_url.as_str(), GOOGLE_ROOT);
        assert_eq!((settings.roles, settings.generation), (Roles::BOTH, Generation::V0_10));
        assert_eq!(settings.encrypt, None);
    }

    #[test]
    fn what_was_remembered_wins_over_the_default_and_options_win_over_both() {
        let settings = chosen(&ann(), remembered()).unwrap();
        assert_eq!(settings.drive_url.as_str(), "http://127.0.0.1:8080/");
        assert_eq!(settings.token_path, Path::new("/tokens/ann.json"));
        assert_eq!((settings.generation, settings.encrypt), (Generation::V0_1, Some(true)));
        let options = Options {
            drive_url: Some("https://drive.example".to_owned()),
            token_path: Some("/other.json".into()),
            generation: Some(Generation::V0_10),
            folder: Some("/folder".into()),
            role: Some(Role::Do),
            encrypt: Some(false),
            ..ann()
        };
        let settings = chosen(&options, remembered()).unwrap();
        assert_eq!(settings.drive_url.as_str(), "https://drive.example/");
        assert_eq!(settings.token_path, Path::new("/other.json"));
        assert_eq!(settings.folder, Path::new("/folder"));
        assert_eq!((settings.roles, settings.generation), (Roles::OWNER, Generation::V0_10));
        assert_eq!(settings.encrypt, Some(false));
    }

    #[test]
    fn colab_has_its_own_places() {
        let options = Options { colab: true, ..ann() };
        let settings = chosen(&options, Remembered::default()).unwrap();
        assert_eq!(settings.folder, Path::new("/content/SyftBox_ann@example.org"));
        assert!(settings.token_path.ends_with("application_default_credentials.json"), "{settings:?}");
        assert!(!settings.keeps_token);
    }

    #[test]
    fn says_what_is_missing_or_wrong() {
        let none = chosen(&Options::default(), Remembered::default()).unwrap_err();
        assert_eq!(none.exit_code(), 2);
        assert!(none.to_string().contains("SYFTBOX_EMAIL"), "{none}");
        let odd = Options { email: Some("ann".to_owned()), ..Options::default() };
        assert_eq!(chosen(&odd, Remembered::default()).unwrap_err().exit_code(), 1);
        for url in ["", "127.0.0.1:8080", "file:///etc", "http://"] {
            let options = Options { drive_url: Some(url.to_owned()), ..ann() };
            let error = chosen(&options, Remembered::default()).unwrap_err();
            assert!(error.to_string().contains("--drive-url"), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_remembered_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Remembered::read(folder.path()).await.unwrap(), Remembered::default());
        remembered().write(folder.path()).await.unwrap();
        assert_eq!(Remembered::read(folder.path()).await.unwrap(), remembered());
        std::fs::write(folder.path().join(REMEMBERED), "[").unwrap();
        let error = Remembered::read(folder.path()).await.unwrap_err();
        assert!(error.to_string().contains("cli.json"), "{error}");
    }
}
