//! Standardised rows, a block at a time and column by column, so that sums over rows run through the vector units.
//!
//! Sums are kept in four lanes and chunks are reduced in order; both are part of a result's definition, and make its
//! bits the same on any number of threads.

use rayon::prelude::*;

use crate::matrix::Matrix;

/// Rows per chunk, the unit that is handed to a thread.
pub(crate) const CHUNK_ROWS: usize = 4_096;

/// Rows standardised at once: with 17 columns they take 17 kB, half of a first-level cache.
pub(crate) const BLOCK_ROWS: usize = 128;

/// Partial sums of every dot product.
const LANES: usize = 4;

/// Columns that one pass over a block's column is multiplied with.
const TILE: usize = 4;

/// Rows to be read as `(x − mean)·inverse_sd`, with a column of ones at the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standardised<'a> {
    pub(crate) rows: Matrix<'a>,
    pub(crate) mean: &'a [f64],
    pub(crate) inverse_sd: &'a [f64],
}

/// Column-major scratch of one block. Rows past its end are zeros up to a multiple of the lanes.
#[derive(Debug)]
pub(crate) struct Block {
    values: Vec<f64>,
    scaled: Vec<f64>,
    columns: usize,
    padded: usize,
}

impl Standardised<'_> {
    /// Columns plus the one of ones.
    pub(crate) fn dimension(&self) -> usize {
        self.rows.columns() + 1
    }

    /// Calls `sum` with every block, its first row and its number of rows; one state per chunk, in order.
    pub(crate) fn fold<S: Send>(
        &self,
        start: impl Fn() -> S + Sync,
        sum: impl Fn(&mut S, &mut Block, usize, usize) + Sync,
    ) -> Vec<S> {
        let n = self.rows.rows();
        (0..n.div_ceil(CHUNK_ROWS))
            .into_par_iter()
            .map_init(
                || Block::new(self.dimension()),
                |block, chunk| {
                    let mut state = start();
                    let from = chunk * CHUNK_ROWS;
                    let end = (from + CHUNK_ROWS).min(n);
                    for at in (from..end).step_by(BLOCK_ROWS) {
                        let to = (at + BLOCK_ROWS).min(end);
                        block.fill(self, at, to);
                        sum(&mut state, block, at, to - at);
                    }
                    state
                },
            )
            .collect()
    }
}

impl Block {
    fn new(dimension: usize) -> Self {
        Self {
            values: vec![0.0; dimension * BLOCK_ROWS],
            scaled: vec![0.0; BLOCK_ROWS],
            columns: dimension,
            padded: 0,
        }
    }

    fn fill(&mut self, of: &Standardised<'_>, from: usize, to: usize) {
        let p = of.rows.columns();
        let rows = to - from;
        self.padded = rows.next_multiple_of(LANES);
        let source = of.rows.block(from, to);
        for (j, column) in self.values.chunks_exact_mut(BLOCK_ROWS).enumerate() {
            column[rows..self.padded].fill(0.0);
            if j == p {
                column[..rows].fill(1.0);
                continue;
            }
            let (mean, inverse) = (of.mean[j], of.inverse_sd[j]);
            for (z, row) in column.iter_mut().zip(source.chunks_exact(p)) {
                *z = (row[j] - mean) * inverse;
            }
        }
    }

    fn column(&self, j: usize) -> &[f64] {
        &self.values[j * BLOCK_ROWS..][..self.padded]
    }

    /// `Σ_j theta_j z_j` of every row, padding included.
    pub(crate) fn linear(&self, theta: &[f64], out: &mut [f64]) {
        let out = &mut out[..self.padded];
        out.fill(0.0);
        for (j, t) in theta.iter().enumerate() {
            for (sum, z) in out.iter_mut().zip(self.column(j)) {
                *sum += t * z;
            }
        }
    }

    /// Adds `Σ_i weights_i z_ij` to `sums_j`. Weights past the block's rows must be finite; they meet zeros.
    pub(crate) fn add_sums(&self, weights: &[f64], sums: &mut [f64]) {
        let weights = &weights[..self.padded];
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum += dots(weights, [self.column(j)])[0];
        }
    }

    /// Adds `Σ_i weights_i z_ij z_ik` to the lower triangle of the row-major `gram`; weights as above.
    pub(crate) fn add_gram(&mut self, weights: &[f64], gram: &mut [f64]) {
        let mut scaled = std::mem::take(&mut self.scaled);
        for j in 0..self.columns {
            let column = self.column(j);
            for ((s, w), z) in scaled.iter_mut().zip(&weights[..self.padded]).zip(column) {
                *s = w * z;
            }
            let line = &mut gram[j * self.columns..=j * self.columns + j];
            let scaled = &scaled[..self.padded];
            let (tiles, rest) = line.as_chunks_mut::<TILE>();
            let rest_from = tiles.len() * TILE;
            for (tile, cells) in tiles.iter_mut().enumerate() {
                let columns = std::array::from_fn(|k| self.column(tile * TILE + k));
                for (cell, dot) in cells.iter_mut().zip(dots::<TILE>(scaled, columns)) {
                    *cell += dot;
                }
            }
            for (k, cell) in rest.iter_mut().enumerate() {
                *cell += dots(scaled, [self.column(rest_from + k)])[0];
            }
        }
        self.scaled = scaled;
    }
}

/// The dot products of `a` with some columns of the same length, a multiple of the lanes.
fn dots<const N: usize>(a: &[f64], columns: [&[f64]; N]) -> [f64; N] {
    let (a, _) = a.as_chunks::<LANES>();
    let columns = columns.map(|column| &column.as_chunks::<LANES>().0[..a.len()]);
    let mut sums = [[0.0; LANES]; N];
    for (at, a) in a.iter().enumerate() {
        for (sums, column) in sums.iter_mut().zip(&columns) {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(&column[at]) {
                *sum += a * b;
            }
        }
    }
    sums.map(|lanes| (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gram_and_sums_are_those_of_the_definition() {
        let (n, p) = (131, 6);
        let values: Vec<f64> = (0..n * p).map(|i| (i * 37 % 101) as f64 / 7.0).collect();
        let weights: Vec<f64> = (0..n).map(|i| (i % 5) as f64).collect();
        let (mean, inverse_sd) = ([3.0; 6], [0.5, 0.25, 1.0, 0.0, 0.1, 2.0]);
        let of = Standardised {
            rows: Matrix::new(&values, p).unwrap(),
            mean: &mean,
            inverse_sd: &inverse_sd,
        };
        let z = |i: usize, j: usize| {
            if j == p {
                1.0
            } else {
                (values[i * p + j] - mean[j]) * inverse_sd[j]
            }
        };
        let d = p + 1;
        let chunks = of.fold(
            || (vec![0.0; d], vec![0.0; d * d]),
            |(sums, gram), block, from, rows| {
                let mut padded = [0.0; BLOCK_ROWS];
                padded[..rows].copy_from_slice(&weights[from..from + rows]);
                block.add_sums(&padded, sums);
                block.add_gram(&padded, gram);
            },
        );
        let (sums, gram) = &chunks[0];
        for j in 0..d {
            let sum: f64 = (0..n).map(|i| weights[i] * z(i, j)).sum();
            assert!((sums[j] - sum).abs() < 1e-9);
            for k in 0..=j {
                let product: f64 = (0..n).map(|i| weights[i] * z(i, j) * z(i, k)).sum();
                assert!((gram[j * d + k] - product).abs() < 1e-9, "{j} {k}");
            }
        }
    }
}
