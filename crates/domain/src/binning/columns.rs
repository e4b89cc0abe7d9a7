//! Many columns at once, on all cores.

use rayon::prelude::*;

use super::{Binning, BinningError, BinningOptions, optimal_bins};

/// [`optimal_bins`] of each column against the same labels, in the columns' order. Each column is one task, so the
/// result does not depend on the number of threads.
pub fn bin_columns(
    columns: &[&[f64]],
    bad: &[bool],
    weights: Option<&[f64]>,
    options: &BinningOptions,
) -> Vec<Result<Binning, BinningError>> {
    columns
        .par_iter()
        .map(|values| optimal_bins(values, bad, weights, options))
        .collect()
}
