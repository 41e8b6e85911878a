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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn hostile_input_is_bounded() {
        let error = |yaml: &str| read::<Value>(yaml.as_bytes()).unwrap_err();
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n".to_owned()
            + "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
            + "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
        assert!(matches!(error(&bomb), YamlError::Shape(_)));
        assert!(matches!(error(&"[".repeat(200_000)), YamlError::Shape(_)));
        assert!(matches!(error(&"- ".repeat(200_000)), YamlError::Shape(_)));
        assert!(matches!(error(&"{a: ".repeat(1000)), YamlError::Shape(_)));
        assert!(matches!(error(&"- 1\n".repeat(200_000)), YamlError::Shape(_)));
        assert!(matches!(error(&"a".repeat(MAX_YAML_BYTES + 1)), YamlError::TooLarge { .. }));
        assert!(matches!(error("a: 1\na: 2"), YamlError::Shape(_)));
        assert!(matches!(error("a: 1\n---\nb: 2"), YamlError::Shape(_)));
        assert!(matches!(read::<Value>(b"\xff").unwrap_err(), YamlError::NotText));
        let long = error(&format!("'{}", "x".repeat(100_000))).to_string();
        assert!(long.len() < 1000, "{long}");
    }

    /// Texts that `PyYAML` would take for something else when they weren't quoted.
    #[test]
    fn texts_stay_texts_in_every_reader() {
        for text in [
            "yes",
            "no",
            "on",
            "Off",
            "y",
            "N",
            "true",
            "null",
            "~",
            "",
            "1",
            "1_000",
            "0x1F",
            "0o7",
            "017",
            "1.5",
            "1e3",
            "1.",
            ".5",
            ".inf",
            "-.NaN",
            "12:30:45",
            "190:20",
            "2026-11-23",
            "2026-11-23T04:29:51.994099Z",
            "2026-11-23 04:29:51",
            "<<",
            "=",
            "- a",
            "? a",
            "a: b",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "'a",
            "\"a",
            "[a]",
            "{a}",
            ", a",
            "a:",
            " a",
            "a ",
            "a\nb",
            "\ta",
            "\u{7f}",
            "\u{85}",
            "\u{feff}",
            "\u{2028}",
            "---",
            "...",
            "--- a",
            "**",
            "-",
            "?",
        ] {
            let yaml = write(&json!([text])).unwrap();
            assert!(yaml.starts_with("- \"") || yaml.starts_with("- '"), "{text:?} is written as {yaml}");
            assert_eq!(read::<Value>(yaml.as_bytes()).unwrap(), json!([text]), "{yaml}");
        }
    }

    proptest! {
        #[test]
        fn any_text_round_trips(text: String, key in "[a-z ]{1,9}|\\PC{1,9}") {
            let value = json!({ key: [text.clone(), {"x": text}] });
            let yaml = write(&value).unwrap();
            prop_assert_eq!(read::<Value>(yaml.as_bytes()).unwrap(), value, "{}", yaml);
        }

        #[test]
        fn any_input_ends(yaml in "[-a:&*!\\[\\]{}#|>'\" \n,?%@0-9]{0,200}") {
            // An answer of either kind will do.
            let _: Result<Value, YamlError> = read(yaml.as_bytes());
        }
    }
}
