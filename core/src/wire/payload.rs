//! The outer shape of every message, checkpoint and rolling state: a gzip-compressed tar with one
//! member of JSON (wire section 4).

use std::{
    cell::Cell,
    io::{self, Read, Write},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Serialize, de::DeserializeOwned};

/// The most bytes that the member of a payload may have, and that a payload may expand to but for
/// the tar's own padding: 64 MiB.
pub const MAX_EXPANDED: u64 = 64 << 20;

/// The one member of a payload's tar, whatever the kind of the message.
const MEMBER: &str = "proposed_file_changes.json";
/// What a tar adds to its member: headers, end marker and padding to a record of 10 KiB.
const TAR_OVERHEAD: u64 = 64 << 10;
/// How an encrypted payload begins (wire section 9).
const ENVELOPE_MAGIC: &[u8] = b"SYC2";
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// Why bytes are no payload, or a value cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// An envelope of wire section 9.
    #[error("the payload is encrypted, and was to be read as it is; open it with the keys of its account")]
    Encrypted,
    /// Not a gzip stream, or a damaged one.
    #[error("the payload is not a whole gzip file: {0}")]
    NotGzip(String),
    /// The gzip stream holds no tar, or a damaged one.
    #[error("the payload is not a whole tar file: {0}")]
    NotTar(String),
    /// The tar's first member is not the one that payloads have.
    #[error("the payload's member is {name:?} instead of the file proposed_file_changes.json")]
    OtherMember {
        /// The member's name, cut when long; empty when the tar is.
        name: String,
    },
    /// The tar goes on behind its one member.
    #[error("the payload has a second member, {name:?}")]
    ExtraMember {
        /// The second member's name, cut when long.
        name: String,
    },
    /// More than [`MAX_EXPANDED`] bytes.
    #[error("the payload expands past {} MiB; send fewer or smaller files at once", MAX_EXPANDED >> 20)]
    TooLarge,
    /// The member is no JSON, or JSON of another shape.
    #[error("the payload's JSON is of another shape: {0}")]
    Shape(String),
}

/// Writes `value` as a payload.
///
/// # Errors
/// [`PayloadError::TooLarge`] past [`MAX_EXPANDED`], since no peer of ours would read it;
/// [`PayloadError::Shape`] when `value` has no JSON form.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, PayloadError> {
    let json = serde_json::to_vec(value).map_err(|error| PayloadError::Shape(error.to_string()))?;
    if json.len() as u64 > MAX_EXPANDED {
        return Err(PayloadError::TooLarge);
    }
    pack(&json).map_err(|error| PayloadError::Shape(error.to_string()))
}

fn pack(json: &[u8]) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut header = tar::Header::new_gnu();
    header.set_size(json.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append_data(&mut header, MEMBER, json)?;
    let mut gzip = tar.into_inner()?;
    gzip.flush()?;
    gzip.finish()
}

/// Reads a payload. Unknown fields are ignored, as the Python peers do.
///
/// Expands at most [`MAX_EXPANDED`] bytes and the tar's padding, however small `payload` is.
///
/// # Errors
/// See [`PayloadError`].
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, PayloadError> {
    parse(&unpack(payload)?)
}

pub(super) fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, PayloadError> {
    serde_json::from_slice(json).map_err(|error| PayloadError::Shape(cut(&error.to_string())))
}

/// The JSON text of a payload's one member.
pub(super) fn unpack(payload: &[u8]) -> Result<Vec<u8>, PayloadError> {
    if payload.starts_with(ENVELOPE_MAGIC) {
        return Err(PayloadError::Encrypted);
    }
    if !payload.starts_with(GZIP_MAGIC) {
        return Err(PayloadError::NotGzip("it does not start like one".to_owned()));
    }
    let stopped = Cell::new(None);
    let expanded =
        Expanding { gzip: GzDecoder::new(payload), left: MAX_EXPANDED + TAR_OVERHEAD, stopped: &stopped };
    member(expanded).map_err(|error| match (stopped.into_inner(), error) {
        (Some(Stop::TooLarge), _) => PayloadError::TooLarge,
        (Some(Stop::Damaged(cause)), _) => PayloadError::NotGzip(cause),
        (None, error) => error,
    })
}

