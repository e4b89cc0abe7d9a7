//! The search against every division of small sets of pre-bins.

use proptest::prelude::*;

use super::super::evidence::Counts;
use super::super::segments::{Segments, Solution};
use super::*;

const TRENDS: [Trend; 5] = [
    Trend::None,
    Trend::Ascending,
    Trend::Descending,
    Trend::Peak,
    Trend::Valley,
];

fn keeps(trend: Trend, rates: &[f64]) -> bool {
    let rising = |rates: &[f64]| rates.windows(2).all(|pair| pair[0] < pair[1]);
    let falling = |rates: &[f64]| rates.windows(2).all(|pair| pair[0] > pair[1]);
    let turns_at = |first: &dyn Fn(&[f64]) -> bool, then: &dyn Fn(&[f64]) -> bool| {
        (0..rates.len()).any(|top| first(&rates[..=top]) && then(&rates[top..]))
    };
    match trend {
        Trend::Ascending => rising(rates),
        Trend::Descending => falling(rates),
        Trend::Peak => turns_at(&rising, &falling),
        Trend::Valley => turns_at(&falling, &rising),
        Trend::None | Trend::Auto => true,
    }
}

/// The best of all 2^(n−1) divisions.
fn brute_force(
    prebins: &[Counts],
    totals: Counts,
    min_share: f64,
    trend: Trend,
    max_bins: Option<usize>,
) -> Option<f64> {
    let n = prebins.len();
    let mut best: Option<f64> = None;
    for mask in 0u32..1 << (n - 1) {
        let mut bins = vec![prebins[0]];
        for (at, counts) in prebins.iter().enumerate().skip(1) {
            if mask >> (at - 1) & 1 == 1 {
                bins.push(*counts);
            } else if let Some(last) = bins.last_mut() {
                *last = last.plus(*counts);
            }
        }
        let rates: Vec<f64> = bins.iter().map(|bin| bin.bad_rate()).collect();
        let large = |bin: &Counts| {
            bin.rows > 0 && bin.weight() >= min_share * totals.weight() * (1.0 - 1e-9)
        };
        if bins.len() <= max_bins.unwrap_or(n) && bins.iter().all(large) && keeps(trend, &rates) {
            let iv = bins.iter().map(|bin| bin.evidence(totals).1).sum();
            best = Some(best.map_or(iv, |b: f64| b.max(iv)));
        }
    }
    best
}

fn check(prebins: &[Counts], totals: Counts, found: &Solution, trend: Trend) -> Vec<f64> {
    let mut ends = found.starts[1..].to_vec();
    ends.push(prebins.len());
    assert_eq!(found.starts[0], 0);
    let bins: Vec<Counts> = found
        .starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| {
            prebins[start..end]
                .iter()
                .fold(Counts::default(), |sum, counts| sum.plus(*counts))
        })
        .collect();
    let rates: Vec<f64> = bins.iter().map(|bin| bin.bad_rate()).collect();
    assert!(keeps(trend, &rates), "{trend:?} {rates:?}");
    let iv: f64 = bins.iter().map(|bin| bin.evidence(totals).1).sum();
    assert!((iv - found.iv).abs() <= 1e-12 * (1.0 + iv));
    bins.iter().map(|bin| bin.weight()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn search_finds_the_best_of_all_divisions_for_each_trend(
        cells in prop::collection::vec((0u32..12, 0u32..8), 1..11),
        min_share in prop::sample::select(vec![0.0, 0.05, 0.1, 0.2, 0.35]),
        most in 1usize..7,
        limited in any::<bool>(),
    ) {
        let prebins: Vec<Counts> = cells
            .iter()
            .map(|&(goods, bads)| Counts {
                rows: u64::from(goods + bads),
                goods: f64::from(goods),
                bads: f64::from(bads),
            })
            .collect();
        // One good and one bad row apart, as missing ones would be.
        let one = Counts { rows: 2, goods: 1.0, bads: 1.0 };
        let totals = prebins.iter().fold(one, |sum, counts| sum.plus(*counts));
        let max_bins = limited.then_some(most);
        let segments = Segments::new(&prebins, min_share, totals);
        for trend in TRENDS {
            let found = segments.best(trend, max_bins);
            let expected = brute_force(&prebins, totals, min_share, trend, max_bins);
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some(expected)) = (found, expected) {
                prop_assert!((found.iv - expected).abs() <= 1e-12 * (1.0 + expected), "{trend:?}");
                let weights = check(&prebins, totals, &found, trend);
                prop_assert!(max_bins.is_none_or(|most| weights.len() <= most));
            }
        }
    }
}
