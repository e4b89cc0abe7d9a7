//! Rows in, a judged model out.

use kycc_domain::card::Scorecard;
use kycc_domain::logistic::{LogisticError, RawModel};
use kycc_domain::matrix::{Matrix, MatrixError};
use kycc_domain::metrics::MetricError;
use kycc_domain::split::{Insufficient, Split, folds, split};

use super::config::Config;
use super::factors::{FactorError, reports};
use super::fitting::{Fitted, fitted};
use super::judge::judge;
use super::model::{Learned, ModelStatus, Part};
use super::rows::{LabelledRow, Sample, split_rows};

/// What came of the rows. `split` says which of them trained; nobody did where the rows were insufficient.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: ModelStatus,
    pub(crate) note: String,
    pub(crate) train: Part,
    pub(crate) holdout: Part,
    pub(crate) learned: Option<Learned>,
    pub(crate) split: Option<Split>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TrainError {
    #[error("the training rows make no matrix")]
    Matrix(#[source] MatrixError),
    #[error("the model could not be fitted")]
    Fit(#[source] LogisticError),
    #[error(
        "factors {features} determine each other, so that without a penalty their coefficients cannot be told apart; \
         use penalty l2"
    )]
    Collinear { features: String },
    #[error("the factors could not be looked at one by one")]
    Factors(#[source] FactorError),
    #[error("the model could not be judged on the holdout")]
    Judge(#[source] MetricError),
}

impl TrainError {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Matrix(_) => "FACTORS_UNREADABLE",
            Self::Fit(error) => error.reason(),
            Self::Collinear { .. } => "FIT_COLLINEAR",
            Self::Factors(error) => error.reason(),
            Self::Judge(error) => error.reason(),
        }
    }
}

/// Splits, fits on the one part, judges on the other.
pub(crate) fn train(
    rows: &[LabelledRow],
    card: &Scorecard,
    config: &Config,
) -> Result<Outcome, TrainError> {
    let candidates = split_rows(rows);
    let mut split = match split(&candidates, config.seed, config.min_samples) {
        Ok(split) => split,
        Err(reason) => return Ok(insufficient(&reason)),
    };
    let compiled = card.compile();
    let sample = Sample::of(rows, split.train.iter().copied(), &compiled);
    let matrix =
        Matrix::new(&sample.factors, compiled.factor_count()).map_err(TrainError::Matrix)?;
    let folds = || folds(&candidates, &split.train, config.seed);
    let Fitted {
        fit,
        shrunk_to_expert,
        c_search,
    } = fitted(card, config, matrix, &sample, folds).map_err(|error| named(error, card))?;
    let factors = reports(card, rows, &split.train, &sample, matrix, &fit.coefficients)
        .map_err(TrainError::Factors)?;

    keep_observed(rows, &mut split.holdout);
    let held = Sample::of(rows, split.holdout.iter().copied(), &compiled);
    let raw = fit.raw_model();
    let count = compiled.factor_count();
    let pd: Vec<f64> = held
        .factors
        .chunks_exact(count)
        .map(|row| raw.pd(row))
        .collect();
    let both = held.bads() > 0 && held.bads() < held.rows();
    let judged = both
        .then(|| judge(&pd, &held.bad, config.seed))
        .transpose()
        .map_err(TrainError::Judge)?;
    let (status, note) = standing(&held);
    let (metrics, bootstrap, curves) = judged.map_or((None, None, None), |judged| {
        (Some(judged.metrics), judged.bootstrap, Some(judged.curves))
    });
    Ok(Outcome {
        status,
        note: note.to_owned(),
        train: part(&sample),
        holdout: part(&held),
        learned: Some(Learned {
            separable: separates(&raw, matrix, &sample.bad),
            fit,
            split: split.kind,
            shrunk_to_expert,
            c_search,
            factors,
            metrics,
            bootstrap,
            curves,
            roc: Vec::new(),
            calibration: Vec::new(),
        }),
        split: Some(split),
    })
}

/// Columns by the names of their features.
fn named(error: LogisticError, card: &Scorecard) -> TrainError {
    match error {
        LogisticError::Collinear { columns } => {
            let names = columns
                .iter()
                .map(|&column| card.factors()[column].feature.as_str());
            TrainError::Collinear {
                features: names.collect::<Vec<_>>().join(", "),
            }
        }
        other => TrainError::Fit(other),
    }
}

/// A holdout of both kinds keeps its observed rows only; without both classes among them there is only the rest.
fn keep_observed(rows: &[LabelledRow], holdout: &mut Vec<usize>) {
    let observed: Vec<usize> = holdout
        .iter()
        .copied()
        .filter(|&row| rows[row].observed)
        .collect();
    let has = |bad: bool| observed.iter().any(|&row| rows[row].bad == bad);
    if has(true) && has(false) {
        *holdout = observed;
    }
}

/// Every bad row has higher odds than every good one.
fn separates(model: &RawModel, rows: Matrix<'_>, bad: &[bool]) -> bool {
    let (mut highest_good, mut lowest_bad) = (f64::NEG_INFINITY, f64::INFINITY);
    for (row, is_bad) in rows.iter().zip(bad) {
        let logit = model.logit(row);
        if *is_bad {
            lowest_bad = lowest_bad.min(logit);
        } else {
            highest_good = highest_good.max(logit);
        }
    }
    highest_good < lowest_bad
}

fn standing(held: &Sample) -> (ModelStatus, &'static str) {
    let pairs = held.bad.iter().zip(&held.observed);
    let observed_bads = pairs.filter(|(bad, observed)| **bad && **observed).count();
    if held.bads() == 0 || held.bads() == held.rows() {
        let note = "the holdout holds one class only, so the model cannot be judged on it";
        (ModelStatus::Bootstrap, note)
    } else if observed_bads == 0 {
        let note = "no observed bad in the holdout: the figures say how well the model repeats the scorecard";
        (ModelStatus::Bootstrap, note)
    } else {
        (ModelStatus::Trained, "")
    }
}

fn insufficient(reason: &Insufficient) -> Outcome {
    Outcome {
        status: ModelStatus::Insufficient,
        note: format!("Low sample count: {reason}"),
        train: Part::default(),
        holdout: Part::default(),
        learned: None,
        split: None,
    }
}

fn part(sample: &Sample) -> Part {
    Part {
        rows: sample.rows(),
        bads: sample.bads(),
        observed_share: sample.observed_share(),
    }
}

#[cfg(test)]
mod tests;
