//! The specification's reference numbers, and every fast algorithm against its definition written out in O(n²).

use proptest::prelude::*;

use super::*;

const PD: [f64; 12] = [0.1, 0.2, 0.2, 0.3, 0.4, 0.4, 0.4, 0.8, 0.05, 0.9, 0.6, 0.2];
const Y: [u8; 12] = [0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0];

fn reference() -> (Vec<f64>, Vec<bool>) {
    (PD.to_vec(), Y.iter().map(|y| *y == 1).collect())
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} is not {b}");
}

#[test]
fn reference_numbers_hold_to_1e_12() {
    let (pd, bad) = reference();
    let metrics = evaluate(&pd, &bad, DEFAULT_CUTOFF).unwrap();
    close(metrics.auc, 0.8);
    close(metrics.gini, 0.6);
    close(metrics.ks, 18.0 / 35.0);
    close(metrics.average_precision, 23.0 / 30.0);
    close(metrics.brier, 0.176_041_666_666_666_66);
    close(metrics.log_loss, 0.513_104_637_950_593_4);
    assert_eq!(metrics.confusion.true_bad, 2);
    assert_eq!(metrics.confusion.false_bad, 1);
    assert_eq!(metrics.confusion.true_good, 6);
    assert_eq!(metrics.confusion.false_good, 3);
    assert_eq!(metrics.confusion.precision(), Some(2.0 / 3.0));
    assert_eq!(metrics.confusion.recall(), 0.4);
    // The two worst are both bad.
    close(metrics.lift_top_tenth, 12.0 / 5.0);
}

#[test]
fn single_class_is_an_error_everywhere() {
    let pd = [0.1, 0.9];
    let bad = [true, true];
    let single = MetricError::SingleClass { goods: 0, bads: 2 };
    assert_eq!(evaluate(&pd, &bad, 0.5).unwrap_err(), single);
    assert_eq!(Ranking::new(&pd, &bad).unwrap_err(), single);
    assert_eq!(brier(&pd, &bad).unwrap_err(), single);
    assert_eq!(log_loss(&pd, &bad).unwrap_err(), single);
    assert_eq!(expected_calibration_error(&pd, &bad).unwrap_err(), single);
    assert_eq!(delong(&pd, &bad).unwrap_err(), single);
    assert_eq!(paired_delong(&pd, &pd, &bad).unwrap_err(), single);
    assert_eq!(Confusion::at(0.5, &pd, &bad).unwrap_err(), single);
    assert!(Ranking::new(&[], &[]).is_err());
}

#[test]
fn what_is_no_probability_is_refused_with_its_row() {
    let bad = [true, false];
    assert_eq!(
        brier(&[0.5, 1.5], &bad).unwrap_err(),
        MetricError::NotAProbability { row: 1, value: 1.5 }
    );
    assert_eq!(
        brier(&[f64::NAN, 0.5], &bad).unwrap_err(),
        MetricError::NotFinite { row: 0 }
    );
    assert!(matches!(
        brier(&[0.5], &bad).unwrap_err(),
        MetricError::Length { .. }
    ));
}

#[test]
fn certain_and_wrong_costs_much_but_not_infinity() {
    let loss = log_loss(&[0.0, 1.0], &[true, false]).unwrap();
    assert!(loss.is_finite() && loss > 30.0);
}

#[test]
fn calibration_error_of_two_bins() {
    // Bin 0.2-0.3: mean 0.2, one bad of two; the last bin holds p = 1.
    let pd = [0.2, 0.2, 1.0, 1.0];
    let bad = [true, false, true, true];
    close(expected_calibration_error(&pd, &bad).unwrap(), 0.15);
    let bins = calibration_bins(&pd, &bad).unwrap();
    assert_eq!((bins[2].rows, bins[9].rows, bins[0].mean_pd), (2, 2, None));
}

#[test]
fn perfectly_calibrated_cells_lie_on_the_identity() {
    let mut pd = Vec::new();
    let mut bad = Vec::new();
    for (p, bads) in [(0.1, 1), (0.4, 4), (0.8, 8)] {
        for i in 0..10 {
            pd.push(p);
            bad.push(i < bads);
        }
    }
    let line = calibration_line(&pd, &bad).unwrap();
    assert!((line.slope - 1.0).abs() < 1e-7 && line.intercept.abs() < 1e-7);
}

