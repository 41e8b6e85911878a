//! Content on its way to Drive: small files in one request, large ones in chunks that are resumed
//! after the last byte that Drive has (wire section 10).

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use url::Url;

use super::{
    Content, Drive, DriveError, DriveFile, FileId, NewFile,
    file::FILE_FIELDS,
    operation::{file_of, is_conflict, made},
    request::{Answer, Call, MAX_JSON, shown},
    retry::Attempts,
};
use crate::platform::uuid;

/// The largest content that goes in one request with its metadata.
const MAX_MULTIPART: u64 = 5 * 1024 * 1024;
/// The content of one request of a resumable upload; a multiple of 256 KiB, as Drive wants it.
const CHUNK: u64 = 4 * 1024 * 1024;
/// Times that one upload starts anew after Drive forgot its session.
const MAX_SESSIONS: u32 = 3;

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const UPLOAD_TYPE: HeaderName = HeaderName::from_static("x-upload-content-type");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("x-upload-content-length");

/// Which file gets the content.
struct Target {
    method: Method,
    url: Url,
    id: FileId,
    metadata: serde_json::Value,
}

impl Content {
    /// The content's length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { len, .. } => *len,
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `len` bytes from `start`; both within the content.
    async fn piece(&self, start: u64, len: u64) -> Result<Bytes, DriveError> {
        let wanted = usize::try_from(len).unwrap_or(usize::MAX);
        match self {
            Self::Bytes(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(start..start.saturating_add(wanted).min(bytes.len())))
            }
            Self::File { files, path, .. } => {
                let piece = files.read_at(path, start, wanted).await?;
                if piece.len() == wanted {
                    Ok(piece)
                } else {
                    Err(DriveError::SourceChanged { path: path.to_string() })
                }
            }
        }
    }
}

impl Drive {
    /// Makes a file with `content`. Repeating it with the same id gives the file that is there.
    /// Memory doesn't grow with the content beyond a few MiB.
    pub async fn upload(&self, new: NewFile, content: Content) -> Result<DriveFile, DriveError> {
        let target = Target {
            method: Method::POST,
            url: self.url("/upload/drive/v3/files"),
            id: new.parent.clone(),
            metadata: new.to_json(None),
        };
        match self.send_content(&target, &content).await {
            Err(error) if is_conflict(&error) => made(&new, self.get(&new.id).await?),
            sent => sent,
        }
    }

    /// Gives a file another content. What it had stays until all of the new one is there.
    pub async fn replace_content(&self, id: &FileId, content: Content) -> Result<DriveFile, DriveError> {
        let target = Target {
            method: Method::PATCH,
            url: self.url(&format!("/upload/drive/v3/files/{id}")),
            id: id.clone(),
            metadata: serde_json::json!({}),
        };
        self.send_content(&target, &content).await
    }

    async fn send_content(&self, target: &Target, content: &Content) -> Result<DriveFile, DriveError> {
        if content.len() <= MAX_MULTIPART {
            let call = self.multipart(target, content).await?;
            return file_of(&self.bytes(&call).await?, &call);
        }
        for _ in 1..MAX_SESSIONS {
            match self.send_chunks(target, content).await {
                Err(Session::Forgotten) => {}
                Err(Session::Failed(error)) => return Err(error),
                Ok(file) => return Ok(file),
            }
        }
        self.send_chunks(target, content).await.map_err(|error| match error {
            Session::Failed(error) => error,
            Session::Forgotten => DriveError::NotFound { id: "the upload's session".to_owned() },
        })
    }

    /// Metadata and content in one request.
    async fn multipart(&self, target: &Target, content: &Content) -> Result<Call, DriveError> {
        let content = content.piece(0, content.len()).await?;
        let boundary = uuid(&*self.platform.random).simple().to_string();
        let mut body = BytesMut::with_capacity(content.len() + 1024);
        body.put(format!("--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n").as_bytes());
        body.put(target.metadata.to_string().as_bytes());
        body.put(format!("\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n").as_bytes());
        body.put(content);
        body.put(format!("\r\n--{boundary}--\r\n").as_bytes());
        let content_type = header_value(&format!("multipart/related; boundary={boundary}"));
        Ok(target.call("multipart").body(body.freeze(), content_type))
    }

