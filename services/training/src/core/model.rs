//! A trained model as the lake and the registry keep it.

use kycc_domain::logistic::{CSearch, LogisticFit};
use kycc_domain::metrics::{CalibrationBin, HoldoutMetrics, RocPoint};
use kycc_domain::split::SplitKind;
use serde::{Deserialize, Serialize};

/// How much a model's figures may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ModelStatus {
    Trained,
    /// No observed bad in the holdout: the figures say how well it repeats the scorecard.
    Bootstrap,
    /// Too little to learn from.
    Insufficient,
}

impl ModelStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Trained => "trained",
            Self::Bootstrap => "bootstrap",
            Self::Insufficient => "insufficient",
        }
    }
}

/// One side of the split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) rows: usize,
    pub(crate) bads: usize,
    /// Share of its weight that observed labels carry.
    pub(crate) observed_share: f64,
}

/// What was learned, and how well it does on rows that it has not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learned {
    pub(crate) fit: LogisticFit,
    pub(crate) split: SplitKind,
    pub(crate) shrunk_to_expert: bool,
    pub(crate) c_search: Option<CSearch>,
    /// Absent where the holdout holds one class only.
    pub(crate) metrics: Option<HoldoutMetrics>,
    pub(crate) roc: Vec<RocPoint>,
    pub(crate) calibration: Vec<CalibrationBin>,
}

/// Document of the `model` dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelDocument {
    pub(crate) model_id: String,
    pub(crate) status: ModelStatus,
    /// Why it is insufficient, or what to be wary of; empty where there is nothing to say.
    pub(crate) note: String,
    pub(crate) batches: Vec<String>,
    /// Features of the card that it was trained through, in the card's order; one coefficient each.
    pub(crate) features: Vec<String>,
    pub(crate) scorecard_version: String,
    pub(crate) scorecard_hash: String,
    pub(crate) train: Part,
    pub(crate) holdout: Part,
    /// Absent where the status is insufficient.
    pub(crate) learned: Option<Learned>,
    pub(crate) config: serde_json::Value,
    pub(crate) code_version: String,
}
