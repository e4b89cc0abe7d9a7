//! Standardisation with population mean and standard deviation, weighted where rows carry weights. Learnt on training
//! rows only.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::blocks::CHUNK_ROWS;
use crate::matrix::Matrix;

/// Column means and population standard deviations. `sd = 0` marks a column that is constant over the training rows:
/// it standardises to 0 everywhere, so its coefficient stays 0 and it does not count as a factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standardiser {
    pub mean: Vec<f64>,
    pub sd: Vec<f64>,
}

impl Standardiser {
    /// Learns from rows with positive weight; `weights` is one per row.
    pub fn learn(rows: Matrix<'_>, weights: &[f64]) -> Self {
        assert_eq!(rows.rows(), weights.len(), "one weight per row");
        let total: f64 = weights.iter().sum();
        let Some(first) = weights.iter().position(|w| *w > 0.0) else {
            // Without any weighted row every column behaves as constant 0.
            return Self {
                mean: vec![0.0; rows.columns()],
                sd: vec![0.0; rows.columns()],
            };
        };
        let first = rows.row(first);
        let sums = sum_chunks(rows, weights, |sums, row, w| {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += w * x;
            }
        });
        let varies = varying(rows, weights, first);
        let mean: Vec<f64> = (0..rows.columns())
            .map(|j| if varies[j] { sums[j] / total } else { first[j] })
            .collect();
        let squares = sum_chunks(rows, weights, |sums, row, w| {
            for ((sum, x), mean) in sums.iter_mut().zip(row).zip(&mean) {
                let d = x - mean;
                *sum += w * d * d;
            }
        });
        let sd = (0..rows.columns())
            .map(|j| {
                if varies[j] {
                    (squares[j] / total).sqrt()
                } else {
                    0.0
                }
            })
            .collect();
        Self { mean, sd }
    }

    /// Columns that vary, the p of "10·p" rules.
    pub fn usable_columns(&self) -> usize {
        self.sd.iter().filter(|sd| **sd > 0.0).count()
    }

    /// The first column whose mean or spread is beyond the greatest float.
    pub(crate) fn first_overflow(&self) -> Option<usize> {
        let mut moments = self.mean.iter().zip(&self.sd);
        moments.position(|(mean, sd)| !(mean.is_finite() && sd.is_finite()))
    }

    /// `1/sd`, and 0 for a constant column, so that multiplying maps it to 0.
    pub(crate) fn inverse_sd(&self) -> Vec<f64> {
        self.sd
            .iter()
            .map(|&sd| if sd > 0.0 { 1.0 / sd } else { 0.0 })
            .collect()
    }
}

/// Which columns differ from `first` in any weighted row. Rounding gives a constant column a tiny spread; comparing says
/// exactly, and a column that varies shows it within a few rows.
fn varying(rows: Matrix<'_>, weights: &[f64], first: &[f64]) -> Vec<bool> {
    let mut varies = vec![false; rows.columns()];
    let mut equal_so_far: Vec<usize> = (0..rows.columns()).collect();
    for (row, _) in rows.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
        equal_so_far.retain(|&j| {
            varies[j] = row[j] != first[j];
            !varies[j]
        });
        if equal_so_far.is_empty() {
            break;
        }
    }
    varies
}

/// One sum per column, in chunks of a fixed size that are added in order: the same bits on any number of threads.
fn sum_chunks(
    rows: Matrix<'_>,
    weights: &[f64],
    add: impl Fn(&mut [f64], &[f64], f64) + Sync,
) -> Vec<f64> {
    let n = rows.rows();
    let chunks: Vec<Vec<f64>> = (0..n.div_ceil(CHUNK_ROWS))
        .into_par_iter()
        .map(|chunk| {
            let from = chunk * CHUNK_ROWS;
            let to = (from + CHUNK_ROWS).min(n);
            let mut sums = vec![0.0; rows.columns()];
            let block = rows.block(from, to).chunks_exact(rows.columns());
            for (row, w) in block.zip(&weights[from..to]) {
                add(&mut sums, row, *w);
            }
            sums
        })
        .collect();
    let mut total = vec![0.0; rows.columns()];
    for sums in &chunks {
        for (total, sum) in total.iter_mut().zip(sums) {
            *total += sum;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn population_moments_of_a_known_column() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let learnt = Standardiser::learn(Matrix::new(&values, 1).unwrap(), &[1.0; 8]);
        assert_eq!(learnt.mean, vec![5.0]);
        assert_eq!(learnt.sd, vec![2.0]);
    }

    #[test]
    fn weight_two_equals_the_row_twice() {
        let once = [1.0, 0.5, 3.0, 0.25, 8.0, 0.75];
        let twice = [1.0, 0.5, 3.0, 0.25, 3.0, 0.25, 8.0, 0.75];
        let weighted = Standardiser::learn(Matrix::new(&once, 2).unwrap(), &[1.0, 2.0, 1.0]);
        let repeated = Standardiser::learn(Matrix::new(&twice, 2).unwrap(), &[1.0; 4]);
        for j in 0..2 {
            assert!((weighted.mean[j] - repeated.mean[j]).abs() < 1e-15);
            assert!((weighted.sd[j] - repeated.sd[j]).abs() < 1e-15);
        }
    }

    #[test]
    fn constant_column_has_exactly_zero_spread_despite_rounding() {
        let values = [0.1; 1000];
        let learnt = Standardiser::learn(Matrix::new(&values, 1).unwrap(), &[0.3; 1000]);
        assert_eq!(learnt.sd, vec![0.0]);
        assert_eq!(learnt.mean, vec![0.1]);
        assert_eq!(learnt.usable_columns(), 0);
    }

    #[test]
    fn rows_of_weight_zero_do_not_count() {
        let values = [1.0, 3.0, 1e9];
        let learnt = Standardiser::learn(Matrix::new(&values, 1).unwrap(), &[1.0, 1.0, 0.0]);
        assert_eq!(learnt.mean, vec![2.0]);
        assert_eq!(learnt.sd, vec![1.0]);
    }
}
