//! Large content: in bounded pieces, resumed after what is there.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use syftbox_core::{
    domain::{ContentHash, ContentHasher, DatasitePath},
    drive::{Content, NewFile},
    platform::{BoxFuture, Entry, FileError, FileSink, FileStat, FileStore, memory::MemoryFiles},
};
use syftbox_localdrive::{Fault, When};
use syftbox_runner::native::{Access, StdFiles};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{Scene, new_file};

const MIB: usize = 1024 * 1024;
const LARGE: usize = 50 * MIB + 12_345;

/// Byte `at` of a large file.
fn byte(at: u64) -> u8 {
    (at / 64 % 251).to_le_bytes()[0] ^ at.to_le_bytes()[0]
}

fn hash_of_large() -> ContentHash {
    let mut hasher = ContentHasher::default();
    for start in (0..LARGE).step_by(MIB) {
        let piece: Vec<u8> = (start..LARGE.min(start + MIB)).map(|at| byte(at as u64)).collect();
        hasher.update(&piece);
    }
    hasher.finish()
}

/// A large file that was never whole in memory, and remembers the largest piece that was asked for.
#[derive(Default)]
struct Synthetic {
    largest: AtomicUsize,
    others: MemoryFiles,
}

impl FileStore for Synthetic {
    fn read_at<'a>(
        &'a self,
        _: &'a DatasitePath,
        offset: u64,
        len: usize,
    ) -> BoxFuture<'a, Result<Bytes, FileError>> {
        self.largest.fetch_max(len, Ordering::Relaxed);
        Box::pin(async move { Ok((offset..offset + len as u64).map(byte).collect::<Vec<_>>().into()) })
    }

    fn stat<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Option<FileStat>, FileError>> {
        self.others.stat(path)
    }

    fn list<'a>(&'a self, folder: Option<&'a DatasitePath>) -> BoxFuture<'a, Result<Vec<Entry>, FileError>> {
        self.others.list(folder)
    }

    fn create<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<Box<dyn FileSink>, FileError>> {
        self.others.create(path)
    }

    fn write_private<'a>(
        &'a self,
        path: &'a DatasitePath,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), FileError>> {
        self.others.write_private(path, content)
    }

    fn create_folder<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>> {
        self.others.create_folder(path)
    }

    fn remove<'a>(&'a self, path: &'a DatasitePath) -> BoxFuture<'a, Result<(), FileError>> {
        self.others.remove(path)
    }

    fn rename<'a>(
        &'a self,
        from: &'a DatasitePath,
        to: &'a DatasitePath,
    ) -> BoxFuture<'a, Result<(), FileError>> {
        self.others.rename(from, to)
    }
}

/// Hashes what comes, and remembers the largest piece.
#[derive(Default)]
struct Measure {
    hasher: ContentHasher,
    largest: usize,
}

impl FileSink for Measure {
    fn append(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), FileError>> {
        self.hasher.update(&piece);
        self.largest = self.largest.max(piece.len());
        Box::pin(async { Ok(()) })
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), FileError>> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn a_large_file_goes_both_ways_in_small_pieces() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    let source = Arc::new(Synthetic::default());
    let path: DatasitePath = "large".parse().unwrap();
    let content = Content::File { files: source.clone(), path, len: LARGE as u64 };
    // Two answers and one request are lost on the way, one of them the last.
    scene.faults().next(1, When::method("PUT"), Fault::DropAnswer);
    scene.faults().next(1, When::method("PUT"), Fault::DropRequest);
    scene.faults().next(1, When::method("PUT"), Fault::Status(503, None));
    let new = new_file(&ann, "large", &NewFile::my_drive()).await;
    let made = ann.upload(new.clone(), content.clone()).await.unwrap();
    assert_eq!(made.size, Some(LARGE as u64));
    assert!(source.largest.load(Ordering::Relaxed) <= 4 * MIB);
    assert_eq!(ann.upload(new, content).await.unwrap().id, made.id, "a repetition finds it");

    let mut sink = Measure::default();
    assert_eq!(ann.download_to(&made.id, &mut sink, u64::MAX).await.unwrap(), LARGE as u64);
    assert_eq!(sink.hasher.finish(), hash_of_large());
    assert!(sink.largest <= MIB, "{}", sink.largest);
}

#[tokio::test]
async fn a_lost_last_answer_of_a_large_file_is_found_out() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    let content = Content::Bytes(vec![7; 6 * MIB].into());
    let new = new_file(&ann, "large", &NewFile::my_drive()).await;
    // The first chunk is answered; the second, which is the last, is not.
    scene.faults().next(1, When::method("PUT"), Fault::Delay(std::time::Duration::ZERO));
    scene.faults().next(1, When::method("PUT"), Fault::DropAnswer);
    let made = ann.upload(new, content).await.unwrap();
    assert_eq!(made.size, Some(6 * MIB as u64));
    let replaced = ann.replace_content(&made.id, Content::Bytes(vec![8; 7 * MIB].into())).await.unwrap();
    assert_eq!((replaced.id, replaced.size), (made.id.clone(), Some(7 * MIB as u64)));
    assert!(ann.download(&made.id, 7 * MIB as u64).await.unwrap().iter().all(|&byte| byte == 8));
}

#[tokio::test]
async fn a_download_that_breaks_goes_on_into_the_same_file() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    let source = Arc::new(Synthetic::default());
    let path: DatasitePath = "large".parse().unwrap();
    let content = Content::File { files: source, path: path.clone(), len: LARGE as u64 };
    let made = ann.upload(new_file(&ann, "large", &NewFile::my_drive()).await, content).await.unwrap();

    let flaky = cut_connections(scene.server.url(), 20 * MIB).await;
    let files = StdFiles::new(scene.folder.path().join("down"), Access::Owner);
    let mut sink = files.create(&path).await.unwrap();
    scene.server.requests().reset();
    let len = scene.drive_at("ann", &flaky).download_to(&made.id, &mut *sink, LARGE as u64).await.unwrap();
    sink.commit().await.unwrap();
    assert_eq!(len, LARGE as u64);
    assert_eq!(scene.requests("GET"), 3, "50 MiB over connections that break after 20 MiB");
    let content = files.read(&path, LARGE as u64).await.unwrap();
    assert_eq!(ContentHash::of(&content), hash_of_large());
}

/// The address of a way to `server` on which every connection breaks after `most` bytes of answers.
async fn cut_connections(server: &str, most: usize) -> String {
    let server = server.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.into_split();
                let (from_server, mut to_server) = server.into_split();
                let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
                let _ = tokio::io::copy(&mut from_server.take(most as u64), &mut to_client).await;
                let _ = to_client.shutdown().await;
                up.abort();
            });
        }
    });
    url
}