#[test]
fn lift_shares_a_tie_at_the_border_in_proportion() {
    // ⌈11/10⌉ = 2 places; one goes to the top row, one is shared by four tied rows of which one is bad.
    let score = [9.0, 5.0, 5.0, 5.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    let mut bad = [false; 11];
    bad[0] = true;
    bad[3] = true;
    let lift = Ranking::new(&score, &bad).unwrap().lift_top_tenth();
    close(lift, (1.25 / 2.0) / (2.0 / 11.0));
}

#[test]
fn roc_runs_from_corner_to_corner_and_thins() {
    let (pd, bad) = reference();
    let roc = Ranking::new(&pd, &bad).unwrap().roc(100);
    assert_eq!(roc.len(), 1 + 8);
    assert_eq!((roc[0].false_bad_rate, roc[0].threshold), (0.0, None));
    let last = roc[roc.len() - 1];
    assert_eq!((last.false_bad_rate, last.true_bad_rate), (1.0, 1.0));
    let many: Vec<f64> = (0..1000).map(f64::from).collect();
    let labels: Vec<bool> = (0..1000).map(|i| i % 3 == 0).collect();
    let thin = Ranking::new(&many, &labels).unwrap().roc(50);
    assert!(thin.len() <= 50 && thin[thin.len() - 1].true_bad_rate == 1.0);
}

#[test]
fn delong_of_a_hand_computed_case() {
    // Bads 3, 1; goods 2, 0, 0: placements bad = (1, 2/3), good = (1/2, 1, 1).
    let estimate = delong(
        &[3.0, 1.0, 2.0, 0.0, 0.0],
        &[true, true, false, false, false],
    )
    .unwrap();
    close(estimate.auc, 5.0 / 6.0);
    close(estimate.variance, (1.0 / 18.0) / 2.0 + (1.0 / 12.0) / 3.0);
    assert_eq!(estimate.upper, 1.0);
    close(
        estimate.lower,
        5.0 / 6.0 - NORMAL_95 * (1.0f64 / 18.0).sqrt(),
    );
}

#[test]
fn same_score_twice_shows_no_difference() {
    let (pd, bad) = reference();
    let paired = paired_delong(&pd, &pd, &bad).unwrap();
    assert_eq!(
        (paired.delta, paired.variance, paired.p_value),
        (0.0, 0.0, 1.0)
    );
}

#[test]
fn clearly_better_challenger_is_significant() {
    let bad: Vec<bool> = (0..400).map(|i| i % 4 == 0).collect();
    let champion: Vec<f64> = (0..400).map(|i| f64::from((i * 37) % 101)).collect();
    let challenger: Vec<f64> = (0..400)
        .map(|i| f64::from((i * 37) % 101) + if i % 4 == 0 { 60.0 } else { 0.0 })
        .collect();
    let paired = paired_delong(&champion, &challenger, &bad).unwrap();
    assert!(paired.delta > 0.2 && paired.lower > 0.1 && paired.p_value < 1e-6);
    let swapped = paired_delong(&challenger, &champion, &bad).unwrap();
    close(swapped.delta, -paired.delta);
    close(swapped.p_value, paired.p_value);
}

#[test]
fn one_bad_row_has_an_auc_but_no_variance() {
    let bad = [true, false, false];
    let score = [0.9, 0.1, 0.2];
    assert_eq!(
        delong(&score, &bad).unwrap_err(),
        MetricError::TooFewForVariance { goods: 2, bads: 1 }
    );
    assert_eq!(evaluate(&score, &bad, 0.5).unwrap().auc_interval, None);
}

/// ½ for a tie, 1 when the bad row scores higher.
fn wins(bad: f64, good: f64) -> f64 {
    if bad > good {
        1.0
    } else if bad == good {
        0.5
    } else {
        0.0
    }
}

fn classes(score: &[f64], bad: &[bool]) -> (Vec<f64>, Vec<f64>) {
    let of = |class| {
        let pairs = score.iter().zip(bad).filter(move |(_, b)| **b == class);
        pairs.map(|(s, _)| *s).collect::<Vec<f64>>()
    };
    (of(true), of(false))
}

/// Structural components and their covariance between two scores, straight from DeLong et al.
fn naive_covariance(a: &[f64], b: &[f64], bad: &[bool]) -> f64 {
    let components = |score: &[f64]| {
        let (x, y) = classes(score, bad);
        let v10: Vec<f64> = x
            .iter()
            .map(|x| y.iter().map(|y| wins(*x, *y)).sum::<f64>() / y.len() as f64)
            .collect();
        let v01: Vec<f64> = y
            .iter()
            .map(|y| x.iter().map(|x| wins(*x, *y)).sum::<f64>() / x.len() as f64)
            .collect();
        (v10, v01)
    };
    let covariance = |u: &[f64], v: &[f64]| {
        let n = u.len() as f64;
        let (mu, mv) = (u.iter().sum::<f64>() / n, v.iter().sum::<f64>() / n);
        u.iter()
            .zip(v)
            .map(|(u, v)| (u - mu) * (v - mv))
            .sum::<f64>()
            / (n - 1.0)
    };
    let ((a10, a01), (b10, b01)) = (components(a), components(b));
    covariance(&a10, &b10) / a10.len() as f64 + covariance(&a01, &b01) / a01.len() as f64
}

prop_compose! {
    /// Coarse scores, so that ties abound, with at least two rows of either class.
    fn scored()(n in 6usize..60)(
        a in prop::collection::vec(0u8..12, n),
        b in prop::collection::vec(0u8..12, n),
        mut bad in prop::collection::vec(any::<bool>(), n),
    ) -> (Vec<f64>, Vec<f64>, Vec<bool>) {
        bad[0] = true;
        bad[1] = true;
        bad[2] = false;
        bad[3] = false;
        (a.into_iter().map(f64::from).collect(), b.into_iter().map(f64::from).collect(), bad)
    }
}

proptest! {
    #[test]
    fn auc_is_the_share_of_pairs_in_order((score, _, bad) in scored()) {
        let (x, y) = classes(&score, &bad);
        let won: f64 = x.iter().flat_map(|x| y.iter().map(move |y| wins(*x, *y))).sum();
        let naive = won / (x.len() * y.len()) as f64;
        let fast = Ranking::new(&score, &bad).unwrap().auc();
        prop_assert!((fast - naive).abs() < 1e-12);
        prop_assert!((delong(&score, &bad).unwrap().auc - naive).abs() < 1e-12);
    }

    #[test]
    fn ks_is_the_greatest_gap_at_any_score((score, _, bad) in scored()) {
        let (x, y) = classes(&score, &bad);
        let share = |class: &[f64], at: f64| class.iter().filter(|v| **v <= at).count() as f64 / class.len() as f64;
        let naive = score.iter().map(|at| (share(&x, *at) - share(&y, *at)).abs()).fold(0.0, f64::max);
        prop_assert!((Ranking::new(&score, &bad).unwrap().ks() - naive).abs() < 1e-12);
    }

    #[test]
    fn average_precision_sums_over_distinct_thresholds((score, _, bad) in scored()) {
        let mut thresholds = score.clone();
        thresholds.sort_by(|a, b| b.total_cmp(a));
        thresholds.dedup();
        let bads = bad.iter().filter(|b| **b).count() as f64;
        let (mut naive, mut recall) = (0.0, 0.0);
        for at in thresholds {
            let called = score.iter().filter(|s| **s >= at).count() as f64;
            let hits = score.iter().zip(&bad).filter(|(s, b)| **s >= at && **b).count() as f64;
            naive += (hits / bads - recall) * hits / called;
            recall = hits / bads;
        }
        prop_assert!((Ranking::new(&score, &bad).unwrap().average_precision() - naive).abs() < 1e-12);
    }

    #[test]
    fn delong_variances_match_the_definition((a, b, bad) in scored()) {
        let single = delong(&a, &bad).unwrap();
        prop_assert!((single.variance - naive_covariance(&a, &a, &bad)).abs() < 1e-12);
        let naive = naive_covariance(&a, &a, &bad) + naive_covariance(&b, &b, &bad) - 2.0 * naive_covariance(&a, &b, &bad);
        let paired = paired_delong(&a, &b, &bad).unwrap();
        prop_assert!((paired.variance - naive).abs() < 1e-12);
        prop_assert!((0.0..=1.0).contains(&paired.p_value));
    }

    #[test]
    fn roc_area_is_the_auc((score, _, bad) in scored()) {
        let ranking = Ranking::new(&score, &bad).unwrap();
        let roc = ranking.roc(1000);
        let area: f64 = roc.windows(2)
            .map(|w| (w[1].false_bad_rate - w[0].false_bad_rate) * (w[0].true_bad_rate + w[1].true_bad_rate) / 2.0)
            .sum();
        prop_assert!((area - ranking.auc()).abs() < 1e-12);
    }
}
