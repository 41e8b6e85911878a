//! Small calls that change one file, alone or in a batch. All are safe to repeat.

use http::{Method, StatusCode};

use super::{
    Drive, DriveError, DriveFile, FileId, Grantee, NewFile, Permission, Role,
    file::{FILE_FIELDS, FOLDER},
    request::{Call, parse},
};

/// A call that may go into a batch. Drive carries out a batch in any order, so no call of one may
/// need another of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchCall {
    /// What is known of a file; `None` when it isn't there.
    Get(FileId),
    /// Makes a folder.
    CreateFolder(NewFile),
    /// Takes a file out of one folder into another.
    Move {
        /// The file.
        id: FileId,
        /// Where it is.
        from: FileId,
        /// Where it shall be.
        to: FileId,
    },
    /// Lets somebody read or write a file, or all in a folder.
    Share {
        /// The file or folder.
        id: FileId,
        /// Who.
        grantee: Grantee,
        /// What they may do.
        role: Role,
    },
    /// Takes a permission away again.
    Unshare {
        /// The file or folder.
        id: FileId,
        /// One of its permissions, from [`Drive::permissions`].
        permission: Permission,
    },
    /// Moves a file to the trash. Only its owner may.
    Trash(FileId),
    /// Deletes a file for good, a folder with all in it. Only its owner may.
    Delete(FileId),
}

impl BatchCall {
    /// The file it is about.
    #[must_use]
    pub fn id(&self) -> &FileId {
        match self {
            Self::CreateFolder(new) => &new.id,
            Self::Get(id)
            | Self::Move { id, .. }
            | Self::Share { id, .. }
            | Self::Unshare { id, .. }
            | Self::Trash(id)
            | Self::Delete(id) => id,
        }
    }

    pub(super) fn call(&self, drive: &Drive) -> Call {
        let id = self.id();
        let at = |method: Method, below: &str| {
            Call::new(method, drive.url(&format!("/drive/v3/files/{id}{below}")), id.as_str())
        };
        let empty = serde_json::json!({});
        match self {
            Self::Get(_) => at(Method::GET, "").query("fields", FILE_FIELDS),
            Self::CreateFolder(new) => {
                Call::new(Method::POST, drive.url("/drive/v3/files"), new.parent.as_str())
                    .query("fields", FILE_FIELDS)
                    .json(&new.to_json(Some(FOLDER)))
            }
            Self::Move { from, to, .. } => at(Method::PATCH, "")
                .query("addParents", to.as_str())
                .query("removeParents", from.as_str())
                .query("fields", FILE_FIELDS)
                .json(&empty),
            Self::Share { grantee, role, .. } => {
                let call = at(Method::POST, "/permissions").query("fields", "id");
                // Only mails to users can be held back; Drive refuses the parameter for anyone.
                let call = match grantee {
                    Grantee::User(_) => call.query("sendNotificationEmail", "false"),
                    Grantee::Anyone => call,
                };
                call.json(&grantee.to_json(*role))
            }
            Self::Unshare { permission, .. } => {
                at(Method::DELETE, &format!("/permissions/{}", permission.id()))
            }
            Self::Trash(_) => at(Method::PATCH, "")
                .query("fields", FILE_FIELDS)
                .json(&serde_json::json!({ "trashed": true })),
            Self::Delete(_) => at(Method::DELETE, ""),
        }
    }

    /// What the answer to [`call`](Self::call) means; `None` when it needs another look at the file
    /// (see [`settle`](Drive::settle)).
    pub(super) fn outcome(
        &self,
        call: &Call,
        answer: Result<&[u8], DriveError>,
    ) -> Option<Result<Option<DriveFile>, DriveError>> {
        match (self, answer) {
            (Self::Share { .. } | Self::Unshare { .. } | Self::Delete(_), Ok(_))
            | (
                Self::Get(_) | Self::Unshare { .. } | Self::Delete(_) | Self::Trash(_),
                Err(DriveError::NotFound { .. }),
            ) => Some(Ok(None)),
            (_, Ok(body)) => Some(file_of(body, call).map(Some)),
            (Self::CreateFolder(_), Err(error)) if is_conflict(&error) => None,
            (Self::Move { .. }, Err(DriveError::Refused { .. } | DriveError::Forbidden { .. })) => None,
            (_, Err(error)) => Some(Err(error)),
        }
    }
}

