//! Rows in, a judged model out.

use kycc_domain::card::Scorecard;
use kycc_domain::catalogue::Direction;
use kycc_domain::logistic::{
    ClassWeights, DEFAULT_C_GRID, FitOptions, LogisticError, Penalty, SignBound, fit, search_c,
    shrinks_by_default,
};
use kycc_domain::matrix::{Matrix, MatrixError};
use kycc_domain::metrics::{MetricError, Ranking, calibration_bins, evaluate};
use kycc_domain::split::{Insufficient, Split, folds, split};
use kycc_domain::standardise::Standardiser;
use serde::{Deserialize, Serialize};

use super::model::{Learned, ModelStatus, Part};
use super::rows::{LabelledRow, Sample, split_rows};

/// Predicted bad from this probability on.
const CUTOFF: f64 = 0.5;
/// Points of the ROC curve that are kept.
const ROC_POINTS: usize = 200;

/// See the asset's config schema in the pipeline definitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) min_samples: usize,
    pub(crate) c: f64,
    pub(crate) c_search: bool,
    pub(crate) balanced: bool,
    pub(crate) sign_constraints: bool,
    pub(crate) shrink_to_expert: Shrink,
    pub(crate) seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shrink {
    /// While training bads are few for the number of factors.
    Auto,
    Always,
    Never,
}

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
    #[error("the model could not be judged on the holdout")]
    Judge(#[source] MetricError),
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
    let shrink = match config.shrink_to_expert {
        Shrink::Always => true,
        Shrink::Never => false,
        Shrink::Auto => {
            let usable = Standardiser::learn(matrix, &sample.weights).usable_columns();
            shrinks_by_default(sample.bads(), usable)
        }
    };
    let mut options = options(card, config, shrink);
    let mut searched = None;
    if config.c_search {
        let folds = folds(&candidates, &split.train, config.seed);
        let weights = Some(&sample.weights[..]);
        let found = search_c(
            matrix,
            &sample.bad,
            weights,
            &folds,
            &DEFAULT_C_GRID,
            &options,
        )
        .map_err(TrainError::Fit)?;
        options.c = found.c;
        searched = Some(found);
    }
    let fitted =
        fit(matrix, &sample.bad, Some(&sample.weights), &options).map_err(TrainError::Fit)?;

    // A holdout of both kinds keeps its observed rows only; without both classes among them there is only the rest.
    let observed: Vec<usize> = split
        .holdout
        .iter()
        .copied()
        .filter(|&row| rows[row].observed)
        .collect();
    let has = |which: &[usize], bad: bool| which.iter().any(|&row| rows[row].bad == bad);
    if has(&observed, true) && has(&observed, false) {
        split.holdout = observed;
    }
    let held = Sample::of(rows, split.holdout.iter().copied(), &compiled);
    let observed_bads = held
        .bad
        .iter()
        .zip(&held.observed)
        .filter(|(bad, observed)| **bad && **observed)
        .count();
    let raw = fitted.raw_model();
    let count = compiled.factor_count();
    let pd: Vec<f64> = held
        .factors
        .chunks_exact(count)
        .map(|row| raw.pd(row))
        .collect();
    let both = held.bads() > 0 && held.bads() < held.rows();
    let (metrics, roc, calibration) = if both {
        (
            Some(evaluate(&pd, &held.bad, CUTOFF).map_err(TrainError::Judge)?),
            Ranking::new(&pd, &held.bad)
                .map_err(TrainError::Judge)?
                .roc(ROC_POINTS),
            calibration_bins(&pd, &held.bad).map_err(TrainError::Judge)?,
        )
    } else {
        (None, Vec::new(), Vec::new())
    };
    let learned = Learned {
        metrics,
        roc,
        calibration,
        fit: fitted,
        split: split.kind,
        shrunk_to_expert: shrink,
        c_search: searched,
    };
    let (status, note) = if !both {
        let note = "the holdout holds one class only, so the model cannot be judged on it";
        (ModelStatus::Bootstrap, note.to_owned())
    } else if observed_bads == 0 {
        let note = "no observed bad in the holdout: the figures say how well the model repeats the scorecard";
        (ModelStatus::Bootstrap, note.to_owned())
    } else {
        (ModelStatus::Trained, String::new())
    };
    Ok(Outcome {
        status,
        note,
        train: part(&sample),
        holdout: part(&held),
        learned: Some(learned),
        split: Some(split),
    })
}

fn options(card: &Scorecard, config: &Config, shrink: bool) -> FitOptions {
    let bound = |direction| match direction {
        Direction::HigherIsBetter => SignBound::NonPositive,
        Direction::LowerIsBetter => SignBound::NonNegative,
    };
    FitOptions {
        penalty: Penalty::L2,
        c: config.c,
        signs: if config.sign_constraints {
            card.specs().map(|spec| bound(spec.direction)).collect()
        } else {
            Vec::new()
        },
        expert_weights: shrink.then(|| card.factors().iter().map(|factor| factor.weight).collect()),
        class_weights: if config.balanced {
            ClassWeights::Balanced
        } else {
            ClassWeights::Off
        },
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
