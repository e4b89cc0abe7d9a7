//! What a model card is told: plain facts that whoever trained and refined has at hand.

use serde::{Deserialize, Serialize};

use crate::gates::Gate;
use crate::logistic::LogisticFit;
use crate::metrics::{BootstrapIntervals, HoldoutMetrics, Interval};
use crate::split::SplitKind;

/// The rows behind the model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DataFacts {
    pub batches: Vec<String>,
    /// First and last as-of of the rows, RFC 3339.
    pub as_of_from: Option<String>,
    pub as_of_to: Option<String>,
    pub split: Option<SplitKind>,
    pub train: PartFacts,
    pub holdout: PartFacts,
    /// Of the training rows as they were read.
    pub dataset_digest: Option<String>,
    pub code_version: Option<String>,
}

/// One side of the split.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct PartFacts {
    pub rows: usize,
    pub bads: usize,
    /// Share of its weight that observed labels carry, 0 to 1.
    pub observed_share: f64,
}

/// What counts as bad, and who says so.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LabelFacts {
    /// `observed`, `scorecard` or `blended`, with its version where it has one.
    pub policy: Option<String>,
    pub window_days: Option<u32>,
    /// RFC 3339.
    pub data_cut: Option<String>,
    pub mix: Vec<LabelCount>,
    /// Rows that got no label, by why: `immature`, `indeterminate`, `excluded`.
    pub unlabelled: Vec<(String, usize)>,
}

/// Labels of one source, over both sides of the split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelCount {
    pub source: String,
    pub rows: usize,
    pub bads: usize,
    /// Of each row in training, where it is one number.
    pub weight: Option<f64>,
}

/// The logistic model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Why to be wary of it; empty where there is nothing to say.
    pub note: String,
    /// Of the standardised model.
    pub intercept: f64,
    pub intercept_standard_error: Option<f64>,
    pub coefficients: Vec<Coefficient>,
    /// Inverse strength of the penalty.
    pub c: f64,
    /// Multiple of the expert's weights that the penalty pulls to; absent where it pulls to 0.
    pub kappa: Option<f64>,
    pub iterations: usize,
    pub converged: bool,
}

/// One factor in the model. A negative coefficient says: more of it, less risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    pub feature: String,
    /// Of the scaled factor over the training rows.
    pub mean: f64,
    pub sd: f64,
    /// Per standard deviation.
    pub standardised: f64,
    pub standard_error: Option<f64>,
    /// Over the factor's whole range from 0 to 1.
    pub over_range: f64,
    pub vif: Option<f64>,
}

/// One figure with its 95 % interval, where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    pub name: String,
    pub value: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub by: String,
    /// RFC 3339.
    pub at: String,
    pub reason: String,
    /// The notes that gates wanted.
    pub notes: Vec<GateNote>,
    /// The approver is also the author.
    pub self_approved: bool,
}

/// What the approver says to a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateNote {
    pub gate: Gate,
    pub note: String,
}

impl PartFacts {
    pub fn bad_rate(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.bads as f64 / self.rows as f64)
    }
}

impl ModelFacts {
    /// From a fit over `features`, its columns in order; `vif` one per column, or empty where nobody worked it out.
    pub fn of(features: &[String], fit: &LogisticFit, vif: &[Option<f64>], note: &str) -> Self {
        let raw = fit.raw_model();
        let coefficients = features
            .iter()
            .enumerate()
            .zip(fit.coefficients.iter().zip(&raw.slopes))
            .map(
                |((column, feature), (standardised, over_range))| Coefficient {
                    feature: feature.clone(),
                    mean: fit.standardiser.mean[column],
                    sd: fit.standardiser.sd[column],
                    standardised: *standardised,
                    standard_error: fit.standard_errors.get(column).copied().flatten(),
                    over_range: *over_range,
                    vif: vif.get(column).copied().flatten(),
                },
            );
        Self {
            note: note.to_owned(),
            intercept: fit.intercept,
            intercept_standard_error: fit.intercept_standard_error,
            coefficients: coefficients.collect(),
            c: fit.c,
            kappa: fit.kappa.map(|kappa| kappa.value),
            iterations: fit.iterations,
            converged: fit.converged,
        }
    }

    /// Coefficients other than 0, which is what events per variable are counted against.
    pub(super) fn free(&self) -> usize {
        let free = |c: &&Coefficient| c.standardised != 0.0;
        self.coefficients.iter().filter(free).count()
    }
}

impl Metric {
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self {
            name: name.into(),
            value,
            lower: None,
            upper: None,
        }
    }

    pub fn within(self, lower: f64, upper: f64) -> Self {
        Self {
            lower: Some(lower),
            upper: Some(upper),
            ..self
        }
    }
}

/// The registry's scalar metrics as rows, intervals where it has them: DeLong's of the AUC, bootstrap ones of others.
pub fn holdout_metrics(of: &HoldoutMetrics, bootstrap: Option<&BootstrapIntervals>) -> Vec<Metric> {
    let with = |metric: Metric, interval: Option<(f64, f64)>| match interval {
        Some((lower, upper)) => metric.within(lower, upper),
        None => metric,
    };
    let auc = of.auc_interval.map(|e| (e.lower, e.upper));
    // Gini is 2·AUC − 1, and so are its bounds.
    let gini = auc.map(|(lower, upper)| (2.0 * lower - 1.0, 2.0 * upper - 1.0));
    let drawn = |pick: fn(&BootstrapIntervals) -> Option<Interval>| {
        let interval = bootstrap.and_then(pick)?;
        Some((interval.lower, interval.upper))
    };
    let mut metrics = vec![
        with(Metric::new("AUC", of.auc), auc),
        with(Metric::new("Gini", of.gini), gini),
        with(Metric::new("KS", of.ks), drawn(|of| Some(of.ks))),
        with(
            Metric::new("average precision", of.average_precision),
            drawn(|of| Some(of.average_precision)),
        ),
        with(Metric::new("Brier", of.brier), drawn(|of| of.brier)),
        with(
            Metric::new("log-loss", of.log_loss),
            drawn(|of| of.log_loss),
        ),
        Metric::new("expected calibration error", of.expected_calibration_error),
        Metric::new("lift of the riskiest tenth", of.lift_top_tenth),
    ];
    if let Some(line) = of.calibration {
        metrics.push(Metric::new("calibration slope", line.slope));
        metrics.push(Metric::new("calibration intercept", line.intercept));
    }
    metrics
}
