//! The drive on disk. One thread makes all changes, many at a time in one durable commit; readers take
//! a moment of the drive and never wait.

mod body;
mod disk;
mod feed;
mod record;
mod state;

use std::{
    collections::VecDeque,
    fs::{self, File},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
    time::Instant,
};

use bytes::Bytes;
use redb::Database;
use tokio::sync::oneshot;

pub(crate) use self::{
    body::{BodyFolders, Incoming, NewBody},
    record::{
        Content, Details, FOLDER, FileRecord, Grantee, IssuedToken, Millis, PermissionRecord, Role,
        TokenKind, Trashed,
    },
    state::State,
};
use self::{disk::DiskError, state::Write};
use crate::{
    errors::{ApiError, LocalDriveError},
    faults::Faults,
};

/// Changes that share one commit at most.
const BATCH: usize = 256;

/// Tells the requester of a change how its commit went.
type Finish = Box<dyn FnOnce(Result<(), ApiError>) + Send>;
type Job = Box<dyn FnOnce(&mut State) -> Finish + Send>;

/// The drive on disk.
pub(crate) struct Store {
    shared: Arc<Shared>,
    jobs: Mutex<Option<Sender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    database: Database,
    folders: Arc<BodyFolders>,
    moments: RwLock<Moments>,
    faults: Faults,
}

/// The present and the near past.
struct Moments {
    now: Arc<State>,
    /// What was before, with the time it ended, oldest first: as far back as searches lag.
    past: VecDeque<(Instant, Arc<State>)>,
}

/// A body to send.
pub(crate) enum StoredBody {
    Inline(Bytes),
    File(File),
}

/// The present time in milliseconds since 1970.
pub(crate) fn now() -> Millis {
    jiff::Timestamp::now().as_millisecond()
}

/// Makes a folder, and those above it, for its owner only.
fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Keeps tokens and small bodies from other users of the machine.
fn owner_only(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

impl Store {
    /// Opens the drive in `dir`, making what isn't there, and clears away interrupted uploads.
    pub(crate) fn open(dir: &Path, faults: Faults) -> Result<Self, LocalDriveError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| LocalDriveError::Folder { path, source }
        };
        let folders = BodyFolders { bodies: dir.join("bodies"), uploads: dir.join("uploads") };
        for folder in [&folders.bodies, &folders.uploads] {
            private_folder(folder).map_err(at(folder))?;
        }
        let path = dir.join("metadata.redb");
        let (database, state) = disk::open(&path).map_err(|error| error.at(&path))?;
        owner_only(&path).map_err(at(&path))?;
        disk::sweep(&folders, &state).map_err(at(dir))?;
        let moments = RwLock::new(Moments { now: Arc::new(state), past: VecDeque::new() });
        let shared = Arc::new(Shared { database, folders: Arc::new(folders), moments, faults });
        let (jobs, queue) = channel();
        let writer = std::thread::Builder::new()
            .name("localdrive-writer".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.write_all(&queue)
            })
            .map_err(at(dir))?;
        Ok(Self { shared, jobs: Mutex::new(Some(jobs)), writer: Mutex::new(Some(writer)) })
    }

    /// The drive as it is now.
    pub(crate) fn read(&self) -> Arc<State> {
        let moments = self.shared.moments.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&moments.now)
    }

    /// The drive as searches see it: as it is, unless they lag on purpose.
    pub(crate) fn read_for_search(&self) -> Arc<State> {
        let lag = self.shared.faults.search_lag();
        let moments = self.shared.moments.read().unwrap_or_else(PoisonError::into_inner);
        let past = moments.past.iter().find(|(ended, _)| ended.elapsed() < lag);
        Arc::clone(past.map_or(&moments.now, |(_, state)| state))
    }

    /// Makes a change: `decide` sees the present and either changes it or refuses. When this returns,
    /// the change is durable.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut State) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |state| {
            let mut draft = state.clone();
            let decided = decide(&mut draft);
            if decided.is_ok() {
                draft.settle(state, now());
                *state = draft;
            }
            // A requester that has gone away doesn't need the answer.
            Box::new(move |saved| drop(answer.send(saved.and(decided))))
        });
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sent = jobs.is_some_and(|jobs| jobs.send(job).is_ok());
        match answered.await {
            Ok(answer) if sent => answer,
            _ => Err(ApiError::internal(&"the writer of the local Drive has stopped")),
        }
    }

    /// Starts taking in a body.
    pub(crate) fn incoming(&self) -> Incoming {
        Incoming::new(Arc::clone(&self.shared.folders))
    }

    /// A body to send. Blocks for the time of a small read.
    pub(crate) fn body(&self, content: &Content) -> Result<StoredBody, ApiError> {
        if content.inline {
            let bytes = disk::read_body(&self.shared.database, &content.body);
            let bytes = bytes.map_err(|error| ApiError::internal(&error))?;
            return bytes.map(StoredBody::Inline).ok_or_else(|| ApiError::internal(&"a body is gone"));
        }
        let file = File::open(self.shared.folders.path(&content.body));
        file.map(StoredBody::File).map_err(|error| ApiError::internal(&error))
    }

    /// A second body with the same bytes.
    pub(crate) fn duplicate(&self, content: &Content) -> Result<NewBody, ApiError> {
        let inline = match self.body(content)? {
            StoredBody::Inline(bytes) => Some(bytes),
            StoredBody::File(_) => None,
        };
        NewBody::same_as(content, inline, &self.shared.folders)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The writer ends when nobody can send to it; only then is the metadata file free again.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the writer of the local Drive has failed");
        }
    }
}

impl Shared {
    fn write_all(&self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let before = Arc::clone(&self.moments.read().unwrap_or_else(PoisonError::into_inner).now);
            let mut state = before.as_ref().clone();
            let jobs = std::iter::once(first).chain(queue.try_iter()).take(BATCH);
            let finishes: Vec<Finish> = jobs.map(|job| job(&mut state)).collect();
            let saved = self.commit(state);
            for finish in finishes {
                finish(saved.clone());
            }
        }
    }

    fn commit(&self, mut state: State) -> Result<(), ApiError> {
        if state.unsaved.is_empty() {
            return Ok(());
        }
        disk::save(&self.database, &state).map_err(|error: DiskError| ApiError::internal(&error))?;
        let written = std::mem::take(&mut state.unsaved);
        let lag = self.faults.search_lag();
        {
            let mut moments = self.moments.write().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut moments.now, Arc::new(state));
            moments.past.push_back((Instant::now(), before));
            while moments.past.front().is_some_and(|(ended, _)| ended.elapsed() >= lag) {
                moments.past.pop_front();
            }
        }
        for write in written {
            if let Write::DropBody(content) = write
                && !content.inline
                && let Err(error) = fs::remove_file(self.folders.path(&content.body))
            {
                tracing::warn!(%error, body = content.body, "a dropped body stays until the next start");
            }
        }
        Ok(())
    }
}
