//! A version of the scorecard: a card that never changes, and where it stands in its life.

use kycc_domain::card::Scorecard;
use kycc_domain::gates::GateReport;
use serde::{Deserialize, Serialize};

use super::standing::Standing;

/// `draft → gated | failed → approved → active → retired`; a retired one that was active may become so again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Not judged.
    Draft,
    /// All gates passed, notes permitting.
    Gated,
    Failed,
    Approved,
    Active,
    Retired,
}

impl Status {
    pub(crate) const ALL: [Self; 6] = [
        Self::Draft,
        Self::Gated,
        Self::Failed,
        Self::Approved,
        Self::Active,
        Self::Retired,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Gated => "gated",
            Self::Failed => "failed",
            Self::Approved => "approved",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Before it decides anything: what may still be approved, closed or tried in the shadow of the active one.
    pub(crate) fn is_candidate(self) -> bool {
        matches!(
            self,
            Self::Draft | Self::Gated | Self::Failed | Self::Approved
        )
    }
}

/// One version. All but its standing is as it was entered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) card: Scorecard,
    pub(crate) gates: Option<GateReport>,
    /// Why the card gives no probability of default, where it does not.
    pub(crate) missing_link: Option<String>,
    pub(crate) author: String,
    /// Version that it was refined from.
    pub(crate) parent: Option<String>,
    pub(crate) model_id: Option<String>,
    pub(crate) run_id: Option<String>,
    /// Share of the model in its weights.
    pub(crate) blend: f64,
    pub(crate) created_at_micros: i64,
    pub(crate) standing: Standing,
}

impl Version {
    pub(crate) fn name(&self) -> &str {
        self.card.version()
    }

    pub(crate) fn status(&self) -> Status {
        self.standing.status
    }

    /// Of everything that can change about it; another one after every change.
    pub(crate) fn etag(&self) -> String {
        self.standing.etag(self.name())
    }

    /// Learned without an observed default in the holdout.
    pub(crate) fn is_bootstrap(&self) -> bool {
        self.gates.as_ref().is_some_and(|report| report.bootstrap)
    }
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn every_status_is_found_by_its_name() {
        assert!(
            Status::ALL
                .into_iter()
                .all(|status| Status::named(status.as_str()) == Some(status))
        );
        assert_eq!(Status::named("published"), None);
    }
}
