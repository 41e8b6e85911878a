//! Decisions about changes of files: what a caller may do, and what the drive is then.

use std::collections::{BTreeMap, BTreeSet};

use syftbox_core::domain::Email;

use super::{
    body::FileBody,
    context::{Caller, Params},
};
use crate::{
    access,
    errors::ApiError,
    ids,
    store::{Details, FOLDER, FileRecord, NewBody, Role, State, Trashed, now},
};

/// Google's own types have no bytes.
const GOOGLE_TYPES: &str = "application/vnd.google-apps.";
/// The type of bytes about which nothing was said.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Whether a file of this type has bytes.
pub(crate) fn has_content(mime_type: &str) -> bool {
    !mime_type.starts_with(GOOGLE_TYPES)
}

/// A change of where a file lies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Move {
    add: Vec<String>,
    remove: Vec<String>,
}

impl Move {
    pub(crate) fn parse(params: &Params) -> Self {
        let list = |name| params.get(name).unwrap_or_default().split(',').map(str::trim);
        let ids = |name| list(name).filter(|id| !id.is_empty()).map(ToOwned::to_owned).collect();
        Self { add: ids("addParents"), remove: ids("removeParents") }
    }
}

/// The folder `id`, if the caller may put something there.
fn target_folder(state: &State, id: &str, caller: &Caller) -> Result<String, ApiError> {
    let folder = access::allowed(state, id, &caller.account, Role::Writer)?;
    if !folder.is_folder() {
        return Err(ApiError::forbidden("parentNotAFolder", "The specified parent is not a folder."));
    }
    Ok(folder.id.clone())
}

/// Checks that a new file may be as described, and makes its record, which has no content yet.
pub(crate) fn new_record(
    state: &State,
    caller: &Caller,
    body: &FileBody,
    media_type: Option<&str>,
) -> Result<FileRecord, ApiError> {
    let id = match &body.id {
        None => ids::file().map_err(|error| ApiError::internal(&error))?,
        Some(id) if !ids::is_usable(id) => {
            return Err(ApiError::invalid_parameter("file.id", "The provided file ID is not usable."));
        }
        Some(id) if state.file(id).is_some() => {
            let message = "A file already exists with the provided ID.";
            return Err(ApiError::new(http::StatusCode::CONFLICT, "fileIdInUse", message));
        }
        Some(id) => id.clone(),
    };
    let parent = match body.parents.as_deref().unwrap_or_default() {
        [] => ids::root(&caller.account),
        [parent] => target_folder(state, parent, caller)?,
        _ => {
            return Err(ApiError::forbidden("multipleParentsNotSupported", "A file has exactly one parent."));
        }
    };
    let now = now();
    let modified = body.modified_time.unwrap_or(now);
    let mut record = FileRecord {
        id,
        name: "Untitled".to_owned(),
        mime_type: media_type.unwrap_or(UNKNOWN_TYPE).to_owned(),
        owner: caller.account.clone(),
        parent: Some(parent),
        permissions: Vec::new(),
        trashed: None,
        content: None,
        created: body.created_time.unwrap_or(now),
        modified,
        modified_by: caller.account.clone(),
        modified_times: BTreeMap::from([(caller.account.clone(), modified)]),
        viewed_times: body.viewed_by_me_time.map(|at| (caller.account.clone(), at)).into_iter().collect(),
        starred_by: BTreeSet::new(),
        version: 0,
        details: Details::default(),
        properties: BTreeMap::new(),
        app_properties: BTreeMap::new(),
    };
    body.apply(&mut record)?;
    if body.starred == Some(true) {
        record.starred_by.insert(caller.account.clone());
    }
    if body.trashed == Some(true) {
        record.trashed = Some(Trashed { at: now, by: caller.account.clone() });
    }
    if media_type.is_some() && !has_content(&record.mime_type) {
        return Err(ApiError::bad_request("A file of this type can't have media content."));
    }
    Ok(record)
}

