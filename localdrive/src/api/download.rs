//! `alt=media`: a file's bytes, whole or a range of them, streamed from disk.

use std::io::SeekFrom;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::context::Caller;
use crate::{LocalDrive, access, errors::ApiError, store::StoredBody};

/// Bytes read from disk at once.
const PIECE_BYTES: usize = 256 * 1024;

/// What a `Range` header asks of `size` bytes.
#[derive(Debug, PartialEq)]
enum Wanted {
    All,
    /// From the first to the last byte, both included.
    Part(u64, u64),
    Unsatisfiable,
}

fn wanted(range: Option<&str>, size: u64) -> Wanted {
    // A range in another unit or of several parts is one that a server may ignore.
    let Some(spec) = range.and_then(|range| range.trim().strip_prefix("bytes=")) else { return Wanted::All };
    let Some((first, last)) = spec.split_once('-') else { return Wanted::All };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first > last => Wanted::All,
        (Ok(first), _) if first >= size => Wanted::Unsatisfiable,
        (Ok(first), Ok(last)) => Wanted::Part(first, last.min(size - 1)),
        (Ok(first), Err(_)) if last.trim().is_empty() => Wanted::Part(first, size - 1),
        (Err(_), Ok(count)) if first.trim().is_empty() => {
            if count == 0 || size == 0 {
                return Wanted::Unsatisfiable;
            }
            Wanted::Part(size - count.min(size), size - 1)
        }
        _ => Wanted::All,
    }
}

pub(crate) async fn media(
    drive: &LocalDrive,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let state = drive.store().read();
    let file = access::visible(&state, id, &caller.account)?;
    let Some(content) = &file.content else {
        let message = "Only files with binary content can be downloaded.";
        return Err(ApiError::forbidden("fileNotDownloadable", message));
    };
    let size = content.size;
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (first, length, status) = match wanted(range, size) {
        Wanted::All => (0, size, StatusCode::OK),
        Wanted::Part(first, last) => (first, last - first + 1, StatusCode::PARTIAL_CONTENT),
        Wanted::Unsatisfiable => {
            let message = "Request range not satisfiable";
            let error =
                ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "requestedRangeNotSatisfiable", message);
            let mut response = error.into_response();
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(response);
        }
    };
    let body = match drive.store().body(content)? {
        StoredBody::Inline(bytes) => Body::from(part_of(&bytes, first, length)),
        StoredBody::File(file) => {
            let mut file = tokio::fs::File::from_std(file);
            file.seek(SeekFrom::Start(first)).await.map_err(|error| ApiError::internal(&error))?;
            Body::from_stream(stream::try_unfold((file, length), next_piece))
        }
    };
    let mut response = (status, body).into_response();
    set(&mut response, header::CONTENT_TYPE, &file.mime_type);
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first + length - 1;
        set(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
    }
    Ok(response)
}

fn part_of(bytes: &Bytes, first: u64, length: u64) -> Bytes {
    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(at(first)..at(first + length))
}

type Rest = (tokio::fs::File, u64);

async fn next_piece((mut file, left): Rest) -> std::io::Result<Option<(Bytes, Rest)>> {
    if left == 0 {
        return Ok(None);
    }
    let count = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
    let mut piece = BytesMut::zeroed(count);
    file.read_exact(&mut piece).await?;
    Ok(Some((piece.freeze(), (file, left - count as u64))))
}

/// Sets a header; a value that can't be one, such as a strange media type, is left out.
fn set(response: &mut Response, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ranges_as_the_standard_says() {
        assert_eq!(wanted(None, 10), Wanted::All);
        assert_eq!(wanted(Some("bytes=0-3"), 10), Wanted::Part(0, 3));
        assert_eq!(wanted(Some("bytes=4-"), 10), Wanted::Part(4, 9));
        assert_eq!(wanted(Some("bytes=4-99"), 10), Wanted::Part(4, 9));
        assert_eq!(wanted(Some("bytes=-3"), 10), Wanted::Part(7, 9));
        assert_eq!(wanted(Some("bytes=-99"), 10), Wanted::Part(0, 9));
        assert_eq!(wanted(Some("bytes=10-"), 10), Wanted::Unsatisfiable);
        assert_eq!(wanted(Some("bytes=0-3"), 0), Wanted::Unsatisfiable);
        for ignored in ["bytes=5-4", "bytes=a-b", "items=0-1", "bytes=0-1,4-5", "bytes="] {
            assert_eq!(wanted(Some(ignored), 10), Wanted::All, "{ignored}");
        }
    }
}
