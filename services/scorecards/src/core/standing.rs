//! What changes about a version, and how each entry of the audit log changes it: a version stands as the log says.
//!
//! ```text
//!            approve              activate            retire
//!   gated ───────────▶ approved ───────────▶ active ◀────────▶ retired
//!     │                    │                         roll_back    ▲
//!     └── draft, failed ───┴──────────── reject ──────────────────┘
//! ```

use std::collections::BTreeMap;

use kycc_domain::canonical::{canonical_json, sha256_hex};
use serde::{Deserialize, Serialize};

use kycc_audit::Entry;

use super::audit::{Action, OfVersion as _};
use super::version::Status;

/// Characters of an etag.
const ETAG_LENGTH: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) approver: Option<String>,
    /// Why it was approved, or rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// By gate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) gate_notes: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) self_approved: bool,
    #[serde(default)]
    pub(crate) shadow: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) activated_at_micros: Option<i64>,
    /// Sequence of the last entry about this version; not part of what an entry says.
    #[serde(skip)]
    pub(crate) revision: i64,
}

/// An entry that could not have been made of what stood before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unlawful {
    #[error("its action {action:?} is none that is known")]
    Action { action: String },
    #[error("its details are not those of such an entry")]
    Details,
    #[error("version {version} was not entered before it")]
    NotEntered { version: String },
    #[error("version {version} was entered before it")]
    EnteredTwice { version: String },
    #[error("it can {action} no version that is {status}")]
    From {
        action: &'static str,
        status: &'static str,
    },
}

impl Standing {
    pub(crate) fn of(status: Status) -> Self {
        Self {
            status,
            approver: None,
            note: None,
            gate_notes: BTreeMap::new(),
            self_approved: false,
            shadow: false,
            activated_at_micros: None,
            revision: 0,
        }
    }

    pub(crate) fn etag(&self, version: &str) -> String {
        let all =
            serde_json::json!({"version": version, "standing": self, "revision": self.revision});
        let mut etag = sha256_hex(&canonical_json(&all));
        etag.truncate(ETAG_LENGTH);
        etag
    }

    /// Whether it was active once and is not now.
    pub(crate) fn was_active(&self) -> bool {
        self.status == Status::Retired && self.activated_at_micros.is_some()
    }

    /// What stands after `entry`, given what stood `before`.
    pub(crate) fn after(before: Option<&Self>, entry: &Entry) -> Result<Self, Unlawful> {
        let action = Action::named(&entry.action).ok_or_else(|| Unlawful::Action {
            action: entry.action.clone(),
        })?;
        let details = entry.details().ok_or(Unlawful::Details)?;
        let version = || entry.version().to_owned();
        let Some(before) = before else {
            return match (action, details.standing) {
                (Action::Enter, Some(entered)) => Ok(Self {
                    revision: entry.sequence,
                    ..entered
                }),
                (Action::Enter, None) => Err(Unlawful::Details),
                _ => Err(Unlawful::NotEntered { version: version() }),
            };
        };
        let mut after = Self {
            revision: entry.sequence,
            ..before.clone()
        };
        match (action, before.status) {
            (Action::Enter, _) => return Err(Unlawful::EnteredTwice { version: version() }),
            (Action::Approve, Status::Gated) => {
                after.status = Status::Approved;
                after.approver = Some(entry.principal.clone());
                after.note = Some(entry.reason.clone());
                after.gate_notes = details.gate_notes;
                after.self_approved = details.self_approved;
            }
            (Action::Reject, status) if status.is_candidate() => {
                after.status = Status::Retired;
                after.note = Some(entry.reason.clone());
            }
            (Action::Activate, Status::Approved) => {
                after.status = Status::Active;
                after.activated_at_micros = Some(entry.at_micros);
            }
            (Action::RollBack, Status::Retired) if before.was_active() => {
                after.status = Status::Active;
                after.activated_at_micros = Some(entry.at_micros);
            }
            (Action::Retire, Status::Active) => after.status = Status::Retired,
            (Action::Shadow, status) if status.is_candidate() && !before.shadow => {
                after.shadow = true;
            }
            (Action::Unshadow, _) if before.shadow => after.shadow = false,
            (action, status) => {
                return Err(Unlawful::From {
                    action: action.as_str(),
                    status: status.as_str(),
                });
            }
        }
        Ok(after)
    }

    /// The first part in which the two differ, as a column of the version's row is called.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        let parts = [
            ("status", self.status == other.status),
            ("approver", self.approver == other.approver),
            ("note", self.note == other.note),
            ("gate_notes", self.gate_notes == other.gate_notes),
            ("self_approved", self.self_approved == other.self_approved),
            ("shadow", self.shadow == other.shadow),
            (
                "activated_at",
                self.activated_at_micros == other.activated_at_micros,
            ),
            ("revision", self.revision == other.revision),
        ];
        parts
            .into_iter()
            .find(|(_, same)| !same)
            .map(|(name, _)| name)
    }
}
