//! All scalar metrics of one set of probabilities, as the registry keeps and the console shows them.

use serde::{Deserialize, Serialize};

use super::{
    AucEstimate, Confusion, MetricError, Ranking, brier, calibration_line, check_probabilities,
    expected_calibration_error, log_loss,
};
use crate::logistic::LogitLine;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldoutMetrics {
    pub rows: usize,
    pub bads: usize,
    pub auc: f64,
    /// DeLong's interval; `None` with fewer than two rows of either class.
    pub auc_interval: Option<AucEstimate>,
    pub gini: f64,
    pub ks: f64,
    pub average_precision: f64,
    pub brier: f64,
    pub log_loss: f64,
    /// `None` where the PD is constant or separates the classes.
    pub calibration: Option<LogitLine>,
    pub expected_calibration_error: f64,
    pub lift_top_tenth: f64,
    pub confusion: Confusion,
}

/// Evaluates probabilities of bad against outcomes.
pub fn evaluate(pd: &[f64], bad: &[bool], cutoff: f64) -> Result<HoldoutMetrics, MetricError> {
    let (_, bads) = check_probabilities(pd, bad)?;
    let ranking = Ranking::new(pd, bad)?;
    Ok(HoldoutMetrics {
        rows: pd.len(),
        bads,
        auc: ranking.auc(),
        auc_interval: ranking.delong().ok(),
        gini: ranking.gini(),
        ks: ranking.ks(),
        average_precision: ranking.average_precision(),
        brier: brier(pd, bad)?,
        log_loss: log_loss(pd, bad)?,
        calibration: calibration_line(pd, bad).ok(),
        expected_calibration_error: expected_calibration_error(pd, bad)?,
        lift_top_tenth: ranking.lift_top_tenth(),
        confusion: Confusion::at(cutoff, pd, bad)?,
    })
}
