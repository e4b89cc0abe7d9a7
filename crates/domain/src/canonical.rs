//! One text for one content: JSON with sorted keys and no blanks, and its SHA-256, for hashes that must never depend on
//! field order, on features of the JSON library, or on whether a value was built here or read back.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Compact JSON with the keys of every object in byte order.
///
/// # Panics
/// If the value does not serialise to JSON; only plain data with string keys may be passed.
pub fn canonical_json<T: Serialize>(content: &T) -> String {
    let value = serde_json::to_value(content).expect("plain data always serialises to JSON");
    let mut out = String::new();
    write(&value, &mut out);
    out
}

/// Lower-case hex SHA-256 of a text.
pub fn sha256_hex(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut hex, b| {
        for nibble in [b >> 4, b & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is a hex digit"));
        }
        hex
    })
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (index, (key, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value: Value =
            serde_json::from_str(r#"{"b": [1.5, {"z": null, "a": "q\"t"}], "a": true}"#).unwrap();
        assert_eq!(
            canonical_json(&value),
            r#"{"a":true,"b":[1.5,{"a":"q\"t","z":null}]}"#
        );
    }

    #[test]
    fn digest_is_sha256_in_lower_hex() {
        assert_eq!(
            sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
