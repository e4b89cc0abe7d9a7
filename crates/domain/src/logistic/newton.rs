//! Newton's method with step halving. One pass over the data per step that is accepted at full length, which nearly
//! all are.

use super::pass::{Evaluation, Problem};
use super::{GRADIENT_TOLERANCE, LogisticError, MAX_ITERATIONS, SignBound, bounds};

/// Halvings before the step is called lost: beyond 2⁻⁴⁰ a step no longer moves the point.
const MAX_HALVINGS: usize = 40;

/// Where Newton's method stopped.
#[derive(Debug)]
pub(super) struct Minimum {
    pub(super) theta: Vec<f64>,
    pub(super) at: Evaluation,
    pub(super) iterations: usize,
    pub(super) residual: f64,
    pub(super) converged: bool,
}

/// Rows up to which the tolerance grows with n.
const TOLERANCE_ROWS: usize = 100;

/// What rounding may leave of a gradient, per unit of weight: no component can be asked to be smaller.
///
/// A component is `Σ w r z` with |r| ≤ 1 and a weighted mean of z² of 1, so that `Σ w |r z| ≤ Σ w`; each term is off by
/// some ten roundings (2⁻⁵³ ≈ 1.1e-16) of the linear predictor, of the exponential and of the sum: 1e-14 is 90 of them.
/// Up to a weight of 1e7 in all, the tolerance by rows is the greater.
const ROUNDING_PER_WEIGHT: f64 = 1e-14;

/// Without a penalty a fit is settled when the next step would change no row's log-odds by more than this.
const SETTLED_CHANGE: f64 = 1e-6;

/// Where factors separate the classes, every step changes some row's log-odds by about 1 for ever, however small the
/// gradient has become (the loss falls as e⁻ᵗ, whose Newton step is 1). A finite minimum is far below this by then.
const SEPARABLE_CHANGE: f64 = 0.1;

/// Minimises from `start`, which must respect `signs` (one per component, the intercept's `Free`).
pub(super) fn minimise(
    problem: &Problem<'_>,
    signs: &[SignBound],
    start: Vec<f64>,
) -> Result<Minimum, LogisticError> {
    // The penalty's curvature does not grow with n: on near-separable rows a tolerance that does would stop digits early.
    let by_rows = GRADIENT_TOLERANCE * problem.bad.len().min(TOLERANCE_ROWS) as f64;
    let tolerance = by_rows.max(ROUNDING_PER_WEIGHT * problem.weights.iter().sum::<f64>());
    let mut theta = start;
    let mut at = problem.evaluate(&theta);
    let mut iterations = 0;
    loop {
        let residual = bounds::kkt_residual(&theta, &at.gradient, signs);
        let small = residual <= tolerance;
        let stop = |theta, at, converged| Minimum {
            theta,
            at,
            iterations,
            residual,
            converged,
        };
        if small && problem.penalty > 0.0 {
            return Ok(stop(theta, at, true));
        }
        let target =
            bounds::minimise_quadratic(&at.hessian, &at.gradient, &theta, signs).map_err(|_| {
                LogisticError::Singular {
                    iteration: iterations,
                }
            })?;
        if small {
            let change = problem.greatest_change(&theta, &target);
            if change > SEPARABLE_CHANGE {
                return Err(LogisticError::Separable);
            } else if change <= SETTLED_CHANGE {
                return Ok(stop(theta, at, true));
            }
        }
        if iterations == MAX_ITERATIONS {
            return Ok(stop(theta, at, false));
        }
        let Some((next, evaluation)) = step(problem, &theta, &at, &target) else {
            return Ok(stop(theta, at, false));
        };
        iterations += 1;
        theta = next;
        at = evaluation;
    }
}

/// The longest of the steps 1, ½, ¼ … towards `target` that lowers the objective enough (Armijo).
fn step(
    problem: &Problem<'_>,
    theta: &[f64],
    at: &Evaluation,
    target: &[f64],
) -> Option<(Vec<f64>, Evaluation)> {
    let descent: f64 = at
        .gradient
        .iter()
        .zip(target.iter().zip(theta))
        .map(|(g, (to, from))| g * (to - from))
        .sum();
    // Close to the minimum the gain is smaller than the rounding of the sum.
    let rounding = 1e-13 * (1.0 + at.objective.abs());
    let mut length = 1.0;
    for _ in 0..=MAX_HALVINGS {
        // The full step is the target itself, so that bounds reached are reached exactly.
        let trial: Vec<f64> = if length == 1.0 {
            target.to_vec()
        } else {
            theta
                .iter()
                .zip(target)
                .map(|(from, to)| from + length * (to - from))
                .collect()
        };
        let evaluation = problem.evaluate(&trial);
        if evaluation.objective <= at.objective + 1e-4 * length * descent + rounding {
            return Some((trial, evaluation));
        }
        length *= 0.5;
    }
    None
}
