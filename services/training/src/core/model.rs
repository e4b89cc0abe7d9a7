//! A trained model as the lake and the registry keep it.

use kycc_domain::labels::LabelStatistics;
use kycc_domain::logistic::{CSearch, LogisticFit};
use kycc_domain::metrics::{
    BootstrapIntervals, CalibrationBin, Curves, HoldoutMetrics, KsPoint, LiftPoint, RocPoint,
};
use kycc_domain::split::SplitKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::factors::FactorReport;

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

/// What was learned, and how well it does on rows that it has not seen. Documents of code version 1 lack what has a
/// default here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learned {
    pub(crate) fit: LogisticFit,
    pub(crate) split: SplitKind,
    pub(crate) shrunk_to_expert: bool,
    pub(crate) c_search: Option<CSearch>,
    /// The model tells every good training row from every bad one.
    #[serde(default)]
    pub(crate) separable: bool,
    /// One per feature of the document, in its order.
    #[serde(default)]
    pub(crate) factors: Vec<FactorReport>,
    /// Absent where the holdout holds one class only, like the two below.
    pub(crate) metrics: Option<HoldoutMetrics>,
    #[serde(default)]
    pub(crate) bootstrap: Option<BootstrapIntervals>,
    #[serde(default)]
    pub(crate) curves: Option<Curves>,
    /// Where documents of code version 1 have these two; later ones have them among `curves`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roc: Vec<RocPoint>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) calibration: Vec<CalibrationBin>,
}

impl Learned {
    /// ROC and calibration curve, of either code version; empty for a model that was never judged.
    pub(crate) fn roc_and_calibration(&self) -> (&[RocPoint], &[CalibrationBin]) {
        self.curves
            .as_ref()
            .map_or((&self.roc, &self.calibration), |curves| {
                (&curves.roc, &curves.calibration)
            })
    }

    /// KS and lift curve; empty for a model that has none.
    pub(crate) fn ks_and_lift(&self) -> (&[KsPoint], &[LiftPoint]) {
        self.curves
            .as_ref()
            .map_or((&[], &[]), |curves| (&curves.ks, &curves.lift))
    }
}

/// A version in the lake, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataVersion {
    pub(crate) key: String,
    pub(crate) digest: String,
}

/// A batch that it learned from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BatchData {
    pub(crate) batch: String,
    pub(crate) labels: DataVersion,
    pub(crate) features: DataVersion,
    /// Label policy and its version, as the labels say; absent where they do not.
    pub(crate) policy: Option<Value>,
    pub(crate) policy_version: Option<String>,
    /// Who labelled how many parties.
    pub(crate) labelled: Option<LabelStatistics>,
    /// Parties with a label that carries weight.
    pub(crate) rows: usize,
}

/// A batch that it could have learned from but did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftOut {
    pub(crate) batch: String,
    pub(crate) reason: String,
}

/// Document of the `model` dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelDocument {
    pub(crate) model_id: String,
    pub(crate) status: ModelStatus,
    /// Why it is insufficient, or what to be wary of; empty where there is nothing to say.
    pub(crate) note: String,
    /// What a person should look at before believing it.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    pub(crate) batches: Vec<String>,
    /// Where the rows of `batches` come from, in their order.
    #[serde(default)]
    pub(crate) data: Vec<BatchData>,
    #[serde(default)]
    pub(crate) left_out: Vec<LeftOut>,
    /// Features of the card that it was trained through, in the card's order; one coefficient each.
    pub(crate) features: Vec<String>,
    pub(crate) scorecard_version: String,
    pub(crate) scorecard_hash: String,
    pub(crate) train: Part,
    pub(crate) holdout: Part,
    /// Absent where the status is insufficient.
    pub(crate) learned: Option<Learned>,
    pub(crate) config: Value,
    pub(crate) code_version: String,
}
