//! Events messages on Drive: those of a folder in order, and what is in them. Following a peer and
//! restoring our own datasite read them alike.

use futures_util::{Stream, StreamExt, stream};

use super::receive::may_pass_over;
use crate::{
    drive::{Drive, DriveError, DriveFile},
    wire::{
        EventsMessage, MAX_EXPANDED, PayloadError, decode,
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
    Payload(#[from] PayloadError),
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

/// Reads `messages` in their order. An outer error means that Drive itself can't be used.
pub(super) fn read(
    drive: &Drive,
    messages: Vec<DriveFile>,
) -> impl Stream<Item = Result<(DriveFile, Read), DriveError>> {
    stream::iter(messages)
        .map(move |file| async move {
            match drive.download(&file.id, MAX_EXPANDED).await {
                Ok(payload) => Ok((file, decode(&payload).map_err(UnreadableMessage::from))),
                Err(error) if may_pass_over(&error) => Ok((file, Err(UnreadableMessage::Download(error)))),
                Err(error) => Err(error),
            }
        })
        .buffered(PARALLEL_DOWNLOADS)
}
