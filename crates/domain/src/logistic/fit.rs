//! The fit from end to end: checks, class weights, standardiser, penalty centre, Newton, standard errors.

use super::pass::{Evaluation, Problem};
use super::{
    ClassWeights, FitOptions, Kappa, LogisticError, LogisticFit, Penalty, SignBound, expert, newton,
};
use crate::blocks::Standardised;
use crate::cholesky::Cholesky;
use crate::matrix::Matrix;
use crate::standardise::Standardiser;
use crate::vif::collinear_columns;

/// Fits `bad` on the scaled factors `rows`. `weights` is one per row; `None` weighs every row 1.
pub fn fit(
    rows: Matrix<'_>,
    bad: &[bool],
    weights: Option<&[f64]>,
    options: &FitOptions,
) -> Result<LogisticFit, LogisticError> {
    let signs = check(rows, bad, weights, options)?;
    let given = weights.map_or_else(|| vec![1.0; bad.len()], <[f64]>::to_vec);
    // Class weights are of the fit, not of the rows: the moments are those of the rows as they are weighted.
    let standardiser = Standardiser::learn(rows, &given);
    if let Some(column) = standardiser.first_overflow() {
        return Err(LogisticError::Overflow { column });
    }
    let (weights, correction) = class_weighted(bad, given, options.class_weights)?;
    let inverse_sd = standardiser.inverse_sd();
    let (kappa, centre) = penalty_centre(rows, &standardiser, bad, &weights, options)?;
    let standardised = Standardised {
        rows,
        mean: &standardiser.mean,
        inverse_sd: &inverse_sd,
    };
    let penalty = match options.penalty {
        Penalty::L2 => 1.0 / options.c,
        Penalty::None => {
            let columns = collinear_columns(standardised, &weights);
            if !columns.is_empty() {
                return Err(LogisticError::Collinear { columns });
            }
            0.0
        }
    };
    let problem = Problem {
        rows: standardised,
        bad,
        weights: &weights,
        centre: &centre,
        penalty,
    };
    let start = warm_start(&problem, &signs);
    let minimum = newton::minimise(&problem, &signs, start).map_err(|error| match error {
        // Collinear columns are excluded, so that only rows without any curvature remain.
        LogisticError::Singular { .. } if penalty == 0.0 => LogisticError::Separable,
        other => other,
    })?;
    let mut errors = standard_errors(&minimum.theta, &minimum.at, &signs, &standardiser);
    let intercept_standard_error = errors.pop().flatten();
    let mut theta = minimum.theta;
    let intercept = theta.pop().unwrap_or_default() + correction;
    Ok(LogisticFit {
        standardiser,
        coefficients: theta,
        intercept,
        standard_errors: errors,
        intercept_standard_error,
        kappa,
        penalty: options.penalty,
        c: options.c,
        iterations: minimum.iterations,
        gradient_norm: minimum.residual,
        converged: minimum.converged,
    })
}

/// From this many rows on a sample of them is fitted first.
const WARM_START_ROWS: usize = 65_536;

/// One row in this many is in that sample.
const WARM_START_EVERY: usize = 16;

/// Where Newton's method starts: 0, or with many rows the fit of a sample of them, which saves most of the passes over
/// all. The minimum is the same to the tolerance of the gradient.
fn warm_start(problem: &Problem<'_>, signs: &[SignBound]) -> Vec<f64> {
    let zero = vec![0.0; problem.dimension()];
    let all = problem.rows;
    if all.rows.rows() < WARM_START_ROWS {
        return zero;
    }
    let sample: Vec<usize> = (0..all.rows.rows()).step_by(WARM_START_EVERY).collect();
    let values = all.rows.select(&sample);
    let bad: Vec<bool> = sample.iter().map(|&row| problem.bad[row]).collect();
    let weights: Vec<f64> = sample.iter().map(|&row| problem.weights[row]).collect();
    let Ok(rows) = Matrix::new(&values, all.rows.columns()) else {
        return zero;
    };
    let part = Problem {
        rows: Standardised { rows, ..all },
        bad: &bad,
        weights: &weights,
        centre: problem.centre,
        penalty: problem.penalty / WARM_START_EVERY as f64,
    };
    // A sample may be separable or of one class where the whole is not.
    match newton::minimise(&part, signs, zero.clone()) {
        Ok(minimum) if minimum.converged => minimum.theta,
        _ => zero,
    }
}

