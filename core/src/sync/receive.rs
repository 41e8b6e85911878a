//! An owner receives proposals (wire section 4): messages from the inboxes of accepted peers, each
//! change decided by itself.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::{SyncReport, journal::PlannedMove};
use crate::{
    datasite,
    domain::{ContentHash, DatasitePath, Email},
    drive::{DriveError, DriveFile, FileId},
    encryption::MessageError,
    manager::{ManagerError, SyftboxManager},
    permissions::{Level, PERMISSION_FILE, Permissions},
    platform::{FileError, FileErrorKind, FileKind, tree},
    wire::{
        MAX_EXPANDED, ProposalMessage, ProposedChange, is_syncable,
        names::{ArchiveFolderName, MessageKind, MessageName},
    },
};

/// How many messages are downloaded at once.
const PARALLEL_DOWNLOADS: usize = 4;

/// How many messages of a peer are left in the inbox, and downloaded again by every sync, because
/// they are sealed with keys of the sender that aren't known yet.
const MAX_WAITING: usize = 16;

/// What is done with one proposed change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// The file gets the proposed content, or goes.
    Apply,
    /// The file is already as proposed.
    AlreadySo,
    /// It isn't done, and this is why.
    Refuse(Reason),
}

/// Why a proposed change is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("it is for another datasite")]
    OtherDatasite,
    #[error("files of that kind are never synced")]
    NotSyncable,
    #[error("the sender may not write there")]
    NotPermitted,
    #[error("the file has changed since the sender saw it; the sender should sync and propose again")]
    Outdated,
}

/// Decides on one change, given what is there. Pure: all that matters comes in.
fn decide(
    change: &ProposedChange,
    sender: &Email,
    owner: &Email,
    permissions: &Permissions,
    current: Option<ContentHash>,
) -> Decision {
    if change.datasite != *owner {
        Decision::Refuse(Reason::OtherDatasite)
    } else if !is_syncable(&change.path) {
        Decision::Refuse(Reason::NotSyncable)
    } else if !datasite::may(permissions, sender, owner, &change.path, Level::Write) {
        Decision::Refuse(Reason::NotPermitted)
    } else if current == change.new_hash() {
        Decision::AlreadySo
    } else if current != change.old_hash {
        Decision::Refuse(Reason::Outdated)
    } else {
        Decision::Apply
    }
}

impl SyftboxManager {
    /// Takes all messages from the inboxes of `peers`, applies what may be applied to the local
    /// files, and gives the moves that archive the messages: they are made when what was applied
    /// is published.
    pub(super) async fn receive_proposals(
        &mut self,
        peers: &[Email],
        report: &mut SyncReport,
    ) -> Result<Vec<PlannedMove>, ManagerError> {
        let mut archive = Vec::new();
        for peer in peers {
            let me = self.email().clone();
            let proposals = self.proposals_in(self.inboxes_of(peer));
            if proposals.is_empty() {
                continue;
            }
            let archive_name = ArchiveFolderName { sender: peer.clone(), datasite: me }.to_string();
            let to = self.own_folder(&archive_name).await?;
            let (inboxes, messages): (Vec<FileId>, Vec<DriveFile>) = proposals.into_iter().unzip();
            let ids: Vec<FileId> = messages.iter().map(|message| message.id.clone()).collect();
            let waiting = self.receive_from(peer, messages, report).await?;
            let done = ids.into_iter().zip(inboxes).filter(|(id, _)| !waiting.contains(id));
            archive.extend(done.map(|(id, from)| PlannedMove { id, from, to: to.clone() }));
        }
        Ok(archive)
    }

    /// What lies in a peer's inboxes, by ascending time; what isn't named as a message comes last.
    fn proposals_in(&self, inboxes: Vec<FileId>) -> Vec<(FileId, DriveFile)> {
        let mut files: Vec<(FileId, DriveFile)> = Vec::new();
        for inbox in inboxes {
            files.extend(self.catalog.children(&inbox).map(|file| (inbox.clone(), file.clone())));
        }
        files.sort_by_cached_key(|(_, file)| match MessageName::parse(MessageKind::Proposal, &file.name) {
            Ok(name) => (false, Some((name.timestamp, name.uuid)), file.id.clone()),
            Err(_) => (true, None, file.id.clone()),
        });
        files
    }

    /// Gives the messages that stay where they are, since they may well be opened later.
    async fn receive_from(
        &mut self,
        sender: &Email,
        messages: Vec<DriveFile>,
        report: &mut SyncReport,
    ) -> Result<BTreeSet<FileId>, ManagerError> {
        let sealing = self.sealing().await?;
        let mut waiting = BTreeSet::new();
        let drive = self.drive.clone();
        let mut downloads = stream::iter(messages)
            .map(|file| {
                let drive = drive.clone();
                async move {
                    let payload = match MessageName::parse(MessageKind::Proposal, &file.name) {
                        Ok(_) if !file.is_folder() => Some(drive.download(&file.id, MAX_EXPANDED).await),
                        _ => None,
                    };
                    (file, payload)
                }
            })
            .buffered(PARALLEL_DOWNLOADS);
        let mut permissions = None;
        while let Some((file, payload)) = downloads.next().await {
            report.proposals_received += 1;
            let payload = match payload {
                None => {
                    report.refuse(sender, &file.name, "it is no proposal; it was moved to the archive");
                    continue;
                }
                Some(Err(error)) if may_pass_over(&error) => {
                    report.refuse(sender, &file.name, error);
                    continue;
                }
                Some(payload) => payload?,
            };
            match sealing.read::<ProposalMessage>(&payload, sender) {
                Ok(message) => self.receive_message(sender, message, &mut permissions, report).await?,
                Err(error) => {
                    let may_pass = matches!(&error, MessageError::Encryption(error) if error.may_pass());
                    if may_pass && waiting.len() < MAX_WAITING {
                        waiting.insert(file.id);
                    }
                    report.refuse(sender, &file.name, error);
                }
            }
        }
        Ok(waiting)
    }

