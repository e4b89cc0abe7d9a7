//! Scores that already exist: how good one is, and whether one is better than another on the same rows.

use kycc_domain::metrics::{PairedAuc, delong, paired_delong};
use serde::Serialize;

use crate::error::WorkbenchError;
use crate::measures::{Measure, MeasureOptions, Measures, from_delong, measure};
use crate::printable::printable;
use crate::sample::outcomes;
use crate::table::Table;

/// One score column against its outcomes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreReport {
    pub file: String,
    pub target: String,
    pub score: String,
    pub higher_is_better: bool,
    pub metrics: Measures,
    pub notices: Vec<String>,
}

/// Two score columns on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub file: String,
    pub target: String,
    pub rows: usize,
    pub bads: usize,
    pub a: NamedAuc,
    pub b: NamedAuc,
    /// AUC of b minus that of a.
    pub delta: Measure,
    pub standard_error: f64,
    /// Two-sided, of "no difference" (paired DeLong).
    pub p_value: f64,
    pub higher_is_better: bool,
    pub notices: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedAuc {
    pub score: String,
    pub auc: Measure,
}

/// Measures a score. Higher is more likely bad, unless `higher_is_better`; then its sign is turned for the ranking
/// metrics, and a score of probabilities is read as that of good.
pub fn measure_scores(
    table: &Table,
    target: &str,
    score: &str,
    higher_is_better: bool,
    options: &MeasureOptions,
) -> Result<ScoreReport, WorkbenchError> {
    let bad = outcomes(table, target)?;
    let oriented = oriented(table, score, higher_is_better)?;
    let metrics = measure(table.source(), &oriented, &bad, options)?;
    let mut notices = table.notices().to_vec();
    if metrics.probability.is_none() {
        notices.push(format!(
            "{} is not all between 0 and 1, so there is no calibration, Brier or log-loss",
            printable(score)
        ));
    }
    notices.extend(reversed(score, metrics.auc.value));
    Ok(ScoreReport {
        file: table.source().to_owned(),
        target: target.to_owned(),
        score: score.to_owned(),
        higher_is_better,
        metrics,
        notices,
    })
}

/// Compares the AUCs of two scores on the same rows.
pub fn compare_scores(
    table: &Table,
    target: &str,
    a: &str,
    b: &str,
    higher_is_better: bool,
) -> Result<Comparison, WorkbenchError> {
    let bad = outcomes(table, target)?;
    let first = oriented(table, a, higher_is_better)?;
    let second = oriented(table, b, higher_is_better)?;
    let failed = |cause| WorkbenchError::Metric {
        file: table.source().to_owned(),
        cause,
    };
    let paired: PairedAuc = paired_delong(&first, &second, &bad).map_err(failed)?;
    let alone = |name: &str, score: &[f64]| -> Result<NamedAuc, WorkbenchError> {
        let estimate = delong(score, &bad).map_err(failed)?;
        Ok(NamedAuc {
            score: name.to_owned(),
            auc: from_delong(estimate.auc, Some(estimate)),
        })
    };
    let (a, b) = (alone(a, &first)?, alone(b, &second)?);
    let mut notices = table.notices().to_vec();
    for side in [&a, &b] {
        notices.extend(reversed(&side.score, side.auc.value));
    }
    Ok(Comparison {
        file: table.source().to_owned(),
        target: target.to_owned(),
        rows: bad.len(),
        bads: bad.iter().filter(|bad| **bad).count(),
        a,
        b,
        delta: Measure {
            value: paired.delta,
            lower: Some(paired.lower),
            upper: Some(paired.upper),
        },
        standard_error: paired.variance.sqrt(),
        p_value: paired.p_value,
        higher_is_better,
        notices,
    })
}

/// The score with higher values for bad.
fn oriented(table: &Table, name: &str, higher_is_better: bool) -> Result<Vec<f64>, WorkbenchError> {
    let score = table.complete_numbers(name)?;
    if !higher_is_better {
        return Ok(score.to_vec());
    }
    let probabilities = score.iter().all(|p| (0.0..=1.0).contains(p));
    let turn = |v: &f64| if probabilities { 1.0 - v } else { -v };
    Ok(score.iter().map(turn).collect())
}

fn reversed(score: &str, auc: f64) -> Option<String> {
    (auc < 0.5).then(|| {
        format!(
            "{} ranks bad rows lower than good ones; if higher means better, say --higher-is-better",
            printable(score)
        )
    })
}