/// The file that `body` describes.
pub(super) fn file_of(body: &[u8], call: &Call) -> Result<DriveFile, DriveError> {
    DriveFile::from_json(parse(body, &call.url)?).ok_or_else(|| DriveError::Malformed {
        url: super::request::shown(&call.url),
        why: "it describes no file".to_owned(),
    })
}

/// Whether a create was refused because its id exists.
pub(super) fn is_conflict(error: &DriveError) -> bool {
    matches!(error, DriveError::Refused { status, .. } if *status == StatusCode::CONFLICT)
}

impl Drive {
    /// Carries out one call, retried.
    pub(super) async fn run(&self, what: &BatchCall) -> Result<Option<DriveFile>, DriveError> {
        let call = what.call(self);
        match self.bytes(&call).await {
            Ok(body) => self.settle(what, &call, Ok(&body)).await,
            Err(error) => self.settle(what, &call, Err(error)).await,
        }
    }

    /// The result of a call, given its answer. An earlier try whose answer was lost may have done
    /// what this one was refused for; then the file tells.
    pub(super) async fn settle(
        &self,
        what: &BatchCall,
        call: &Call,
        answer: Result<&[u8], DriveError>,
    ) -> Result<Option<DriveFile>, DriveError> {
        let refused = answer.as_ref().err().cloned();
        if let Some(outcome) = what.outcome(call, answer) {
            return outcome;
        }
        let there = self.get(what.id()).await?;
        match (what, there, refused) {
            (BatchCall::CreateFolder(new), there, _) => made(new, there).map(Some),
            (BatchCall::Move { from, to, .. }, Some(file), _)
                if file.parents.contains(to) && !file.parents.contains(from) =>
            {
                Ok(Some(file))
            }
            (_, _, Some(error)) => Err(error),
            (_, there, None) => Ok(there),
        }
    }
}

/// The file that an earlier try made under the id of `new`.
pub(super) fn made(new: &NewFile, there: Option<DriveFile>) -> Result<DriveFile, DriveError> {
    match there {
        Some(file) if file.name == new.name => Ok(file),
        _ => Err(DriveError::IdTaken { id: new.id.clone(), name: new.name.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scripted::{Scene, Step, error, file, id, json as answer};
    use super::*;

    #[tokio::test]
    async fn a_lost_answer_makes_no_second_folder() {
        let scene = Scene::new([Step::Lost, error(409, "fileIdInUse"), answer(200, &file("new", "inbox"))]);
        let new = NewFile::new(id("new"), "inbox", NewFile::my_drive());
        assert_eq!(scene.drive.create_folder(new).await.unwrap().id, id("new"));
        assert_eq!(
            scene.lines(),
            ["POST /below/drive/v3/files", "POST /below/drive/v3/files", "GET /below/drive/v3/files/new"]
        );
        let sent: serde_json::Value = serde_json::from_slice(scene.seen()[1].body()).unwrap();
        assert_eq!(sent, json!({ "id": "new", "name": "inbox", "parents": ["root"], "mimeType": FOLDER }));
    }

    #[tokio::test]
    async fn an_id_of_another_file_is_told() {
        let scene = Scene::new([error(409, "fileIdInUse"), answer(200, &file("new", "other"))]);
        let new = NewFile::new(id("new"), "inbox", id("p"));
        assert!(matches!(scene.drive.create_folder(new).await, Err(DriveError::IdTaken { .. })));
    }

    #[tokio::test]
    async fn a_move_that_happened_is_no_error() {
        let scene = Scene::new([Step::Lost, error(400, "invalidParent"), answer(200, &file("1", "n"))]);
        scene.drive.move_to(&id("1"), &id("old"), &id("p")).await.unwrap();
        let scene = Scene::new([error(403, "forbidden"), answer(200, &file("1", "n"))]);
        let error = scene.drive.move_to(&id("1"), &id("p"), &id("new")).await.unwrap_err();
        assert!(matches!(error, DriveError::Forbidden { .. }), "{error}");
    }

    #[tokio::test]
    async fn deleting_what_is_gone_is_no_error() {
        let scene = Scene::new([Step::Lost, error(404, "notFound")]);
        scene.drive.delete(&id("1")).await.unwrap();
        let scene = Scene::new([error(404, "notFound")]);
        assert!(matches!(
            scene.drive.share(&id("1"), Grantee::Anyone, Role::Reader).await,
            Err(DriveError::NotFound { id }) if id == "1"
        ));
    }
}
