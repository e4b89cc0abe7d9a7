//! Properties of every binning.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
struct Sample {
    values: Vec<f64>,
    bad: Vec<bool>,
    weights: Vec<f64>,
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-40i32..40).prop_map(f64::from),
        4 => -100.0f64..100.0,
        1 => Just(f64::NAN),
        1 => Just(-1.0),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0]),
    ]
}

/// At least one row of either class with weight.
fn sample() -> impl Strategy<Value = Sample> {
    let row = (
        value(),
        any::<bool>(),
        prop_oneof![Just(0.0), Just(1.0), 0.01f64..3.0],
    );
    prop::collection::vec(row, 4..160).prop_map(|mut rows| {
        (rows[0].1, rows[0].2) = (true, 1.0);
        (rows[1].1, rows[1].2) = (false, 1.0);
        Sample {
            values: rows.iter().map(|row| row.0).collect(),
            bad: rows.iter().map(|row| row.1).collect(),
            weights: rows.iter().map(|row| row.2).collect(),
        }
    })
}

fn trend() -> impl Strategy<Value = Trend> {
    prop::sample::select(vec![
        Trend::None,
        Trend::Ascending,
        Trend::Descending,
        Trend::Auto,
        Trend::Peak,
        Trend::Valley,
    ])
}

fn options(trend: Trend) -> BinningOptions {
    BinningOptions {
        special: vec![-1.0],
        max_prebins: 20,
        ..with(trend)
    }
}