    async fn receive_message(
        &self,
        sender: &Email,
        message: ProposalMessage,
        permissions: &mut Option<Permissions>,
        report: &mut SyncReport,
    ) -> Result<(), ManagerError> {
        for refused in &message.proposed_file_changes.refused {
            let what = refused.path.as_deref().unwrap_or("a change");
            report.refuse(sender, what, &refused.reason);
        }
        let folder = Self::datasite_folder(self.email())?;
        for change in message.proposed_file_changes.accepted {
            let current_permissions = if let Some(known) = permissions.take() {
                known
            } else {
                let local = datasite::local_files(self.files(), &folder).await?;
                datasite::permissions(self.files(), &folder, &local).await?
            };
            let local = datasite::in_folder(&folder, &change.path)?;
            let current = match self.current_hash(&local).await {
                Ok(current) => current,
                Err(error) => {
                    report.refuse(sender, &change.path, error.kind);
                    *permissions = Some(current_permissions);
                    continue;
                }
            };
            let changes_permissions = change.path.file_name() == PERMISSION_FILE;
            match decide(&change, sender, self.email(), &current_permissions, current) {
                Decision::AlreadySo => {}
                Decision::Refuse(reason) => report.refuse(sender, &change.path, reason),
                Decision::Apply => match self.apply_change(&local, change).await {
                    Ok(()) => report.changes_applied += 1,
                    Err((path, error)) => report.refuse(sender, path, error.kind),
                },
            }
            if !changes_permissions {
                *permissions = Some(current_permissions);
            }
        }
        Ok(())
    }

    /// The hash of the file at `path`, `None` when there is none.
    pub(super) async fn current_hash(&self, path: &DatasitePath) -> Result<Option<ContentHash>, FileError> {
        match self.files().stat(path).await? {
            None => Ok(None),
            Some(stat) => match stat.kind {
                FileKind::File => Ok(Some(tree::hash(self.files(), path).await?)),
                FileKind::Folder => Err(FileError::new(path, FileErrorKind::IsFolder)),
                FileKind::Other => Err(FileError::new(path, FileErrorKind::Special)),
            },
        }
    }

    async fn apply_change(
        &self,
        local: &DatasitePath,
        change: ProposedChange,
    ) -> Result<(), (DatasitePath, FileError)> {
        let done = match change.content {
            Some(content) => self.files().write(local, content.into_bytes()).await,
            None => self.files().remove(local).await,
        };
        done.map_err(|error| (change.path, error))
    }
}

/// Whether a message that can't be downloaded is that message's fault alone.
pub(super) fn may_pass_over(error: &DriveError) -> bool {
    error.is_closed_to_us() || matches!(error, DriveError::TooLarge { .. })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        domain::Timestamp,
        permissions::{Access, Pattern, PermissionFile},
    };

    fn change(path: &str, old: Option<&[u8]>) -> ProposedChange {
        ProposedChange::new(
            Uuid::nil(),
            "do@x.org".parse().unwrap(),
            path.parse().unwrap(),
            Some("new".into()),
            old.map(ContentHash::of),
            Timestamp::EPOCH,
        )
    }

    fn decided(change: &ProposedChange, current: Option<&[u8]>) -> Decision {
        let (ds, owner): (Email, Email) = ("ds@x.org".parse().unwrap(), "do@x.org".parse().unwrap());
        let mut permissions = Permissions::default();
        let file = PermissionFile::single(Pattern::everything(), Access::write([&ds]));
        permissions.insert(Some(&"open".parse().unwrap()), file);
        decide(change, &ds, &owner, &permissions, current.map(ContentHash::of))
    }

    #[test]
    fn applies_only_what_is_permitted_and_up_to_date() {
        assert_eq!(decided(&change("open/f", None), None), Decision::Apply);
        assert_eq!(decided(&change("open/f", Some(b"old")), Some(b"old")), Decision::Apply);
        assert_eq!(decided(&change("open/f", None), Some(b"new")), Decision::AlreadySo);
        assert_eq!(decided(&change("open/f", None), Some(b"old")), Decision::Refuse(Reason::Outdated));
        assert_eq!(decided(&change("open/f", Some(b"x")), None), Decision::Refuse(Reason::Outdated));
        assert_eq!(decided(&change("f", None), None), Decision::Refuse(Reason::NotPermitted));
        assert_eq!(
            decided(&change("open/syft.pub.yaml", None), None),
            Decision::Refuse(Reason::NotPermitted)
        );
        assert_eq!(decided(&change("private/f", None), None), Decision::Refuse(Reason::NotSyncable));
        let mut elsewhere = change("open/f", None);
        elsewhere.datasite = "eve@x.org".parse().unwrap();
        assert_eq!(decided(&elsewhere, None), Decision::Refuse(Reason::OtherDatasite));
    }
}
