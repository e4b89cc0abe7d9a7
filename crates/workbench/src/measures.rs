//! How good scores or probabilities are, each figure with its interval where one is defined.

use kycc_domain::logistic::LogitLine;
use kycc_domain::metrics::{
    AucEstimate, Confusion, Interval, Ranking, bootstrap, brier, calibration_line, delong,
    expected_calibration_error, log_loss,
};
use serde::Serialize;

use crate::error::WorkbenchError;
use crate::significant::exact;

/// How to measure. `Default` is what the rest of kycc does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeasureOptions {
    /// Predicted bad from this probability on.
    pub cutoff: f64,
    /// Replicates behind the bootstrap intervals; 0 leaves them out.
    pub replicates: usize,
    pub seed: u64,
}

impl Default for MeasureOptions {
    fn default() -> Self {
        Self {
            cutoff: kycc_domain::metrics::DEFAULT_CUTOFF,
            replicates: kycc_domain::metrics::BOOTSTRAP_REPLICATES,
            seed: 0,
        }
    }
}

/// The most replicates that may be asked for; beyond, an interval changes by less than the digits that are shown.
pub const MAX_REPLICATES: usize = 100_000;

/// A figure with its two-sided 95 % interval, where one is defined and was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measure {
    pub value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
}

/// The metrics of one set of rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measures {
    pub rows: usize,
    pub bads: usize,
    pub bad_rate: f64,
    /// With DeLong's interval.
    pub auc: Measure,
    pub gini: Measure,
    /// This and the others with percentile bootstrap intervals.
    pub ks: Measure,
    pub average_precision: Measure,
    pub lift_top_tenth: f64,
    /// Absent for scores that are no probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<ProbabilityMeasures>,
}

/// What only probabilities have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbabilityMeasures {
    pub mean_pd: f64,
    pub brier: Measure,
    pub log_loss: Measure,
    /// Slope 1 and intercept 0 are perfect; absent where the PD is constant or separates the classes.
    pub calibration: Option<LogitLine>,
    pub expected_calibration_error: f64,
    pub confusion: Confusion,
    pub accuracy: f64,
    pub recall: f64,
    /// Absent where nobody is predicted bad.
    pub precision: Option<f64>,
}

/// What [`called_bad`] answers, in words.
pub const CALLED_BAD: [&str; 2] = [
    "bad, of those called bad (precision)",
    "called bad, of the bad (recall)",
];

/// The counts behind precision and recall; `None` for scores that are no probabilities.
pub fn called_bad(measures: &Measures) -> Option<[String; 2]> {
    let seen = &measures.probability.as_ref()?.confusion;
    let called = seen.true_bad + seen.false_bad;
    let of = |all| format!("{} of {all} at PD ≥ {}", seen.true_bad, exact(seen.cutoff));
    Some([of(called), of(seen.true_bad + seen.false_good)])
}

/// Measures `score`, higher for bad, against outcomes. `file` names the source in errors.
pub(crate) fn measure(
    file: &str,
    score: &[f64],
    bad: &[bool],
    options: &MeasureOptions,
) -> Result<Measures, WorkbenchError> {
    let failed = |cause| WorkbenchError::Metric {
        file: file.to_owned(),
        cause,
    };
    if options.replicates > MAX_REPLICATES {
        return Err(WorkbenchError::BadOption {
            what: "--bootstrap",
            must: "at most 100000",
            got: options.replicates as f64,
        });
    }
    let ranking = Ranking::new(score, bad).map_err(failed)?;
    let intervals = match options.replicates {
        0 => None,
        replicates => Some(bootstrap(score, bad, replicates, options.seed).map_err(failed)?),
    };
    let with = |value: f64, interval: Option<Interval>| Measure {
        value,
        lower: interval.map(|i| i.lower),
        upper: interval.map(|i| i.upper),
    };
    let probability = if score.iter().all(|p| (0.0..=1.0).contains(p)) {
        let confusion = Confusion::at(options.cutoff, score, bad).map_err(failed)?;
        Some(ProbabilityMeasures {
            mean_pd: score.iter().sum::<f64>() / score.len() as f64,
            brier: with(
                brier(score, bad).map_err(failed)?,
                intervals.and_then(|i| i.brier),
            ),
            log_loss: with(
                log_loss(score, bad).map_err(failed)?,
                intervals.and_then(|i| i.log_loss),
            ),
            calibration: calibration_line(score, bad).ok(),
            expected_calibration_error: expected_calibration_error(score, bad).map_err(failed)?,
            confusion,
            accuracy: confusion.accuracy(),
            recall: confusion.recall(),
            precision: confusion.precision(),
        })
    } else {
        None
    };
    let bads = bad.iter().filter(|bad| **bad).count();
    // With one row of a class the variance is undefined, not the AUC.
    let auc = from_delong(ranking.auc(), delong(score, bad).ok());
    let doubled = |v: f64| 2.0 * v - 1.0;
    Ok(Measures {
        rows: bad.len(),
        bads,
        bad_rate: bads as f64 / bad.len() as f64,
        auc,
        gini: Measure {
            value: ranking.gini(),
            lower: auc.lower.map(doubled),
            upper: auc.upper.map(doubled),
        },
        ks: with(ranking.ks(), intervals.map(|i| i.ks)),
        average_precision: with(
            ranking.average_precision(),
            intervals.map(|i| i.average_precision),
        ),
        lift_top_tenth: ranking.lift_top_tenth(),
        probability,
    })
}

pub(crate) fn from_delong(value: f64, estimate: Option<AucEstimate>) -> Measure {
    Measure {
        value,
        lower: estimate.map(|e| e.lower),
        upper: estimate.map(|e| e.upper),
    }
}
