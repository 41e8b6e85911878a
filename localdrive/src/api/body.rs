//! The file resource as clients send it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::context::parse_json;
use crate::{
    errors::ApiError,
    store::{Details, FileRecord, Millis},
};

/// Members that only the server sets.
const READ_ONLY: [&str; 14] = [
    "capabilities",
    "headRevisionId",
    "lastModifyingUser",
    "md5Checksum",
    "ownedByMe",
    "owners",
    "permissionIds",
    "permissions",
    "sha256Checksum",
    "shared",
    "size",
    "spaces",
    "version",
    "webViewLink",
];
/// Bytes of a property's key and value together.
const MAX_PROPERTY: usize = 124;
/// Properties of a file.
const MAX_PROPERTIES: usize = 100;

/// A file as a client describes it. What is absent isn't set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FileBody {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) parents: Option<Vec<String>>,
    pub(crate) starred: Option<bool>,
    pub(crate) trashed: Option<bool>,
    pub(crate) properties: BTreeMap<String, Option<String>>,
    pub(crate) app_properties: BTreeMap<String, Option<String>>,
    #[serde(deserialize_with = "time")]
    pub(crate) created_time: Option<Millis>,
    #[serde(deserialize_with = "time")]
    pub(crate) modified_time: Option<Millis>,
    #[serde(deserialize_with = "time")]
    pub(crate) viewed_by_me_time: Option<Millis>,
    #[serde(flatten)]
    pub(crate) details: Details,
}

fn time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Millis>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let time: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
    Ok(Some(time.as_millisecond()))
}

impl FileBody {
    /// Parses a request's JSON.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, ApiError> {
        let value: Value = parse_json(json)?;
        let Value::Object(object) = &value else {
            return Err(ApiError::bad_request("The request body must be a JSON object."));
        };
        if let Some(field) = READ_ONLY.into_iter().find(|field| object.contains_key(*field)) {
            return Err(ApiError::not_writable(field));
        }
        serde_json::from_value(value).map_err(|error| {
            ApiError::new(
                http::StatusCode::BAD_REQUEST,
                "invalid",
                format!("Invalid value in the body: {error}"),
            )
        })
    }

    /// Sets on `record` what both a new and a known file may be given.
    pub(crate) fn apply(&self, record: &mut FileRecord) -> Result<(), ApiError> {
        if let Some(name) = &self.name {
            record.name.clone_from(name);
        }
        if let Some(mime_type) = &self.mime_type {
            record.mime_type.clone_from(mime_type);
        }
        merge(&mut record.properties, &self.properties)?;
        merge(&mut record.app_properties, &self.app_properties)?;
        let (kept, given) = (&mut record.details, self.details.clone());
        kept.description = given.description.or(kept.description.take());
        kept.original_filename = given.original_filename.or(kept.original_filename.take());
        kept.folder_color_rgb = given.folder_color_rgb.or(kept.folder_color_rgb.take());
        kept.writers_can_share = given.writers_can_share.or(kept.writers_can_share);
        kept.copy_requires_writer_permission =
            given.copy_requires_writer_permission.or(kept.copy_requires_writer_permission);
        Ok(())
    }

    /// Whether it sets anything that changes the file for everybody.
    pub(crate) fn edits(&self) -> bool {
        self.name.is_some()
            || self.mime_type.is_some()
            || self.modified_time.is_some()
            || !self.properties.is_empty()
            || !self.app_properties.is_empty()
            || self.details != Details::default()
    }
}

/// Sets properties; null removes one.
fn merge(
    properties: &mut BTreeMap<String, String>,
    given: &BTreeMap<String, Option<String>>,
) -> Result<(), ApiError> {
    for (key, value) in given {
        let Some(value) = value else {
            properties.remove(key);
            continue;
        };
        if key.len() + value.len() > MAX_PROPERTY {
            let message = format!("The property {key:.40} exceeds {MAX_PROPERTY} bytes of key and value.");
            return Err(ApiError::new(http::StatusCode::BAD_REQUEST, "propertyTooLarge", message));
        }
        properties.insert(key.clone(), value.clone());
    }
    if properties.len() > MAX_PROPERTIES {
        let message = format!("A file has at most {MAX_PROPERTIES} properties.");
        return Err(ApiError::forbidden("propertiesLimitExceeded", message));
    }
    Ok(())
}
