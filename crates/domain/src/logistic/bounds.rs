//! The Newton step under sign bounds: the exact minimum of the quadratic model, by an active set (Lawson & Hanson 1974,
//! ch. 23, with free variables always passive), and the Karush-Kuhn-Tucker residual that stops the fit.

use super::SignBound;
use crate::cholesky::{Cholesky, NotPositiveDefinite};

/// Minimises `gᵀ(x − at) + ½ (x − at)ᵀ H (x − at)` over the permitted signs and returns `x`. `hessian` is `d × d` with
/// a meaningful lower triangle; `signs` has one entry per component.
pub(super) fn minimise_quadratic(
    hessian: &[f64],
    gradient: &[f64],
    at: &[f64],
    signs: &[SignBound],
) -> Result<Vec<f64>, NotPositiveDefinite> {
    let d = at.len();
    let h = |i: usize, j: usize| hessian[i.max(j) * d + i.min(j)];
    // The same quadratic as ½ xᵀHx − cᵀx.
    let c: Vec<f64> = (0..d)
        .map(|i| (0..d).map(|j| h(i, j) * at[j]).sum::<f64>() - gradient[i])
        .collect();
    let mut passive: Vec<bool> = signs.iter().map(|s| *s == SignBound::Free).collect();
    let mut x = vec![0.0; d];
    let scale = c.iter().fold(1.0f64, |m, v| m.max(v.abs()));
    // Each round frees one more variable; the cap only guards against cycling by rounding.
    for _ in 0..=3 * d {
        settle(&h, &c, signs, &mut passive, &mut x)?;
        let entering = (0..d)
            .filter(|&j| !passive[j])
            .map(|j| (j, c[j] - (0..d).map(|k| h(j, k) * x[k]).sum::<f64>()))
            .map(|(j, descent)| (j, inward(signs[j], descent)))
            .filter(|(_, gain)| *gain > 1e-14 * scale)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match entering {
            Some((j, _)) => passive[j] = true,
            None => break,
        }
    }
    Ok(x)
}

/// Solves on the passive set; variables that would cross their bound on the way leave it, until none does.
fn settle(
    h: &impl Fn(usize, usize) -> f64,
    c: &[f64],
    signs: &[SignBound],
    passive: &mut [bool],
    x: &mut [f64],
) -> Result<(), NotPositiveDefinite> {
    loop {
        let solved = solve_on(h, c, passive)?;
        let crossing = (0..x.len())
            .filter(|&j| passive[j] && signs[j] != SignBound::Free && !inside(signs[j], solved[j]))
            .map(|j| (j, x[j] / (x[j] - solved[j])))
            .map(|(j, step)| {
                (
                    j,
                    if step.is_finite() {
                        step.clamp(0.0, 1.0)
                    } else {
                        0.0
                    },
                )
            })
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((leaving, step)) = crossing else {
            x.copy_from_slice(&solved);
            return Ok(());
        };
        for j in 0..x.len() {
            if passive[j] {
                x[j] += step * (solved[j] - x[j]);
            }
        }
        passive[leaving] = false;
        x[leaving] = 0.0;
    }
}

fn solve_on(
    h: &impl Fn(usize, usize) -> f64,
    c: &[f64],
    passive: &[bool],
) -> Result<Vec<f64>, NotPositiveDefinite> {
    let chosen: Vec<usize> = (0..passive.len()).filter(|&j| passive[j]).collect();
    let m = chosen.len();
    let mut matrix = vec![0.0; m * m];
    for (r, &i) in chosen.iter().enumerate() {
        for (s, &j) in chosen.iter().enumerate() {
            matrix[r * m + s] = h(i, j);
        }
    }
    let right: Vec<f64> = chosen.iter().map(|&j| c[j]).collect();
    let solved = Cholesky::factor(&matrix, m)?.solve(&right);
    let mut x = vec![0.0; passive.len()];
    for (&j, value) in chosen.iter().zip(solved) {
        x[j] = value;
    }
    Ok(x)
}

