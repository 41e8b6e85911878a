//! Events messages on Drive: those of a folder in order, and what is in them. Following a peer and
//! restoring our own datasite read them alike.

use futures_util::{Stream, StreamExt, stream};

use super::receive::may_pass_over;
use crate::{
    domain::Email,
    drive::{Drive, DriveError, DriveFile},
    encryption::{MessageError, Sealing},
    manager::ManagerError,
    wire::{
        EventsMessage, MAX_EXPANDED,
        names::{MessageKind, MessageName},
    },
};

/// How many messages are downloaded at once.
const PARALLEL_DOWNLOADS: usize = 8;

/// A message that is passed over; the others go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnreadableMessage {
    /// It is gone, closed to us, or too large.
    #[error(transparent)]
    Download(DriveError),
    /// It isn't what a message is.
    #[error(transparent)]
    Content(#[from] MessageError),
}

impl UnreadableMessage {
    /// Whether the same message may well be read later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Content(MessageError::Encryption(error)) if error.may_pass())
    }
}

impl UnreadableMessage {
    /// What was wrong with a file of our own, when it is that file's fault alone.
    ///
    /// # Errors
    /// When it can't be opened here at all: then others can't either, and without them files would
    /// seem never to have been there.
    pub(super) fn of_our_own(self, file: &DriveFile) -> Result<Self, ManagerError> {
        match self {
            Self::Content(MessageError::Encryption(why)) if why.is_about_keys() => {
                Err(ManagerError::SealedLog { name: file.name.clone(), why })
            }
            other => Ok(other),
        }
    }
}

/// A message's content, or why it is passed over.
pub(super) type Read = Result<EventsMessage, UnreadableMessage>;

/// The events messages among `files`, by ascending time.
pub(super) fn in_order<'a>(files: impl Iterator<Item = &'a DriveFile>) -> Vec<DriveFile> {
    let mut messages: Vec<(MessageName, DriveFile)> = files
        .filter_map(|file| Some((MessageName::parse(MessageKind::Events, &file.name).ok()?, file.clone())))
        .collect();
    messages.sort_by_key(|(name, _)| (name.timestamp, name.uuid));
    messages.into_iter().map(|(_, file)| file).collect()
}

/// Reads `messages` of `sender` in their order. An outer error means that Drive itself can't be used.
pub(super) fn read(
    drive: &Drive,
    sealing: &Sealing,
    sender: &Email,
    messages: Vec<DriveFile>,
) -> impl Stream<Item = Result<(DriveFile, Read), DriveError>> {
    stream::iter(messages)
        .map(move |file| async move {
            match drive.download(&file.id, MAX_EXPANDED).await {
                Ok(payload) => Ok((file, sealing.read(&payload, sender).map_err(UnreadableMessage::from))),
                Err(error) if may_pass_over(&error) => Ok((file, Err(UnreadableMessage::Download(error)))),
                Err(error) => Err(error),
            }
        })
        .buffered(PARALLEL_DOWNLOADS)
}
