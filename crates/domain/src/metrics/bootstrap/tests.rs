//! Replicates against the metrics of the rows they stand for, and the promises about bits.

use super::*;
use crate::metrics::{brier, log_loss};

/// Ties, both classes, scores that know something.
fn sample(n: u64) -> (Vec<f64>, Vec<bool>) {
    let draw = |i: u64| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 97;
    let score = (0..n).map(|i| draw(i) as f64 / 97.0).collect();
    let bad = (0..n).map(|i| draw(i) + draw(i + n) % 60 > 90).collect();
    (score, bad)
}

#[test]
fn replicate_has_the_metrics_of_the_rows_it_drew() {
    let (score, bad) = sample(500);
    let ranking = Ranking::new(&score, &bad).unwrap();
    let strata = Strata::of(&ranking, true);
    let mut counts = Counts::of(&strata);
    counts.draw(3, 17);
    // The rows in the order of the strata, each as often as it was drawn.
    let mut rows: Vec<usize> = (0..500).collect();
    rows.sort_by(|a, b| score[*b].total_cmp(&score[*a]));
    let (goods, bads): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| !bad[**row]);
    let (mut drawn, mut labels) = (Vec::new(), Vec::new());
    for (rows, counts) in [(&goods, &counts.goods), (&bads, &counts.bads)] {
        for (row, count) in rows.iter().zip(counts) {
            drawn.extend(std::iter::repeat_n(score[*row], *count as usize));
            labels.extend(std::iter::repeat_n(bad[*row], *count as usize));
        }
    }
    assert_eq!(drawn.len(), 500);
    assert_eq!(labels.iter().filter(|b| **b).count(), bads.len());
    let (found, wanted) = (
        strata.figures(&counts),
        Ranking::new(&drawn, &labels).unwrap(),
    );
    assert_eq!(found.auc, wanted.auc());
    assert!((found.ks - wanted.ks()).abs() < 1e-12);
    assert!((found.average_precision - wanted.average_precision()).abs() < 1e-12);
    assert!((found.brier - brier(&drawn, &labels).unwrap()).abs() < 1e-12);
    assert!((found.log_loss - log_loss(&drawn, &labels).unwrap()).abs() < 1e-12);
}

#[test]
fn threads_and_row_order_change_no_bit() {
    let (score, bad) = sample(3_000);
    let on = |threads, score: &[f64], bad: &[bool]| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| bootstrap(score, bad, 60, 5).unwrap())
    };
    let one = on(1, &score, &bad);
    assert_eq!(one, on(3, &score, &bad));
    let reversed: (Vec<f64>, Vec<bool>) = (
        score.iter().rev().copied().collect(),
        bad.iter().rev().copied().collect(),
    );
    assert_eq!(one, on(2, &reversed.0, &reversed.1));
    assert_ne!(one, bootstrap(&score, &bad, 60, 6).unwrap());
}

#[test]
fn interval_of_the_auc_agrees_with_delong() {
    let (score, bad) = sample(4_000);
    let found = bootstrap(&score, &bad, BOOTSTRAP_REPLICATES, 1)
        .unwrap()
        .auc;
    let delong = Ranking::new(&score, &bad).unwrap().delong().unwrap();
    assert_eq!(found.value, delong.auc);
    let width = delong.upper - delong.lower;
    assert!((found.lower - delong.lower).abs() < 0.1 * width);
    assert!((found.upper - delong.upper).abs() < 0.1 * width);
}

#[test]
fn raw_points_have_no_brier_score() {
    let (score, bad) = sample(200);
    let points: Vec<f64> = score.iter().map(|s| -900.0 + 600.0 * s).collect();
    let found = bootstrap(&points, &bad, 50, 1).unwrap();
    assert_eq!((found.brier, found.log_loss), (None, None));
    assert_eq!(found.auc, bootstrap(&score, &bad, 50, 1).unwrap().auc);
}

#[test]
fn what_cannot_be_drawn_from_is_refused() {
    let single = bootstrap(&[0.1, 0.2], &[true, true], 10, 1).unwrap_err();
    assert_eq!(single.reason(), "SINGLE_CLASS");
    let few = bootstrap(&[0.1, 0.2], &[true, false], 1, 1).unwrap_err();
    assert_eq!(few.reason(), "TOO_FEW_REPLICATES");
}
