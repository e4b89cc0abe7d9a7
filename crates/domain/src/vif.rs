//! Variance inflation factors: how many times more uncertain a coefficient is because its column resembles the others
//! (the diagonal of the inverse correlation matrix; Belsley, Kuh & Welsch 1980).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::blocks::{BLOCK_ROWS, Standardised};
use crate::cholesky::{Cholesky, Independence, independence};
use crate::matrix::Matrix;
use crate::standardise::Standardiser;

/// A column of which the others leave at most this share of variance is a combination of them.
const COLLINEAR_REST: f64 = 1e-10;

/// Below this a coefficient of such a combination is rounding.
const COLLINEAR_PART: f64 = 1e-4;

/// The factor of one column. In JSON: `{"value": 1.8}`, `"collinear"` or `"constant"`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vif {
    /// 1 or more.
    Value(f64),
    /// Part of a linear combination of columns that is constant: the factor is infinite.
    Collinear,
    /// The column does not vary and has none.
    Constant,
}

#[derive(Debug, Clone, PartialEq, Error)]
pub enum VifError {
    #[error("{got} weights where {expected} are needed")]
    Length { got: usize, expected: usize },
    #[error("the weight of row {row} is {weight}; weights must be finite and not negative")]
    BadWeight { row: usize, weight: f64 },
    #[error("the moments of column {column} overflow; rescale it or the weights")]
    Overflow { column: usize },
}

impl VifError {
    /// Stable name of the error's kind.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Length { .. } => "VIF_LENGTH",
            Self::BadWeight { .. } => "VIF_BAD_WEIGHT",
            Self::Overflow { .. } => "VIF_OVERFLOW",
        }
    }
}

/// One factor per column, from the correlations of the rows under `weights`; `None` weighs every row 1.
pub fn vif(rows: Matrix<'_>, weights: Option<&[f64]>) -> Result<Vec<Vif>, VifError> {
    let weights = weights.map_or_else(|| vec![1.0; rows.rows()], <[f64]>::to_vec);
    if weights.len() != rows.rows() {
        return Err(VifError::Length {
            got: weights.len(),
            expected: rows.rows(),
        });
    }
    if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        return Err(VifError::BadWeight {
            row,
            weight: weights[row],
        });
    }
    let standardiser = Standardiser::learn(rows, &weights);
    if let Some(column) = standardiser.first_overflow() {
        return Err(VifError::Overflow { column });
    }
    let inverse_sd = standardiser.inverse_sd();
    let correlations = Correlations::of(
        Standardised {
            rows,
            mean: &standardiser.mean,
            inverse_sd: &inverse_sd,
        },
        &weights,
    );
    Ok(correlations.factors(rows.columns()))
}

/// Columns that take part in a constant linear combination of columns; constant ones are none of them.
pub(crate) fn collinear_columns(rows: Standardised<'_>, weights: &[f64]) -> Vec<usize> {
    let correlations = Correlations::of(rows, weights);
    let split = correlations.independence();
    let mut columns = correlations.collinear(&split);
    columns.sort_unstable();
    columns
}

/// The correlation matrix of the columns that vary.
struct Correlations {
    varying: Vec<usize>,
    /// Lower triangle, row-major.
    matrix: Vec<f64>,
}

impl Correlations {
    fn of(rows: Standardised<'_>, weights: &[f64]) -> Self {
        let d = rows.dimension();
        let chunks = rows.fold(
            || vec![0.0; d * d],
            |gram, block, from, rows| {
                let mut padded = [0.0; BLOCK_ROWS];
                padded[..rows].copy_from_slice(&weights[from..from + rows]);
                block.add_gram(&padded, gram);
            },
        );
        let varying: Vec<usize> = (0..d - 1).filter(|&j| rows.inverse_sd[j] > 0.0).collect();
        let m = varying.len();
        let mut matrix = vec![0.0; m * m];
        for chunk in &chunks {
            for (r, i) in varying.iter().enumerate() {
                for (s, j) in varying.iter().enumerate().take(r + 1) {
                    matrix[r * m + s] += chunk[i * d + j];
                }
            }
        }
        // The diagonal is the sum of weights up to rounding; dividing by it makes it exactly 1.
        let scale: Vec<f64> = (0..m).map(|r| matrix[r * m + r].sqrt()).collect();
        for r in 0..m {
            for s in 0..r {
                matrix[r * m + s] /= scale[r] * scale[s];
            }
            matrix[r * m + r] = 1.0;
        }
        Self { varying, matrix }
    }

    fn independence(&self) -> Independence {
        independence(&self.matrix, self.varying.len(), COLLINEAR_REST)
    }