/// Strictly on the permitted side: a passive variable at exactly 0 belongs to the bound.
fn inside(sign: SignBound, value: f64) -> bool {
    value != 0.0 && sign.allows(value)
}

/// How much of a move along the negative gradient points into the permitted side.
fn inward(sign: SignBound, descent: f64) -> f64 {
    match sign {
        SignBound::NonPositive => -descent,
        SignBound::NonNegative | SignBound::Free => descent,
    }
}

/// `‖·‖∞` of the gradient components along which the objective can still fall without leaving the bounds; 0 means the
/// KKT conditions hold (the point itself is kept feasible).
pub(super) fn kkt_residual(theta: &[f64], gradient: &[f64], signs: &[SignBound]) -> f64 {
    theta
        .iter()
        .zip(gradient)
        .zip(signs)
        .map(|((&t, &g), &sign)| {
            if sign == SignBound::Free || t != 0.0 {
                g.abs()
            } else {
                inward(sign, -g).max(0.0)
            }
        })
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: [SignBound; 4] = [
        SignBound::NonNegative,
        SignBound::NonPositive,
        SignBound::NonNegative,
        SignBound::Free,
    ];

    fn value(h: &[f64], g: &[f64], at: &[f64], x: &[f64]) -> f64 {
        let d = at.len();
        let step: Vec<f64> = x.iter().zip(at).map(|(x, a)| x - a).collect();
        let mut total = 0.0;
        for i in 0..d {
            total += g[i] * step[i];
            for j in 0..d {
                total += 0.5 * step[i] * h[i * d + j] * step[j];
            }
        }
        total
    }

    /// The best of all 2³ choices of which bounded variables are held at 0, among the feasible ones.
    fn brute_force(h: &[f64], g: &[f64], at: &[f64]) -> f64 {
        let c: Vec<f64> = (0..4)
            .map(|i| (0..4).map(|j| h[i * 4 + j] * at[j]).sum::<f64>() - g[i])
            .collect();
        (0..8u32)
            .filter_map(|mask| {
                let passive: Vec<bool> = (0..4).map(|j| j == 3 || mask & (1 << j) != 0).collect();
                let x = solve_on(&|i, j| h[i * 4 + j], &c, &passive).unwrap();
                let feasible = x.iter().zip(BOUNDS).all(|(v, s)| s.allows(*v));
                feasible.then(|| value(h, g, at, &x))
            })
            .fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn active_set_finds_the_best_of_all_subsets(
            cells in prop::collection::vec(-2.0f64..2.0, 16),
            g in prop::collection::vec(-4.0f64..4.0, 4),
            start in prop::collection::vec(0.0f64..1.0, 4),
        ) {
            let mut h = vec![0.0; 16];
            for i in 0..4 {
                for j in 0..4 {
                    let dot: f64 = (0..4).map(|k| cells[i * 4 + k] * cells[j * 4 + k]).sum();
                    h[i * 4 + j] = dot + if i == j { 0.5 } else { 0.0 };
                }
            }
            let at = [start[0], -start[1], start[2], start[3]];
            let x = minimise_quadratic(&h, &g, &at, &BOUNDS).unwrap();
            prop_assert!(x.iter().zip(BOUNDS).all(|(v, s)| s.allows(*v)));
            let found = value(&h, &g, &at, &x);
            prop_assert!((found - brute_force(&h, &g, &at)).abs() < 1e-9 * (1.0 + found.abs()));
        }
    }

    #[test]
    fn residual_ignores_a_gradient_that_pushes_into_the_bound() {
        let signs = [
            SignBound::NonNegative,
            SignBound::NonPositive,
            SignBound::Free,
        ];
        assert_eq!(
            kkt_residual(&[0.0, 0.0, 1.0], &[5.0, -5.0, 0.0], &signs),
            0.0
        );
        assert_eq!(
            kkt_residual(&[0.0, 0.0, 1.0], &[-5.0, 2.0, 0.0], &signs),
            5.0
        );
        assert_eq!(
            kkt_residual(&[1.0, 0.0, 1.0], &[3.0, -5.0, 0.0], &signs),
            3.0
        );
    }
}
