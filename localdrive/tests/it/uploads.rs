//! Uploads in one request and in many, with connections that break.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Bench, Client, id_of};

const UNIT: usize = 256 * 1024;

fn some_bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at / 7 + at) % 253).unwrap()).collect()
}

async fn session(client: &Client, method: Method, path: &str, size: usize) -> String {
    let request = client
        .request(method, path)
        .header("x-upload-content-type", "application/octet-stream")
        .header("x-upload-content-length", size.to_string())
        .body(json!({"name": "large"}).to_string());
    let answer = client.send(request).await;
    assert_eq!(answer.status, 200);
    answer.header("location").unwrap().to_owned()
}

async fn put(client: &Client, session: &str, range: &str, bytes: &[u8]) -> Answer {
    let request = client.request(Method::PUT, session).header("content-range", format!("bytes {range}"));
    client.send(request.body(bytes.to_vec())).await
}

#[tokio::test]
async fn a_resumable_upload_comes_in_pieces_and_tells_how_far_it_is() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let bytes = some_bytes(3 * UNIT + 1000);
    let total = bytes.len();
    let at = session(&ann, Method::POST, "/upload/drive/v3/files?uploadType=resumable", total).await;
    assert_eq!(put(&ann, &at, &format!("*/{total}"), b"").await.header("range"), None);
    let answer = put(&ann, &at, &format!("0-{}/{total}", UNIT - 1), &bytes[..UNIT]).await;
    assert_eq!((answer.status, answer.header("range")), (308, Some(&*format!("bytes=0-{}", UNIT - 1))));

    let odd = put(&ann, &at, &format!("{UNIT}-{}/{total}", UNIT + 9), &bytes[UNIT..UNIT + 10]).await;
    assert_eq!(odd.refused(400), "badRequest");
    let gap = put(&ann, &at, &format!("{}-{}/{total}", 2 * UNIT, total - 1), &bytes[2 * UNIT..]).await;
    assert_eq!(gap.refused(400), "badRequest");
    let other =
        put(&ann, &at, &format!("{UNIT}-{}/{}", 2 * UNIT - 1, total + 1), &bytes[UNIT..2 * UNIT]).await;
    assert_eq!(other.refused(400), "badRequest");

    // A piece that comes again, as after a lost answer, changes nothing.
    let again = put(&ann, &at, &format!("0-{}/{total}", 2 * UNIT - 1), &bytes[..2 * UNIT]).await;
    assert_eq!(again.header("range"), Some(&*format!("bytes=0-{}", 2 * UNIT - 1)));
    let status = put(&ann, &at, &format!("*/{total}"), b"").await;
    assert_eq!(status.header("range"), Some(&*format!("bytes=0-{}", 2 * UNIT - 1)));
    let done = put(&ann, &at, &format!("{}-{}/{total}", 2 * UNIT, total - 1), &bytes[2 * UNIT..]).await;
    let id = id_of(&done.ok());
    assert_eq!(ann.download(&id).await, bytes);
    let repeated = put(&ann, &at, &format!("*/{total}"), b"").await.ok();
    assert_eq!(id_of(&repeated), id);
    assert_eq!(ann.search("name = 'large'").await.len(), 1);
}

#[tokio::test]
async fn a_known_files_content_is_replaced_in_every_way() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let id = ann.upload("f", "root", &some_bytes(200_000)).await;
    let path = format!("/upload/drive/v3/files/{id}");
    let simple = ann.request(Method::PATCH, &format!("{path}?uploadType=media")).body("simple");
    assert_eq!(id_of(&ann.send(simple).await.ok()), id);
    assert_eq!(ann.download(&id).await, b"simple");

    let bytes = some_bytes(500_000);
    let at = session(&ann, Method::PATCH, &format!("{path}?uploadType=resumable"), bytes.len()).await;
    let whole = ann.request(Method::PUT, &at).body(bytes.clone());
    assert_eq!(id_of(&ann.send(whole).await.ok()), id);
    assert_eq!(ann.download(&id).await, bytes);

    let at = session(&ann, Method::PATCH, &format!("{path}?uploadType=resumable"), 0).await;
    assert_eq!(id_of(&put(&ann, &at, "*/0", b"").await.ok()), id);
    assert_eq!(ann.download(&id).await, b"");
    let bodies = std::fs::read_dir(bench.dir.path().join("bodies")).unwrap().count();
    assert_eq!(bodies, 0, "replaced bodies are gone");
}

#[tokio::test]
async fn a_size_that_nobody_knew_before_comes_with_the_last_piece() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let bytes = some_bytes(2 * UNIT + 5);
    let start = ann.request(Method::POST, "/upload/drive/v3/files?uploadType=resumable").body("{}");
    let at = ann.send(start).await.header("location").unwrap().to_owned();
    assert_eq!(put(&ann, &at, &format!("0-{}/*", 2 * UNIT - 1), &bytes[..2 * UNIT]).await.status, 308);
    let range = format!("{}-{}/{}", 2 * UNIT, bytes.len() - 1, bytes.len());
    let id = id_of(&put(&ann, &at, &range, &bytes[2 * UNIT..]).await.ok());
    assert_eq!(ann.download(&id).await, bytes);
}

