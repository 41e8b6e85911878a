//! Content of files, streamed, and resumed where it broke off.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{
    Drive, DriveError, FileId,
    request::{Answer, Call, shown},
    retry::Attempts,
};
use crate::platform::{BoxFuture, FileError, FileSink};

impl Drive {
    /// The content of a file, at most `max_len` bytes.
    pub async fn download(&self, id: &FileId, max_len: u64) -> Result<Bytes, DriveError> {
        let mut memory = Memory(BytesMut::new());
        self.download_to(id, &mut memory, max_len).await?;
        Ok(memory.0.freeze())
    }

    /// Writes the content of a file, at most `max_len` bytes, to `sink` and gives its length. The
    /// caller commits. Memory doesn't grow with the file.
    pub async fn download_to(
        &self,
        id: &FileId,
        sink: &mut dyn FileSink,
        max_len: u64,
    ) -> Result<u64, DriveError> {
        let url = self.url(&format!("/drive/v3/files/{id}"));
        let call = Call::new(Method::GET, url, id.as_str()).query("alt", "media");
        let mut transfer = Transfer { sink, got: 0, version: None, max_len };
        let mut attempts = Attempts::new(&self.platform);
        loop {
            let before = transfer.got;
            match self.download_once(&call, &mut transfer).await {
                Ok(()) => return Ok(transfer.got),
                Err(error) => {
                    if transfer.got > before {
                        attempts.progressed();
                    }
                    attempts.after(error).await?;
                }
            }
        }
    }

    async fn download_once(&self, call: &Call, transfer: &mut Transfer<'_>) -> Result<(), DriveError> {
        let resumed = transfer.got > 0;
        let call = if resumed { transfer.resume(call) } else { call.clone() };
        let mut answer = self.send_once(&call).await?;
        let version = Version::of(&answer, transfer.got);
        if version.total.is_some_and(|total| total > transfer.max_len) {
            return Err(transfer.too_large(&call));
        }
        // A server may ignore the range and send all: what is there already is passed over.
        let mut skip = match answer.status {
            StatusCode::PARTIAL_CONTENT => 0,
            _ => transfer.got,
        };
        match &transfer.version {
            Some(first) if first.contradicts(&version) => {
                return Err(DriveError::Malformed {
                    url: shown(&call.url),
                    why: "the file changed while it was downloaded; sync and try again".to_owned(),
                });
            }
            Some(_) => {}
            None => transfer.version = Some(version),
        }
        let clock = &*self.platform.clock;
        while let Some(mut piece) = answer.body.next(clock).await? {
            let passed = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
            skip -= passed as u64;
            let piece = piece.split_off(passed);
            if transfer.got + piece.len() as u64 > transfer.max_len {
                return Err(transfer.too_large(&call));
            }
            transfer.got += piece.len() as u64;
            transfer.sink.append(piece).await?;
        }
        match transfer.version.as_ref().and_then(|version| version.total) {
            Some(total) if total != transfer.got => Err(DriveError::Interrupted {
                url: shown(&call.url),
                cause: format!("{} of {total} bytes came", transfer.got),
            }),
            _ => Ok(()),
        }
    }
}

/// What tells one content of a file from another, as far as the server says it.
struct Version {
    total: Option<u64>,
    etag: Option<HeaderValue>,
}

impl Version {
    /// Of an answer to a request for the bytes from `start`.
    fn of(answer: &Answer, start: u64) -> Self {
        let text = |name: header::HeaderName| answer.headers.get(name)?.to_str().ok();
        let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        let total = if answer.status == StatusCode::PARTIAL_CONTENT {
            let named = text(header::CONTENT_RANGE).and_then(|range| range.rsplit_once('/'));
            let named = named.and_then(|(_, total)| total.parse().ok());
            named.or(length.map(|rest| rest.saturating_add(start)))
        } else {
            length
        };
        Self { total, etag: answer.headers.get(header::ETAG).cloned() }
    }

    fn contradicts(&self, other: &Self) -> bool {
        let totals = self.total.zip(other.total).is_some_and(|(one, two)| one != two);
        let etags = self.etag.as_ref().zip(other.etag.as_ref()).is_some_and(|(one, two)| one != two);
        totals || etags
    }
}

struct Transfer<'a> {
    sink: &'a mut dyn FileSink,
    got: u64,
    version: Option<Version>,
    max_len: u64,
}

impl Transfer<'_> {
    fn resume(&self, call: &Call) -> Call {
        let mut headers = HeaderMap::new();
        if let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.got)) {
            headers.insert(header::RANGE, range);
        }
        if let Some(etag) = self.version.as_ref().and_then(|version| version.etag.clone()) {
            headers.insert(header::IF_RANGE, etag);
        }
        Call { headers, ..call.clone() }
    }

    fn too_large(&self, call: &Call) -> DriveError {
        DriveError::TooLarge { what: format!("the file {}, in bytes,", call.subject), max: self.max_len }
    }
}

/// Content on its way into memory.
struct Memory(BytesMut);

impl FileSink for Memory {
    fn append(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), FileError>> {
        self.0.extend_from_slice(&piece);
        Box::pin(async { Ok(()) })
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), FileError>> {
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Scene, Step, id, response};
    use super::*;

    fn start(body: &'static str) -> Step {
        Step::Broken(response(200, &[("content-length", "11"), ("etag", "\"v1\"")], body))
    }

    #[tokio::test]
    async fn goes_on_where_it_broke_off() {
        let rest = [("content-range", "bytes 6-10/11"), ("content-length", "5"), ("etag", "\"v1\"")];
        let scene = Scene::new([start("hello "), Step::Lost, Step::Answer(response(206, &rest, "world"))]);
        assert_eq!(scene.drive.download(&id("1"), 11).await.unwrap(), "hello world");
        let last = scene.seen().pop().unwrap();
        assert_eq!(last.headers()["range"], "bytes=6-");
        assert_eq!(last.headers()["if-range"], "\"v1\"");
    }

    #[tokio::test]
    async fn a_server_that_ignores_the_range_is_fine_too() {
        let all = [("content-length", "11"), ("etag", "\"v1\"")];
        let scene = Scene::new([start("hello "), Step::Answer(response(200, &all, "hello world"))]);
        assert_eq!(scene.drive.download(&id("1"), 99).await.unwrap(), "hello world");
    }

    #[tokio::test]
    async fn two_contents_are_never_mixed() {
        let other = [("content-length", "11"), ("etag", "\"v2\"")];
        let scene = Scene::new([start("hello "), Step::Answer(response(200, &other, "other world"))]);
        let error = scene.drive.download(&id("1"), 99).await.unwrap_err();
        assert!(error.to_string().contains("changed"), "{error}");
    }

    #[tokio::test]
    async fn too_much_is_refused_told_or_not() {
        let scene = Scene::new([Step::Answer(response(200, &[("content-length", "11")], "hello world"))]);
        assert!(matches!(
            scene.drive.download(&id("1"), 10).await,
            Err(DriveError::TooLarge { max: 10, .. })
        ));
        let scene = Scene::new([Step::Answer(response(200, &[], "hello world"))]);
        assert!(matches!(
            scene.drive.download(&id("1"), 10).await,
            Err(DriveError::TooLarge { max: 10, .. })
        ));
    }
}
