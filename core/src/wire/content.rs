//! What a file holds, as changes, events and checkpoints carry it (wire section 4).

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;

use crate::domain::ContentHash;

/// The content of a file. UTF-8 travels as text, anything else as base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// Valid UTF-8, on the wire as it is.
    Text(String),
    /// Any bytes, on the wire in base64.
    Binary(Bytes),
}

/// The `content_type` of binary content.
pub(super) const BINARY: &str = "binary";
/// The `content_type` of text.
pub(super) const TEXT: &str = "text";

impl FileContent {
    /// Text when `bytes` are UTF-8, else binary.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Self {
        match str::from_utf8(&bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Binary(bytes),
        }
    }

    /// The file's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The file's bytes, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The SHA-256 of the file's bytes.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(self.as_bytes())
    }

    /// `content` and `content_type` as the wire has them.
    pub(super) fn to_wire(&self) -> (String, &'static str) {
        match self {
            Self::Text(text) => (text.clone(), TEXT),
            Self::Binary(bytes) => (BASE64_STANDARD.encode(bytes), BINARY),
        }
    }

    /// Reads `content` as `content_type` says. Any type but `binary` is text, as the Python peers
    /// read it; `None` when base64 is announced and isn't there.
    pub(super) fn from_wire(content: String, content_type: Option<&str>) -> Option<Self> {
        if content_type == Some(BINARY) {
            let bytes = BASE64_STANDARD.decode(content).ok()?;
            Some(Self::Binary(bytes.into()))
        } else {
            Some(Self::Text(content))
        }
    }
}

impl From<&str> for FileContent {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FileContent {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn utf_8_is_text() {
        assert_eq!(FileContent::from_bytes(Bytes::from_static(b"a\r\n\0")), FileContent::from("a\r\n\0"));
        let binary = FileContent::from_bytes(Bytes::from_static(b"\xff\x00"));
        assert_eq!(binary.to_wire(), ("/wA=".to_owned(), BINARY));
        assert_eq!(FileContent::from_bytes(Bytes::new()).to_wire(), (String::new(), TEXT));
        assert_eq!(FileContent::from_wire("/wA".to_owned(), Some(BINARY)), None);
        assert_eq!(FileContent::from_wire("/wA=".to_owned(), None), Some(FileContent::from("/wA=")));
    }

    proptest! {
        #[test]
        fn any_bytes_round_trip(bytes: Vec<u8>) {
            let content = FileContent::from_bytes(bytes.clone().into());
            let (text, kind) = content.to_wire();
            let again = FileContent::from_wire(text, Some(kind)).unwrap();
            prop_assert_eq!(again.as_bytes(), &bytes[..]);
            prop_assert_eq!(&again, &content);
            prop_assert_eq!(content.into_bytes(), bytes);
        }
    }
}
