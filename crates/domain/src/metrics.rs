//! How well a score tells bad from good, and a probability tells how often. Scores are oriented: higher is more likely
//! bad (a card's raw points go in negated). Single-class input is an error, never NaN.

mod confusion;
mod delong;
mod probability;
mod ranking;
mod summary;

use thiserror::Error;

pub use confusion::Confusion;
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
}

/// Lengths, finiteness, both classes: what every metric needs. Returns (goods, bads).
fn check(score: &[f64], bad: &[bool]) -> Result<(usize, usize), MetricError> {
    if score.len() != bad.len() {
        return Err(MetricError::Length {
            scores: score.len(),
            labels: bad.len(),
        });
    }
    if let Some(row) = score.iter().position(|v| !v.is_finite()) {
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

/// Row numbers by ascending score.
fn ascending(score: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..score.len()).collect();
    order.sort_unstable_by(|&a, &b| score[a].total_cmp(&score[b]));
    order
}

#[cfg(test)]
mod tests;
