//! The centre of the shrink-to-expert penalty: κ times the expert card's weights, in the standardised space.

use super::Kappa;
use super::one_dimensional::{LineError, fit_line};
use super::pass::Problem;
use super::{LogisticError, SignBound, newton};
use crate::blocks::Standardised;
use crate::matrix::Matrix;
use crate::standardise::Standardiser;

/// Shrinking to the expert is the default while the training bads are fewer than ten per usable column.
pub fn shrinks_by_default(train_bads: usize, usable_columns: usize) -> bool {
    train_bads < 10 * usable_columns
}

/// `b_E,j = −w_j·sd_j`: a factor that earns points lowers the odds of bad.
pub(super) fn expert_direction(expert_weights: &[f64], standardiser: &Standardiser) -> Vec<f64> {
    expert_weights
        .iter()
        .zip(&standardiser.sd)
        .map(|(w, sd)| -w * sd)
        .collect()
}

/// κ ≥ 0 of the unpenalised fit of "bad" on `Σ b_E,j x_j`. Where that sum separates the classes κ would be infinite;
/// then it is fitted under the model's own penalty `‖κ b_E‖²/(2C)` instead.
pub(super) fn kappa(
    rows: Matrix<'_>,
    standardiser: &Standardiser,
    direction: &[f64],
    bad: &[bool],
    weights: &[f64],
    c: f64,
) -> Result<Kappa, LogisticError> {
    let inverse_sd = standardiser.inverse_sd();
    let sums: Vec<f64> = rows
        .iter()
        .map(|row| {
            (0..direction.len())
                .map(|j| direction[j] * (row[j] - standardiser.mean[j]) * inverse_sd[j])
                .sum()
        })
        .collect();
    match fit_line(&sums, bad, Some(weights)) {
        Ok(line) => Ok(Kappa {
            value: line.slope.max(0.0),
            separable: false,
        }),
        Err(LineError::Separable { bad_is_high: true }) => {
            let square: f64 = direction.iter().map(|b| b * b).sum();
            Ok(Kappa {
                value: ridged(&sums, bad, weights, square / c)?,
                separable: true,
            })
        }
        Err(LineError::Separable { bad_is_high: false }) => Ok(Kappa {
            value: 0.0,
            separable: true,
        }),
        // An expert score that never varies says nothing about how strongly to believe it.
        Err(LineError::Constant) => Ok(Kappa {
            value: 0.0,
            separable: false,
        }),
        Err(LineError::SingleClass) => Err(LogisticError::SingleClass),
        Err(_) => Err(LogisticError::Singular { iteration: 0 }),
    }
}

/// Fits κ with the penalty `penalty·κ²/2`.
fn ridged(sums: &[f64], bad: &[bool], weights: &[f64], penalty: f64) -> Result<f64, LogisticError> {
    let problem = Problem {
        rows: Standardised {
            rows: Matrix::new(sums, 1)?,
            mean: &[0.0],
            inverse_sd: &[1.0],
        },
        bad,
        weights,
        centre: &[0.0],
        penalty,
    };
    let signs = [SignBound::NonNegative, SignBound::Free];
    Ok(newton::minimise(&problem, &signs, vec![0.0; 2])?.theta[0])
}
