//! What entries of the audit log say of versions: the deeds, and how they are read back.

use std::collections::BTreeMap;

use kycc_audit::{Entry, Subject};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::standing::Standing;

/// Whose chain the entries are of.
pub(crate) const SERVICE: &str = "scorecards";

/// What an entry about a version is about.
pub(crate) const SCORECARD: &str = "scorecard";

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
    /// Of the version's card.
    pub(crate) card_hash: String,
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

/// What an entry is to say of a version, before it has its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    pub(crate) at_micros: i64,
    pub(crate) principal: String,
    pub(crate) action: Action,
    pub(crate) version: String,
    pub(crate) reason: String,
    pub(crate) details: Details,
    /// Of the request that asks for it; empty: it gave none, or it asks for something else that this follows from.
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
}

impl Deed {
    /// As the log takes it.
    pub(crate) fn entry(&self) -> kycc_audit::Deed {
        kycc_audit::Deed {
            at_micros: self.at_micros,
            principal: self.principal.clone(),
            action: self.action.as_str().to_owned(),
            subject: subject(&self.version),
            reason: self.reason.clone(),
            details: json!(self.details),
            request_id: self.request_id.clone(),
            trace_id: self.trace_id.clone(),
        }
    }
}

pub(crate) fn subject(version: &str) -> Subject {
    Subject::new(SCORECARD, version)
}

/// An entry about a version, read back.
pub(crate) trait OfVersion {
    /// Empty where it is about something else.
    fn version(&self) -> &str;
    /// `None` where the text is not of that shape.
    fn details(&self) -> Option<Details>;
}

impl OfVersion for Entry {
    fn version(&self) -> &str {
        self.subject_of(SCORECARD).unwrap_or_default()
    }

    fn details(&self) -> Option<Details> {
        serde_json::from_str(&self.details).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_name() {
        assert!(
            Action::ALL
                .into_iter()
                .all(|action| Action::named(action.as_str()) == Some(action))
        );
        assert_eq!(Action::named("delete"), None);
    }

    #[test]
    fn what_a_deed_says_is_read_back_from_its_entry() {
        let deed = Deed {
            at_micros: 7,
            principal: "ann".into(),
            action: Action::Approve,
            version: "1.0-a".into(),
            reason: "better".into(),
            details: Details {
                card_hash: "00".into(),
                gate_notes: [("CHAMPION".to_owned(), "small".to_owned())].into(),
                ..Details::default()
            },
            request_id: "q-1".into(),
            trace_id: String::new(),
        };
        let entry = Entry::seal(SERVICE, &kycc_audit::Head::genesis(), &deed.entry());
        assert_eq!(entry.version(), "1.0-a");
        assert_eq!(OfVersion::details(&entry), Some(deed.details));
    }
}