    /// Content in chunks of one session.
    async fn send_chunks(&self, target: &Target, content: &Content) -> Result<DriveFile, Session> {
        let session = self.start_session(target, content.len()).await?;
        let mut attempts = Attempts::new(&self.platform);
        let mut sent = 0;
        let mut asking = false;
        loop {
            let call = if asking {
                session_call(target, &session, Bytes::new(), &format!("bytes */{}", content.len()))
            } else {
                let piece = content.piece(sent, CHUNK.min(content.len() - sent)).await?;
                let last = sent + piece.len() as u64 - 1;
                let range = format!("bytes {sent}-{last}/{}", content.len());
                session_call(target, &session, piece, &range)
            };
            match self.send_chunk(&call).await {
                Ok(Chunk::Complete(file)) => return Ok(*file),
                Ok(Chunk::More { from }) if from < content.len() => {
                    if from > sent {
                        attempts.progressed();
                    } else if !asking {
                        // Drive took nothing of the chunk. Without the count this could go on for ever.
                        let error = DriveError::Interrupted {
                            url: shown(&session),
                            cause: format!("only {from} bytes of the upload are there"),
                        };
                        attempts.after(error).await?;
                    }
                    asking = false;
                    sent = from;
                }
                Ok(Chunk::More { from }) => {
                    let why = format!("it asks for byte {from} of {}", content.len());
                    return Err(DriveError::Malformed { url: shown(&session), why }.into());
                }
                Err(DriveError::NotFound { .. } | DriveError::Refused { status: 410, .. }) => {
                    return Err(Session::Forgotten);
                }
                Err(error) => {
                    attempts.after(error).await?;
                    asking = true;
                }
            }
        }
    }

