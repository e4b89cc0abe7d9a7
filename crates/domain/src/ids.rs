//! Names of things: one newtype per kind, so that a party's id cannot be passed where a batch's is expected.
//!
//! Every id orders by its bytes and reads from JSON as a plain string; whatever is read is checked.

use std::fmt;

/// A text that is not an id of the kind it was read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {text:?} is not valid: expected {expected}")]
pub struct IdError {
    pub kind: &'static str,
    pub text: String,
    pub expected: &'static str,
}

const OPAQUE: &str = "1 to 128 of [A-Za-z0-9._-], not starting with '.'";
const SNAKE: &str = "[a-z][a-z0-9_]*, at most 128 long";

/// Safe as one segment of a path or an object key: no separators, no `..`, no leading dot.
fn is_opaque(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with('.')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn is_snake(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Party ids come from other people's systems: anything but blank, and bounded.
fn is_party(text: &str) -> bool {
    text.len() <= 512 && !text.trim().is_empty() && !text.contains('\0')
}

fn is_lower_hex(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:path, $expected:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                if $check(&text) {
                    Ok(Self(text))
                } else {
                    Err(IdError { kind: $kind, text, expected: $expected })
                }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// A party, as its source system names it.
    PartyId, "party id", is_party, "1 to 512 bytes, not blank"
);
text_id!(
    /// A batch of input data; also a run's partition and a segment of lake paths.
    BatchId, "batch id", is_opaque, OPAQUE
);
text_id!(
    /// One run of a job.
    RunId, "run id", is_opaque, OPAQUE
);
text_id!(
    /// One task (a step, or one shard of it) of a run.
    TaskId, "task id", is_opaque, OPAQUE
);
text_id!(
    /// One attempt at a task; names the folder that the attempt writes into.
    AttemptId, "attempt id", is_opaque, OPAQUE
);
text_id!(
    /// An asset of the graph, such as `score_batch`.
    AssetKey, "asset key", is_snake, SNAKE
);
text_id!(
    /// A dataset of the lake, such as `features`.
    DatasetName, "dataset name", is_snake, SNAKE
);
text_id!(
    /// A content digest in lower-case hex.
    Digest, "digest", is_lower_hex, "1 to 128 of [0-9a-f]"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_ids_follow_their_grammar() {
        for good in ["BATCH_001", "a", "2026-11.v2", &"x".repeat(128)] {
            assert_eq!(BatchId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", ".hidden", "..", "a/b", "a b", "ä", &"x".repeat(129)] {
            assert!(BatchId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn asset_keys_are_snake_case() {
        assert!(AssetKey::new("score_batch").is_ok());
        for bad in ["", "Score", "1x", "_x", "a-b"] {
            assert!(AssetKey::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn digests_are_lower_hex() {
        assert!(Digest::new("00ff").is_ok());
        assert!(Digest::new("00FF").is_err());
        assert!(Digest::new("").is_err());
    }

    #[test]
    fn party_ids_order_by_bytes() {
        let mut ids: Vec<_> = ["b", "É", "B", "a10", "a9"]
            .map(|t| PartyId::new(t).unwrap())
            .to_vec();
        ids.sort();
        let texts: Vec<_> = ids.iter().map(PartyId::as_str).collect();
        assert_eq!(texts, ["B", "a10", "a9", "b", "É"]);
    }

    #[test]
    fn an_invalid_id_in_json_is_refused_with_its_kind_and_text() {
        let error = serde_json::from_str::<BatchId>("\"a/b\"").unwrap_err();
        assert!(error.to_string().contains("batch id \"a/b\""), "{error}");
        let id: BatchId = serde_json::from_str("\"B1\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"B1\"");
    }
}
