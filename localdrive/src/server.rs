//! Serving on a socket, and a server for tests that ends with its owner.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread::JoinHandle,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::{Accounts, Faults, LocalDrive, LocalDriveError, RequestLog};

/// Closes one connection in the middle of things: how an answer is lost on purpose.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hangup(Arc<AtomicBool>);

impl Hangup {
    pub(crate) fn now(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// A listener whose connections can be hung up.
struct Hangups(TcpListener);

struct Connection {
    stream: TcpStream,
    hangup: Hangup,
}

impl Listener for Hangups {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays with delays");
        }
        (Connection { stream, hangup: Hangup::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Hangups>> for Hangup {
    fn connect_info(stream: IncomingStream<'_, Hangups>) -> Self {
        stream.io().hangup.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.hangup.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.hangup.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.hangup.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl LocalDrive {
    /// Answers on `listener` until `shutdown` is done and the requests under way are answered.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), LocalDriveError> {
        let service = self.router().into_make_service_with_connect_info::<Hangup>();
        let serving = axum::serve(Hangups(listener), service).with_graceful_shutdown(shutdown);
        serving.await.map_err(LocalDriveError::Listen)
    }
}

/// A local Drive on a free port of 127.0.0.1, on a thread of its own. It ends when this is dropped.
pub struct RunningDrive {
    drive: LocalDrive,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RunningDrive {
    /// Opens the drive in `dir` and answers before this returns.
    ///
    /// # Errors
    /// As [`LocalDrive::open`], and when no port or thread is to be had.
    pub fn start(dir: &Path, accounts: Accounts) -> Result<Self, LocalDriveError> {
        let drive = LocalDrive::open(dir, accounts)?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(LocalDriveError::Listen)?;
        listener.set_nonblocking(true).map_err(LocalDriveError::Listen)?;
        let address = listener.local_addr().map_err(LocalDriveError::Listen)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(LocalDriveError::Listen)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = drive.clone();
        let serve = async move {
            // A client's open connection must not keep the owner waiting, so there is no grace.
            tokio::select! {
                served = serve_std(&serving, listener) => served,
                _ = stopped => Ok(()),
            }
        };
        let run = move || {
            if let Err(error) = runtime.block_on(serve) {
                tracing::error!(%error, "a running local Drive ended");
            }
        };
        let thread = std::thread::Builder::new().name("localdrive".to_owned()).spawn(run);
        let thread = thread.map_err(LocalDriveError::Listen)?;
        Ok(Self { drive, url: format!("http://{address}"), stop: Some(stop), thread: Some(thread) })
    }

    /// Its address, such as `http://127.0.0.1:40123`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The drive itself.
    #[must_use]
    pub fn drive(&self) -> &LocalDrive {
        &self.drive
    }

    /// The requests since the start or the last reset.
    #[must_use]
    pub fn requests(&self) -> RequestLog {
        self.drive.requests()
    }

    /// The faults that are planned.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.drive.faults()
    }
}

async fn serve_std(drive: &LocalDrive, listener: std::net::TcpListener) -> Result<(), LocalDriveError> {
    let listener = TcpListener::from_std(listener).map_err(LocalDriveError::Listen)?;
    drive.serve(listener, std::future::pending()).await
}

impl Drop for RunningDrive {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of a running local Drive failed");
        }
    }
}