    async fn start_session(&self, target: &Target, len: u64) -> Result<Url, DriveError> {
        let call = target
            .call("resumable")
            .json(&target.metadata)
            .header(UPLOAD_TYPE, OCTETS)
            .header(UPLOAD_LENGTH, HeaderValue::from(len));
        let mut attempts = Attempts::new(&self.platform);
        loop {
            match self.send_once(&call).await {
                Ok(answer) => return self.session_of(&answer, &call),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    /// The session's address. The token goes there too, so it must be on the same server.
    fn session_of(&self, answer: &Answer, call: &Call) -> Result<Url, DriveError> {
        let location = answer.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let session = location.and_then(|location| call.url.join(location).ok());
        match session {
            Some(session) if session.origin() == self.root.origin() => Ok(session),
            _ => {
                let why = "it gives no address on the same server for an upload".to_owned();
                Err(DriveError::NotDrive { url: shown(&call.url), why })
            }
        }
    }

    async fn send_chunk(&self, call: &Call) -> Result<Chunk, DriveError> {
        let mut answer = self.send_once(call).await?;
        if answer.status == StatusCode::PERMANENT_REDIRECT {
            return Ok(Chunk::More { from: received(&answer.headers) });
        }
        let body = answer.body.read(&*self.platform.clock, MAX_JSON).await?;
        Ok(Chunk::Complete(Box::new(file_of(&body, call)?)))
    }
}

/// What Drive says to a chunk.
enum Chunk {
    /// All is there.
    Complete(Box<DriveFile>),
    /// The bytes before `from` are there.
    More { from: u64 },
}

/// Why a session ended without a file.
enum Session {
    /// Drive doesn't know it any more.
    Forgotten,
    Failed(DriveError),
}

impl From<DriveError> for Session {
    fn from(error: DriveError) -> Self {
        Self::Failed(error)
    }
}

impl Target {
    fn call(&self, upload_type: &str) -> Call {
        Call::new(self.method.clone(), self.url.clone(), self.id.as_str())
            .query("uploadType", upload_type)
            .query("fields", FILE_FIELDS)
    }
}

fn session_call(target: &Target, session: &Url, piece: Bytes, range: &str) -> Call {
    Call::new(Method::PUT, session.clone(), target.id.as_str())
        .body(piece, OCTETS)
        .header(header::CONTENT_RANGE, header_value(range))
}

/// `Range: bytes=0-41` says that 42 bytes are there; without the header there is none.
fn received(headers: &HeaderMap) -> u64 {
    let last = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok())
        .and_then(|range| range.rsplit_once('-'))
        .and_then(|(_, last)| last.parse::<u64>().ok());
    last.map_or(0, |last| last.saturating_add(1))
}

/// For texts made here, of digits and plain letters.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(OCTETS)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::scripted::{Scene, Step, error, file, id, json, response};
    use super::*;
    use crate::platform::{FileStore, memory::MemoryFiles};

    const MIB: usize = 1024 * 1024;

    fn new() -> NewFile {
        NewFile::new(id("new"), "n", id("p"))
    }

    fn session() -> Step {
        Step::Answer(response(200, &[("location", "http://drive.test/session?upload_id=x")], ""))
    }

    fn received(last: usize) -> Step {
        Step::Answer(response(308, &[("range", &format!("bytes=0-{last}"))], ""))
    }

    fn ranges(scene: &Scene) -> Vec<String> {
        let ranges = scene.seen().into_iter().filter_map(|seen| seen.headers().get("content-range").cloned());
        ranges.map(|range| range.to_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn a_small_file_is_one_request_that_is_safe_to_repeat() {
        let scene = Scene::new([Step::Lost, error(409, "fileIdInUse"), json(200, &file("new", "n"))]);
        let content = Content::Bytes(Bytes::from_static(b"hello\r\n"));
        assert_eq!(scene.drive.upload(new(), content).await.unwrap().id, id("new"));
        let sent = String::from_utf8(scene.seen()[0].body().to_vec()).unwrap();
        assert!(sent.contains(r#""id":"new""#) && sent.contains("\r\n\r\nhello\r\n\r\n--"), "{sent}");
    }

    #[tokio::test]
    async fn a_large_one_goes_on_after_what_is_there() {
        let files = MemoryFiles::default();
        let path: crate::domain::DatasitePath = "big".parse().unwrap();
        let bytes: Vec<u8> = (0..10 * MIB).map(|n| u8::try_from(n / 4096 % 251).unwrap()).collect();
        files.write(&path, bytes.clone().into()).await.unwrap();
        let content = Content::File { files: Arc::new(files), path, len: 10 * MIB as u64 };
        let scene = Scene::new([
            session(),
            received(4 * MIB - 1),
            Step::Lost,
            received(6 * MIB - 1),
            json(200, &file("new", "n")),
        ]);
        scene.drive.upload(new(), content).await.unwrap();
        assert_eq!(
            ranges(&scene),
            ["0-4194303", "4194304-8388607", "*", "6291456-10485759"]
                .map(|range| format!("bytes {range}/10485760"))
        );
        let last = scene.seen().pop().unwrap();
        assert!(last.body()[..] == bytes[6 * MIB..]);
    }

    #[tokio::test]
    async fn a_lost_last_answer_is_found_out() {
        let content = Content::Bytes(vec![7; 6 * MIB].into());
        let scene = Scene::new([
            session(),
            received(4 * MIB - 1),
            Step::Lost,
            Step::Lost,
            json(200, &file("new", "n")),
        ]);
        scene.drive.upload(new(), content).await.unwrap();
        assert_eq!(ranges(&scene)[2..], ["bytes */6291456", "bytes */6291456"]);
    }

    #[tokio::test]
    async fn a_forgotten_session_starts_anew_but_not_for_ever() {
        let content = Content::Bytes(vec![7; 6 * MIB].into());
        let scene = Scene::new([
            session(),
            error(404, "notFound"),
            error(409, "fileIdInUse"),
            json(200, &file("new", "n")),
        ]);
        assert!(scene.drive.upload(new(), content.clone()).await.is_ok(), "the id tells that it is there");

        let scene = Scene::new((0..20).flat_map(|_| [session(), error(404, "notFound")]));
        assert!(scene.drive.upload(new(), content).await.is_err());
        assert_eq!(scene.seen().len(), 6);
    }

    #[tokio::test]
    async fn a_server_that_takes_nothing_ends_it() {
        let content = Content::Bytes(vec![7; 6 * MIB].into());
        let nothing = || Step::Answer(response(308, &[], ""));
        let scene = Scene::new([session()].into_iter().chain((0..50).map(|_| nothing())));
        assert!(matches!(scene.drive.upload(new(), content).await, Err(DriveError::Interrupted { .. })));
        assert_eq!(scene.seen().len(), 9);
    }

    #[tokio::test]
    async fn the_token_stays_with_its_server() {
        let elsewhere = Step::Answer(response(200, &[("location", "http://evil.test/session")], ""));
        let scene = Scene::new([elsewhere]);
        let content = Content::Bytes(vec![7; 6 * MIB].into());
        assert!(matches!(scene.drive.upload(new(), content).await, Err(DriveError::NotDrive { .. })));
        assert_eq!(scene.seen().len(), 1);
    }

    #[tokio::test]
    async fn a_file_that_shrinks_is_told() {
        let files = MemoryFiles::default();
        let path: crate::domain::DatasitePath = "big".parse().unwrap();
        files.write(&path, Bytes::from_static(b"short")).await.unwrap();
        let content = Content::File { files: Arc::new(files), path, len: 6 * MIB as u64 };
        let scene = Scene::new([session()]);
        assert!(matches!(scene.drive.upload(new(), content).await, Err(DriveError::SourceChanged { .. })));
    }
}
