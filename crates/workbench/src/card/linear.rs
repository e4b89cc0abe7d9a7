//! The card of straight lines.

use kycc_domain::binning::PointScaling;
use serde::Serialize;

use crate::error::WorkbenchError;
use crate::fit::Fitted;

/// `score = base_points + Σ points = offset − factor·logit PD`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinearCard {
    pub scaling: PointScaling,
    pub factor: f64,
    pub offset: f64,
    /// The score of a row that is worst in every feature; under min-max the least score.
    pub base_points: f64,
    pub factors: Vec<LinearFactor>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinearFactor {
    pub feature: String,
    /// The end of the training range that gets 0 points.
    pub worst: f64,
    /// The end that gets `max_points`.
    pub best: f64,
    pub points_per_unit: f64,
    pub max_points: f64,
}

impl LinearCard {
    pub(super) fn of(fitted: &Fitted<'_>, scaling: PointScaling) -> Result<Self, WorkbenchError> {
        let model = &fitted.model;
        let ranges = ranges(fitted);
        // A feature that lowers the odds of good is worst where it is greatest.
        let ends: Vec<(f64, f64)> = ranges
            .iter()
            .zip(&model.slopes)
            .map(|(&(low, high), slope)| {
                if *slope > 0.0 {
                    (high, low)
                } else {
                    (low, high)
                }
            })
            .collect();
        let worst: Vec<f64> = ends.iter().map(|(worst, _)| *worst).collect();
        let worst_logit = model.logit(&worst);
        let range: f64 = ends
            .iter()
            .zip(&model.slopes)
            .map(|((worst, best), slope)| slope * (worst - best))
            .sum();
        if range <= 0.0 {
            return Err(WorkbenchError::Degenerate);
        }
        let (factor, offset, base_points) = match scaling {
            PointScaling::MinMax { base, max } => {
                let factor = (max - base) / range;
                (factor, base + factor * worst_logit, base)
            }
            PointScaling::Pdo { base, odds, pdo } => {
                let factor = pdo / std::f64::consts::LN_2;
                let offset = base - factor * odds.ln();
                (factor, offset, offset - factor * worst_logit)
            }
        };
        let factors = fitted
            .sample
            .features
            .iter()
            .zip(ends.iter().zip(&model.slopes))
            .map(|(feature, (&(worst, best), slope))| {
                // Adding 0 turns a negative zero into 0.
                let points_per_unit = -factor * slope + 0.0;
                LinearFactor {
                    feature: feature.clone(),
                    worst,
                    best,
                    points_per_unit,
                    max_points: points_per_unit * (best - worst) + 0.0,
                }
            })
            .collect();
        Ok(Self {
            scaling,
            factor,
            offset,
            base_points,
            factors,
        })
    }

    pub(super) fn points(&self, row: &[f64]) -> Vec<f64> {
        self.factors
            .iter()
            .zip(row)
            .map(|(factor, x)| factor.points_per_unit * (x - factor.worst) + 0.0)
            .collect()
    }

    pub(super) fn is_outside(&self, row: &[f64]) -> bool {
        self.factors.iter().zip(row).any(|(factor, x)| {
            let (low, high) = (factor.worst.min(factor.best), factor.worst.max(factor.best));
            !(low..=high).contains(x)
        })
    }
}

/// Least and greatest training value of each feature; rows of weight 0 train nothing.
fn ranges(fitted: &Fitted<'_>) -> Vec<(f64, f64)> {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let mut ranges = vec![none; fitted.design.columns];
    for (row, _) in fitted.sample.weighing() {
        for (range, x) in ranges.iter_mut().zip(fitted.design.row(row)) {
            *range = (range.0.min(*x), range.1.max(*x));
        }
    }
    ranges
}
