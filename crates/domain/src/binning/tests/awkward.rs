//! What is not the usual column: an answer or a named error, never a NaN.

use super::*;

fn assert_finite(binning: &Binning) {
    let text = serde_json::to_string(binning).unwrap();
    // A number that is not finite is written as null, and so would not come back.
    assert_eq!(&serde_json::from_str::<Binning>(&text).unwrap(), binning);
    assert!(binning.information_value.is_finite());
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 1e300] {
        assert!(binning.woe(x).is_finite());
    }
}

fn refused(
    values: &[f64],
    bad: &[bool],
    weights: Option<&[f64]>,
    options: &BinningOptions,
) -> &'static str {
    optimal_bins(values, bad, weights, options)
        .unwrap_err()
        .reason()
}

#[test]
fn rows_that_cannot_be_binned_are_refused_by_name() {
    let usual = BinningOptions::default();
    assert_eq!(refused(&[], &[], None, &usual), "EMPTY");
    assert_eq!(
        refused(&[1.0], &[true, false], None, &usual),
        "LENGTH_MISMATCH"
    );
    assert_eq!(
        refused(&[1.0, 2.0], &[true; 2], None, &usual),
        "SINGLE_CLASS"
    );
    let two = (&[1.0, 2.0], &[true, false]);
    assert_eq!(
        refused(two.0, two.1, Some(&[0.0, 1.0]), &usual),
        "SINGLE_CLASS"
    );
    assert_eq!(
        refused(two.0, two.1, Some(&[1.0]), &usual),
        "LENGTH_MISMATCH"
    );
    for bad_weight in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(
            refused(two.0, two.1, Some(&[1.0, bad_weight]), &usual),
            "BAD_WEIGHT"
        );
    }
    assert_eq!(
        refused(two.0, two.1, Some(&[f64::MAX; 2]), &usual),
        "BAD_WEIGHT"
    );
}

#[test]
fn options_out_of_range_are_refused_by_name() {
    let of = |change: &dyn Fn(&mut BinningOptions)| {
        let mut options = BinningOptions::default();
        change(&mut options);
        refused(&[1.0, 2.0], &[true, false], None, &options)
    };
    assert_eq!(of(&|o| o.min_share = 0.51), "BAD_BINNING_OPTIONS");
    assert_eq!(of(&|o| o.min_share = f64::NAN), "BAD_BINNING_OPTIONS");
    assert_eq!(of(&|o| o.max_prebins = 1), "BAD_BINNING_OPTIONS");
    assert_eq!(of(&|o| o.max_bins = Some(0)), "BAD_BINNING_OPTIONS");
    assert_eq!(of(&|o| o.special = vec![f64::NAN]), "BAD_SPECIAL_VALUE");
    assert_eq!(of(&|o| o.special = vec![0.0, -0.0]), "BAD_SPECIAL_VALUE");
    let at = |cuts: &[f64]| bins_at(&[1.0, 2.0], &[true, false], None, cuts, &[]).unwrap_err();
    assert_eq!(at(&[2.0, 2.0]), BinningError::BadCut { value: 2.0 });
    assert_eq!(at(&[f64::INFINITY]).reason(), "BAD_CUTS");
    assert_eq!(at(&[f64::NAN]).reason(), "BAD_CUTS");
}

#[test]
fn constant_column_is_one_bin_without_information() {
    let (values, bad) = rows(&[(3.0, 70, 30)]);
    for trend in [Trend::Auto, Trend::None, Trend::Peak] {
        let binning = optimal_bins(&values, &bad, None, &with(trend)).unwrap();
        assert_eq!((binning.bins.len(), binning.information_value), (1, 0.0));
        assert_eq!((binning.bins[0].low, binning.bins[0].high), (None, None));
        assert_eq!(binning.trend, Trend::None);
        assert_finite(&binning);
    }
}

#[test]
fn column_of_missing_values_alone_keeps_an_empty_bin_without_evidence() {
    let binning = optimal_bins(
        &[f64::NAN; 3],
        &[true, false, false],
        None,
        &BinningOptions::default(),
    )
    .unwrap();
    assert_eq!((binning.bins.len(), binning.bins[0].rows), (1, 0));
    assert_eq!(binning.woe(1.0), 0.0);
    assert_eq!(binning.missing.as_ref().unwrap().share, 1.0);
    assert_finite(&binning);
}

#[test]
fn values_fewer_than_a_bin_needs_still_share_one_bin() {
    let (mut values, bad) = rows(&[(7.0, 96, 1), (1.0, 1, 0), (2.0, 0, 2)]);
    values[..97].fill(f64::NAN);
    let binning = optimal_bins(&values, &bad, None, &BinningOptions::default()).unwrap();
    assert_eq!((binning.bins.len(), binning.bins[0].rows), (1, 3));
    assert_finite(&binning);
}

#[test]
fn infinite_values_belong_to_the_outer_bins() {
    let (mut values, bad) = rows(&[(-9.0, 50, 10), (1.0, 40, 20), (2.0, 35, 25), (9.0, 20, 40)]);
    for value in &mut values {
        *value *= if value.abs() == 9.0 {
            f64::INFINITY
        } else {
            1.0
        };
    }
    let binning = optimal_bins(&values, &bad, None, &with(Trend::Ascending)).unwrap();
    let counted: Vec<u64> = binning.bins.iter().map(|bin| bin.rows).collect();
    assert_eq!(counted, [60, 60, 60, 60]);
    assert_eq!(binning.woe(f64::INFINITY), binning.bins[3].woe);
    assert_eq!(binning.woe(f64::NEG_INFINITY), binning.bins[0].woe);
    assert!(binning.cuts().iter().all(|cut| cut.is_finite()));
    assert_finite(&binning);
}

#[test]
fn bins_of_one_class_have_finite_evidence() {
    let (values, bad) = rows(&[(0.0, 100, 0), (1.0, 0, 100)]);
    let binning = optimal_bins(&values, &bad, None, &BinningOptions::default()).unwrap();
    assert!((binning.woe(0.0) - (100.5f64 / 0.5).ln()).abs() < 1e-14);
    assert_eq!(binning.bins.len(), 2);
    assert_finite(&binning);
    let empty = bins_at(&values, &bad, None, &[0.5, 0.6, 2.0], &[]).unwrap();
    assert_eq!(
        (empty.bins[1].rows, empty.bins[1].woe, empty.bins[3].iv),
        (0, 0.0, 0.0)
    );
    assert_finite(&empty);
}

#[test]
fn rows_of_weight_zero_count_as_absent() {
    let values = [1.0, 2.0, 1.0, 2.0, 5.0, f64::NAN, 1.0, 2.0];
    let bad = [true, false, false, true, true, true, true, false];
    let weights = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0];
    let options = BinningOptions::default();
    let all = optimal_bins(&values, &bad, Some(&weights), &options).unwrap();
    let kept = [0, 1, 2, 3, 6, 7];
    let values: Vec<f64> = kept.iter().map(|&i| values[i]).collect();
    let bad: Vec<bool> = kept.iter().map(|&i| bad[i]).collect();
    assert_eq!(all, optimal_bins(&values, &bad, None, &options).unwrap());
}

#[test]
fn weights_of_extreme_size_do_not_overflow_the_evidence() {
    let values = [1.0, 1.0, 2.0, 2.0];
    let bad = [true, false, true, false];
    for weights in [[1e-320, 1e300, 1e300, 1e-320], [5e-324; 4], [1e307; 4]] {
        let binning = bins_at(&values, &bad, Some(&weights), &[2.0], &[]).unwrap();
        assert_finite(&binning);
    }
}
