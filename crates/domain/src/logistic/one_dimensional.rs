//! The unpenalised logistic fit of "bad" on one number: the link from a card's raw points to a PD, κ, and the
//! calibration line. Data that a threshold separates has no finite fit; that is an error, found exactly beforehand.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::pass::Problem;
use super::{SignBound, newton, sigmoid};
use crate::blocks::Standardised;
use crate::matrix::{Matrix, first_not_finite};
use crate::standardise::Standardiser;

/// `logit P(bad) = intercept + slope·x`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogitLine {
    pub intercept: f64,
    pub slope: f64,
}

/// Why no finite line exists.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    #[error("{what} has {got} entries where {expected} are needed")]
    Length {
        what: &'static str,
        got: usize,
        expected: usize,
    },
    #[error("value {row} is not a finite number")]
    NotFinite { row: usize },
    #[error("only one class carries weight; a fit needs good and bad rows")]
    SingleClass,
    #[error("all values are equal; a slope cannot be told")]
    Constant,
    #[error("a threshold separates good from bad; the unpenalised fit is infinite")]
    Separable {
        /// Larger values are bad (an infinite positive slope).
        bad_is_high: bool,
    },
    #[error("the fit did not reach its gradient tolerance")]
    NotConverged,
}

impl LineError {
    /// Stable name of the error's kind.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Length { .. } => "LINE_LENGTH",
            Self::NotFinite { .. } => "LINE_NOT_FINITE",
            Self::SingleClass => "SINGLE_CLASS",
            Self::Constant => "LINE_CONSTANT",
            Self::Separable { .. } => "LINE_SEPARABLE",
            Self::NotConverged => "LINE_NOT_CONVERGED",
        }
    }
}

impl LogitLine {
    pub fn pd(&self, x: f64) -> f64 {
        sigmoid(self.intercept + self.slope * x)
    }
}

/// Fits the line; `weights` is one per row and non-negative, `None` weighs every row 1.
pub fn fit_line(x: &[f64], bad: &[bool], weights: Option<&[f64]>) -> Result<LogitLine, LineError> {
    let ones;
    let weights = match weights {
        Some(weights) => weights,
        None => {
            ones = vec![1.0; x.len()];
            &ones
        }
    };
    check(x, bad, weights)?;
    // `check` leaves nothing for the matrix to refuse.
    let rows = Matrix::new(x, 1).map_err(|_| LineError::NotFinite { row: 0 })?;
    let standardiser = Standardiser::learn(rows, weights);
    let inverse_sd = standardiser.inverse_sd();
    let problem = Problem {
        rows: Standardised {
            rows,
            mean: &standardiser.mean,
            inverse_sd: &inverse_sd,
        },
        bad,
        weights,
        centre: &[0.0],
        penalty: 0.0,
    };
    let minimum = newton::minimise(&problem, &[SignBound::Free; 2], vec![0.0; 2])
        .map_err(|_| LineError::NotConverged)?;
    if !minimum.converged {
        return Err(LineError::NotConverged);
    }
    let slope = minimum.theta[0] * inverse_sd[0];
    Ok(LogitLine {
        intercept: minimum.theta[1] - slope * standardiser.mean[0],
        slope,
    })
}

/// Lengths, finiteness, both classes, and the overlap without which the likelihood has no maximum.
fn check(x: &[f64], bad: &[bool], weights: &[f64]) -> Result<(), LineError> {
    for (what, got) in [("labels", bad.len()), ("weights", weights.len())] {
        if got != x.len() {
            return Err(LineError::Length {
                what,
                got,
                expected: x.len(),
            });
        }
    }
    if let Some(row) = first_not_finite(x) {
        return Err(LineError::NotFinite { row });
    }
    let range = |class: bool| {
        x.iter()
            .zip(bad)
            .zip(weights)
            .filter(|((_, bad), w)| **bad == class && **w > 0.0)
            .fold(
                (f64::INFINITY, f64::NEG_INFINITY),
                |(low, high), ((v, _), _)| (low.min(*v), high.max(*v)),
            )
    };
    let ((good_low, good_high), (bad_low, bad_high)) = (range(false), range(true));
    if good_low > good_high || bad_low > bad_high {
        Err(LineError::SingleClass)
    } else if good_low.min(bad_low) == good_high.max(bad_high) {
        Err(LineError::Constant)
    } else if good_high <= bad_low || bad_high <= good_low {
        Err(LineError::Separable {
            bad_is_high: good_high <= bad_low,
        })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_cells_recover_their_log_odds() {
        // x = 0: 1 bad of 4; x = 600: 2 bad of 3.
        let x = [0.0, 0.0, 0.0, 0.0, 600.0, 600.0, 600.0];
        let bad = [true, false, false, false, true, true, false];
        let line = fit_line(&x, &bad, None).unwrap();
        assert!((line.intercept - (1.0f64 / 3.0).ln()).abs() < 1e-9);
        assert!((line.pd(600.0) - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn separated_data_says_on_which_side_the_bad_lie() {
        let x = [1.0, 2.0, 2.0, 3.0];
        let up = fit_line(&x, &[false, false, true, true], None);
        assert_eq!(up.unwrap_err(), LineError::Separable { bad_is_high: true });
        let down = fit_line(&x, &[true, true, false, false], None);
        assert_eq!(
            down.unwrap_err(),
            LineError::Separable { bad_is_high: false }
        );
    }

    #[test]
    fn single_class_and_constant_values_have_no_line() {
        assert_eq!(
            fit_line(&[1.0, 2.0], &[true, true], None).unwrap_err(),
            LineError::SingleClass
        );
        assert_eq!(
            fit_line(&[1.0, 1.0], &[true, false], None).unwrap_err(),
            LineError::Constant
        );
        // The one bad row has no weight.
        assert_eq!(
            fit_line(
                &[1.0, 2.0, 3.0],
                &[false, true, false],
                Some(&[1.0, 0.0, 1.0])
            )
            .unwrap_err(),
            LineError::SingleClass
        );
    }

    proptest! {
        #[test]
        fn fitted_line_balances_the_score_equations(
            x in prop::collection::vec(300.0f64..900.0, 12..60),
            coins in prop::collection::vec(any::<bool>(), 60),
        ) {
            let bad = &coins[..x.len()];
            if let Ok(line) = fit_line(&x, bad, None) {
                let residual: Vec<f64> =
                    x.iter().zip(bad).map(|(x, b)| line.pd(*x) - f64::from(u8::from(*b))).collect();
                let level: f64 = residual.iter().sum();
                let tilt: f64 = residual.iter().zip(&x).map(|(r, x)| r * (x - 600.0) / 300.0).sum();
                prop_assert!(level.abs() < 1e-6 && tilt.abs() < 1e-6, "{level} {tilt}");
            }
        }
    }
}
