//! A version of the scorecard and where it stands in its life.

use kycc_domain::card::Scorecard;
use kycc_domain::gates::GateReport;
use serde::{Deserialize, Serialize};

/// `draft → gated | failed → active → retired`; a retired one may become active again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Not judged.
    Draft,
    /// All gates passed, notes permitting.
    Gated,
    Failed,
    Active,
    Retired,
}

impl Status {
    pub(crate) const ALL: [Self; 5] = [
        Self::Draft,
        Self::Gated,
        Self::Failed,
        Self::Active,
        Self::Retired,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Gated => "gated",
            Self::Failed => "failed",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// One version. The card never changes; status, approval and times do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) card: Scorecard,
    pub(crate) status: Status,
    pub(crate) gates: Option<GateReport>,
    pub(crate) author: String,
    pub(crate) approver: Option<String>,
    /// Why it was approved.
    pub(crate) note: Option<String>,
    pub(crate) self_approved: bool,
    /// Version that it was refined from.
    pub(crate) parent: Option<String>,
    pub(crate) model_id: Option<String>,
    pub(crate) run_id: Option<String>,
    /// Share of the model in its weights.
    pub(crate) blend: f64,
    pub(crate) created_at_micros: i64,
    pub(crate) activated_at_micros: Option<i64>,
}
