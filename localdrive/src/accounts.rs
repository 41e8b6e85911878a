//! Who may use the drive: bearer tokens and the accounts they stand for, from a small JSON file
//! `{"TOKEN": "name@example.org"}`. A token serves as access token and as refresh token.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use syftbox_core::domain::Email;

use crate::{errors::LocalDriveError, ids};

/// The accounts of a local Drive. Clones share one list.
///
/// When it comes from a file, the file is read again when somebody shows an unknown token and the
/// file has changed: accounts can be added while the server runs.
#[derive(Clone, Debug)]
pub struct Accounts(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    emails: BTreeMap<String, Email>,
    file: Option<PathBuf>,
    /// The file's size and time of change when it was last read.
    seen: Option<(u64, SystemTime)>,
}

impl Accounts {
    /// The name of the accounts file inside a drive's folder.
    pub const FILE_NAME: &'static str = "accounts.json";

    /// Accounts that live in memory only: pairs of token and e-mail address.
    ///
    /// # Errors
    /// When an e-mail address isn't one.
    pub fn new<T: Into<String>, E: AsRef<str>>(
        pairs: impl IntoIterator<Item = (T, E)>,
    ) -> Result<Self, LocalDriveError> {
        let mut emails = BTreeMap::new();
        for (token, email) in pairs {
            emails.insert(token.into(), email.as_ref().parse()?);
        }
        Ok(Self(Arc::new(Mutex::new(List { emails, ..List::default() }))))
    }

    /// The accounts in `file`; none yet when there is no such file.
    ///
    /// # Errors
    /// When the file can't be read or isn't an object of tokens and e-mail addresses.
    pub fn load(file: &Path) -> Result<Self, LocalDriveError> {
        let mut list = List { file: Some(file.to_owned()), ..List::default() };
        list.reload()?;
        Ok(Self(Arc::new(Mutex::new(list))))
    }

    /// The accounts of the drive in `dir`, from its own accounts file.
    ///
    /// # Errors
    /// As [`Accounts::load`].
    pub fn in_dir(dir: &Path) -> Result<Self, LocalDriveError> {
        Self::load(&dir.join(Self::FILE_NAME))
    }

    /// Adds an account and returns its token; the account's present token when it has one.
    ///
    /// With an accounts file, the file has it (readable by its owner only) before this returns.
    ///
    /// # Errors
    /// When `email` isn't an address, or the file can't be read or written.
    pub fn add(&self, email: &str) -> Result<String, LocalDriveError> {
        let email: Email = email.parse()?;
        let mut list = self.list();
        list.reload()?;
        if let Some((token, _)) = list.emails.iter().find(|(_, known)| **known == email) {
            return Ok(token.clone());
        }
        let token = ids::token("local-").map_err(LocalDriveError::Random)?;
        list.emails.insert(token.clone(), email);
        list.save()?;
        Ok(token)
    }

    /// The account that `token` stands for.
    #[must_use]
    pub fn email_of(&self, token: &str) -> Option<String> {
        self.account(token).map(String::from)
    }

    /// Every account's address, each once, in order.
    #[must_use]
    pub fn emails(&self) -> Vec<String> {
        self.known().into_iter().map(String::from).collect()
    }

    pub(crate) fn known(&self) -> Vec<Email> {
        let mut emails: Vec<Email> = self.list().emails.values().cloned().collect();
        emails.sort();
        emails.dedup();
        emails
    }

    pub(crate) fn account(&self, token: &str) -> Option<Email> {
        let mut list = self.list();
        if let Some(email) = list.emails.get(token) {
            return Some(email.clone());
        }
        if let Err(error) = list.reload() {
            tracing::warn!(%error, "the accounts file changed and can't be read; the accounts before stay");
        }
        list.emails.get(token).cloned()
    }

    /// The account with this address, as the accounts file writes it.
    pub(crate) fn named(&self, email: &str) -> Option<Email> {
        let email: Email = email.parse().ok()?;
        let found = |list: &List| list.emails.values().find(|known| **known == email).cloned();
        let mut list = self.list();
        found(&list).or_else(|| {
            list.reload().ok()?;
            found(&list)
        })
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn reload(&mut self) -> Result<(), LocalDriveError> {
        let Some(path) = self.file.clone() else { return Ok(()) };
        let folder = |source| LocalDriveError::Folder { path: path.clone(), source };
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(folder(error)),
        };
        let now = Some((metadata.len(), metadata.modified().map_err(folder)?));
        if now == self.seen {
            return Ok(());
        }
        let text = fs::read(&path).map_err(folder)?;
        self.emails = serde_json::from_slice(&text)
            .map_err(|error| LocalDriveError::Accounts { path, reason: error.to_string() })?;
        self.seen = now;
        Ok(())
    }

    fn save(&mut self) -> Result<(), LocalDriveError> {
        let Some(path) = self.file.clone() else { return Ok(()) };
        let folder = |source| LocalDriveError::Folder { path: path.clone(), source };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(folder)?;
        let text = serde_json::to_vec_pretty(&self.emails)
            .map_err(|error| LocalDriveError::Accounts { path: path.clone(), reason: error.to_string() })?;
        // A temporary file is readable by its owner only, and stays so under its new name.
        let mut file = tempfile::NamedTempFile::new_in(parent).map_err(folder)?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(folder)?;
        file.persist(&path).map_err(|error| folder(error.error))?;
        fs::File::open(parent).and_then(|dir| dir.sync_all()).map_err(folder)?;
        let metadata = fs::metadata(&path).map_err(folder)?;
        self.seen = Some((metadata.len(), metadata.modified().map_err(folder)?));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_account_is_saved_for_its_owner_only_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let accounts = Accounts::in_dir(dir.path()).unwrap();
        let token = accounts.add("ann@x.org").unwrap();
        assert_eq!(accounts.add("Ann@X.org").unwrap(), token);
        let again = Accounts::in_dir(dir.path()).unwrap();
        assert_eq!(again.email_of(&token).as_deref(), Some("ann@x.org"));
        assert_eq!(again.email_of("other"), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.path().join(Accounts::FILE_NAME)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }

    #[test]
    fn an_unknown_token_makes_a_changed_file_be_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.json");
        let accounts = Accounts::load(&file).unwrap();
        assert_eq!(accounts.email_of("t"), None);
        fs::write(&file, r#"{"t": "ann@x.org"}"#).unwrap();
        assert_eq!(accounts.email_of("t").as_deref(), Some("ann@x.org"));
        fs::write(&file, "nonsense").unwrap();
        assert_eq!(accounts.email_of("u"), None);
        assert_eq!(accounts.email_of("t").as_deref(), Some("ann@x.org"));
        assert!(Accounts::load(&file).unwrap_err().to_string().contains("name@example.org"));
    }
}
