//! A machine that dies, or loses an answer, at a chosen moment.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use syftbox_core::{
    domain::DatasitePath,
    platform::{Body, BoxFuture, Entry, FileError, FileSink, FileStat, FileStore, HttpClient, HttpError},
};
use syftbox_localdrive::LocalDrive;
use tokio::sync::Notify;
use tower::ServiceExt;

/// What goes wrong. Numbers count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Nothing.
    None,
    /// The program is killed before it sends this request.
    BeforeRequest(usize),
    /// The program is killed when Drive has carried out this request, before it reads the answer.
    AfterRequest(usize),
    /// The program is killed before this change of a file takes place.
    BeforeWrite(usize),
    /// Drive carries out this request, and the answer is lost.
    LostAnswer(usize),
}

/// One life of a program. Clones share it.
#[derive(Clone)]
pub(crate) struct Fate(Arc<Life>);

struct Life {
    mishap: Mishap,
    requests: AtomicUsize,
    writes: AtomicUsize,
    is_over: AtomicBool,
    over: Notify,
}

impl Fate {
    pub(crate) fn new(mishap: Mishap) -> Self {
        let (requests, writes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(Life {
            mishap,
            requests,
            writes,
            is_over: AtomicBool::new(false),
            over: Notify::new(),
        }))
    }

    /// Ends with the program.
    pub(crate) async fn over(&self) {
        self.0.over.notified().await;
    }

    /// Whether the mishap has happened.
    pub(crate) fn is_met(&self) -> bool {
        match self.0.mishap {
            Mishap::None => false,
            Mishap::BeforeRequest(n) | Mishap::AfterRequest(n) | Mishap::LostAnswer(n) => {
                self.0.requests.load(Ordering::SeqCst) > n
            }
            Mishap::BeforeWrite(n) => self.0.writes.load(Ordering::SeqCst) > n,
        }
    }

    async fn die<T>(&self) -> T {
        self.0.is_over.store(true, Ordering::SeqCst);
        self.0.over.notify_one();
        std::future::pending().await
    }

    /// A change of a file is about to happen.
    async fn write(&self) {
        let number = self.0.writes.fetch_add(1, Ordering::SeqCst);
        if self.0.is_over.load(Ordering::SeqCst) || self.0.mishap == Mishap::BeforeWrite(number) {
            self.die::<()>().await;
        }
    }
}

/// The way to the Drive, until death.
pub(crate) struct MortalHttp {
    pub(crate) drive: LocalDrive,
    pub(crate) fate: Fate,
}

impl HttpClient for MortalHttp {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Body>, HttpError>> {
        async move {
            let life = &self.fate.0;
            let number = life.requests.fetch_add(1, Ordering::SeqCst);
            if life.is_over.load(Ordering::SeqCst) || life.mishap == Mishap::BeforeRequest(number) {
                return self.fate.die().await;
            }
            let answer = self.drive.router().oneshot(request.map(axum::body::Body::from)).await;
            let answer = answer.map_err(HttpError::new)?;
            if life.mishap == Mishap::AfterRequest(number) {
                return self.fate.die().await;
            }
            if life.mishap == Mishap::LostAnswer(number) {
                return Err(HttpError::new("the connection was reset"));
            }
            Ok(answer.map(|body| body.into_data_stream().map_err(HttpError::new).boxed() as Body))
        }
        .boxed()
    }
}

/// The files of the machine, until death.
pub(crate) struct MortalFiles {
    pub(crate) files: Arc<dyn FileStore>,
    pub(crate) fate: Fate,
}

struct MortalSink {
    sink: Box<dyn FileSink>,
    fate: Fate,
}

impl FileStore for MortalFiles {
    fn stat<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Option<FileStat>, FileError>> {
        self.files.stat(path)
    }

    fn list<'a>(&'a self, folder: Option<&'a DatasitePath>) -> BoxFuture<'a, Result<Vec<Entry>, FileError>> {
        self.files.list(folder)
    }

    fn read_at<'a>(
        &'a self,
        path: &'a DatasitePath,
        offset: u64,
        len: usize,
    ) -> BoxFuture<'a, Result<Bytes, FileError>> {
        self.files.read_at(path, offset, len)
    }

    fn create<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Box<dyn FileSink>, FileError>> {
        async move {
            let sink = self.files.create(path).await?;
            Ok(Box::new(MortalSink { sink, fate: self.fate.clone() }) as Box<dyn FileSink>)
        }
        .boxed()
    }

    fn write_private<'a>(
        &'a self,
        path: &'a DatasitePath,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), FileError>> {
        async move {
            self.fate.write().await;
            self.files.write_private(path, content).await
        }
        .boxed()
    }

    fn create_folder<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>> {
        async move {
            self.fate.write().await;
            self.files.create_folder(path).await
        }
        .boxed()
    }

    fn remove<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>> {
        async move {
            if self.files.stat(path).await?.is_some() {
                self.fate.write().await;
            }
            self.files.remove(path).await
        }
        .boxed()
    }

    fn rename<'a>(
        &'a self,
        from: &'a DatasitePath,
        to: &'a DatasitePath,
    ) -> BoxFuture<'a, Result<(), FileError>> {
        async move {
            self.fate.write().await;
            self.files.rename(from, to).await
        }
        .boxed()
    }
}

impl FileSink for MortalSink {
    fn append(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), FileError>> {
        self.sink.append(piece)
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), FileError>> {
        async move {
            self.fate.write().await;
            self.sink.commit().await
        }
        .boxed()
    }
}
