//! A borrowed row-major matrix of f64: the one shape in which factor values reach the model code.

use rayon::prelude::*;
use thiserror::Error;

/// `n × columns` values, row after row. The values are scaled factors `s_j(x)`, one column per factor of the card.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f64],
    columns: usize,
}

/// Why a slice cannot be read as a matrix.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MatrixError {
    #[error("a matrix needs at least one column")]
    NoColumns,
    #[error("{values} values do not fill whole rows of {columns} columns")]
    Ragged { values: usize, columns: usize },
    #[error("row {row}, column {column} is not a finite number")]
    NotFinite { row: usize, column: usize },
}

/// Values tested at once by [`first_not_finite`].
const FINITE_BLOCK: usize = 1_024;

/// Position of the first value that is infinite or no number. A finite value times 0 is ±0, another one NaN, and sums
/// of these need no branch per value.
pub(crate) fn first_not_finite(values: &[f64]) -> Option<usize> {
    let all_finite = |block: &[f64]| {
        let (chunks, rest) = block.as_chunks::<4>();
        let mut sums = [0.0; 4];
        for chunk in chunks {
            for (sum, v) in sums.iter_mut().zip(chunk) {
                *sum += v * 0.0;
            }
        }
        (sums.iter().sum::<f64>() + rest.iter().map(|v| v * 0.0).sum::<f64>()) == 0.0
    };
    let block = values
        .par_chunks(FINITE_BLOCK)
        .with_min_len(64)
        .position_first(|block| !all_finite(block))?;
    let from = block * FINITE_BLOCK;
    let within = values[from..].iter().position(|v| !v.is_finite())?;
    Some(from + within)
}

impl<'a> Matrix<'a> {
    /// Checks once that every value is finite, so that nothing downstream has to.
    pub fn new(values: &'a [f64], columns: usize) -> Result<Self, MatrixError> {
        if columns == 0 {
            return Err(MatrixError::NoColumns);
        }
        if !values.len().is_multiple_of(columns) {
            return Err(MatrixError::Ragged {
                values: values.len(),
                columns,
            });
        }
        if let Some(at) = first_not_finite(values) {
            return Err(MatrixError::NotFinite {
                row: at / columns,
                column: at % columns,
            });
        }
        Ok(Self { values, columns })
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    pub fn row(&self, index: usize) -> &'a [f64] {
        &self.values[index * self.columns..(index + 1) * self.columns]
    }

    pub fn iter(&self) -> std::slice::ChunksExact<'a, f64> {
        self.values.chunks_exact(self.columns)
    }

    /// The values of rows `from..to`, still row-major.
    pub(crate) fn block(&self, from: usize, to: usize) -> &'a [f64] {
        &self.values[from * self.columns..to * self.columns]
    }

    /// One column, copied out.
    pub fn column(&self, index: usize) -> Vec<f64> {
        self.iter().map(|row| row[index]).collect()
    }

    /// The named rows, copied out in the order given: how a split becomes a train and a holdout matrix.
    pub fn select(&self, rows: &[usize]) -> Vec<f64> {
        let mut out = Vec::with_capacity(rows.len() * self.columns);
        for &row in rows {
            out.extend_from_slice(self.row(row));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ragged_and_infinite_input_is_refused_with_its_place() {
        assert_eq!(
            Matrix::new(&[1.0, 2.0, 3.0], 2).unwrap_err(),
            MatrixError::Ragged {
                values: 3,
                columns: 2
            }
        );
        assert_eq!(
            Matrix::new(&[1.0, 2.0, 3.0, f64::NAN], 2).unwrap_err(),
            MatrixError::NotFinite { row: 1, column: 1 }
        );
        assert_eq!(Matrix::new(&[], 0).unwrap_err(), MatrixError::NoColumns);
    }

    #[test]
    fn selected_rows_keep_the_order_asked_for() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let matrix = Matrix::new(&values, 2).unwrap();
        assert_eq!(matrix.select(&[2, 0]), vec![5.0, 6.0, 1.0, 2.0]);
        assert_eq!(matrix.column(1), vec![2.0, 4.0, 6.0]);
    }
}
