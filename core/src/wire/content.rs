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

/// What a short text may grow by, whatever it is.
const SHORT: usize = 256;
/// Longer texts are held against base64.
const LONG: usize = 1 << 20;

/// The bytes of `text` in JSON, but for its quotes.
fn escaped_len(text: &str) -> usize {
    let extra = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.bytes().map(|byte| 1 + extra(byte)).sum()
}

impl FileContent {
    /// Text when `bytes` are UTF-8, else binary. Text that JSON would blow up, as control characters
    /// are, is binary too: so nothing grows to more than twice its length in a message, and what is
    /// long to no more than base64 makes of it.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Self {
        let most = if bytes.len() > LONG { bytes.len().div_ceil(3) * 4 } else { bytes.len() * 2 + SHORT };
        match str::from_utf8(&bytes) {
            Ok(text) if escaped_len(text) <= most => Self::Text(text.to_owned()),
            _ => Self::Binary(bytes),
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

    #[test]
    fn text_that_json_would_blow_up_is_binary() {
        let kind = |text: &str, times: usize| FileContent::from_bytes(text.repeat(times).into()).to_wire().1;
        assert_eq!((kind("\0", 50), kind("\0", 1000)), (TEXT, BINARY));
        assert_eq!((kind("\n", 100_000), kind("\n", LONG + 1)), (TEXT, BINARY));
        assert_eq!(kind("a,\"b\",c\r\n", LONG), BINARY);
        assert_eq!(kind("1.25,3.5,\u{e9}\n", LONG), TEXT);
    }

    proptest! {
        #[test]
        fn nothing_grows_past_its_bound(
            pieces in prop::collection::vec(prop_oneof![Just("\u{1}"), Just("\""), Just("a"), Just("\u{e9}\n")], 0..400),
        ) {
            let bytes = Bytes::from(pieces.concat());
            let bound = bytes.len() * 2 + SHORT + 2;
            let (text, _) = FileContent::from_bytes(bytes).to_wire();
            prop_assert!(serde_json::to_string(&text).unwrap().len() <= bound);
        }


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
