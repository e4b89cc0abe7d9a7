//! The index from counts: what remains of a population once only its bins are kept.

use super::{Psi, chi_squared_95, psi_of_shares};

/// Most inner edges that deciles can have; more are counted too, only slower.
const DECILE_EDGES: usize = 9;

/// Counts of a sample per bin `(lo, hi]` of ascending edges, open at both ends, and of its NaNs apart.
pub fn count_bins(sample: &[f64], edges: &[f64]) -> (Vec<u64>, u64) {
    if edges.len() > DECILE_EDGES {
        let mut counts = vec![0; edges.len() + 1];
        let present = sample.iter().filter(|value| !value.is_nan());
        let mut found = 0;
        for value in present {
            counts[edges.partition_point(|edge| edge < value)] += 1;
            found += 1;
        }
        return (counts, sample.len() as u64 - found);
    }
    // Comparing with all nine and adding up needs no branch, which a random value would mispredict.
    let mut padded = [f64::INFINITY; DECILE_EDGES];
    padded[..edges.len()].copy_from_slice(edges);
    let mut counts = [0u64; DECILE_EDGES + 2];
    for value in sample {
        let above: usize = padded.iter().map(|edge| usize::from(*edge < *value)).sum();
        let bin = if value.is_nan() {
            DECILE_EDGES + 1
        } else {
            above
        };
        counts[bin] += 1;
    }
    (counts[..=edges.len()].to_vec(), counts[DECILE_EDGES + 1])
}

/// The index of two samples of which only the counts per cell are known; `edges` is carried along.
///
/// Cells past the bins of the edges (missing values, say) count like any other. `None` where either sample has no rows.
///
/// # Panics
/// If the two have different numbers of cells.
pub fn psi_of_counts(edges: &[f64], expected: &[u64], actual: &[u64]) -> Option<Psi> {
    assert_eq!(
        expected.len(),
        actual.len(),
        "one cell of either sample for each of the other"
    );
    let (n, m) = (expected.iter().sum::<u64>(), actual.iter().sum::<u64>());
    if n == 0 || m == 0 {
        return None;
    }
    let cells = expected.iter().zip(actual);
    let filled = cells.filter(|(e, a)| **e + **a > 0).count();
    let (n, m) = (n as f64, m as f64);
    let expected: Vec<f64> = expected.iter().map(|count| *count as f64 / n).collect();
    let actual: Vec<f64> = actual.iter().map(|count| *count as f64 / m).collect();
    Some(Psi {
        value: psi_of_shares(&expected, &actual),
        no_shift_bound: chi_squared_95(filled - 1) * (1.0 / n + 1.0 / m),
        edges: edges.to_vec(),
        expected,
        actual,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psi::{decile_edges, psi};
    use proptest::prelude::*;

    #[test]
    fn values_on_an_edge_and_missing_ones_have_their_cells() {
        let sample = [1.0, 1.5, f64::NAN, 2.0, 9.0, -9.0];
        assert_eq!(count_bins(&sample, &[1.0, 2.0]), (vec![2, 2, 1], 1));
        assert_eq!(count_bins(&sample, &[]), (vec![5], 1));
        let many: Vec<f64> = (0..12).map(f64::from).collect();
        let (counts, missing) = count_bins(&sample, &many);
        assert_eq!((counts.len(), counts[1], missing), (13, 1, 1));
        assert_eq!(counts.iter().sum::<u64>(), 5);
    }

    #[test]
    fn a_sample_without_rows_has_no_index() {
        assert_eq!(psi_of_counts(&[], &[0], &[3]), None);
        assert_eq!(psi_of_counts(&[], &[3], &[0]), None);
    }

    proptest! {
        #[test]
        fn index_of_counts_is_bit_for_bit_that_of_the_samples(
            a in prop::collection::vec(0u8..30, 1..90),
            b in prop::collection::vec(0u8..30, 1..90),
        ) {
            let a: Vec<f64> = a.into_iter().map(f64::from).collect();
            let b: Vec<f64> = b.into_iter().map(f64::from).collect();
            let edges = decile_edges(&a);
            let (expected, actual) = (count_bins(&a, &edges).0, count_bins(&b, &edges).0);
            let counted = psi_of_counts(&edges, &expected, &actual).unwrap();
            prop_assert_eq!(counted, psi(&a, &b).unwrap());
        }
    }
}
