//! Scorecard labels: a fixed share of the lowest raw scores is called bad, in whole numbers and without chance.

/// `⌈n · ppm / 10^6⌉`.
pub fn bad_count(parties: usize, rate_ppm: u32) -> usize {
    let bads = (parties as u128 * u128::from(rate_ppm)).div_ceil(1_000_000);
    usize::try_from(bads).unwrap_or(usize::MAX).min(parties)
}

/// The `count` candidates that come first by (raw, party), ascending by party.
///
/// # Panics
/// If a candidate is beyond `raw`.
pub fn lowest_scored(raw: &[f64], candidates: &[usize], count: usize) -> Vec<usize> {
    let mut lowest = candidates.to_vec();
    if count < lowest.len() {
        lowest.select_nth_unstable_by(count, |a, b| raw[*a].total_cmp(&raw[*b]).then(a.cmp(b)));
        lowest.truncate(count);
    }
    lowest.sort_unstable();
    lowest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bads_are_rounded_up_in_whole_numbers() {
        assert_eq!(bad_count(0, 50_000), 0);
        assert_eq!(bad_count(1, 50_000), 1);
        assert_eq!(bad_count(20, 50_000), 1);
        assert_eq!(bad_count(21, 50_000), 2);
        assert_eq!(bad_count(100, 0), 0);
        assert_eq!(bad_count(100, 1_000_000), 100);
        assert_eq!(bad_count(usize::MAX, 1_000_000), usize::MAX);
    }

    #[test]
    fn equal_scores_are_taken_in_party_order() {
        let raw = [500.0, 400.0, 400.0, 400.0, 300.0];
        assert_eq!(lowest_scored(&raw, &[0, 1, 2, 3, 4], 3), [1, 2, 4]);
        assert_eq!(lowest_scored(&raw, &[0, 3, 2], 1), [2]);
        assert_eq!(lowest_scored(&raw, &[3, 0], 9), [0, 3]);
    }

    proptest! {
        #[test]
        fn lowest_are_the_head_of_the_full_sort(
            scores in prop::collection::vec(300i32..320, 0..200), rate in 0u32..=1_000_000,
        ) {
            let raw: Vec<f64> = scores.iter().copied().map(f64::from).collect();
            let all: Vec<usize> = (0..raw.len()).collect();
            let count = bad_count(all.len(), rate);
            let exact = (all.len() as u64 * u64::from(rate)).div_ceil(1_000_000);
            prop_assert_eq!(count as u64, exact);
            let mut sorted = all.clone();
            sorted.sort_by_key(|party| (scores[*party], *party));
            sorted.truncate(count);
            sorted.sort_unstable();
            prop_assert_eq!(lowest_scored(&raw, &all, count), sorted);
        }
    }
}
