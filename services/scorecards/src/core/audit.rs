//! The audit log: who did what to which version, each entry sealed together with the one before it.

use std::collections::BTreeMap;

use kycc_domain::canonical::{canonical_json, sha256_hex};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::standing::Standing;

/// Stands where the first entry names the one before it.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Enter,
    Approve,
    Reject,
    Activate,
    /// Of the version that was active before another became so.
    Retire,
    RollBack,
    Shadow,
    Unshadow,
}

impl Action {
    pub(crate) const ALL: [Self; 8] = [
        Self::Enter,
        Self::Approve,
        Self::Reject,
        Self::Activate,
        Self::Retire,
        Self::RollBack,
        Self::Shadow,
        Self::Unshadow,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Activate => "activate",
            Self::Retire => "retire",
            Self::RollBack => "roll_back",
            Self::Shadow => "shadow",
            Self::Unshadow => "unshadow",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// More of an entry than its columns say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Details {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    /// Of an `enter`: the run that made the version, how it stood then, and the hash of all that never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) standing: Option<Standing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<String>,
    /// Of an `approve`, by gate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) gate_notes: BTreeMap<String, String>,
    /// Of an `approve` by the version's own author.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) self_approved: bool,
    /// The version whose place this one took, or which took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) other_version: Option<String>,
}

/// What an entry is to say, before it has its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    pub(crate) at_micros: i64,
    pub(crate) principal: String,
    pub(crate) action: Action,
    pub(crate) version: String,
    pub(crate) card_hash: String,
    pub(crate) reason: String,
    pub(crate) details: Details,
}

/// An entry as it is stored; texts are kept as they are, so that a changed one can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// From 1, without gaps.
    pub(crate) sequence: i64,
    pub(crate) at_micros: i64,
    pub(crate) principal: String,
    pub(crate) action: String,
    pub(crate) version: String,
    pub(crate) card_hash: String,
    pub(crate) reason: String,
    /// Canonical JSON of [`Details`].
    pub(crate) details: String,
    /// As in the details, where the store finds it again; not sealed twice.
    pub(crate) request_id: Option<String>,
    pub(crate) previous_hash: String,
    pub(crate) hash: String,
}

/// The last entry of a log, or what stands in its place before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) sequence: i64,
    pub(crate) hash: String,
}

impl Head {
    pub(crate) fn genesis() -> Self {
        Self {
            sequence: 0,
            hash: GENESIS.to_owned(),
        }
    }
}

impl Entry {
    /// The entry that follows `head`.
    pub(crate) fn seal(head: &Head, deed: &Deed) -> Self {
        let mut entry = Self {
            sequence: head.sequence + 1,
            at_micros: deed.at_micros,
            principal: deed.principal.clone(),
            action: deed.action.as_str().to_owned(),
            version: deed.version.clone(),
            card_hash: deed.card_hash.clone(),
            reason: deed.reason.clone(),
            details: canonical_json(&deed.details),
            request_id: deed.details.request_id.clone(),
            previous_hash: head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.work_out_hash();
        entry
    }

    /// SHA-256 of everything in the entry but its hash, as canonical JSON.
    pub(crate) fn work_out_hash(&self) -> String {
        sha256_hex(&canonical_json(&json!({
            "sequence": self.sequence,
            "create_time_micros": self.at_micros,
            "principal": self.principal,
            "action": self.action,
            "version": self.version,
            "card_hash": self.card_hash,
            "reason": self.reason,
            "details_json": self.details,
            "previous_hash": self.previous_hash,
        })))
    }

    /// `None` where the text is not of that shape.
    pub(crate) fn details(&self) -> Option<Details> {
        serde_json::from_str(&self.details).ok()
    }

    pub(crate) fn head(&self) -> Head {
        Head {
            sequence: self.sequence,
            hash: self.hash.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_sealed_together_with_the_one_before() {
        let deed = Deed {
            at_micros: 7,
            principal: "ann".into(),
            action: Action::Reject,
            version: "1.0-a".into(),
            card_hash: "00".into(),
            reason: "too few bads".into(),
            details: Details::default(),
        };
        let first = Entry::seal(&Head::genesis(), &deed);
        // Worked out apart, by Python's json and hashlib.
        assert_eq!(
            first.hash,
            "c0f2e4e0bb9235912ce2f1fbf62496df5ccef65c5c5ba4c3786d09ed129d25f7"
        );
        let second = Entry::seal(&first.head(), &deed);
        assert_eq!((second.sequence, &second.previous_hash), (2, &first.hash));
        assert_ne!(second.hash, first.hash);
    }

    #[test]
    fn every_action_is_found_by_its_name() {
        assert!(
            Action::ALL
                .into_iter()
                .all(|action| Action::named(action.as_str()) == Some(action))
        );
        assert_eq!(Action::named("delete"), None);
    }
}
