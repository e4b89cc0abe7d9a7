//! The population stability index, and the value it exceeds by chance alone once in twenty when nothing has moved.

mod counted;
mod order_statistics;
mod shift;

pub use counted::{count_bins, psi_of_counts};
pub use shift::{SHIFT_FAIL, SHIFT_WARN, Shift};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};
use thiserror::Error;

use order_statistics::order_statistics;

use crate::matrix::first_not_finite;

/// Rows per task; only counts are reduced, so the cut shows nowhere.
const CHUNK_ROWS: usize = 8_192;

/// Cells below this share count as this much, without renormalising.
const FLOOR: f64 = 1e-4;

/// The comparison of an actual sample with the expected one it is measured against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Psi {
    pub value: f64,
    /// `χ²₀.₉₅(B−1)·(1/n + 1/m)`: the 95 % bound of the PSI without any shift, B counting the bins either sample fills.
    pub no_shift_bound: f64,
    /// Inner edges; bins are `(lo, hi]`, open at both ends.
    pub edges: Vec<f64>,
    pub expected: Vec<f64>,
    pub actual: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PsiError {
    #[error("the {sample} sample is empty")]
    Empty { sample: &'static str },
    #[error("value {row} of the {sample} sample is not a finite number")]
    NotFinite { sample: &'static str, row: usize },
}

impl PsiError {
    /// Stable name of the error's kind.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "PSI_EMPTY",
            Self::NotFinite { .. } => "PSI_NOT_FINITE",
        }
    }
}

/// Compares two samples over the deciles of the expected one.
pub fn psi(expected: &[f64], actual: &[f64]) -> Result<Psi, PsiError> {
    check("expected", expected)?;
    check("actual", actual)?;
    let edges = decile_edges(expected);
    let (e, a) = (counts(expected, &edges), counts(actual, &edges));
    let filled = e.iter().zip(&a).filter(|(e, a)| **e + **a > 0).count();
    let (n, m) = (expected.len() as f64, actual.len() as f64);
    let expected: Vec<f64> = e.iter().map(|c| *c as f64 / n).collect();
    let actual: Vec<f64> = a.iter().map(|c| *c as f64 / m).collect();
    Ok(Psi {
        value: psi_of_shares(&expected, &actual),
        no_shift_bound: chi_squared_95(filled - 1) * (1.0 / n + 1.0 / m),
        edges,
        expected,
        actual,
    })
}

/// `Σ (a−e) ln(a/e)` with floored cells.
pub fn psi_of_shares(expected: &[f64], actual: &[f64]) -> f64 {
    expected
        .iter()
        .zip(actual)
        .map(|(e, a)| (e.max(FLOOR), a.max(FLOOR)))
        .map(|(e, a)| (a - e) * (a / e).ln())
        .sum()
}

/// The deciles 0.1 … 0.9: [`quantile_edges`] of ten bins.
pub fn decile_edges(sample: &[f64]) -> Vec<f64> {
    quantile_edges(sample, 10)
}

/// The inner edges of `bins` bins of equal share by linear interpolation between order statistics, equal edges merged.
/// Values must be finite; without values or with fewer than two bins there are no edges.
pub fn quantile_edges(sample: &[f64], bins: usize) -> Vec<f64> {
    let Some(last) = sample.len().checked_sub(1) else {
        return Vec::new();
    };
    // The position of an edge is part·last/bins; in integers its whole part is exact.
    let position = |part: usize| (part * last / bins, part * last % bins);
    let ranks: Vec<usize> = (1..bins)
        .flat_map(|part| {
            let (whole, _) = position(part);
            [whole, (whole + 1).min(last)]
        })
        .collect();
    let mut edges: Vec<f64> = order_statistics(sample, &ranks)
        .chunks_exact(2)
        .zip(1..bins)
        .map(|(pair, part)| {
            let (_, rest) = position(part);
            let (low, high, share) = (pair[0], pair[1], rest as f64 / bins as f64);
            let span = high - low;
            if span.is_finite() {
                low + span * share
            } else {
                // Neighbours further apart than the greatest float.
                low * (1.0 - share) + high * share
            }
        })
        .collect();
    edges.dedup();
    edges
}

/// Rows per bin. Counting how many edges lie below needs no branch per value, unlike a search.
fn counts(sample: &[f64], edges: &[f64]) -> Vec<usize> {
    let above: Vec<usize> = sample
        .par_chunks(CHUNK_ROWS)
        .map(|chunk| {
            edges
                .iter()
                .map(|edge| chunk.iter().map(|v| usize::from(v > edge)).sum())
                .collect::<Vec<usize>>()
        })
        .reduce(
            || vec![0; edges.len()],
            |a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect(),
        );
    let at_least = std::iter::once(sample.len()).chain(above.iter().copied());
    let beyond = above.iter().copied().chain(std::iter::once(0));
    at_least.zip(beyond).map(|(low, high)| low - high).collect()
}

