//! Agreement with optbinning on tables at given cuts and on optimal splits among the same pre-bins.
//!
//! The numbers and how they were made: `fixtures/binning.json`, `fixtures/binning.py`.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Fixture {
    table: TableCase,
    optimal: Vec<OptimalCase>,
}

#[derive(Deserialize)]
struct TableCase {
    shape: String,
    rows: usize,
    seed: u64,
    cuts: Vec<f64>,
    bins: Vec<ReferenceBin>,
    iv: f64,
}

#[derive(Deserialize)]
struct OptimalCase {
    shape: String,
    trend: Trend,
    rows: usize,
    seed: u64,
    prebin_cuts: Vec<f64>,
    splits: Vec<f64>,
    bins: Vec<ReferenceBin>,
    iv: f64,
}

#[derive(Deserialize)]
struct ReferenceBin {
    goods: f64,
    bads: f64,
    bad_rate: f64,
    woe: f64,
    iv: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../../fixtures/binning.json")).unwrap()
}

/// The generator of the script, bit by bit.
fn column(shape: &str, rows: usize, seed: u64) -> (Vec<f64>, Vec<bool>) {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..rows)
        .map(|_| {
            let (u, v) = (next(), next());
            let p = match shape {
                "ascending" => 0.05 + 0.3 * u,
                "descending" => 0.4 - 0.35 * u,
                "peak" => 0.05 + 1.2 * u * (1.0 - u),
                _ => 0.4 - 1.2 * u * (1.0 - u),
            };
            ((u * 200.0).floor(), v < p)
        })
        .unzip()
}

fn assert_same(bin: &Bin, reference: &ReferenceBin) {
    assert_eq!((bin.goods, bin.bads), (reference.goods, reference.bads));
    assert!((bin.bad_rate - reference.bad_rate).abs() < 1e-12);
    assert!((bin.woe - reference.woe).abs() < 1e-12);
    assert!((bin.iv - reference.iv).abs() < 1e-12);
}

#[test]
fn table_at_given_cuts_equals_the_reference() {
    let TableCase {
        shape,
        rows,
        seed,
        cuts,
        bins,
        iv,
    } = fixture().table;
    let (mut values, bad) = column(&shape, rows, seed);
    for (row, value) in values.iter_mut().enumerate() {
        if row % 17 == 0 {
            *value = f64::NAN;
        } else if row % 13 == 0 {
            *value = -1.0;
        }
    }
    let ours = bins_at(&values, &bad, None, &cuts, &[-1.0]).unwrap();
    let all: Vec<&Bin> = ours
        .bins
        .iter()
        .chain([&ours.special[0].bin])
        .chain(&ours.missing)
        .collect();
    assert_eq!(all.len(), bins.len());
    for (bin, reference) in all.into_iter().zip(&bins) {
        assert_same(bin, reference);
    }
    assert!((ours.information_value - iv).abs() < 1e-12);
}

/// The reference forbids in advance every cut between neighbouring pre-bins that run against a monotone trend, also
/// where a division with that cut keeps the trend, so now and then its splits are not the best ones.
#[test]
fn optimal_splits_among_the_same_prebins_equal_the_reference_or_beat_it() {
    let cases = fixture().optimal;
    assert_eq!(cases.len(), 20);
    let mut equal = 0;
    for case in cases {
        let (values, bad) = column(&case.shape, case.rows, case.seed);
        let ours =
            optimal_bins_among(&values, &bad, None, &case.prebin_cuts, &with(case.trend)).unwrap();
        let what = format!("{} as {:?}", case.shape, case.trend);
        if ours.cuts() == case.splits {
            equal += 1;
            for (bin, reference) in ours.bins.iter().zip(&case.bins) {
                assert_same(bin, reference);
            }
            assert!((ours.information_value - case.iv).abs() < 1e-12, "{what}");
        } else {
            assert!(ours.information_value > case.iv + 1e-6, "{what}");
        }
    }
    assert!(equal >= 15, "{equal}");
}
