//! Curves against the scalar metrics they must contain.

use super::*;
use proptest::prelude::*;

#[test]
fn curves_of_many_rows_stay_small_and_reach_their_ends() {
    let pd: Vec<f64> = (0..5_000).map(|i| f64::from(i) / 5_000.0).collect();
    let bad: Vec<bool> = (0..5_000).map(|i| i * i % 7 < i / 1_000).collect();
    let curves = Curves::of(&pd, &bad).unwrap();
    assert!(curves.roc.len() <= CURVE_POINTS && curves.ks.len() <= CURVE_POINTS);
    assert_eq!(curves.lift.len(), 100);
    let (ks, lift) = (curves.ks[curves.ks.len() - 1], curves.lift[99]);
    assert_eq!((ks.bad_share, ks.good_share), (1.0, 1.0));
    assert_eq!((lift.share, lift.captured, lift.lift), (1.0, 1.0, 1.0));
}

#[test]
fn equal_scores_share_the_places_of_the_lift_curve() {
    // Four tied rows, one bad, below one bad row: after 3 of 5 places, 1 + 2/4 of the 2 bads are captured.
    let pd = [0.9, 0.5, 0.5, 0.5, 0.5];
    let bad = [true, false, true, false, false];
    let lift = Ranking::new(&pd, &bad).unwrap().lift_curve();
    assert_eq!(lift.len(), 5);
    assert_eq!((lift[2].share, lift[2].captured), (0.6, 0.75));
    assert!((lift[2].lift - 1.25).abs() < 1e-15);
}

#[test]
fn constant_score_never_parts_the_classes() {
    let curves = Curves::of(&[0.3; 4], &[true, false, true, false]).unwrap();
    assert_eq!(curves.ks, [curves.ks_at]);
    assert_eq!(curves.ks_at.gap(), 0.0);
    assert!(curves.lift.iter().all(|point| point.lift == 1.0));
}

#[test]
fn single_class_has_no_curves() {
    let error = Curves::of(&[0.1, 0.2], &[false, false]).unwrap_err();
    assert_eq!(error.reason(), "SINGLE_CLASS");
}

#[test]
fn curves_come_back_from_json() {
    let curves = Curves::of(&[0.1, 0.7, 0.7, 0.2], &[false, true, false, true]).unwrap();
    let json = serde_json::to_string(&curves).unwrap();
    assert_eq!(serde_json::from_str::<Curves>(&json).unwrap(), curves);
}

proptest! {
    #[test]
    fn curves_hold_the_scalar_metrics(
        cells in prop::collection::vec((0u8..40, any::<bool>()), 4..600), limit in 3usize..60,
    ) {
        let pd: Vec<f64> = cells.iter().map(|(p, _)| f64::from(*p) / 40.0).collect();
        let bad: Vec<bool> = cells.iter().map(|(_, b)| *b).collect();
        prop_assume!(bad.iter().any(|b| *b) && bad.iter().any(|b| !*b));
        let ranking = Ranking::new(&pd, &bad).unwrap();
        let (points, furthest) = ranking.ks_curve(limit);
        prop_assert!(points.len() <= limit.max(3));
        prop_assert!((furthest.gap() - ranking.ks()).abs() < 1e-12);
        prop_assert!(points.contains(&furthest));
        prop_assert!(points.windows(2).all(|w| w[0].score < w[1].score));
        let lift = ranking.lift_curve();
        let tenth = pd.len().div_ceil(10) as f64 / pd.len() as f64;
        let at_tenth = lift.iter().find(|point| point.share == tenth).unwrap();
        prop_assert!((at_tenth.lift - ranking.lift_top_tenth()).abs() < 1e-12);
        prop_assert!(lift.windows(2).all(|w| w[0].captured <= w[1].captured + 1e-15));
    }
}
