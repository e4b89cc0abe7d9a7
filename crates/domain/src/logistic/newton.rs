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

/// Minimises from `start`, which must respect `signs` (one per component, the intercept's `Free`).
/// Rows up to which the tolerance grows with n.
const TOLERANCE_ROWS: usize = 100;

pub(super) fn minimise(
    problem: &Problem<'_>,
    signs: &[SignBound],
    start: Vec<f64>,
) -> Result<Minimum, LogisticError> {
    // The penalty's curvature does not grow with n: on near-separable rows a tolerance that does would stop digits early.
    let tolerance = GRADIENT_TOLERANCE * problem.rows.rows().min(TOLERANCE_ROWS) as f64;
    let mut theta = start;
    let mut at = problem.evaluate(&theta);
    let mut iterations = 0;
    loop {
        let residual = bounds::kkt_residual(&theta, &at.gradient, signs);
        let converged = residual <= tolerance;
        if converged || iterations == MAX_ITERATIONS {
            return Ok(Minimum {
                theta,
                at,
                iterations,
                residual,
                converged,
            });
        }
        let target =
            bounds::minimise_quadratic(&at.hessian, &at.gradient, &theta, signs).map_err(|_| {
                LogisticError::Singular {
                    iteration: iterations,
                }
            })?;
        iterations += 1;
        let Some((next, evaluation)) = step(problem, &theta, &at, &target) else {
            return Ok(Minimum {
                theta,
                at,
                iterations,
                residual,
                converged: false,
            });
        };
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
