//! A version of the decision rules: what it holds, how it stands, and what may happen to it next.
//!
//! ```text
//!           approve            activate          retire
//!   draft ──────────▶ approved ─────────▶ active ◀──────▶ retired
//!                                               activate
//! ```

use kycc_audit::{Entry, Subject};
use kycc_domain::canonical::{canonical_json, sha256_hex};
use kycc_domain::rules::Rule;
use serde_json::{Value, json};

use super::life::says_something;

/// What an entry about a version is about.
pub(crate) const RULES: &str = "rules";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleStatus {
    Draft,
    Approved,
    Active,
    Retired,
}

impl RuleStatus {
    const ALL: [Self; 4] = [Self::Draft, Self::Approved, Self::Active, Self::Retired];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A set as somebody proposes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Proposal {
    /// They compile, in the order in which they run.
    pub(crate) rules: Vec<Rule>,
    /// Of these rules.
    pub(crate) hash: String,
    pub(crate) caller: Caller,
}

/// Who wants it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) principal: String,
    pub(crate) reason: String,
    /// Empty: none.
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) at_micros: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleWish {
    Approve {
        allow_self_approval: bool,
        identity_provider: bool,
    },
    Activate,
}

impl RuleWish {
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Approve { .. } => APPROVE,
            Self::Activate => ACTIVATE,
        }
    }
}

pub(crate) const PROPOSE: &str = "propose";
pub(crate) const APPROVE: &str = "approve";
pub(crate) const ACTIVATE: &str = "activate";
pub(crate) const RETIRE: &str = "retire";

/// As it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredRules {
    pub(crate) version: i64,
    pub(crate) hash: String,
    /// JSON, as stored.
    pub(crate) rules: String,
    pub(crate) author: String,
    pub(crate) reason: String,
    pub(crate) created_at_micros: i64,
    pub(crate) standing: RuleStanding,
}

/// What changes about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleStanding {
    pub(crate) status: RuleStatus,
    pub(crate) approver: Option<String>,
    pub(crate) self_approved: bool,
    pub(crate) activated_at_micros: Option<i64>,
    /// Sequence of the last entry about it.
    pub(crate) revision: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RuleRefusal {
    #[error(
        "a change of the rules needs a reason of 3 to 4,000 characters; say why it is to happen"
    )]
    NoReason,
    #[error("{principal} is the author of rule set {version}; another person must approve it")]
    OwnWork { version: i64, principal: String },
    #[error(
        "{principal} is the author of rule set {version}; another person must approve it (on a machine of one's own, \
         allow_self_approval lets it pass and is kept with the approval)"
    )]
    OwnWorkHere { version: i64, principal: String },
    #[error(
        "rule set {version} is retired and was approved before; activate it, or propose another"
    )]
    NotDraft { version: i64 },
    #[error(
        "nobody has approved rule set {version}; have another person than its author approve it first"
    )]
    NotApproved { version: i64 },
    #[error(
        "request {request_id:?} already asked for something else; give every change a request id of its own"
    )]
    RequestReused { request_id: String },
}

impl RuleRefusal {
    /// Stable, UPPER_SNAKE.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NoReason => "REASON_REQUIRED",
            Self::OwnWork { .. } | Self::OwnWorkHere { .. } => "SELF_APPROVAL",
            Self::NotDraft { .. } => "RULES_NOT_DRAFT",
            Self::NotApproved { .. } => "RULES_NOT_APPROVED",
            Self::RequestReused { .. } => "REQUEST_ID_REUSED",
        }
    }
}

impl Caller {
    pub(crate) fn check_reason(&self) -> Result<(), RuleRefusal> {
        if says_something(&self.reason) {
            Ok(())
        } else {
            Err(RuleRefusal::NoReason)
        }
    }

    /// Without the request's id: that belongs to the entry which the request asks for.
    pub(crate) fn deed(&self, action: &str, version: i64, details: Value) -> kycc_audit::Deed {
        kycc_audit::Deed {
            at_micros: self.at_micros,
            principal: self.principal.clone(),
            action: action.to_owned(),
            subject: subject(version),
            reason: self.reason.clone(),
            details,
            request_id: String::new(),
            trace_id: self.trace_id.clone(),
        }
    }
}

pub(crate) fn subject(version: i64) -> Subject {
    Subject::new(RULES, version)
}

impl StoredRules {
    /// Hash of all that never changes, which its first entry keeps.
    pub(crate) fn record(&self) -> String {
        sha256_hex(&canonical_json(&json!({
            "version": self.version,
            "hash": self.hash,
            "rules": self.rules,
            "author": self.author,
            "reason": self.reason,
            "created_at": self.created_at_micros,
        })))
    }

    /// What the first entry says besides.
    pub(crate) fn entered(&self) -> Value {
        json!({
            "hash": self.hash,
            "record": self.record(),
            "status": self.standing.status.as_str(),
        })
    }

    pub(crate) fn is_so(&self, wish: RuleWish) -> bool {
        match wish {
            RuleWish::Approve { .. } => {
                matches!(
                    self.standing.status,
                    RuleStatus::Approved | RuleStatus::Active
                )
            }
            RuleWish::Activate => self.standing.status == RuleStatus::Active,
        }
    }

    /// What the entry about it says besides; refused where it may not happen.
    pub(crate) fn decide(&self, wish: RuleWish, caller: &Caller) -> Result<Value, RuleRefusal> {
        let (version, status) = (self.version, self.standing.status);
        match wish {
            RuleWish::Activate if status == RuleStatus::Draft => {
                Err(RuleRefusal::NotApproved { version })
            }
            RuleWish::Activate => Ok(json!({"hash": self.hash})),
            RuleWish::Approve { .. } if status != RuleStatus::Draft => {
                Err(RuleRefusal::NotDraft { version })
            }
            RuleWish::Approve {
                allow_self_approval,
                identity_provider,
            } => {
                let own = self.author == caller.principal;
                let principal = caller.principal.clone();
                if own && identity_provider {
                    return Err(RuleRefusal::OwnWork { version, principal });
                }
                if own && !allow_self_approval {
                    return Err(RuleRefusal::OwnWorkHere { version, principal });
                }
                Ok(json!({"hash": self.hash, "self_approved": own}))
            }
        }
    }
}

impl RuleStanding {
    /// What stands after `entry`; `None` where it could not have been made of what stood before.
    pub(crate) fn after(before: Option<&Self>, entry: &Entry) -> Option<Self> {
        let details: Value = serde_json::from_str(&entry.details).ok()?;
        let Some(before) = before else {
            let status = RuleStatus::named(details["status"].as_str()?)?;
            return (entry.action == PROPOSE).then_some(Self {
                status,
                approver: None,
                self_approved: false,
                activated_at_micros: (status == RuleStatus::Active).then_some(entry.at_micros),
                revision: entry.sequence,
            });
        };
        let mut after = Self {
            revision: entry.sequence,
            ..before.clone()
        };
        match (entry.action.as_str(), before.status) {
            (APPROVE, RuleStatus::Draft) => {
                after.status = RuleStatus::Approved;
                after.approver = Some(entry.principal.clone());
                after.self_approved = details["self_approved"].as_bool()?;
            }
            (ACTIVATE, RuleStatus::Approved | RuleStatus::Retired) => {
                after.status = RuleStatus::Active;
                after.activated_at_micros = Some(entry.at_micros);
            }
            (RETIRE, RuleStatus::Active) => after.status = RuleStatus::Retired,
            _ => return None,
        }
        Some(after)
    }
}
