//! Uploads: their names, their states, and which records of a block are new to a stream. Pure.

use std::fmt;

/// A text that does not name a stream or an upload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not valid: expected {expected}")]
pub(crate) struct NameError {
    text: String,
    expected: &'static str,
}

impl NameError {
    fn new(text: &str, expected: &'static str) -> Self {
        // The caller sees the start of what it sent.
        let text = text.chars().take(100).collect();
        Self { text, expected }
    }
}

fn is_name(text: &str, longest: usize, marks: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=longest).contains(&bytes.len())
        && bytes.first().is_some_and(plain)
        && bytes.iter().all(|byte| plain(byte) || marks.contains(byte))
}

/// One stream of an upload. A part of file names, also where these do not tell `A` from `a`; short enough for one beside
/// the longest batch id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(String);

impl StreamId {
    pub(crate) fn new(text: &str) -> Result<Self, NameError> {
        if is_name(text, 64, b"_-") {
            return Ok(Self(text.to_owned()));
        }
        let expected = "1 to 64 of [a-z0-9_-], beginning with a letter or digit";
        Err(NameError::new(text, expected))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An upload, by the id that the server gave it; also the name of its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UploadId(String);

impl UploadId {
    pub(crate) fn new(text: &str) -> Result<Self, NameError> {
        if is_name(text, 64, b"") {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError::new(text, "an id that CreateBatch gave"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// ```text
/// Open ──▶ Committing ──▶ Committed
///  ├─────▶ Aborted   └──▶ Expired
///  └─────▶ Expired
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadState {
    Open,
    Committing,
    Committed,
    Aborted,
    Expired,
}

impl UploadState {
    pub(crate) const ALL: [Self; 5] = [
        Self::Open,
        Self::Committing,
        Self::Committed,
        Self::Aborted,
        Self::Expired,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Committing => "committing",
            Self::Committed => "committed",
            Self::Aborted => "aborted",
            Self::Expired => "expired",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A block begins beyond the record that the stream goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) expected: u64,
    pub(crate) found: u64,
}

/// How many of a block's first records were received already.
pub(crate) fn already_received(next: u64, offset: u64, records: u64) -> Result<u64, Gap> {
    if offset > next {
        return Err(Gap {
            expected: next,
            found: offset,
        });
    }
    Ok((next - offset).min(records))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_stay_in_their_folder() {
        for good in ["a", "0", "crm-2_b", &"x".repeat(64)] {
            assert_eq!(StreamId::new(good).unwrap().as_str(), good);
        }
        let hostile = [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "/etc",
            "a\0b",
            "A",
            "ä",
            "a\u{202e}b",
            "a．b",
            "a b",
            "a\n",
            "-rf",
            "_a",
            "con.",
            "%2e%2e",
            "~",
            &"x".repeat(65),
        ];
        for bad in hostile {
            assert!(StreamId::new(bad).is_err(), "{bad:?}");
            assert!(UploadId::new(bad).is_err(), "{bad:?}");
        }
        let told = StreamId::new(&"/".repeat(10_000)).unwrap_err().to_string();
        assert!(told.len() < 300, "{told}");
    }

    #[test]
    fn every_state_has_a_name_of_its_own() {
        for state in UploadState::ALL {
            assert_eq!(UploadState::named(state.name()), Some(state));
        }
        assert_eq!(UploadState::named("opened"), None);
    }

    proptest! {
        /// Whatever is cut, repeated or overlaps: a stream receives each record once, in order, and never one after a gap.
        #[test]
        fn each_record_is_received_once(blocks in proptest::collection::vec((0u64..40, 0u64..20), 0..40)) {
            let mut received = Vec::new();
            for (offset, records) in blocks {
                let next = received.len() as u64;
                match already_received(next, offset, records) {
                    Ok(skipped) => received.extend(offset + skipped..offset + records),
                    Err(gap) => prop_assert!(gap.found > next && gap.expected == next),
                }
            }
            let expected: Vec<u64> = (0..received.len() as u64).collect();
            prop_assert_eq!(received, expected);
        }
    }
}
