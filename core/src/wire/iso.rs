//! Times as texts: ISO 8601 in UTC, as YAML files and the version file have them.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

use crate::domain::Timestamp;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_iso())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Timestamp::from_iso(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// The same for times that may be missing.
pub(super) mod optional {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::domain::Timestamp;

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(in crate::wire) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| Timestamp::from_iso(&text).map_err(D::Error::custom)).transpose()
    }
}
