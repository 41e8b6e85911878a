//! How the catalog learns what changed on Drive.
//!
//! The changes feed tells it in one request. But the feed may lag or miss things, above all in
//! folders of others, so now and then the catalog is reconciled with lists: of what can be found by
//! name, and of the folders that are followed. A list lags too (wire section 10), so it never takes
//! anything away: what it doesn't show is asked for by id.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    catalog::{Catalog, is_root},
    domain::{Email, Generation, Timestamp},
    drive::{BatchCall, Change, Drive, DriveError, DriveFile, FileId, Opening, PageToken, Query},
    wire::names::{
        CheckpointsFolderName, EncryptionBundleName, EventLogFolderName, PEERS_FILE, RollingStateFolderName,
        SYFTBOX_FOLDER, VERSION_FILE, VersionFolderName,
    },
};

/// What was new when a folder was listed for the first time may have been too new for the list, and
/// too old for the feed. So much later both have caught up, and it is listed once more.
const CATCHING_UP: Duration = Duration::from_mins(5);

/// Whether a refresh makes do with the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Drive is listed.
    Now,
    /// Drive is listed when that last happened so long ago.
    After(Duration),
}

impl Catalog {
    /// Brings the catalog of `me` up to date: one request, and a few more when lists are due. An
    /// `opening` is what Drive just said, asked for [`opening_query`](Self::opening_query).
    ///
    /// # Errors
    /// When Drive can't be asked. What was learned until then is kept, and asked for again.
    pub async fn refresh(
        &mut self,
        drive: &Drive,
        now: Timestamp,
        listing: Listing,
        me: &Email,
        opening: Option<Opening>,
    ) -> Result<(), DriveError> {
        if std::mem::take(&mut self.has_new_lists) {
            self.list_again = Some(now.after(CATCHING_UP));
        }
        let token = self.page_token.clone();
        let is_followed = match &token {
            Some(token) => self.follow_feed(drive, token).await?,
            None => false,
        };
        if is_followed && !self.is_list_due(now, listing) {
            self.take_over(opening.map(|opening| opening.files).unwrap_or_default());
            // An older `SyftBox` of another machine may have come into view: what it holds counts.
            let root = self.root().map(|root| root.id.clone());
            return self.ensure_listed(drive, root).await;
        }
        // The token before the lists: what changes while we list is then told again.
        let (fresh, top) = if let Some(opening) = opening {
            ((!is_followed).then_some(opening.start), opening.files)
        } else {
            let fresh = if is_followed { None } else { Some(drive.start_page_token().await?) };
            (fresh, drive.list(&Self::opening_query(me)).await?)
        };
        self.reconcile(drive, top).await?;
        self.listed_at = Some(now);
        self.list_again = None;
        if let Some(token) = fresh {
            self.page_token = Some(token);
            self.list_again = Some(now.after(CATCHING_UP));
        }
        Ok(())
    }

    /// What is found by its name: our `SyftBox` folder, what is in it, and what others share with `me`.
    pub(crate) fn opening_query(me: &Email) -> Query {
        let folder = |name: &dyn std::fmt::Display| Query::new().folders().name_is(&name.to_string());
        // A whole name is found for sure, and a beginning as far as Drive's search takes names apart
        // as we think; so what must not be made twice is asked for by its whole name too.
        let whole = Generation::ALL.map(|generation| {
            let (datasite, version) = (me.clone(), generation.version());
            [
                folder(&EventLogFolderName { datasite: datasite.clone(), version }),
                folder(&CheckpointsFolderName { datasite: datasite.clone(), version }),
                folder(&RollingStateFolderName { datasite, version }),
            ]
        });
        let beginnings = [
            // Inboxes, outboxes, archives, collections.
            "syft_",
            VersionFolderName::PREFIX,
            // Event logs of other versions, and checkpoints and rolling states of such.
            "0.",
            &format!("{me}-"),
        ];
        let files = [VERSION_FILE, PEERS_FILE].map(|name| Query::new().name_is(name));
        let bundles = Query::new().name_prefix(EncryptionBundleName::PREFIX);
        let whole = whole.into_iter().flatten().chain(files).chain([bundles, folder(&SYFTBOX_FOLDER)]);
        Query::any(whole.chain(beginnings.map(|prefix| Query::new().folders().name_prefix(prefix))))
    }

