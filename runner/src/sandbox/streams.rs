//! What a guest reads and writes beside files: its input, and two streams of words.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::{
    cli::{IsTerminal, StdinStream, StdoutStream},
    p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult},
};

use super::{
    frame::{self, GuestEnd},
    log::LogStream,
};

/// What one host call writes at once, in bytes.
const LARGEST_WRITE: usize = 64 << 10;

/// What a guest that another guest started has to say to it.
#[derive(Debug)]
pub(super) enum Event {
    /// It wrote.
    Said(LogStream, Vec<u8>),
    /// It waits for input.
    WantsInput,
    /// It is over, and executed this many instructions, where they are counted.
    Ended(GuestEnd, u64),
}

/// Where one of a guest's streams goes. A write waits until it was taken.
#[derive(Clone, Debug)]
pub(super) enum Output {
    /// To the runner, which keeps it in the job's logs.
    Runner(LogStream),
    /// To the guest that started this one.
    Starter(LogStream, SyncSender<Event>),
}

impl Output {
    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Runner(stream) => frame::write_log(&mut io::stdout().lock(), *stream, bytes),
            Self::Starter(stream, events) => bytes.chunks(LARGEST_WRITE).try_for_each(|piece| {
                let said = Event::Said(*stream, piece.to_vec());
                events.send(said).map_err(|_| io::ErrorKind::BrokenPipe.into())
            }),
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        // Who listened is gone: nobody is there for whom to go on.
        self.send(&bytes).map_err(|error| StreamError::Trap(error.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LARGEST_WRITE)
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.send(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The input of a guest that another guest started: asked for when it is read, and not before.
#[derive(Clone, Debug)]
pub(super) struct Input(Arc<Mutex<Fed>>);

#[derive(Debug)]
struct Fed {
    asks: SyncSender<Event>,
    /// What comes; nothing at all is the end.
    pieces: Receiver<Vec<u8>>,
    held: Bytes,
    ended: bool,
}

impl Input {
    pub(super) fn new(asks: SyncSender<Event>, pieces: Receiver<Vec<u8>>) -> Self {
        Self(Arc::new(Mutex::new(Fed { asks, pieces, held: Bytes::new(), ended: false })))
    }

    fn fed<T>(&self, use_it: impl FnOnce(&mut Fed) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Fed {
    /// Waits for input, unless some is there. The thread is this guest's own.
    fn wait(&mut self) {
        if self.ended || !self.held.is_empty() {
            return;
        }
        let piece = self.asks.send(Event::WantsInput).ok().and_then(|()| self.pieces.recv().ok());
        match piece.filter(|piece| !piece.is_empty()) {
            Some(piece) => self.held = piece.into(),
            None => self.ended = true,
        }
    }

    fn take(&mut self, size: usize) -> Bytes {
        self.held.split_to(size.min(self.held.len()))
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Input {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        self.fed(Fed::wait);
    }
}

impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.fed(
            |fed| {
                if fed.ended && fed.held.is_empty() { Err(StreamError::Closed) } else { Ok(fed.take(size)) }
            },
        )
    }
}

impl AsyncRead for Input {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.fed(|fed| {
            fed.wait();
            buffer.put_slice(&fed.take(buffer.remaining()));
        });
        Poll::Ready(Ok(()))
    }
}
