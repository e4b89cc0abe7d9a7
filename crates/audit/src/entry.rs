//! An entry of the log, and what seals it.

use std::fmt;

use kycc_domain::canonical::{canonical_json, sha256_hex};
use serde_json::{Value, json};

/// Stands where the first entry of a chain names the one before it.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What an entry is about: `kind/id`, e.g. `run/0192…`, `scorecard/1.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    pub fn new(kind: &str, id: impl fmt::Display) -> Self {
        Self(format!("{kind}/{id}"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an entry is to say, before it has its place in a chain. No text holds a NUL character: Postgres takes none.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// Microseconds UTC.
    pub at_micros: i64,
    /// Who made the call.
    pub principal: String,
    /// snake_case, e.g. `launch`.
    pub action: String,
    pub subject: Subject,
    /// As the caller gave it; empty where none is asked for.
    pub reason: String,
    /// A JSON object; more of it.
    pub details: Value,
    /// Empty: none.
    pub request_id: String,
    /// Hex; empty: none.
    pub trace_id: String,
}

/// An entry as it is stored; texts are kept as they are, so that a changed one can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose chain it is of.
    pub service: String,
    /// From 1, without gaps.
    pub sequence: i64,
    pub at_micros: i64,
    pub principal: String,
    pub action: String,
    pub subject: String,
    pub reason: String,
    /// Canonical JSON.
    pub details: String,
    pub request_id: String,
    pub trace_id: String,
    pub previous_hash: String,
    pub hash: String,
}

/// The last entry of a chain, or what stands in its place before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub sequence: i64,
    pub hash: String,
}

impl Head {
    #[must_use]
    pub fn genesis() -> Self {
        Self {
            sequence: 0,
            hash: GENESIS.to_owned(),
        }
    }
}

impl Entry {
    /// The entry that follows `head`.
    #[must_use]
    pub fn seal(service: &str, head: &Head, deed: &Deed) -> Self {
        let mut entry = Self {
            service: service.to_owned(),
            sequence: head.sequence + 1,
            at_micros: deed.at_micros,
            principal: deed.principal.clone(),
            action: deed.action.clone(),
            subject: deed.subject.0.clone(),
            reason: deed.reason.clone(),
            details: canonical_json(&deed.details),
            request_id: deed.request_id.clone(),
            trace_id: deed.trace_id.clone(),
            previous_hash: head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.work_out_hash();
        entry
    }

    /// SHA-256 of everything in the entry but its hash, as canonical JSON.
    #[must_use]
    pub fn work_out_hash(&self) -> String {
        sha256_hex(&canonical_json(&json!({
            "service": self.service,
            "sequence": self.sequence,
            "create_time_micros": self.at_micros,
            "principal": self.principal,
            "action": self.action,
            "subject": self.subject,
            "reason": self.reason,
            "details_json": self.details,
            "request_id": self.request_id,
            "trace_id": self.trace_id,
            "previous_hash": self.previous_hash,
        })))
    }

    /// The id of its subject, if that is of this kind.
    #[must_use]
    pub fn subject_of(&self, kind: &str) -> Option<&str> {
        self.subject.strip_prefix(kind)?.strip_prefix('/')
    }

    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            sequence: self.sequence,
            hash: self.hash.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed() -> Deed {
        Deed {
            at_micros: 7,
            principal: "ann".into(),
            action: "reject".into(),
            subject: Subject::new("scorecard", "1.0-a"),
            reason: "too few bads".into(),
            details: json!({"b": 1, "a": "ä"}),
            request_id: "q-1".into(),
            trace_id: "00".into(),
        }
    }

    #[test]
    fn an_entry_is_sealed_together_with_the_one_before() {
        let first = Entry::seal("scorecards", &Head::genesis(), &deed());
        // Worked out apart, by Python's json and hashlib.
        assert_eq!(
            first.hash,
            "3414f566b36790cb621b84e548fd5dc025f5e3183d68b38e8d6928dd4365586f"
        );
        let second = Entry::seal("scorecards", &first.head(), &deed());
        assert_eq!((second.sequence, &second.previous_hash), (2, &first.hash));
        assert_ne!(second.hash, first.hash);
    }

    #[test]
    fn the_same_deed_of_another_service_has_another_seal() {
        let one = Entry::seal("labels", &Head::genesis(), &deed());
        let other = Entry::seal("scorecards", &Head::genesis(), &deed());
        assert_ne!(one.hash, other.hash);
    }

    #[test]
    fn a_subject_tells_its_id_to_whoever_asks_for_its_kind() {
        let entry = Entry::seal("scorecards", &Head::genesis(), &deed());
        assert_eq!(entry.subject_of("scorecard"), Some("1.0-a"));
        assert_eq!(entry.subject_of("score"), None);
    }
}
