//! Tests of binning: known tables, awkward input, and by file brute force, properties, references and the card.

mod awkward;
mod brute_force;
mod properties;
mod reference;
mod woe_card;

use super::*;

/// Rows from counts per value: `(value, goods, bads)`.
fn rows(counts: &[(f64, usize, usize)]) -> (Vec<f64>, Vec<bool>) {
    let (mut values, mut bad) = (Vec::new(), Vec::new());
    for &(value, goods, bads) in counts {
        values.extend(std::iter::repeat_n(value, goods + bads));
        bad.extend(std::iter::repeat_n(false, goods));
        bad.extend(std::iter::repeat_n(true, bads));
    }
    (values, bad)
}

fn with(trend: Trend) -> BinningOptions {
    BinningOptions {
        trend,
        ..BinningOptions::default()
    }
}

fn bad_rates(binning: &Binning) -> Vec<f64> {
    binning.bins.iter().map(|bin| bin.bad_rate).collect()
}

#[test]
fn table_at_given_cuts_follows_the_formulas() {
    let (values, bad) = rows(&[(1.0, 40, 10), (2.0, 30, 5), (3.0, 20, 0)]);
    let binning = bins_at(&values, &bad, None, &[2.0, 3.0], &[]).unwrap();
    let woe = |goods: f64, bads: f64| ((goods / 90.0) / (bads / 15.0)).ln();
    assert_eq!(binning.cuts(), [2.0, 3.0]);
    assert!((binning.woe(1.999) - woe(40.0, 10.0)).abs() < 1e-15);
    assert!((binning.woe(2.0) - woe(30.0, 5.0)).abs() < 1e-15);
    assert!((binning.woe(3.0) - woe(20.5, 0.5)).abs() < 1e-15);
    let iv = (40.0 / 90.0 - 10.0 / 15.0) * woe(40.0, 10.0)
        + (30.0 / 90.0 - 5.0 / 15.0) * woe(30.0, 5.0)
        + (20.5 / 90.0 - 0.5 / 15.0) * woe(20.5, 0.5);
    assert!((binning.information_value - iv).abs() < 1e-15);
    assert_eq!((binning.bins[1].rows, binning.bins[1].goods), (35, 30.0));
    assert_eq!(binning.bins[1].share, 35.0 / 105.0);
    assert_eq!(binning.trend, Trend::Descending);
}

#[test]
fn missing_and_special_values_have_bins_of_their_own() {
    let (mut values, bad) = rows(&[(0.0, 50, 10), (1.0, 30, 30), (-1.0, 9, 3), (7.0, 5, 5)]);
    for value in values.iter_mut().filter(|value| **value == 7.0) {
        *value = f64::NAN;
    }
    let options = BinningOptions {
        special: vec![-1.0, -2.0],
        ..with(Trend::Ascending)
    };
    let binning = optimal_bins(&values, &bad, None, &options).unwrap();
    assert_eq!(binning.cuts(), [1.0]);
    assert_eq!(binning.missing.as_ref().unwrap().rows, 10);
    assert_eq!(binning.special[0].bin.rows, 12);
    assert_eq!(binning.special[1].bin.rows, 0);
    let woe = |goods: f64, bads: f64| ((goods / 94.0) / (bads / 48.0)).ln();
    assert!((binning.woe(f64::NAN) - woe(5.0, 5.0)).abs() < 1e-15);
    assert!((binning.woe(-1.0) - woe(9.0, 3.0)).abs() < 1e-15);
    assert_eq!(binning.woe(-2.0), 0.0);
    assert!((binning.woe(-1.5) - woe(50.0, 10.0)).abs() < 1e-15);
}

#[test]
fn flag_and_count_are_cut_between_their_values_at_readable_places() {
    let (values, bad) = rows(&[(0.0, 60, 40), (1.0, 90, 10)]);
    let flag = optimal_bins(&values, &bad, None, &BinningOptions::default()).unwrap();
    assert_eq!(flag.cuts(), [1.0]);
    assert_eq!(flag.trend, Trend::Descending);
    let (values, bad) = rows(&[(0.318_27, 60, 40), (0.331_94, 90, 10)]);
    let narrow = optimal_bins(&values, &bad, None, &BinningOptions::default()).unwrap();
    assert_eq!(narrow.cuts(), [0.33]);
}

