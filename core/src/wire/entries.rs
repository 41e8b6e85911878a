//! Lists that a peer wrote, of which one bad entry is refused and the others go on (wire section 11).

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::payload::cut;
use crate::domain::{EmailError, HashError, PathError, TimestampError};

/// The most entries of one list.
pub const MAX_ENTRIES: usize = 100_000;

/// An entry of a list that cannot be taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{} is refused: {reason}", self.named())]
pub struct Refused {
    /// The path that the entry names, cut when long; `None` when there is none.
    pub path: Option<String>,
    /// What is wrong with it.
    pub reason: RefusedReason,
}

impl Refused {
    fn named(&self) -> String {
        self.path.as_ref().map_or_else(|| "an entry without a path".to_owned(), |path| format!("{path:?}"))
    }
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RefusedReason {
    /// Its path leaves the datasite or cannot be a path here.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Its datasite is no e-mail address.
    #[error(transparent)]
    Datasite(#[from] EmailError),
    /// One of its hashes is none.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// One of its times is none.
    #[error(transparent)]
    Time(#[from] TimestampError),
    /// Its content is announced as binary and isn't base64.
    #[error("its content is announced as binary but is not base64")]
    NotBase64,
    /// Its content has another hash than it says.
    #[error("its content does not have the hash it says")]
    OtherHash,
    /// A field is missing or of another type.
    #[error("{0}")]
    Shape(String),
}

/// A list whose entries were read one by one.
///
/// On the wire it is an array; only the accepted entries are written. It is read from JSON text in
/// memory, of which each entry is a part: not from a reader or a JSON value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries<T> {
    /// The entries that can be taken, in their order.
    pub accepted: Vec<T>,
    /// The others, in their order.
    pub refused: Vec<Refused>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { accepted: Vec::new(), refused: Vec::new() }
    }
}

impl<T> From<Vec<T>> for Entries<T> {
    fn from(accepted: Vec<T>) -> Self {
        Self { accepted, refused: Vec::new() }
    }
}

/// An entry of a list on the wire.
pub(super) trait Entry: Sized {
    /// The entry as JSON has it, with nothing checked but the types of its fields.
    type Shape: DeserializeOwned + Serialize;

    fn from_shape(shape: Self::Shape) -> Result<Self, RefusedReason>;
    fn to_shape(&self) -> Self::Shape;
}

/// All that is needed to name a refused entry.
#[derive(Deserialize)]
struct Named {
    #[serde(alias = "path")]
    path_in_datasite: String,
}

fn read<T: Entry>(raw: &RawValue) -> Result<T, Refused> {
    let shape = serde_json::from_str::<T::Shape>(raw.get());
    let result = match shape {
        Ok(shape) => T::from_shape(shape),
        Err(error) => Err(RefusedReason::Shape(cut(&error.to_string()))),
    };
    result.map_err(|reason| {
        let named: Option<Named> = serde_json::from_str(raw.get()).ok();
        Refused { path: named.map(|named| cut(&named.path_in_datasite)), reason }
    })
}

impl<'de, T: Entry> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<T>(Entries<T>);

        impl<'de, T: Entry> Visitor<'de> for Each<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self::Value, A::Error> {
                while let Some(raw) = list.next_element::<&RawValue>()? {
                    if self.0.accepted.len() + self.0.refused.len() == MAX_ENTRIES {
                        return Err(A::Error::custom(format_args!("more than {MAX_ENTRIES} entries")));
                    }
                    match read(raw) {
                        Ok(entry) => self.0.accepted.push(entry),
                        Err(refused) => self.0.refused.push(refused),
                    }
                }
                Ok(self.0)
            }
        }

        deserializer.deserialize_seq(Each(Entries::default()))
    }
}

impl<T: Entry> Serialize for Entries<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.accepted.iter().map(Entry::to_shape))
    }
}