fn member(mut expanded: Expanding<'_>) -> Result<Vec<u8>, PayloadError> {
    let not_tar = |error: io::Error| PayloadError::NotTar(cut(&error.to_string()));
    let mut json = Vec::new();
    {
        let mut tar = tar::Archive::new(&mut expanded);
        let mut entries = tar.entries().map_err(not_tar)?;
        let mut first = match entries.next() {
            Some(entry) => entry.map_err(not_tar)?,
            None => return Err(PayloadError::OtherMember { name: String::new() }),
        };
        let name = cut(&String::from_utf8_lossy(&first.path_bytes()));
        if name != MEMBER || first.header().entry_type() != tar::EntryType::Regular {
            return Err(PayloadError::OtherMember { name });
        }
        let size = first.size();
        if size > MAX_EXPANDED {
            return Err(PayloadError::TooLarge);
        }
        (&mut first).take(MAX_EXPANDED + 1).read_to_end(&mut json).map_err(not_tar)?;
        if (json.len() as u64) < size {
            return Err(PayloadError::NotTar("it breaks off within its member".to_owned()));
        }
        drop(first);
        if let Some(second) = entries.next() {
            let name = cut(&String::from_utf8_lossy(&second.map_err(not_tar)?.path_bytes()));
            return Err(PayloadError::ExtraMember { name });
        }
    }
    // The stream's checksum is behind the tar's padding.
    io::copy(&mut expanded, &mut io::sink()).map_err(not_tar)?;
    Ok(json)
}

/// Why expanding stopped before its end.
enum Stop {
    TooLarge,
    Damaged(String),
}

/// The expanded bytes of a gzip stream, up to a bound.
struct Expanding<'a> {
    gzip: GzDecoder<&'a [u8]>,
    left: u64,
    /// The tar reader wraps the errors of what it reads from, so the cause is kept beside it.
    stopped: &'a Cell<Option<Stop>>,
}

impl Read for Expanding<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.gzip.read(buffer).inspect_err(|error| {
            self.stopped.set(Some(Stop::Damaged(cut(&error.to_string()))));
        })?;
        self.left = self.left.checked_sub(len as u64).ok_or_else(|| {
            self.stopped.set(Some(Stop::TooLarge));
            io::Error::other("too large")
        })?;
        Ok(len)
    }
}

