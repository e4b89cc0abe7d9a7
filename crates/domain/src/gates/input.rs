//! What the gates look at, and the part of the holdout that counts.

use thiserror::Error;

use crate::card::{PdLink, Scorecard};
use crate::matrix::Matrix;

/// Both cards with the rows to judge them on. Rows of one kind share their order; labels are matured by construction,
/// since no label is made before its window has passed.
#[derive(Debug, Clone, Copy)]
pub struct GateInput<'a> {
    /// The active card and its link; a card that stores none takes [`crate::refine::fit_link`] on the training rows.
    pub champion: &'a Scorecard,
    pub champion_link: Option<PdLink>,
    pub challenger: &'a Scorecard,
    /// Scaled factors of the training rows, challenger card order.
    pub train: Matrix<'a>,
    pub train_raw: &'a [f64],
    /// Which training labels are observed ones, and the rows' weights (`None`: all 1).
    pub train_observed: &'a [bool],
    pub train_weights: Option<&'a [f64]>,
    /// Scaled factors of the holdout rows, challenger card order.
    pub holdout: Matrix<'a>,
    pub holdout_bad: &'a [bool],
    pub holdout_observed: &'a [bool],
    pub holdout_champion_raw: &'a [f64],
    pub holdout_challenger_raw: &'a [f64],
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GateError {
    #[error("{what} has {got} entries where {expected} are needed")]
    Length {
        what: &'static str,
        got: usize,
        expected: usize,
    },
    #[error("entry {row} of {what} is not a finite number")]
    NotFinite { what: &'static str, row: usize },
    #[error("entry {row} of train_weights is negative")]
    NegativeWeight { row: usize },
    #[error("there are no {what} rows to judge a card on")]
    Empty { what: &'static str },
}

impl GateInput<'_> {
    pub(super) fn check(&self) -> Result<(), GateError> {
        let factors = self.challenger.factors().len();
        let (train, holdout) = (self.train.rows(), self.holdout.rows());
        let weights = self.train_weights.map_or(train, <[f64]>::len);
        for (what, got, expected) in [
            ("a training row", self.train.columns(), factors),
            ("a holdout row", self.holdout.columns(), factors),
            ("train_raw", self.train_raw.len(), train),
            ("train_observed", self.train_observed.len(), train),
            ("train_weights", weights, train),
            ("holdout_bad", self.holdout_bad.len(), holdout),
            ("holdout_observed", self.holdout_observed.len(), holdout),
            (
                "holdout_champion_raw",
                self.holdout_champion_raw.len(),
                holdout,
            ),
            (
                "holdout_challenger_raw",
                self.holdout_challenger_raw.len(),
                holdout,
            ),
        ] {
            if got != expected {
                return Err(GateError::Length {
                    what,
                    got,
                    expected,
                });
            }
        }
        for (what, rows) in [("training", train), ("holdout", holdout)] {
            if rows == 0 {
                return Err(GateError::Empty { what });
            }
        }
        for (what, values) in [
            ("train_raw", self.train_raw),
            ("train_weights", self.train_weights.unwrap_or_default()),
            ("holdout_champion_raw", self.holdout_champion_raw),
            ("holdout_challenger_raw", self.holdout_challenger_raw),
        ] {
            if let Some(row) = values.iter().position(|v| !v.is_finite()) {
                return Err(GateError::NotFinite { what, row });
            }
        }
        let weights = self.train_weights.unwrap_or_default();
        match weights.iter().position(|weight| *weight < 0.0) {
            Some(row) => Err(GateError::NegativeWeight { row }),
            None => Ok(()),
        }
    }
}

/// The holdout's observed rows: no gate uses another label.
#[derive(Debug)]
pub(super) struct Observed {
    /// Row numbers in the whole holdout.
    pub(super) rows: Vec<usize>,
    pub(super) bad: Vec<bool>,
    pub(super) champion_raw: Vec<f64>,
    pub(super) challenger_raw: Vec<f64>,
}

impl Observed {
    pub(super) fn of(input: &GateInput<'_>) -> Self {
        let rows: Vec<usize> = (0..input.holdout.rows())
            .filter(|&row| input.holdout_observed[row])
            .collect();
        let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        Self {
            bad: rows.iter().map(|&row| input.holdout_bad[row]).collect(),
            champion_raw: pick(input.holdout_champion_raw),
            challenger_raw: pick(input.holdout_challenger_raw),
            rows,
        }
    }

    pub(super) fn bads(&self) -> usize {
        self.bad.iter().filter(|bad| **bad).count()
    }

    pub(super) fn goods(&self) -> usize {
        self.bad.len() - self.bads()
    }

    /// Why a gate that needs observed outcomes cannot be judged, if it cannot.
    pub(super) fn missing(&self) -> Option<String> {
        self.rows
            .is_empty()
            .then(|| "the holdout has no observed outcome".to_owned())
    }
}