/// Refuses what cannot be fitted and returns the bounds of all components, the intercept's last.
fn check(
    rows: Matrix<'_>,
    bad: &[bool],
    weights: Option<&[f64]>,
    options: &FitOptions,
) -> Result<Vec<SignBound>, LogisticError> {
    let (n, p) = (rows.rows(), rows.columns());
    let length = |what, got, expected| {
        (got == expected)
            .then_some(())
            .ok_or(LogisticError::Length {
                what,
                got,
                expected,
            })
    };
    length("labels", bad.len(), n)?;
    if let Some(weights) = weights {
        length("weights", weights.len(), n)?;
        if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(LogisticError::BadWeight {
                row,
                weight: weights[row],
            });
        }
    }
    if let Some(expert) = &options.expert_weights {
        if options.penalty == Penalty::None {
            return Err(LogisticError::NeedsPenalty {
                what: "shrinking to the expert",
            });
        }
        length("expert weights", expert.len(), p)?;
        if let Some(column) = expert.iter().position(|w| !w.is_finite()) {
            return Err(LogisticError::BadExpertWeight {
                column,
                weight: expert[column],
            });
        }
    }
    if !(options.c.is_finite() && options.c > 0.0) {
        return Err(LogisticError::BadC { c: options.c });
    }
    let mut signs = options.signs.clone();
    if signs.is_empty() {
        signs = vec![SignBound::Free; p];
    }
    length("sign bounds", signs.len(), p)?;
    signs.push(SignBound::Free);
    Ok(signs)
}

/// The weights to fit with, and what to add to the intercept afterwards.
fn class_weighted(
    bad: &[bool],
    mut weights: Vec<f64>,
    mode: ClassWeights,
) -> Result<(Vec<f64>, f64), LogisticError> {
    let of_class = |class: bool| -> f64 {
        bad.iter()
            .zip(&weights)
            .filter(|(b, _)| **b == class)
            .map(|(_, w)| w)
            .sum()
    };
    let (goods, bads) = (of_class(false), of_class(true));
    if goods <= 0.0 || bads <= 0.0 {
        return Err(LogisticError::SingleClass);
    }
    if !(goods + bads).is_finite() {
        return Err(LogisticError::WeightOverflow);
    }
    match mode {
        ClassWeights::Off => Ok((weights, 0.0)),
        ClassWeights::Balanced => {
            let half = 0.5 * (goods + bads);
            for (w, is_bad) in weights.iter_mut().zip(bad) {
                *w *= half / if *is_bad { bads } else { goods };
            }
            Ok((weights, (bads / goods).ln()))
        }
    }
}

fn penalty_centre(
    rows: Matrix<'_>,
    standardiser: &Standardiser,
    bad: &[bool],
    weights: &[f64],
    options: &FitOptions,
) -> Result<(Option<Kappa>, Vec<f64>), LogisticError> {
    let Some(expert_weights) = &options.expert_weights else {
        return Ok((None, vec![0.0; rows.columns()]));
    };
    let direction = expert::expert_direction(expert_weights, standardiser);
    let kappa = expert::kappa(rows, standardiser, &direction, bad, weights, options.c)?;
    let centre = direction.iter().map(|b| kappa.value * b).collect();
    Ok((Some(kappa), centre))
}

/// Square roots of the inverse penalised Hessian's diagonal, over the components that are free at the solution.
fn standard_errors(
    theta: &[f64],
    at: &Evaluation,
    signs: &[SignBound],
    standardiser: &Standardiser,
) -> Vec<Option<f64>> {
    let d = theta.len();
    let free: Vec<usize> = (0..d)
        .filter(|&j| {
            let constant = standardiser.sd.get(j).is_some_and(|sd| *sd == 0.0);
            !constant && (signs[j] == SignBound::Free || theta[j] != 0.0)
        })
        .collect();
    let m = free.len();
    let mut information = vec![0.0; m * m];
    for (r, &i) in free.iter().enumerate() {
        for (s, &j) in free.iter().enumerate().take(r + 1) {
            information[r * m + s] = at.hessian[i * d + j];
        }
    }
    let mut errors = vec![None; d];
    if let Ok(factor) = Cholesky::factor(&information, m) {
        for (&j, variance) in free.iter().zip(factor.inverse_diagonal()) {
            errors[j] = Some(variance.sqrt());
        }
    }
    errors
}