/// The start of a text that a peer may have written, for an error.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::AnyPayload;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    /// A tar with these members, each with its kind.
    fn tar(members: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, kind, content) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_entry_type(*kind);
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn error(payload: &[u8]) -> PayloadError {
        decode::<Vec<u8>>(payload).unwrap_err()
    }

    const FILE: tar::EntryType = tar::EntryType::Regular;

    #[test]
    fn round_trips() {
        let value = json!({"a": [1, 1_795_408_192.061_319_6, "é\n\u{0}"], "b": null});
        assert_eq!(decode::<Value>(&encode(&value).unwrap()).unwrap(), value);
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        for no_gzip in [&b""[..], b"\x1f", b"PK\x03\x04", b"{\"events\":[]}", b"\x1f\x8b", b"\x1f\x8b\x08 no"]
        {
            assert!(matches!(error(no_gzip), PayloadError::NotGzip(_)), "{no_gzip:?}");
        }
        let good = encode(&[1, 2, 3]).unwrap();
        for end in 2..good.len() {
            assert!(matches!(error(&good[..end]), PayloadError::NotGzip(_)), "cut at {end}");
        }
        let mut damaged = good.clone();
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        assert!(matches!(error(&damaged), PayloadError::NotGzip(_)));
        assert!(matches!(error(&gzip(b"no tar")), PayloadError::NotTar(_)));
        assert!(matches!(error(&gzip(&[7; 2048])), PayloadError::NotTar(_)));
        let whole = tar(&[(MEMBER, FILE, &[b' '; 900])]);
        assert!(matches!(error(&gzip(&whole[..1000])), PayloadError::NotTar(_)));
        assert!(matches!(error(b"SYC2 whatever"), PayloadError::Encrypted));
    }

    #[test]
    fn only_the_one_member_is_taken() {
        let other = |members: &[_]| error(&gzip(&tar(members))).to_string();
        assert!(other(&[]).contains("member is \"\""));
        assert!(other(&[("other.json", FILE, b"[]")]).contains("other.json"));
        assert!(other(&[("../proposed_file_changes.json", FILE, b"[]")]).contains("../"));
        assert!(other(&[(MEMBER, tar::EntryType::Symlink, b"")]).contains("instead of the file"));
        assert!(other(&[(MEMBER, FILE, b"[]"), (MEMBER, FILE, b"[]")]).contains("second member"));
        assert!(other(&[(MEMBER, FILE, b"[]"), ("x", FILE, b"")]).contains("\"x\""));
        for json in [&b""[..], b"{}", b"[1", b"[] []", b"[\"a\"]", b"[\xff]"] {
            let error = error(&gzip(&tar(&[(MEMBER, FILE, json)])));
            assert!(matches!(error, PayloadError::Shape(_)), "{error}");
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(error(&gzip(&tar(&[(MEMBER, FILE, deep.as_bytes())]))), PayloadError::Shape(_)));
    }

    #[test]
    fn expansion_is_bounded() {
        let space = vec![b' '; usize::try_from(MAX_EXPANDED).unwrap()];
        let fits = [&space[..space.len() - 2], b"[]"].concat();
        let payload = gzip(&tar(&[(MEMBER, FILE, &fits)]));
        assert!(payload.len() < 1_000_000, "a small payload can expand to much");
        assert_eq!(decode::<Vec<u8>>(&payload).unwrap(), Vec::<u8>::new());
        let past = [&space[..], b"[]"].concat();
        assert!(matches!(error(&gzip(&tar(&[(MEMBER, FILE, &past)]))), PayloadError::TooLarge));
        // Padding behind the tar, a long name in front of the member: it all counts.
        let mut padded = tar(&[(MEMBER, FILE, b"[]")]);
        padded.resize(space.len() + (1 << 20), 0);
        assert!(matches!(error(&gzip(&padded)), PayloadError::TooLarge));
        let name = [&space[..], &space[..1 << 20]].concat();
        let long_name = tar(&[("././@LongLink", tar::EntryType::GNULongName, &name), (MEMBER, FILE, b"[]")]);
        assert!(matches!(error(&gzip(&long_name)), PayloadError::TooLarge));
        let text = String::from_utf8(past).unwrap();
        assert!(matches!(encode(&text).unwrap_err(), PayloadError::TooLarge));
    }

    #[test]
    fn a_sparse_member_is_refused() {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNUSparse);
        header.set_size(0);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..MEMBER.len()].copy_from_slice(MEMBER.as_bytes());
        // It says to be 8 GiB of nothing.
        gnu.realsize.copy_from_slice(b"100000000000");
        header.set_cksum();
        let mut tar = tar::Builder::new(Vec::new());
        tar.append(&header, io::empty()).unwrap();
        assert!(matches!(
            error(&gzip(&tar.into_inner().unwrap())),
            PayloadError::OtherMember { .. } | PayloadError::NotTar(_)
        ));
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-z@./\\\\0-9-]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("path|files|events|content|id", inner, 0..3)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(bytes: Vec<u8>, packed: bool) {
            let payload = if packed { gzip(&bytes) } else { [GZIP_MAGIC, &bytes].concat() };
            prop_assert!(AnyPayload::decode(&payload).is_err());
        }

        #[test]
        fn any_json_gets_an_answer(
            kind in "proposed_file_changes|message_filepath|base_checkpoint_timestamp|sequence_number|files",
            field in json_value(),
            events in json_value(),
        ) {
            let json = json!({
                kind: field, "events": events, "version": 1, "timestamp": 1.5, "email": "do@test.org",
                "id": "4aa345d5-e627-494d-b178-0f59ab27a395", "sender_email": "ds@test.org",
                "message_filename": {"submitted_timestamp": 1.5, "uid": "235c0c7f-382e-494a-ae14-22335c8a3e66"},
            });
            if let Ok(decoded) = AnyPayload::decode(&encode(&json).unwrap()) {
                prop_assert_eq!(AnyPayload::decode(&encode(&decoded).unwrap()).is_ok(), true);
            }
        }
    }
}