/// Creates a file and returns its id.
pub(crate) fn create(
    state: &mut State,
    caller: &Caller,
    body: &FileBody,
    media: Option<(&str, NewBody)>,
) -> Result<String, ApiError> {
    let media_type = media.as_ref().map(|(media_type, _)| *media_type).filter(|name| !name.is_empty());
    let mut record = new_record(state, caller, body, media_type)?;
    if let Some((_, content)) = media.filter(|_| has_content(&record.mime_type)) {
        record.content = Some(state.adopt(content));
    }
    let id = record.id.clone();
    state.put(record);
    Ok(id)
}

/// Checks that a file may be changed as described, and makes its new record, with its old content.
pub(crate) fn changed_record(
    state: &State,
    caller: &Caller,
    id: &str,
    body: &FileBody,
    moved: &Move,
    media: bool,
) -> Result<FileRecord, ApiError> {
    let file = access::visible(state, id, &caller.account)?;
    let role = access::role(state, file, &caller.account);
    let edits = body.edits() || media;
    if (edits || !moved.add.is_empty() || !moved.remove.is_empty()) && role < Some(Role::Writer) {
        return Err(ApiError::insufficient());
    }
    if body.parents.is_some() {
        let message = "The parents field is not directly writable in update requests. \
                       Use the addParents and removeParents parameters instead.";
        return Err(ApiError::forbidden("fieldNotWritable", message));
    }
    if body.created_time.is_some() {
        return Err(ApiError::not_writable("createdTime"));
    }
    if body.id.as_ref().is_some_and(|given| *given != file.id) {
        return Err(ApiError::not_writable("id"));
    }
    let becomes_folder = body.mime_type.as_deref().is_some_and(|to| (to == FOLDER) != file.is_folder());
    if becomes_folder || media && !has_content(&file.mime_type) {
        return Err(ApiError::bad_request("A folder can't have content, nor can a file become one."));
    }
    let now = now();
    let mut record = file.as_ref().clone();
    body.apply(&mut record)?;
    if edits {
        let modified = body.modified_time.unwrap_or(now);
        record.modified = modified;
        record.modified_by = caller.account.clone();
        record.modified_times.insert(caller.account.clone(), modified);
    }
    if let Some(at) = body.viewed_by_me_time {
        record.viewed_times.insert(caller.account.clone(), at);
    }
    match body.starred {
        Some(true) => drop(record.starred_by.insert(caller.account.clone())),
        Some(false) => drop(record.starred_by.remove(&caller.account)),
        None => {}
    }
    if let Some(trashed) = body.trashed {
        if role != Some(Role::Owner) || file.is_root() {
            return Err(ApiError::insufficient());
        }
        record.trashed = match (trashed, record.trashed) {
            (true, None) => Some(Trashed { at: now, by: caller.account.clone() }),
            (true, before) => before,
            (false, _) => None,
        };
    }
    if !moved.add.is_empty() || !moved.remove.is_empty() {
        record.parent = Some(new_parent(state, caller, file, moved)?);
    }
    Ok(record)
}

/// The folder that a file lies in after a move. Its owner doesn't change.
fn new_parent(state: &State, caller: &Caller, file: &FileRecord, moved: &Move) -> Result<String, ApiError> {
    let Some(parent) = &file.parent else {
        return Err(ApiError::forbidden("cannotMoveRoot", "A My Drive can't be moved."));
    };
    let mut removes = false;
    for id in &moved.remove {
        removes |= access::visible(state, id, &caller.account)?.id == *parent;
    }
    let target = match moved.add.as_slice() {
        [] if removes && file.owner == caller.account => ids::root(&file.owner),
        [] if removes => return Err(ApiError::insufficient()),
        [] => parent.clone(),
        [target] => target_folder(state, target, caller)?,
        _ => {
            return Err(ApiError::forbidden("multipleParentsNotSupported", "A file has exactly one parent."));
        }
    };
    if target == *parent {
        return Ok(target);
    }
    // Whoever can't see where the file lies can't name that folder either.
    let sees_parent = access::visible(state, parent, &caller.account).is_ok();
    if sees_parent && !removes {
        let message = "Increasing the number of parents is not allowed.";
        return Err(ApiError::forbidden("cannotAddParent", message));
    }
    let inside_itself = state
        .file(&target)
        .is_some_and(|target| access::chain(state, target).any(|above| above.id == file.id));
    if inside_itself {
        return Err(ApiError::forbidden("cyclicParents", "A folder can't be moved into itself."));
    }
    Ok(target)
}