fn chi_squared_95(freedom: usize) -> f64 {
    if freedom == 0 {
        return 0.0;
    }
    ChiSquared::new(freedom as f64)
        .expect("a positive number of degrees of freedom is valid")
        .inverse_cdf(0.95)
}

fn check(sample: &'static str, values: &[f64]) -> Result<(), PsiError> {
    if values.is_empty() {
        return Err(PsiError::Empty { sample });
    }
    match first_not_finite(values) {
        Some(row) => Err(PsiError::NotFinite { sample, row }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reference_number_holds() {
        let value = psi_of_shares(&[0.25; 4], &[0.5, 0.5, 0.0, 0.0]);
        assert!((value - 4.257_031_786_5).abs() < 5e-11, "{value}");
    }

    #[test]
    fn deciles_interpolate_and_merge() {
        let eleven: Vec<f64> = (0..11).map(f64::from).collect();
        assert_eq!(
            decile_edges(&eleven),
            (1..10).map(f64::from).collect::<Vec<_>>()
        );
        let two = decile_edges(&[0.0, 1.0]);
        assert_eq!(two.len(), 9);
        assert!((two[2] - 0.3).abs() < 1e-15);
        let flag: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i >= 50))).collect();
        assert_eq!(decile_edges(&flag), vec![0.0, 0.5, 1.0]);
        assert_eq!(decile_edges(&[7.0; 5]), vec![7.0]);
    }

    #[test]
    fn quantiles_of_any_number_interpolate_and_merge() {
        let five: Vec<f64> = (0..5).map(f64::from).collect();
        assert_eq!(quantile_edges(&five, 4), [1.0, 2.0, 3.0]);
        assert_eq!(quantile_edges(&five, 2), [2.0]);
        assert_eq!(quantile_edges(&[0.0, 1.0], 4), [0.25, 0.5, 0.75]);
        assert_eq!(quantile_edges(&[1.0, 1.0, 5.0], 4), [1.0, 3.0]);
        assert!(quantile_edges(&five, 1).is_empty() && quantile_edges(&[], 4).is_empty());
        let many: Vec<f64> = (0..20_001).map(|i| f64::from(i * 7919 % 20_001)).collect();
        let edges: Vec<f64> = (1..1000).map(|part| f64::from(part) * 20.0).collect();
        assert_eq!(quantile_edges(&many, 1000), edges);
    }

    #[test]
    fn neighbours_beyond_the_greatest_float_have_finite_deciles() {
        let edges = decile_edges(&[-f64::MAX, f64::MAX]);
        assert!(edges.iter().all(|edge| edge.is_finite()) && edges.is_sorted());
    }

    #[test]
    fn value_on_an_edge_belongs_to_the_bin_below() {
        assert_eq!(counts(&[1.0, 1.5, 2.0, 9.0, -9.0], &[1.0, 2.0]), [2, 2, 1]);
    }

    #[test]
    fn bound_matches_the_chi_squared_table() {
        for (freedom, table) in [(1, 3.841_459), (4, 9.487_729), (9, 16.918_978)] {
            assert!((chi_squared_95(freedom) - table).abs() < 1e-5);
        }
        let sample: Vec<f64> = (0..200).map(f64::from).collect();
        let same = psi(&sample, &sample[..100]).unwrap();
        assert!((same.no_shift_bound - 16.918_978 * 0.015).abs() < 1e-6);
    }

    #[test]
    fn constant_factor_cannot_shift_by_chance() {
        let same = psi(&[0.5; 40], &[0.5; 10]).unwrap();
        assert_eq!((same.value, same.no_shift_bound), (0.0, 0.0));
        let moved = psi(&[0.5; 40], &[0.9; 10]).unwrap();
        assert!(moved.value > 1.0 && moved.value > moved.no_shift_bound);
    }

    #[test]
    fn empty_and_infinite_samples_are_refused() {
        assert_eq!(
            psi(&[], &[1.0]).unwrap_err(),
            PsiError::Empty { sample: "expected" }
        );
        assert_eq!(
            psi(&[1.0], &[1.0, f64::INFINITY]).unwrap_err(),
            PsiError::NotFinite {
                sample: "actual",
                row: 1
            }
        );
    }

    proptest! {
        #[test]
        fn index_is_never_negative_and_zero_for_the_same_sample(
            a in prop::collection::vec(0u8..20, 1..80),
            b in prop::collection::vec(0u8..20, 1..80),
        ) {
            let a: Vec<f64> = a.into_iter().map(f64::from).collect();
            let b: Vec<f64> = b.into_iter().map(f64::from).collect();
            prop_assert_eq!(psi(&a, &a).unwrap().value, 0.0);
            let two = psi(&a, &b).unwrap();
            prop_assert!(two.value >= 0.0);
            prop_assert!((two.expected.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!((two.actual.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
