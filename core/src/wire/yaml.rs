//! The one place that reads and writes YAML: job files, datasets and permissions (wire sections 5, 7
//! and 8).
//!
//! What is written reads the same in `PyYAML`, which follows YAML 1.1: a text that looks like a
//! number, a time, a boolean or null is quoted.

use serde::{Serialize, de::DeserializeOwned};

use super::payload::cut;

/// The longest YAML text that is read, in bytes.
pub const MAX_YAML_BYTES: usize = 1 << 20;

const MAX_NODES: usize = 100_000;
const MAX_DEPTH: usize = 32;
const MAX_ALIASES: usize = 100;

/// Why a text is not the YAML asked for, or a value has no YAML form.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// More than [`MAX_YAML_BYTES`].
    #[error("the YAML has {len} bytes, at most {MAX_YAML_BYTES} are read")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
    },
    /// Not UTF-8.
    #[error("the YAML is not UTF-8")]
    NotText,
    /// No YAML, YAML of another shape, or YAML that expands beyond bounds.
    #[error("the YAML cannot be used: {0}")]
    Shape(String),
}

/// Reads one document. Bounded in bytes, nodes, depth and aliases; a key that is there twice is an
/// error, since readers differ in which one counts.
///
/// # Errors
/// See [`YamlError`].
pub fn read<T: DeserializeOwned>(yaml: &[u8]) -> Result<T, YamlError> {
    if yaml.len() > MAX_YAML_BYTES {
        return Err(YamlError::TooLarge { len: yaml.len() });
    }
    let text = str::from_utf8(yaml).map_err(|_| YamlError::NotText)?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 2 * MAX_NODES,
            max_nodes: MAX_NODES,
            max_depth: MAX_DEPTH,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: MAX_DEPTH,
        },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| YamlError::Shape(cut(&error.to_string())))
}

/// Writes one document, mappings in the order of `value`'s fields.
///
/// # Errors
/// When `value` has no YAML form.
pub fn write<T: Serialize>(value: &T) -> Result<String, YamlError> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|error| YamlError::Shape(cut(&error.to_string())))
}