fn all_bins(binning: &Binning) -> impl Iterator<Item = &Bin> {
    let special = binning.special.iter().map(|special| &special.bin);
    binning.bins.iter().chain(&binning.missing).chain(special)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn bins_partition_the_rows_and_never_lose_information(s in sample(), trend in trend(), weighted in any::<bool>()) {
        let weights = weighted.then_some(s.weights.as_slice());
        let binning = optimal_bins(&s.values, &s.bad, weights, &options(trend)).unwrap();
        let counted = s.weights.iter().filter(|w| !weighted || **w > 0.0).count() as u64;
        prop_assert_eq!(all_bins(&binning).map(|bin| bin.rows).sum::<u64>(), counted);
        let share: f64 = all_bins(&binning).map(|bin| bin.share).sum();
        prop_assert!((share - 1.0).abs() < 1e-12);
        for bin in all_bins(&binning) {
            prop_assert!(bin.iv >= 0.0 && bin.iv.is_finite() && bin.woe.is_finite());
        }
        for pair in binning.bins.windows(2) {
            prop_assert!(pair[0].high.is_some() && pair[0].high == pair[1].low);
            prop_assert!(pair[0].low.is_none_or(|low| low < pair[1].low.unwrap()));
        }
        prop_assert!(binning.bins[0].low.is_none());
        prop_assert!(binning.bins[binning.bins.len() - 1].high.is_none());
    }

    #[test]
    fn rows_lie_in_the_bin_that_their_value_names(s in sample(), trend in trend()) {
        let binning = optimal_bins(&s.values, &s.bad, None, &options(trend)).unwrap();
        let mut counted = vec![0u64; binning.bins.len()];
        for &x in &s.values {
            if let Place::Bin(at) = binning.place(x) {
                counted[at] += 1;
                let bin = &binning.bins[at];
                prop_assert!(bin.low.is_none_or(|low| low <= x) && bin.high.is_none_or(|high| x < high));
            }
        }
        prop_assert_eq!(counted, binning.bins.iter().map(|bin| bin.rows).collect::<Vec<_>>());
        let by_hand = bins_at(&s.values, &s.bad, None, &binning.cuts(), &[-1.0]).unwrap();
        prop_assert_eq!(by_hand, binning);
    }

    #[test]
    fn asked_trend_is_kept_strictly_and_bins_are_large_enough(
        s in sample(), trend in trend(), min_share in 0.0f64..0.4, weighted in any::<bool>(),
    ) {
        let options = BinningOptions { min_share, ..options(trend) };
        let weights = weighted.then_some(s.weights.as_slice());
        let binning = optimal_bins(&s.values, &s.bad, weights, &options).unwrap();
        let found = binning.trend;
        let monotone = [Trend::Ascending, Trend::Descending].contains(&found);
        let one = binning.bins.len() == 1;
        let kept = match trend {
            Trend::None => true,
            Trend::Auto => one || found != Trend::None,
            Trend::Peak | Trend::Valley => one || monotone || found == trend,
            Trend::Ascending | Trend::Descending => one || found == trend,
        };
        prop_assert!(kept, "{:?} found where {:?} was asked", found, trend);
        let rates = bad_rates(&binning);
        prop_assert!(trend != Trend::Ascending || rates.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(trend != Trend::Descending || rates.windows(2).all(|pair| pair[0] > pair[1]));
        prop_assert!(one || binning.bins.iter().all(|bin| bin.share >= min_share * (1.0 - 1e-8)));
    }

    #[test]
    fn order_of_rows_changes_no_bit(s in sample(), trend in trend(), seed in any::<u64>(), weighted in any::<bool>()) {
        let mut order: Vec<usize> = (0..s.values.len()).collect();
        let mut state = seed;
        for at in (1..order.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, (state >> 33) as usize % (at + 1));
        }
        let pick = |from: &[f64]| order.iter().map(|&at| from[at]).collect::<Vec<f64>>();
        let (values, weights) = (pick(&s.values), pick(&s.weights));
        let bad: Vec<bool> = order.iter().map(|&at| s.bad[at]).collect();
        let given = optimal_bins(&s.values, &s.bad, weighted.then_some(&s.weights), &options(trend)).unwrap();
        let moved = optimal_bins(&values, &bad, weighted.then_some(&weights), &options(trend)).unwrap();
        prop_assert_eq!(serde_json::to_string(&given).unwrap(), serde_json::to_string(&moved).unwrap());
    }

    #[test]
    fn rising_straight_map_of_the_values_keeps_all_counts(
        s in sample(), trend in trend(), slope in prop::sample::select(vec![0.5, 2.0, 3.0, 1024.0]), shift in -64i32..64,
    ) {
        let whole: Vec<f64> = s.values.iter().map(|x| x.round()).collect();
        let mapped: Vec<f64> = whole.iter().map(|x| slope * x + f64::from(shift)).collect();
        let plain = BinningOptions { special: Vec::new(), ..options(trend) };
        let before = optimal_bins(&whole, &s.bad, None, &plain).unwrap();
        let after = optimal_bins(&mapped, &s.bad, None, &plain).unwrap();
        let counts = |b: &Binning| b.bins.iter().map(|bin| (bin.rows, bin.goods, bin.bads)).collect::<Vec<_>>();
        prop_assert_eq!(counts(&before), counts(&after));
        prop_assert_eq!(before.information_value, after.information_value);
    }

    #[test]
    fn weights_of_one_equal_no_weights(s in sample(), trend in trend()) {
        let ones = vec![1.0; s.values.len()];
        let weighted = optimal_bins(&s.values, &s.bad, Some(&ones), &options(trend)).unwrap();
        prop_assert_eq!(weighted, optimal_bins(&s.values, &s.bad, None, &options(trend)).unwrap());
    }

    #[test]
    fn refining_never_loses_information(s in sample(), trend in trend(), weighted in any::<bool>()) {
        prop_assume!(trend != Trend::Auto);
        let weights = weighted.then_some(s.weights.as_slice());
        let coarse = BinningOptions { max_prebins: 6, refine: false, ..options(trend) };
        let fine = BinningOptions { refine: true, ..coarse.clone() };
        let coarse = optimal_bins(&s.values, &s.bad, weights, &coarse).unwrap();
        let fine = optimal_bins(&s.values, &s.bad, weights, &fine).unwrap();
        prop_assert!(fine.information_value >= coarse.information_value * (1.0 - 1e-12));
    }

    #[test]
    fn cuts_are_readable_and_part_the_two_values(a in any::<f64>(), b in any::<f64>()) {
        prop_assume!(a.is_finite() && b.is_finite() && a != b);
        let (low, high) = (a.min(b), a.max(b));
        let cut = super::super::prebins::readable_cut(low, high);
        prop_assert!(low < cut && cut <= high);
    }
}

#[test]
fn columns_are_binned_alike_on_one_thread_and_on_many() {
    let columns: Vec<Vec<f64>> = (1..9u64)
        .map(|k| (0..500u64).map(|i| (i * i * k % 97) as f64).collect())
        .collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let bad: Vec<bool> = (0..500u64).map(|i| i * i % 97 % 7 == 0).collect();
    let run = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| bin_columns(&columns, &bad, None, &BinningOptions::default()))
    };
    assert_eq!(run(1), run(4));
}
