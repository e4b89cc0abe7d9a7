//! Standardisation with population mean and standard deviation, weighted where rows carry weights. Learnt on training
//! rows only.

use serde::{Deserialize, Serialize};

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
        let p = rows.columns();
        let total: f64 = weights.iter().sum();
        let mut mean = vec![0.0; p];
        let mut low = vec![f64::INFINITY; p];
        let mut high = vec![f64::NEG_INFINITY; p];
        for (row, &w) in rows.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
            for j in 0..p {
                mean[j] += w * row[j];
                low[j] = low[j].min(row[j]);
                high[j] = high[j].max(row[j]);
            }
        }
        for j in 0..p {
            // Rounding gives a constant column a tiny spread; its extremes say so exactly.
            mean[j] = if low[j] == high[j] {
                low[j]
            } else {
                mean[j] / total
            };
        }
        let mut squares = vec![0.0; p];
        for (row, &w) in rows.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
            for j in 0..p {
                let d = row[j] - mean[j];
                squares[j] += w * d * d;
            }
        }
        let sd = (0..p)
            .map(|j| {
                if low[j] < high[j] {
                    (squares[j] / total).sqrt()
                } else {
                    0.0
                }
            })
            .collect();
        Self {
            mean: mean.into_iter().map(finite_or_zero).collect(),
            sd,
        }
    }

    /// Columns that vary, the p of "10·p" rules.
    pub fn usable_columns(&self) -> usize {
        self.sd.iter().filter(|sd| **sd > 0.0).count()
    }

    /// `1/sd`, and 0 for a constant column, so that multiplying maps it to 0.
    pub(crate) fn inverse_sd(&self) -> Vec<f64> {
        self.sd
            .iter()
            .map(|&sd| if sd > 0.0 { 1.0 / sd } else { 0.0 })
            .collect()
    }
}

/// A column without any weighted row has no extremes; it behaves as constant 0.
fn finite_or_zero(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
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
