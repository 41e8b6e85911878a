//! The `SyftBox` manager for browsers and notebooks.
//!
//! Only conversions between JavaScript and the core: what there is to do is done there.

use syftbox_core::wire::{AnyPayload, encode};
use wasm_bindgen::prelude::*;

/// The version of this package.
#[must_use]
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Reads a payload of any kind (wire sections 4 and 6) and gives it as JSON. What had to be refused
/// in it is left out.
///
/// # Errors
/// When it is no payload, or expands past 64 MiB.
#[wasm_bindgen(js_name = decodePayload)]
pub fn decode_payload(payload: &[u8]) -> Result<String, JsError> {
    Ok(serde_json::to_string(&AnyPayload::decode(payload)?)?)
}

/// Reads a payload of any kind and writes it again.
///
/// # Errors
/// As [`decode_payload`].
#[wasm_bindgen(js_name = reencodePayload)]
pub fn reencode_payload(payload: &[u8]) -> Result<Vec<u8>, JsError> {
    Ok(encode(&AnyPayload::decode(payload)?)?)
}
