//! The four counts of a yes-or-no decision at a cut-off.

use serde::{Deserialize, Serialize};

use super::{MetricError, check};

/// Counts when `p ≥ cutoff` is called bad; "true" means called rightly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    pub cutoff: f64,
    pub true_bad: usize,
    pub false_bad: usize,
    pub true_good: usize,
    pub false_good: usize,
}

impl Confusion {
    pub fn at(cutoff: f64, score: &[f64], bad: &[bool]) -> Result<Self, MetricError> {
        check(score, bad)?;
        let count = |called: bool, is: bool| {
            score
                .iter()
                .zip(bad)
                .filter(|(p, b)| (**p >= cutoff) == called && **b == is)
                .count()
        };
        Ok(Self {
            cutoff,
            true_bad: count(true, true),
            false_bad: count(true, false),
            true_good: count(false, false),
            false_good: count(false, true),
        })
    }

    pub fn accuracy(&self) -> f64 {
        let right = self.true_bad + self.true_good;
        right as f64 / (right + self.false_bad + self.false_good) as f64
    }

    /// Share of the bad that are called bad.
    pub fn recall(&self) -> f64 {
        self.true_bad as f64 / (self.true_bad + self.false_good) as f64
    }

    /// Share of those called bad that are; `None` when nobody is called bad.
    pub fn precision(&self) -> Option<f64> {
        let called = self.true_bad + self.false_bad;
        (called > 0).then(|| self.true_bad as f64 / called as f64)
    }
}
