//! Reading `multipart/related` and `multipart/mixed` bodies piece by piece. Lines may end in CRLF or, as
//! Google's Python client writes them, in LF alone; the first boundary decides.

use axum::body::BodyDataStream;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memmem;

use crate::errors::ApiError;

/// Bytes of a part's headers, and of what stands before the first part.
const MAX_HEADERS: usize = 16 * 1024;

/// A multipart body on its way in.
pub(crate) struct Multipart {
    source: BodyDataStream,
    buffer: BytesMut,
    boundary: Vec<u8>,
    /// What ends a part: the line's end and the boundary. Empty before the first boundary.
    delimiter: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Before,
    Headers,
    Body,
    End,
}

/// The boundary that a content type names.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let parameter = |part: &str| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    };
    content_type.split(';').skip(1).find_map(parameter).filter(|boundary| (1..=200).contains(&boundary.len()))
}

fn malformed(what: &str) -> ApiError {
    ApiError::bad_request(format!("Malformed multipart body: {what}."))
}

impl Multipart {
    pub(crate) fn new(source: BodyDataStream, boundary: &str) -> Self {
        let boundary = format!("--{boundary}").into_bytes();
        Self { source, buffer: BytesMut::new(), boundary, delimiter: Vec::new(), place: Place::Before }
    }

    /// The headers of the next part, past what is left of this one; none after the last.
    pub(crate) async fn next_part(&mut self) -> Result<Option<HeaderMap>, ApiError> {
        if self.place == Place::Before {
            self.first_boundary().await?;
        }
        while self.place == Place::Body {
            self.next_piece().await?;
        }
        if self.place == Place::End {
            return Ok(None);
        }
        let mut headers = HeaderMap::new();
        let mut size = 0;
        loop {
            let line = self.line().await?;
            size += line.len();
            if size > MAX_HEADERS {
                return Err(malformed("a part's headers are too long"));
            }
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            let name = HeaderName::from_bytes(name.trim().as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
                headers.insert(name, value);
            }
        }
        self.place = Place::Body;
        // An empty part's delimiter begins with the end of the line that ended the headers.
        if self.starts_with_boundary().await? {
            let line_end = self.delimiter.len() - self.boundary.len();
            let mut restored = BytesMut::from(&self.delimiter[..line_end]);
            restored.extend_from_slice(&self.buffer);
            self.buffer = restored;
        }
        Ok(Some(headers))
    }

    /// The next bytes of this part; none at its end.
    pub(crate) async fn next_piece(&mut self) -> Result<Option<Bytes>, ApiError> {
        while self.place == Place::Body {
            if let Some(end) = memmem::find(&self.buffer, &self.delimiter) {
                if end > 0 {
                    return Ok(Some(self.buffer.split_to(end).freeze()));
                }
                let _delimiter = self.buffer.split_to(self.delimiter.len());
                self.after_boundary().await?;
                return Ok(None);
            }
            let safe = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
            if safe > 0 {
                return Ok(Some(self.buffer.split_to(safe).freeze()));
            }
            self.fill().await?;
        }
        Ok(None)
    }