#[tokio::test]
async fn an_upload_that_breaks_off_goes_on_where_it_stopped() {
    use tokio::io::AsyncWriteExt;
    let bench = Bench::new();
    let ann = bench.client("ann");
    let bytes = some_bytes(4 * UNIT);
    let total = bytes.len();
    let at = session(&ann, Method::POST, "/upload/drive/v3/files?uploadType=resumable", total).await;
    let url = url::Url::parse(&at).unwrap();
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    let head = format!(
        "PUT {}?{} HTTP/1.1\r\nHost: x\r\nContent-Length: {total}\r\nContent-Range: bytes 0-{}/{total}\r\n\r\n",
        url.path(),
        url.query().unwrap(),
        total - 1
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&bytes[..UNIT + 123]).await.unwrap();
    drop(socket);
    // The session is busy until the server has noticed; asking waits for that.
    let status = put(&ann, &at, &format!("*/{total}"), b"").await;
    assert_eq!(status.status, 308);
    let received = match status.header("range") {
        None => 0,
        Some(range) => range.strip_prefix("bytes=0-").unwrap().parse::<usize>().unwrap() + 1,
    };
    assert!(received <= UNIT + 123);
    let rest = put(&ann, &at, &format!("{received}-{}/{total}", total - 1), &bytes[received..]).await;
    assert_eq!(ann.download(&id_of(&rest.ok())).await, bytes);
}

#[tokio::test]
async fn what_was_never_finished_is_gone_after_a_restart() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let bytes = some_bytes(8 * UNIT);
    let at = session(&ann, Method::POST, "/upload/drive/v3/files?uploadType=resumable", bytes.len()).await;
    put(&ann, &at, &format!("0-{}/{}", 6 * UNIT - 1, bytes.len()), &bytes[..6 * UNIT]).await;
    let cancelled = session(&ann, Method::POST, "/upload/drive/v3/files?uploadType=resumable", 5).await;
    assert_eq!(ann.delete(&cancelled).await.status, 499);
    assert_eq!(put(&ann, &cancelled, "0-4/5", b"12345").await.refused(404), "notFound");
    let kept = ann.upload("kept", "root", &bytes).await;
    std::fs::write(bench.dir.path().join("bodies/stray"), b"x").unwrap();
    std::fs::write(bench.dir.path().join("uploads/stray"), b"x").unwrap();
    let path = at.split_once("/upload").map(|(_, rest)| format!("/upload{rest}")).unwrap();

    let bench = bench.restart();
    let ann = bench.client("ann");
    assert_eq!(put(&ann, &path, "*/9", b"").await.refused(404), "notFound");
    assert_eq!(std::fs::read_dir(bench.dir.path().join("uploads")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(bench.dir.path().join("bodies")).unwrap().count(), 1);
    assert_eq!(ann.download(&kept).await, bytes);
}

#[tokio::test]
async fn what_is_no_upload_is_refused_and_leaves_nothing() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let post = |query: &str| ann.request(Method::POST, &format!("/upload/drive/v3/files{query}"));
    assert_eq!(ann.send(post("")).await.refused(400), "required");
    assert_eq!(ann.send(post("?uploadType=magic")).await.refused(400), "invalid");
    let large = vec![b'x'; 300_000];
    let cut = |body: &[u8]| {
        let mut whole = b"--c\r\n\r\n{\"name\": \"n\"}\r\n--c\r\n\r\n".to_vec();
        whole.extend_from_slice(body);
        post("?uploadType=multipart").header("content-type", "multipart/related; boundary=c").body(whole)
    };
    assert_eq!(ann.send(cut(&large)).await.refused(400), "badRequest");
    let untyped = post("?uploadType=multipart").body("--c\r\n\r\n{}\r\n--c--");
    assert_eq!(ann.send(untyped).await.refused(400), "badRequest");
    assert_eq!(ann.try_upload("f", "nowhere", &large).await.refused(404), "notFound");
    let folder = ann.folder("folder", "root").await;
    let path = format!("/upload/drive/v3/files/{folder}?uploadType=media");
    let into_folder = ann.request(Method::PATCH, &path).body(large);
    assert_eq!(ann.send(into_folder).await.refused(400), "badRequest");
    let start = post("?uploadType=resumable").body(json!({"parents": ["nowhere"]}).to_string());
    assert_eq!(ann.send(start).await.refused(404), "notFound");
    for part in ["bodies", "uploads"] {
        assert_eq!(std::fs::read_dir(bench.dir.path().join(part)).unwrap().count(), 0, "{part}");
    }
    assert_eq!(ann.search("").await, ["folder"]);
}

/// The server's memory doesn't grow with the size of what passes through it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_large_file_passes_through_a_small_memory() {
    use futures_util::StreamExt;
    const PIECES: usize = 192;
    let dir = tempfile::tempdir().unwrap();
    let token = syftbox_localdrive::Accounts::in_dir(dir.path()).unwrap().add("ann@x.org").unwrap();
    let server = crate::crash::Server::start(dir.path());
    let ann = Client::new(&server.url, &token);
    let piece = bytes::Bytes::from(some_bytes(1024 * 1024));
    let pieces = futures_util::stream::iter(std::iter::repeat_n(piece, PIECES)).map(Ok::<_, std::io::Error>);
    let request = ann.request(Method::POST, "/upload/drive/v3/files?uploadType=media&fields=id,size");
    let made = ann.send(request.body(reqwest::Body::wrap_stream(pieces))).await.ok();
    assert_eq!(made["size"], (PIECES * 1024 * 1024).to_string());
    let path = format!("/drive/v3/files/{}?alt=media", id_of(&made));
    let mut body = ann.request(Method::GET, &path).send().await.unwrap().bytes_stream();
    let mut size = 0;
    while let Some(bytes) = body.next().await {
        size += bytes.unwrap().len();
    }
    assert_eq!(size, PIECES * 1024 * 1024);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 64 * 1024, "the server took {kilobytes} kB at its peak");
}