/// Changes a file's metadata, place or content.
pub(crate) fn update(
    state: &mut State,
    caller: &Caller,
    id: &str,
    body: &FileBody,
    moved: &Move,
    media: Option<(&str, NewBody)>,
) -> Result<String, ApiError> {
    let mut record = changed_record(state, caller, id, body, moved, media.is_some())?;
    if let Some((media_type, content)) = media {
        if body.mime_type.is_none() && !media_type.is_empty() {
            media_type.clone_into(&mut record.mime_type);
        }
        record.content = Some(state.adopt(content));
    }
    let id = record.id.clone();
    state.put(record);
    Ok(id)
}

/// The record of a copy, which has no content yet.
pub(crate) fn copied_record(
    state: &State,
    caller: &Caller,
    id: &str,
    body: &FileBody,
) -> Result<FileRecord, ApiError> {
    let source = access::visible(state, id, &caller.account)?;
    if source.is_folder() {
        return Err(ApiError::forbidden("cannotCopyFile", "This file cannot be copied by the user."));
    }
    let beside = source.parent.as_ref().filter(|parent| target_folder(state, parent, caller).is_ok());
    let described = FileBody {
        name: body.name.clone().or_else(|| Some(format!("Copy of {}", source.name))),
        mime_type: body.mime_type.clone().or_else(|| Some(source.mime_type.clone())),
        parents: body.parents.clone().or_else(|| beside.map(|parent| vec![parent.clone()])),
        ..body.clone()
    };
    let mut record = new_record(state, caller, &described, None)?;
    let kept = |own: &BTreeMap<String, String>, set: &BTreeMap<String, String>| {
        own.iter().chain(set).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    record.properties = kept(&source.properties, &record.properties);
    record.app_properties = kept(&source.app_properties, &record.app_properties);
    record.details.description = record.details.description.or(source.details.description.clone());
    Ok(record)
}

/// Deletes a file for good, and with a folder all in it that the same account owns. What others own moves
/// to their My Drive.
pub(crate) fn delete(state: &mut State, caller: &Caller, id: &str) -> Result<(), ApiError> {
    let file = access::allowed(state, id, &caller.account, Role::Owner)?;
    if file.is_root() {
        return Err(ApiError::insufficient());
    }
    let id = file.id.clone();
    remove_owned(state, &caller.account, &id);
    Ok(())
}

fn remove_owned(state: &mut State, owner: &Email, id: &str) {
    for file in state.subtree(id) {
        if file.owner == *owner {
            state.remove(&file.id);
        } else if file.parent.as_deref().is_none_or(|parent| state.file(parent).is_none()) {
            let home = Some(ids::root(&file.owner));
            state.put(FileRecord { parent: home, ..file.as_ref().clone() });
        }
    }
}

/// Deletes for good what the caller owns and has put into the trash.
pub(crate) fn empty_trash(state: &mut State, caller: &Caller) {
    let mine = state.files().filter(|file| file.owner == caller.account && file.trashed.is_some());
    let trashed: Vec<String> = mine.map(|file| file.id.clone()).collect();
    for id in trashed {
        remove_owned(state, &caller.account, &id);
    }
}