    /// All of this part, refused past `limit` bytes.
    pub(crate) async fn whole_part(&mut self, limit: usize) -> Result<Vec<u8>, ApiError> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next_piece().await? {
            if whole.len() + piece.len() > limit {
                return Err(malformed("a part is too large"));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    async fn first_boundary(&mut self) -> Result<(), ApiError> {
        let start = loop {
            if let Some(start) = memmem::find(&self.buffer, &self.boundary) {
                break start;
            }
            if self.buffer.len() > MAX_HEADERS {
                return Err(malformed("the boundary isn't there"));
            }
            self.fill().await?;
        };
        let _preamble = self.buffer.split_to(start + self.boundary.len());
        while !self.buffer.contains(&b'\n')
            && self.buffer.len() < MAX_HEADERS
            && !self.buffer.starts_with(b"--")
        {
            self.fill().await?;
        }
        let line_end = self.buffer.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let crlf = line_end > 0 && self.buffer[line_end - 1] == b'\r';
        self.delimiter = if crlf { b"\r\n".to_vec() } else { b"\n".to_vec() };
        self.delimiter.extend_from_slice(&self.boundary);
        self.after_boundary().await
    }

    /// What stands behind a boundary says whether a part follows.
    async fn after_boundary(&mut self) -> Result<(), ApiError> {
        while self.buffer.len() < 2 {
            self.fill().await?;
        }
        if self.buffer.starts_with(b"--") {
            self.place = Place::End;
            return Ok(());
        }
        if !self.line().await?.trim().is_empty() {
            return Err(malformed("something follows the boundary"));
        }
        self.place = Place::Headers;
        Ok(())
    }

    async fn starts_with_boundary(&mut self) -> Result<bool, ApiError> {
        while self.buffer.len() < self.boundary.len() && self.boundary.starts_with(&self.buffer) {
            self.fill().await?;
        }
        Ok(self.buffer.starts_with(&self.boundary))
    }

    async fn line(&mut self) -> Result<String, ApiError> {
        let end = loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                break end;
            }
            if self.buffer.len() > MAX_HEADERS {
                return Err(malformed("a line is too long"));
            }
            self.fill().await?;
        };
        let line = self.buffer.split_to(end + 1);
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }

    async fn fill(&mut self) -> Result<(), ApiError> {
        match self.source.next().await {
            Some(Ok(bytes)) => {
                self.buffer.extend_from_slice(&bytes);
                Ok(())
            }
            Some(Err(_)) | None => Err(malformed("it ends before its last boundary")),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    async fn read(body: Vec<u8>, piece: usize) -> Result<Vec<(HeaderMap, Vec<u8>)>, ApiError> {
        let pieces: Vec<Result<Bytes, std::io::Error>> =
            body.chunks(piece).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let body = Body::from_stream(stream::iter(pieces));
        let mut multipart = Multipart::new(body.into_data_stream(), "b-1");
        let mut parts = Vec::new();
        while let Some(headers) = multipart.next_part().await? {
            parts.push((headers, multipart.whole_part(10_000).await?));
        }
        Ok(parts)
    }

    fn written(parts: &[Vec<u8>], line_end: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for part in parts {
            let head = format!("--b-1{line_end}Content-Type: a/b{line_end}X: y: z{line_end}{line_end}");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(part);
            body.extend_from_slice(line_end.as_bytes());
        }
        body.extend_from_slice(b"--b-1--");
        body
    }

    proptest! {
        #[test]
        fn gives_back_every_part_whatever_the_line_end_and_the_pieces(
            parts in prop::collection::vec(prop::collection::vec(prop::sample::select(b"\r\n-b1x".to_vec()), 0..60), 0..4),
            crlf in any::<bool>(),
            piece in 1_usize..40,
        ) {
            let line_end = if crlf { "\r\n" } else { "\n" };
            let delimiter = format!("{line_end}--b-1");
            prop_assume!(parts.iter().all(|part| {
                memmem::find(part, delimiter.as_bytes()).is_none() && !part.starts_with(b"--b-1")
            }));
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let found = runtime.block_on(read(written(&parts, line_end), piece)).unwrap();
            let bodies: Vec<Vec<u8>> = found.iter().map(|(_, body)| body.clone()).collect();
            prop_assert_eq!(bodies, parts);
            prop_assert!(found.iter().all(|(headers, _)| headers["x"] == "y: z"));
        }
    }

    #[tokio::test]
    async fn refuses_what_ends_early_or_has_no_boundary() {
        let whole = written(&[b"abc".to_vec()], "\r\n");
        for end in 0..whole.len() - 2 {
            assert!(read(whole[..end].to_vec(), 7).await.is_err(), "{end}");
        }
        assert!(read(vec![b'x'; 100_000], 1000).await.is_err());
    }

    #[test]
    fn finds_the_boundary_of_a_content_type() {
        assert_eq!(boundary("multipart/related; boundary=\"==1==\"").as_deref(), Some("==1=="));
        assert_eq!(boundary("multipart/mixed;type=x; Boundary=a").as_deref(), Some("a"));
        assert_eq!(boundary("multipart/mixed"), None);
        assert_eq!(boundary("multipart/mixed; boundary="), None);
    }
}