#[test]
fn value_held_by_most_rows_does_not_cost_the_others_their_cuts() {
    let mut counts = vec![(0.0, 4000, 400)];
    counts.extend((1..=1000).map(|i| (f64::from(i), if i <= 500 { 1 } else { 2 }, 1)));
    let (values, bad) = rows(&counts);
    let binning = optimal_bins(&values, &bad, None, &with(Trend::Valley)).unwrap();
    assert_eq!(binning.bins[0].rows, 4400);
    assert!(binning.bins.len() > 1);
    let column = super::column::Column::read(&values, &bad, None, &[]).unwrap();
    let starts = super::prebins::quantile_prebins(&column.runs, 50);
    let counts = super::prebins::counts_from(&column.runs, &starts);
    assert_eq!(starts.len(), 50);
    assert!(counts[1..].iter().all(|counts| counts.weight() < 70.0));
}

#[test]
fn a_turn_is_found_by_auto_only_when_it_is_there() {
    let peak = [(1.0, 90, 10), (2.0, 60, 40), (3.0, 88, 12)];
    let (values, bad) = rows(&peak);
    let found = optimal_bins(&values, &bad, None, &with(Trend::Auto)).unwrap();
    assert_eq!((found.trend, found.bins.len()), (Trend::Peak, 3));
    let (values, bad) = rows(&[(1.0, 90, 10), (2.0, 60, 40), (3.0, 62, 38)]);
    let found = optimal_bins(&values, &bad, None, &with(Trend::Auto)).unwrap();
    assert_eq!(found.trend, Trend::Ascending);
    let (values, bad) = rows(&[(1.0, 50, 50), (2.0, 70, 30), (3.0, 50, 50), (4.0, 80, 20)]);
    let found = optimal_bins(&values, &bad, None, &with(Trend::None)).unwrap();
    assert_eq!((found.trend, found.bins.len()), (Trend::None, 4));
}

#[test]
fn noise_does_not_turn() {
    // Of 200 columns without any effect one in a thousand may turn.
    let mut state = 1u64;
    let mut draw = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut turned = 0;
    for _ in 0..200 {
        let values: Vec<f64> = (0..2_000).map(|_| draw()).collect();
        let bad: Vec<bool> = (0..2_000).map(|_| draw() < 0.1).collect();
        let found = optimal_bins(&values, &bad, None, &with(Trend::Auto)).unwrap();
        turned += usize::from(matches!(found.trend, Trend::Peak | Trend::Valley));
    }
    assert!(turned <= 2, "{turned} of 200 columns turned");
}

#[test]
fn great_information_value_warns_of_leakage() {
    let (values, bad) = rows(&[(0.0, 95, 5), (1.0, 5, 95)]);
    let leak = optimal_bins(&values, &bad, None, &BinningOptions::default()).unwrap();
    assert!(leak.information_value > LEAKAGE_IV && leak.warns_of_leakage());
    let (values, bad) = rows(&[(0.0, 60, 40), (1.0, 40, 60)]);
    let fair = optimal_bins(&values, &bad, None, &BinningOptions::default()).unwrap();
    assert!(!fair.warns_of_leakage());
}

#[test]
fn bins_number_no_more_than_asked() {
    let counts: Vec<_> = (0..20)
        .map(|i| (f64::from(i), 100, 5 + 4 * i as usize))
        .collect();
    let (values, bad) = rows(&counts);
    let mut before = 0.0;
    for most in 1..=6 {
        let options = BinningOptions {
            max_bins: Some(most),
            ..with(Trend::Ascending)
        };
        let binning = optimal_bins(&values, &bad, None, &options).unwrap();
        assert_eq!(binning.bins.len(), most);
        assert!(most == 1 || binning.information_value > before);
        before = binning.information_value;
    }
}

#[test]
fn binning_and_options_round_trip_as_json() {
    let (mut values, bad) = rows(&[(0.1, 50, 10), (0.7, 30, 30), (-1.0, 9, 3)]);
    values[0] = f64::NAN;
    let options = BinningOptions {
        special: vec![-1.0],
        ..with(Trend::Peak)
    };
    let binning = optimal_bins(&values, &bad, None, &options).unwrap();
    let text = serde_json::to_string(&binning).unwrap();
    assert_eq!(serde_json::from_str::<Binning>(&text).unwrap(), binning);
    let text = serde_json::to_string(&options).unwrap();
    assert!(text.contains("\"trend\":\"peak\""));
    assert_eq!(
        serde_json::from_str::<BinningOptions>(&text).unwrap(),
        options
    );
    let partly: BinningOptions = serde_json::from_str("{\"min_share\":0.1}").unwrap();
    assert_eq!((partly.min_share, partly.max_prebins), (0.1, 50));
}
