//! The metadata file: one redb database with the records as JSON, small bodies, changes and tokens.

use std::{fs, path::Path};

use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use syftbox_core::domain::Email;

use super::{
    body::BodyFolders,
    state::{State, Write},
};
use crate::errors::LocalDriveError;

const FILES: TableDefinition<&str, &[u8]> = TableDefinition::new("files");
const TOKENS: TableDefinition<&str, &[u8]> = TableDefinition::new("tokens");
const BODIES: TableDefinition<&str, &[u8]> = TableDefinition::new("bodies");
/// Account and number of a change to its file and time.
const CHANGES: TableDefinition<(&str, u64), (&str, i64)> = TableDefinition::new("changes");

/// Why the metadata can't be read or written; the store adds the path.
#[derive(Debug)]
pub(super) enum DiskError {
    Database(Box<redb::Error>),
    Record(serde_json::Error),
}

impl<E: Into<redb::Error>> From<E> for DiskError {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

impl std::fmt::Display for DiskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::Record(error) => error.fmt(f),
        }
    }
}

impl DiskError {
    pub(super) fn at(self, path: &Path) -> LocalDriveError {
        let path = path.to_owned();
        match self {
            Self::Database(source) if matches!(*source, redb::Error::DatabaseAlreadyOpen) => {
                LocalDriveError::InUse(path)
            }
            Self::Database(source) => LocalDriveError::Metadata { path, source },
            Self::Record(source) => LocalDriveError::Record { path, source },
        }
    }
}

/// Opens the metadata and reads all of it but the bodies.
pub(super) fn open(path: &Path) -> Result<(Database, State), DiskError> {
    let database = Database::create(path)?;
    let writing = database.begin_write()?;
    writing.open_table(FILES)?;
    writing.open_table(TOKENS)?;
    writing.open_table(BODIES)?;
    writing.open_table(CHANGES)?;
    writing.commit()?;

    let mut state = State::default();
    let reading = database.begin_read()?;
    for entry in reading.open_table(FILES)?.iter()? {
        state.index(serde_json::from_slice(entry?.1.value()).map_err(DiskError::Record)?);
    }
    for entry in reading.open_table(TOKENS)?.iter()? {
        let (token, issued) = entry?;
        let issued = serde_json::from_slice(issued.value()).map_err(DiskError::Record)?;
        state.load_token(token.value().to_owned(), issued);
    }
    for entry in reading.open_table(CHANGES)?.iter()? {
        let (key, change) = entry?;
        let ((account, number), (file, at)) = (key.value(), change.value());
        let account: Email =
            account.parse().map_err(|error| DiskError::Record(serde::de::Error::custom(error)))?;
        state.load_change(account, number, file, at);
    }
    Ok((database, state))
}

/// Writes what `state` has unsaved, durably and all or nothing.
pub(super) fn save(database: &Database, state: &State) -> Result<(), DiskError> {
    let writing = database.begin_write()?;
    {
        let mut files = writing.open_table(FILES)?;
        let mut tokens = writing.open_table(TOKENS)?;
        let mut bodies = writing.open_table(BODIES)?;
        let mut changes = writing.open_table(CHANGES)?;
        for write in &state.unsaved {
            match write {
                Write::File(id) => match state.file(id) {
                    Some(record) => {
                        let json = serde_json::to_vec(record.as_ref()).map_err(DiskError::Record)?;
                        files.insert(id.as_str(), json.as_slice())?;
                    }
                    None => drop(files.remove(id.as_str())?),
                },
                Write::Token(token) => match state.token(token) {
                    Some(issued) => {
                        let json = serde_json::to_vec(issued).map_err(DiskError::Record)?;
                        tokens.insert(token.as_str(), json.as_slice())?;
                    }
                    None => drop(tokens.remove(token.as_str())?),
                },
                Write::Body(body, bytes) => drop(bodies.insert(body.as_str(), bytes.as_ref())?),
                Write::DropBody(content) if content.inline => drop(bodies.remove(content.body.as_str())?),
                Write::DropBody(_) => {}
                Write::Change { account, replaced, number } => {
                    let key = account.as_str().to_ascii_lowercase();
                    if let Some(replaced) = replaced {
                        changes.remove((key.as_str(), *replaced))?;
                    }
                    // A later change of the same batch may have taken this one's place.
                    if let Some(entry) = state.feed(account).entry(*number) {
                        changes.insert((key.as_str(), *number), (entry.file.as_str(), entry.at))?;
                    }
                }
            }
        }
    }
    writing.commit()?;
    Ok(())
}

/// A small body's bytes; none when it was dropped meanwhile.
pub(super) fn read_body(database: &Database, body: &str) -> Result<Option<Bytes>, DiskError> {
    let bodies = database.begin_read()?.open_table(BODIES)?;
    Ok(bodies.get(body)?.map(|bytes| Bytes::copy_from_slice(bytes.value())))
}

/// Removes what uploads that never ended have left.
pub(super) fn sweep(folders: &BodyFolders, state: &State) -> std::io::Result<()> {
    for upload in fs::read_dir(&folders.uploads)? {
        fs::remove_file(upload?.path())?;
    }
    let named: std::collections::HashSet<&str> = state
        .files()
        .filter_map(|file| file.content.as_ref())
        .filter(|content| !content.inline)
        .map(|content| content.body.as_str())
        .collect();
    for body in fs::read_dir(&folders.bodies)? {
        let body = body?;
        if !body.file_name().to_str().is_some_and(|name| named.contains(name)) {
            fs::remove_file(body.path())?;
        }
    }
    Ok(())
}
