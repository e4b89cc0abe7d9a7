//! One pass over the data: the penalised loss with its gradient and Hessian at one point. The bits are the same on any
//! number of threads.

use std::ops::Range;

use crate::blocks::{BLOCK_ROWS, Block, Standardised};

/// What is minimised. A point `theta` holds the coefficients, then the intercept.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    pub(super) rows: Standardised<'a>,
    pub(super) bad: &'a [bool],
    pub(super) weights: &'a [f64],
    /// Where the penalty is centred, one per column.
    pub(super) centre: &'a [f64],
    /// `1/C`; 0 for an unpenalised fit.
    pub(super) penalty: f64,
}

/// The objective and its derivatives at one point; `hessian` is `d × d`, only its lower triangle is meaningful.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) objective: f64,
    pub(super) gradient: Vec<f64>,
    pub(super) hessian: Vec<f64>,
}

impl Problem<'_> {
    /// Columns plus the intercept.
    pub(super) fn dimension(&self) -> usize {
        self.rows.dimension()
    }

    pub(super) fn evaluate(&self, theta: &[f64]) -> Evaluation {
        let d = self.dimension();
        let chunks = self.rows.fold(
            || Evaluation::zero(d),
            |sums, block, from, rows| self.sum_block(theta, sums, block, from..from + rows),
        );
        let mut total = Evaluation::zero(d);
        for chunk in &chunks {
            total.add(chunk);
        }
        self.add_penalty(theta, &mut total);
        total
    }

    fn sum_block(
        &self,
        theta: &[f64],
        sums: &mut Evaluation,
        block: &mut Block,
        rows: Range<usize>,
    ) {
        let (mut linear, mut slopes, mut curvatures) =
            ([0.0; BLOCK_ROWS], [0.0; BLOCK_ROWS], [0.0; BLOCK_ROWS]);
        block.linear(theta, &mut linear);
        let labels = self.bad[rows.clone()].iter().zip(&self.weights[rows]);
        let derivatives = slopes.iter_mut().zip(&mut curvatures);
        for (((&bad, &w), &f), (slope, curvature)) in labels.zip(&linear).zip(derivatives) {
            // t = −y f is how far the row is on the wrong side; e never overflows.
            let t = if bad { -f } else { f };
            let e = (-t.abs()).exp();
            let share = 1.0 / (1.0 + e);
            let wrong = if t >= 0.0 { share } else { e * share };
            // ln(1+e) is off by 1e-16 at most for want of ln_1p: the rounding of the sum hides it.
            sums.objective += w * (t.max(0.0) + (1.0 + e).ln());
            *slope = if bad { -w * wrong } else { w * wrong };
            *curvature = w * e * share * share;
        }
        block.add_sums(&slopes, &mut sums.gradient);
        block.add_gram(&curvatures, &mut sums.hessian);
    }

    /// The greatest change of any weighted row's linear predictor between two points.
    pub(super) fn greatest_change(&self, from: &[f64], to: &[f64]) -> f64 {
        let step: Vec<f64> = to.iter().zip(from).map(|(to, from)| to - from).collect();
        let chunks = self.rows.fold(
            || 0.0f64,
            |greatest, block, from, rows| {
                let mut linear = [0.0; BLOCK_ROWS];
                block.linear(&step, &mut linear);
                for (change, w) in linear[..rows].iter().zip(&self.weights[from..]) {
                    if *w > 0.0 {
                        *greatest = greatest.max(change.abs());
                    }
                }
            },
        );
        chunks.into_iter().fold(0.0, f64::max)
    }

    /// The penalty leaves the intercept, the last component, free.
    fn add_penalty(&self, theta: &[f64], total: &mut Evaluation) {
        let d = self.dimension();
        for (j, centre) in self.centre.iter().enumerate() {
            let distance = theta[j] - centre;
            total.objective += 0.5 * self.penalty * distance * distance;
            total.gradient[j] += self.penalty * distance;
            // A constant column is zero in every row; any curvature keeps its coefficient at its centre.
            let constant = self.rows.inverse_sd[j] == 0.0 && self.penalty == 0.0;
            total.hessian[j * d + j] += if constant { 1.0 } else { self.penalty };
        }
    }
}

impl Evaluation {
    fn zero(d: usize) -> Self {
        Self {
            objective: 0.0,
            gradient: vec![0.0; d],
            hessian: vec![0.0; d * d],
        }
    }

    fn add(&mut self, other: &Self) {
        self.objective += other.objective;
        for (sum, x) in self.gradient.iter_mut().zip(&other.gradient) {
            *sum += x;
        }
        for (sum, x) in self.hessian.iter_mut().zip(&other.hessian) {
            *sum += x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    /// Twenty thousand rows (several chunks) of a cheap deterministic sequence.
    fn sample(n: usize, p: usize) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
        let mut state = 1u64;
        let mut next = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let values = (0..n * p).map(|_| next()).collect();
        let bad = (0..n).map(|_| next() < 0.3).collect();
        let weights = (0..n).map(|_| 0.5 + next()).collect();
        (values, bad, weights)
    }

    #[test]
    fn gradient_and_hessian_agree_with_finite_differences() {
        let (values, bad, weights) = sample(300, 3);
        let problem = Problem {
            rows: Standardised {
                rows: Matrix::new(&values, 3).unwrap(),
                mean: &[0.5, 0.4, 0.3],
                inverse_sd: &[3.0, 2.0, 0.0],
            },
            bad: &bad,
            weights: &weights,
            centre: &[0.2, -0.1, 0.0],
            penalty: 0.7,
        };
        let theta = [0.3, -0.6, 0.2, -0.4];
        let at = problem.evaluate(&theta);
        let h = 1e-5;
        for j in 0..4 {
            let (mut up, mut down) = (theta, theta);
            up[j] += h;
            down[j] -= h;
            let (up, down) = (problem.evaluate(&up), problem.evaluate(&down));
            let slope = (up.objective - down.objective) / (2.0 * h);
            assert!((slope - at.gradient[j]).abs() < 1e-6, "gradient {j}");
            for i in j..4 {
                let curve = (up.gradient[i] - down.gradient[i]) / (2.0 * h);
                assert!(
                    (curve - at.hessian[i * 4 + j]).abs() < 1e-6,
                    "hessian {i} {j}"
                );
            }
        }
    }

    #[test]
    fn one_thread_and_three_give_the_same_bits() {
        let (values, bad, weights) = sample(20_000, 4);
        let problem = Problem {
            rows: Standardised {
                rows: Matrix::new(&values, 4).unwrap(),
                mean: &[0.5; 4],
                inverse_sd: &[3.4; 4],
            },
            bad: &bad,
            weights: &weights,
            centre: &[0.0; 4],
            penalty: 1.0,
        };
        let on = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
                .install(|| problem.evaluate(&[0.1, -0.2, 0.3, 0.0, -1.0]))
        };
        let (one, three) = (on(1), on(3));
        assert_eq!(one.objective.to_bits(), three.objective.to_bits());
        assert_eq!(one.gradient, three.gradient);
        assert_eq!(one.hessian, three.hessian);
    }
}
