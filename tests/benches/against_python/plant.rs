//! Events put on Drive as their owner would have, without doing what caused them.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use syftbox_core::drive::{Content, Drive, DriveError, NewFile, Query};
use syftbox_core::tokens::{AuthorizedUser, UserTokens};
use syftbox_core::wire::encode;
use syftbox_tests::Stage;

/// How many events there are.
pub(crate) const EVENTS: u32 = 1_000;

/// Uploads `EVENTS` messages of one event each into the folder called `folder`, which is made below `SyftBox` unless the
/// account of `token_file` can see one. Each is a small new file in the datasite of `owner`.
pub(crate) fn messages(stage: &Stage, token_file: &Path, folder: &str, owner: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let platform = syftbox_runner::native::platform(token_file.with_extension("by-hand")).unwrap();
    let user = AuthorizedUser::parse(&fs::read(token_file).unwrap()).unwrap();
    let tokens = Arc::new(UserTokens::new(&platform, user, None));
    let drive = Drive::new(&platform, &stage.drive().url().parse().unwrap(), tokens);
    runtime.block_on(upload(&drive, folder, owner)).unwrap();
}

async fn upload(drive: &Drive, folder: &str, owner: &str) -> Result<(), DriveError> {
    let mut ids = drive.generate_ids(EVENTS as usize + 1).await?;
    let found = drive.list(&Query::new().name_is(folder)).await?.pop();
    let folder = if let Some(found) = found {
        found.id
    } else {
        let root = drive.list(&Query::new().name_is("SyftBox").owned_by_me(true)).await?.pop().unwrap();
        let new = NewFile::new(ids.pop().unwrap(), folder, root.id);
        drive.create_folder(new).await?.id
    };
    stream::iter(ids.into_iter().zip(0..EVENTS))
        .map(|(id, number)| {
            let (name, message) = message(number, owner);
            let content = Content::Bytes(Bytes::from(encode(&message).unwrap()));
            drive.upload(NewFile::new(id, name, folder.clone()), content)
        })
        .buffer_unordered(8)
        .try_for_each(|_| async { Ok(()) })
        .await
}

/// The name and the content of the message with event `number` (wire section 4).
fn message(number: u32, owner: &str) -> (String, Value) {
    let content = format!("This is what file {number} says.\n");
    let hash = Sha256::digest(&content).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let time = 1_750_000_000.5 + f64::from(number);
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let event = json!({
        "id": id, "path_in_datasite": format!("notes/{}/{number}.txt", number % 10), "datasite_email": owner,
        "content": content, "old_hash": null, "new_hash": hash, "is_deleted": false,
        "submitted_timestamp": time, "timestamp": time, "content_type": "text",
    });
    let message = json!({
        "events": [event],
        "message_filepath": {"id": id, "timestamp": time, "extension": ".tar.gz"},
    });
    (format!("syfteventsmessagev3_{time}_{id}.tar.gz"), message)
}