    /// Every dependent column with those that make it up. These combinations span all there are, so a column outside
    /// of them is in none.
    fn collinear(&self, split: &Independence) -> Vec<usize> {
        let mut columns = Vec::new();
        for dependence in &split.dependent {
            columns.push(self.varying[dependence.column]);
            for (part, of) in dependence.coefficients.iter().zip(&split.independent) {
                let column = self.varying[*of];
                if part.abs() > COLLINEAR_PART && !columns.contains(&column) {
                    columns.push(column);
                }
            }
        }
        columns
    }

    fn factors(&self, columns: usize) -> Vec<Vif> {
        let split = self.independence();
        let mut factors = vec![Vif::Constant; columns];
        let m = split.independent.len();
        let mut kept = vec![0.0; m * m];
        for (r, i) in split.independent.iter().enumerate() {
            for (s, j) in split.independent.iter().enumerate().take(r + 1) {
                kept[r * m + s] = self.matrix[i * self.varying.len() + j];
            }
        }
        match Cholesky::factor(&kept, m) {
            Ok(factor) => {
                for (i, value) in split.independent.iter().zip(factor.inverse_diagonal()) {
                    factors[self.varying[*i]] = Vif::Value(value.max(1.0));
                }
            }
            // Every pivot was above the tolerance before; should rounding differ, no number is better than a wrong one.
            Err(_) => {
                for i in &self.varying {
                    factors[*i] = Vif::Collinear;
                }
            }
        }
        for column in self.collinear(&split) {
            factors[column] = Vif::Collinear;
        }
        factors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three independent-looking columns, then what `extra` makes of them.
    fn table(extra: impl Fn(&[f64; 3]) -> Vec<f64>) -> (Vec<f64>, usize) {
        let mut values = Vec::new();
        let mut columns = 0;
        for i in 0..300u64 {
            // Two multiplications mix the bits; one alone would leave the columns shifts of one sequence.
            let draw = |k: u64| {
                let word = (i * 3 + k + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let word = (word ^ (word >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                ((word ^ (word >> 32)) >> 40) as f64
            };
            let own = [draw(0), draw(1), draw(2)];
            let more = extra(&own);
            columns = 3 + more.len();
            values.extend(own);
            values.extend(more);
        }
        (values, columns)
    }

    fn factors(values: &[f64], columns: usize) -> Vec<Vif> {
        vif(Matrix::new(values, columns).unwrap(), None).unwrap()
    }

    #[test]
    fn two_columns_inflate_by_their_squared_correlation() {
        // Correlation of x and x + noise over four rows: 1/(1 − r²) by hand.
        let values = [0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 3.0, 3.0];
        // Means 1.5; Sxx = 5, Syy = 5, Sxy = 4: r = 0.8.
        let found = factors(&values, 2);
        for factor in found {
            let Vif::Value(value) = factor else {
                panic!("{factor:?}")
            };
            assert!((value - 1.0 / 0.36).abs() < 1e-12);
        }
    }

    #[test]
    fn only_the_columns_of_the_combination_are_collinear() {
        let (values, columns) = table(|own| vec![2.0 * own[0] - own[1] + 5.0, 7.0]);
        let found = factors(&values, columns);
        assert_eq!(found[0], Vif::Collinear);
        assert_eq!(found[1], Vif::Collinear);
        assert!(matches!(found[2], Vif::Value(v) if (1.0..1.2).contains(&v)));
        assert_eq!(found[3..], [Vif::Collinear, Vif::Constant]);
    }

    #[test]
    fn near_copy_is_a_large_number_and_no_marker() {
        let mut i = 0;
        let cell = std::cell::RefCell::new(&mut i);
        let (values, columns) = table(|own| {
            let mut at = cell.borrow_mut();
            **at += 1;
            vec![own[0] * (1.0 + if **at % 2 == 0 { 1e-3 } else { -1e-3 })]
        });
        let found = factors(&values, columns);
        assert!(matches!(found[3], Vif::Value(v) if v > 1e4 && v.is_finite()));
    }

    #[test]
    fn rows_of_weight_zero_do_not_count_and_json_is_plain() {
        let (mut values, columns) = table(|_| Vec::new());
        let plain = factors(&values, columns);
        values.extend([1e9, -1e9, 1e9]);
        let mut weights = vec![1.0; 300];
        weights.push(0.0);
        let rows = Matrix::new(&values, columns).unwrap();
        let weighted = vif(rows, Some(&weights)).unwrap();
        for (a, b) in plain.iter().zip(&weighted) {
            let (Vif::Value(a), Vif::Value(b)) = (a, b) else {
                panic!("{a:?} {b:?}")
            };
            assert!((a - b).abs() < 1e-12);
        }
        let json = serde_json::to_string(&[Vif::Value(1.5), Vif::Collinear, Vif::Constant]);
        assert_eq!(json.unwrap(), r#"[{"value":1.5},"collinear","constant"]"#);
        weights[3] = f64::NAN;
        assert_eq!(
            vif(rows, Some(&weights)).unwrap_err().reason(),
            "VIF_BAD_WEIGHT"
        );
    }
}
