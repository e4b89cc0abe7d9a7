//! The choice of C by cross-validated log-loss over given folds.

use serde::{Deserialize, Serialize};

use super::{FitOptions, LogisticError, Penalty, fit};
use crate::matrix::Matrix;

/// Half decades around the default C = 1.
pub const DEFAULT_C_GRID: [f64; 7] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// The grid with its out-of-fold log-losses, and the C that won.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CSearch {
    pub c: f64,
    /// `(C, mean weighted log-loss over the rows, each predicted by the fit that did not see its fold)`.
    pub losses: Vec<(f64, f64)>,
}

/// Tries every C of `grid` with the other options as given; on equal losses the smaller C wins. `folds` is one fold
/// number per row, see [`crate::split::folds`].
pub fn search_c(
    rows: Matrix<'_>,
    bad: &[bool],
    weights: Option<&[f64]>,
    folds: &[usize],
    grid: &[f64],
    options: &FitOptions,
) -> Result<CSearch, LogisticError> {
    if folds.len() != rows.rows() {
        return Err(LogisticError::Length {
            what: "folds",
            got: folds.len(),
            expected: rows.rows(),
        });
    }
    if options.penalty == Penalty::None {
        return Err(LogisticError::NeedsPenalty {
            what: "the search for C",
        });
    }
    let mut losses = Vec::with_capacity(grid.len());
    for &c in grid {
        let options = FitOptions {
            c,
            ..options.clone()
        };
        losses.push((c, out_of_fold_loss(rows, bad, weights, folds, &options)?));
    }
    let best = losses
        .iter()
        .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.total_cmp(&b.0)))
        .ok_or(LogisticError::Length {
            what: "the grid of C",
            got: 0,
            expected: 1,
        })?;
    Ok(CSearch { c: best.0, losses })
}

fn out_of_fold_loss(
    rows: Matrix<'_>,
    bad: &[bool],
    weights: Option<&[f64]>,
    folds: &[usize],
    options: &FitOptions,
) -> Result<f64, LogisticError> {
    let weight = |row: usize| weights.map_or(1.0, |w| w[row]);
    let fold_count = folds.iter().max().map_or(0, |last| last + 1);
    let (mut loss, mut total) = (0.0, 0.0);
    for fold in 0..fold_count {
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..folds.len()).partition(|&row| folds[row] == fold);
        let values = rows.select(&train);
        let train_bad: Vec<bool> = train.iter().map(|&row| bad[row]).collect();
        let train_weights: Vec<f64> = train.iter().map(|&row| weight(row)).collect();
        let matrix = Matrix::new(&values, rows.columns())?;
        let model = fit(matrix, &train_bad, Some(&train_weights), options)?.raw_model();
        for row in test {
            let f = model.logit(rows.row(row));
            let t = if bad[row] { -f } else { f };
            loss += weight(row) * (t.max(0.0) + (-t.abs()).exp().ln_1p());
            total += weight(row);
        }
    }
    Ok(loss / total)
}