    /// Makes sure that all children of `folders` are known; one request for some fifty folders
    /// that weren't listed yet, none when all were.
    ///
    /// # Errors
    /// When Drive can't be asked.
    pub async fn ensure_listed(
        &mut self,
        drive: &Drive,
        folders: impl IntoIterator<Item = FileId>,
    ) -> Result<(), DriveError> {
        let missing: Vec<FileId> =
            folders.into_iter().filter(|folder| !self.listed.contains(folder)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = drive.list(&Query::new().in_any_parent(&missing)).await?;
        self.listed.extend(missing);
        self.has_new_lists = true;
        self.apply(found.into_iter().map(Change::seen).collect());
        Ok(())
    }

    fn is_list_due(&self, now: Timestamp, listing: Listing) -> bool {
        let Listing::After(age) = listing else { return true };
        let Some(last) = self.listed_at else { return true };
        // A clock that was set back would otherwise put lists off for as long.
        last > now || now.since(last) >= age || self.list_again.is_some_and(|time| time <= now)
    }

    /// Takes over what the feed tells; `false` when it no longer knows where we were.
    async fn follow_feed(&mut self, drive: &Drive, token: &PageToken) -> Result<bool, DriveError> {
        match drive.changes(token).await {
            Ok(changes) => {
                self.apply(changes.changes);
                self.page_token = Some(changes.next);
                Ok(true)
            }
            Err(
                error @ (DriveError::NotFound { .. }
                | DriveError::Refused { .. }
                | DriveError::TooLarge { .. }),
            ) => {
                tracing::debug!(%error, "the changes feed starts anew");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Compares the catalog with lists of all that it holds: one for what is found by its name, one
    /// for some fifty followed folders each, and a look at what none of them shows.
    async fn reconcile(&mut self, drive: &Drive, top: Vec<DriveFile>) -> Result<(), DriveError> {
        // Who watches a folder lists what is new in it once more.
        self.watched.clear();
        let is_first = self.listed.is_empty();
        let (roots, top): (Vec<_>, Vec<_>) = top.into_iter().partition(is_root);
        let mut shown = self.take_over(roots);
        let roots: Vec<FileId> = self.roots().cloned().collect();
        self.listed.extend(roots);
        shown.extend(self.take_over(top));
        if is_first {
            // All that the protocol has in `SyftBox` has a name that was looked for.
            return Ok(());
        }
        let folders: Vec<FileId> = self.listed.iter().cloned().collect();
        shown.extend(self.take_over(drive.list(&Query::new().in_any_parent(&folders)).await?));
        self.taken_away.retain(|id, _| shown.contains(id));
        self.look_at_the_rest(drive, &shown).await
    }

    /// Forgets what is gone of the files that no list showed. A get by id doesn't lag.
    async fn look_at_the_rest(&mut self, drive: &Drive, shown: &BTreeSet<FileId>) -> Result<(), DriveError> {
        let rest: Vec<FileId> = self.files.keys().filter(|id| !shown.contains(*id)).cloned().collect();
        if rest.is_empty() {
            return Ok(());
        }
        let found = drive.batch(rest.iter().cloned().map(BatchCall::Get).collect()).await?;
        let mut looked_at = Vec::with_capacity(rest.len());
        for (id, file) in rest.into_iter().zip(found) {
            looked_at.push(Change { id, file: file? });
        }
        self.apply(looked_at);
        Ok(())
    }

    /// Takes over what a list showed, and gives the ids.
    fn take_over(&mut self, files: Vec<DriveFile>) -> BTreeSet<FileId> {
        let ids = files.iter().map(|file| file.id.clone()).collect();
        self.apply(files.into_iter().map(Change::seen).collect());
        ids
    }

    /// Takes over what Drive tells. `SyftBox` first, then the other folders: whether a file
    /// concerns us depends on them, and the feed has no order that we could rely on.
    fn apply(&mut self, mut changes: Vec<Change>) {
        changes.sort_by_key(|change| match &change.file {
            Some(file) if is_root(file) => 0,
            Some(file) if file.is_folder() => 1,
            _ => 2,
        });
        for change in changes {
            match change.file {
                Some(file) if self.is_stale(&file) => {}
                Some(file) if self.concerns_us(&file) => self.note(file),
                _ => self.forget(&change.id),
            }
        }
    }

    /// Whether we know of a later state of `file`: feed and lists lag behind our own writes.
    fn is_stale(&self, file: &DriveFile) -> bool {
        let known = self.files.get(&file.id).map(|known| known.version);
        known.is_some_and(|known| known > file.version)
            || self.taken_away.get(&file.id).is_some_and(|last| *last >= file.version)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::drive::scripted::{Scene, error, id, json as answer};

    const HOUR: Listing = Listing::After(Duration::from_mins(60));

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_seconds(seconds).unwrap()
    }

    fn me() -> Email {
        "me@x.org".parse().unwrap()
    }

    fn folder(id: &str, name: &str, parent: &str, version: u64) -> Value {
        json!({
            "id": id, "name": name, "mimeType": "application/vnd.google-apps.folder", "parents": [parent],
            "owners": [{"emailAddress": "me@x.org"}], "ownedByMe": true, "version": version.to_string(),
        })
    }

    fn file(id: &str, parent: &str, version: u64) -> Value {
        json!({
            "id": id, "name": "message", "mimeType": "application/gzip", "parents": [parent],
            "owners": [{"emailAddress": "ds@x.org"}], "ownedByMe": false, "version": version.to_string(),
        })
    }

    fn changes(files: &[Value]) -> crate::drive::scripted::Step {
        let changes: Vec<_> = files.iter().map(|file| json!({"fileId": file["id"], "file": file})).collect();
        answer(200, &json!({"changes": changes, "newStartPageToken": "9"}))
    }

    fn files(files: &[Value]) -> crate::drive::scripted::Step {
        answer(200, &json!({ "files": files }))
    }

    /// A catalog that listed `SyftBox` and a folder in it at second 0.
    async fn listed() -> Catalog {
        let root = folder("root", "SyftBox", "drive", 1);
        let inbox = folder("inbox", "inbox", "root", 1);
        let scene =
            Scene::new([answer(200, &json!({"startPageToken": "1"})), files(&[inbox, root]), files(&[])]);
        let mut catalog = Catalog::default();
        catalog.refresh(&scene.drive, at(0.0), HOUR, &me(), None).await.unwrap();
        catalog.ensure_listed(&scene.drive, [id("inbox")]).await.unwrap();
        catalog
    }

    #[tokio::test]
    async fn lists_are_made_when_they_are_due_and_find_what_the_feed_missed() {
        let mut catalog = listed().await;
        let scene = Scene::new([
            changes(&[]),
            changes(&[]),
            files(&[folder("root", "SyftBox", "drive", 1)]),
            files(&[folder("inbox", "inbox", "root", 1), file("missed", "inbox", 1)]),
            changes(&[]),
        ]);
        catalog.refresh(&scene.drive, at(10.0), HOUR, &me(), None).await.unwrap();
        assert_eq!(scene.lines().len(), 1, "a new list is looked at again only when Drive caught up");
        assert_eq!(catalog.get(&id("missed")), None);
        catalog.refresh(&scene.drive, at(10.0 + 300.0), HOUR, &me(), None).await.unwrap();
        assert!(catalog.get(&id("missed")).is_some());
        catalog.refresh(&scene.drive, at(3900.0), HOUR, &me(), None).await.unwrap();
        assert_eq!(scene.lines().len(), 5);
        assert!(catalog.is_list_due(at(3910.0), HOUR), "an hour after the last list");
        assert!(catalog.is_list_due(at(20.0), Listing::Now));
        assert!(!catalog.is_list_due(at(400.0), HOUR));
    }

    #[tokio::test]
    async fn a_list_that_lags_takes_nothing_away() {
        let mut catalog = listed().await;
        catalog.note(DriveFile::from_json(folder("new", "new", "root", 1)).unwrap());
        let (root, inbox) = (folder("root", "SyftBox", "drive", 1), folder("inbox", "inbox", "root", 1));
        let scene = Scene::new([
            changes(&[]),
            files(std::slice::from_ref(&root)),
            files(std::slice::from_ref(&inbox)),
            answer(200, &folder("new", "new", "root", 1)),
            changes(&[]),
            files(&[root]),
            files(&[inbox]),
            error(404, "notFound"),
        ]);
        catalog.refresh(&scene.drive, at(10.0), Listing::Now, &me(), None).await.unwrap();
        assert!(catalog.get(&id("new")).is_some(), "it is too new for the list");
        catalog.refresh(&scene.drive, at(20.0), Listing::Now, &me(), None).await.unwrap();
        assert_eq!(catalog.get(&id("new")), None, "it is gone");
    }

    #[tokio::test]
    async fn what_we_know_better_is_not_taken_back() {
        let mut catalog = listed().await;
        catalog.note(DriveFile::from_json(file("moved", "inbox", 1)).unwrap());
        catalog.take_away(&id("moved"));
        catalog.note(DriveFile::from_json(file("written", "inbox", 3)).unwrap());
        let scene = Scene::new([
            changes(&[file("moved", "inbox", 1), file("written", "inbox", 2)]),
            changes(&[file("moved", "inbox", 2)]),
        ]);
        catalog.refresh(&scene.drive, at(10.0), HOUR, &me(), None).await.unwrap();
        assert_eq!(catalog.get(&id("moved")), None);
        assert_eq!(catalog.get(&id("written")).unwrap().version, Some(3));
        catalog.refresh(&scene.drive, at(10.0), HOUR, &me(), None).await.unwrap();
        assert!(catalog.get(&id("moved")).is_some(), "its owner put it back");
    }

    #[tokio::test]
    async fn a_feed_that_forgot_where_we_were_starts_anew() {
        let mut catalog = listed().await;
        let scene = Scene::new([
            error(400, "invalid"),
            answer(200, &json!({"startPageToken": "70"})),
            files(&[folder("root", "SyftBox", "drive", 1)]),
            files(&[folder("inbox", "inbox", "root", 1)]),
            changes(&[]),
        ]);
        catalog.refresh(&scene.drive, at(10.0), HOUR, &me(), None).await.unwrap();
        catalog.refresh(&scene.drive, at(11.0), HOUR, &me(), None).await.unwrap();
        assert!(scene.seen()[4].uri().query().unwrap().contains("pageToken=70"));
    }
}
