//! How well a score tells bad from good, and a probability tells how often. Scores are oriented: higher is more likely
//! bad (a card's raw points go in negated). Single-class input is an error, never NaN.

mod bootstrap;
mod confusion;
mod curves;
mod delong;
mod order;
mod probability;
mod ranking;
mod summary;

use thiserror::Error;

use crate::matrix::first_not_finite;

pub use bootstrap::{BOOTSTRAP_REPLICATES, BootstrapIntervals, Interval, bootstrap};
pub use confusion::Confusion;
pub use curves::{CURVE_POINTS, Curves, KsPoint, LiftPoint};
pub use delong::{AucEstimate, PairedAuc, delong, paired_delong};
pub use probability::{
    CalibrationBin, brier, calibration_bins, calibration_line, expected_calibration_error, log_loss,
};
pub use ranking::{Ranking, RocPoint};
pub use summary::{HoldoutMetrics, evaluate};

/// Predicted bad from this probability on, unless configured otherwise.
pub const DEFAULT_CUTOFF: f64 = 0.5;

/// The two-sided 95 % point of the standard normal distribution.
pub const NORMAL_95: f64 = 1.959_963_984_540_054;

#[derive(Debug, Clone, PartialEq, Error)]
pub enum MetricError {
    #[error("{scores} scores but {labels} labels")]
    Length { scores: usize, labels: usize },
    #[error("score {row} is not a finite number")]
    NotFinite { row: usize },
    #[error("probability {row} is {value}, outside 0 to 1")]
    NotAProbability { row: usize, value: f64 },
    #[error("{goods} good and {bads} bad rows; a metric needs both classes")]
    SingleClass { goods: usize, bads: usize },
    #[error("{goods} good and {bads} bad rows; a variance needs two of either class")]
    TooFewForVariance { goods: usize, bads: usize },
    #[error("{rows} rows; the bootstrap draws from at most {limit}, so give it a sample")]
    TooManyRows { rows: usize, limit: usize },
    #[error("a bootstrap needs at least 2 replicates, not {replicates}")]
    TooFewReplicates { replicates: usize },
}

impl MetricError {
    /// Stable name of the error's kind.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Length { .. } => "METRIC_LENGTH",
            Self::NotFinite { .. } => "METRIC_NOT_FINITE",
            Self::NotAProbability { .. } => "METRIC_NOT_A_PROBABILITY",
            Self::SingleClass { .. } => "SINGLE_CLASS",
            Self::TooFewForVariance { .. } => "TOO_FEW_FOR_VARIANCE",
            Self::TooManyRows { .. } => "TOO_MANY_ROWS",
            Self::TooFewReplicates { .. } => "TOO_FEW_REPLICATES",
        }
    }
}

/// Lengths, finiteness, both classes: what every metric needs. Returns (goods, bads).
fn check(score: &[f64], bad: &[bool]) -> Result<(usize, usize), MetricError> {
    if score.len() != bad.len() {
        return Err(MetricError::Length {
            scores: score.len(),
            labels: bad.len(),
        });
    }
    if let Some(row) = first_not_finite(score) {
        return Err(MetricError::NotFinite { row });
    }
    let bads = bad.iter().filter(|b| **b).count();
    let goods = bad.len() - bads;
    if goods == 0 || bads == 0 {
        return Err(MetricError::SingleClass { goods, bads });
    }
    Ok((goods, bads))
}

/// As [`check`], and every score is a probability.
fn check_probabilities(pd: &[f64], bad: &[bool]) -> Result<(usize, usize), MetricError> {
    let counts = check(pd, bad)?;
    match pd.iter().position(|p| !(0.0..=1.0).contains(p)) {
        Some(row) => Err(MetricError::NotAProbability {
            row,
            value: pd[row],
        }),
        None => Ok(counts),
    }
}

#[cfg(test)]
mod tests;
