//! Metrics of probabilities: how far a PD is from what happened.

use serde::{Deserialize, Serialize};

use super::{MetricError, check_probabilities};
use crate::logistic::{LineError, LogitLine, fit_line};

/// Equal-width bins of the calibration curve and the ECE.
const BINS: usize = 10;

/// Probabilities are kept this far from 0 and 1 where a logarithm is taken.
const CLIP: f64 = 1e-15;

/// One bin of the calibration curve; `None` where no row falls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    pub low: f64,
    pub high: f64,
    pub rows: usize,
    pub mean_pd: Option<f64>,
    pub bad_rate: Option<f64>,
}

/// Mean squared error of the probabilities.
pub fn brier(pd: &[f64], bad: &[bool]) -> Result<f64, MetricError> {
    check_probabilities(pd, bad)?;
    let sum: f64 = pd
        .iter()
        .zip(bad)
        .map(|(p, b)| (p - outcome(*b)).powi(2))
        .sum();
    Ok(sum / pd.len() as f64)
}

/// Mean negative log-likelihood.
pub fn log_loss(pd: &[f64], bad: &[bool]) -> Result<f64, MetricError> {
    check_probabilities(pd, bad)?;
    let sum: f64 = pd
        .iter()
        .zip(bad)
        .map(|(p, b)| if *b { bad_loss(*p) } else { good_loss(*p) })
        .sum();
    Ok(sum / pd.len() as f64)
}

/// What a bad row with this PD adds to the log-loss.
pub(super) fn bad_loss(p: f64) -> f64 {
    -p.clamp(CLIP, 1.0 - CLIP).ln()
}

/// What a good row with this PD adds to the log-loss.
pub(super) fn good_loss(p: f64) -> f64 {
    -(-p.clamp(CLIP, 1.0 - CLIP)).ln_1p()
}

/// Ten equal-width bins `[low, high)`, the last closed.
pub fn calibration_bins(pd: &[f64], bad: &[bool]) -> Result<Vec<CalibrationBin>, MetricError> {
    check_probabilities(pd, bad)?;
    let mut sums = [(0usize, 0.0, 0usize); BINS];
    for (p, b) in pd.iter().zip(bad) {
        let bin = ((p * BINS as f64) as usize).min(BINS - 1);
        sums[bin].0 += 1;
        sums[bin].1 += p;
        sums[bin].2 += usize::from(*b);
    }
    Ok(sums
        .iter()
        .enumerate()
        .map(|(bin, &(rows, pd_sum, bads))| {
            let mean = |sum: f64| (rows > 0).then(|| sum / rows as f64);
            CalibrationBin {
                low: bin as f64 / BINS as f64,
                high: (bin + 1) as f64 / BINS as f64,
                rows,
                mean_pd: mean(pd_sum),
                bad_rate: mean(bads as f64),
            }
        })
        .collect())
}

/// Mean distance of bad rate and mean PD over the bins, weighted by their rows (ECE).
pub fn expected_calibration_error(pd: &[f64], bad: &[bool]) -> Result<f64, MetricError> {
    let bins = calibration_bins(pd, bad)?;
    let sum: f64 = bins
        .iter()
        .filter_map(|bin| Some(bin.rows as f64 * (bin.mean_pd? - bin.bad_rate?).abs()))
        .sum();
    Ok(sum / pd.len() as f64)
}

/// The logistic fit of the outcome on `logit PD` (Cox 1958): slope 1 and intercept 0 are perfect calibration. A PD that
/// is constant or separates the classes has no such line.
pub fn calibration_line(pd: &[f64], bad: &[bool]) -> Result<LogitLine, LineError> {
    let logits: Vec<f64> = pd
        .iter()
        .map(|p| p.clamp(CLIP, 1.0 - CLIP))
        .map(|p| p.ln() - (-p).ln_1p())
        .collect();
    fit_line(&logits, bad, None)
}

fn outcome(bad: bool) -> f64 {
    f64::from(u8::from(bad))
}
