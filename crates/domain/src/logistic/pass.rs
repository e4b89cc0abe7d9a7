//! One pass over the data: the penalised loss with its gradient and Hessian at one point.
//!
//! Rows are summed in chunks of a fixed size, chunks are reduced in order: the bits are the same on any thread count.

use rayon::prelude::*;

use crate::matrix::Matrix;

/// Rows per chunk. Part of the result's definition: another size gives other last bits.
const CHUNK_ROWS: usize = 4096;

/// What is minimised. A point `theta` holds the coefficients, then the intercept.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    pub(super) rows: Matrix<'a>,
    pub(super) mean: &'a [f64],
    pub(super) inverse_sd: &'a [f64],
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
        self.rows.columns() + 1
    }

    pub(super) fn evaluate(&self, theta: &[f64]) -> Evaluation {
        let n = self.rows.rows();
        let d = self.dimension();
        let chunks: Vec<Evaluation> = (0..n.div_ceil(CHUNK_ROWS))
            .into_par_iter()
            .map(|chunk| {
                let from = chunk * CHUNK_ROWS;
                self.sum_rows(theta, from, (from + CHUNK_ROWS).min(n))
            })
            .collect();
        let mut total = Evaluation::zero(d);
        for chunk in &chunks {
            total.add(chunk);
        }
        self.add_penalty(theta, &mut total);
        total
    }

    fn sum_rows(&self, theta: &[f64], from: usize, to: usize) -> Evaluation {
        let p = self.rows.columns();
        let d = p + 1;
        let mut sums = Evaluation::zero(d);
        let mut z = vec![1.0; d];
        let rows = self.rows.block(from, to).chunks_exact(p);
        for ((row, &bad), &w) in rows.zip(&self.bad[from..to]).zip(&self.weights[from..to]) {
            for (((z, x), mean), inverse) in
                z.iter_mut().zip(row).zip(self.mean).zip(self.inverse_sd)
            {
                *z = (x - mean) * inverse;
            }
            let f: f64 = z.iter().zip(theta).map(|(z, t)| z * t).sum();
            // t = −y f is how far the row is on the wrong side; e never overflows.
            let t = if bad { -f } else { f };
            let e = (-t.abs()).exp();
            let wrong = if t >= 0.0 {
                1.0 / (1.0 + e)
            } else {
                e / (1.0 + e)
            };
            sums.objective += w * (t.max(0.0) + e.ln_1p());
            let slope = if bad { -w * wrong } else { w * wrong };
            let curvature = w * e / ((1.0 + e) * (1.0 + e));
            for (i, &zi) in z.iter().enumerate() {
                sums.gradient[i] += slope * zi;
                let scaled = curvature * zi;
                let line = &mut sums.hessian[i * d..=i * d + i];
                for (cell, zk) in line.iter_mut().zip(&z) {
                    *cell += scaled * zk;
                }
            }
        }
        sums
    }

    /// The penalty leaves the intercept, the last component, free.
    fn add_penalty(&self, theta: &[f64], total: &mut Evaluation) {
        let d = self.dimension();
        for (j, centre) in self.centre.iter().enumerate() {
            let distance = theta[j] - centre;
            total.objective += 0.5 * self.penalty * distance * distance;
            total.gradient[j] += self.penalty * distance;
            total.hessian[j * d + j] += self.penalty;
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
            rows: Matrix::new(&values, 3).unwrap(),
            mean: &[0.5, 0.4, 0.3],
            inverse_sd: &[3.0, 2.0, 0.0],
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
            rows: Matrix::new(&values, 4).unwrap(),
            mean: &[0.5; 4],
            inverse_sd: &[3.4; 4],
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
