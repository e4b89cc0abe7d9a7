//! Scores as 64-bit words that sort as the scores do: sorting words is several times faster than sorting row numbers by
//! the floats that they point to.

use rayon::prelude::*;

const SIGN: u64 = 1 << 63;

/// The word of a finite score. −0 and 0, which are equal, have one word.
pub(super) fn key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    // A negative float's bits fall as it rises: all are flipped; else only the sign, to put it above.
    bits ^ if bits & SIGN == 0 { SIGN } else { u64::MAX }
}

/// The score that a word stands for.
pub(super) fn score(key: u64) -> f64 {
    f64::from_bits(key ^ if key & SIGN == 0 { u64::MAX } else { SIGN })
}

/// The words of good and of bad rows, each ascending.
pub(super) fn sorted_by_class(
    score: &[f64],
    bad: &[bool],
    goods: usize,
    bads: usize,
) -> (Vec<u64>, Vec<u64>) {
    let mut of_good = Vec::with_capacity(goods);
    let mut of_bad = Vec::with_capacity(bads);
    for (score, bad) in score.iter().zip(bad) {
        if *bad {
            of_bad.push(key(*score));
        } else {
            of_good.push(key(*score));
        }
    }
    rayon::join(
        || of_good.par_sort_unstable(),
        || of_bad.par_sort_unstable(),
    );
    (of_good, of_bad)
}

/// Takes the words equal to `key` off the end of ascending ones and counts them.
pub(super) fn take_equal(keys: &mut &[u64], key: u64) -> u64 {
    let mut taken = 0;
    while let Some((&last, rest)) = keys.split_last() {
        if last != key {
            break;
        }
        *keys = rest;
        taken += 1;
    }
    taken
}

/// (word, row) by ascending score.
pub(super) fn ascending(score: &[f64]) -> Vec<(u64, usize)> {
    let mut rows: Vec<(u64, usize)> = score
        .iter()
        .enumerate()
        .map(|(row, score)| (key(*score), row))
        .collect();
    rows.par_sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_zeros_are_one_word() {
        assert_eq!(key(-0.0), key(0.0));
        assert_eq!(score(key(-0.0)).to_bits(), 0.0f64.to_bits());
    }

    proptest! {
        #[test]
        fn words_sort_as_scores_and_come_back(a in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL, b in prop::num::f64::NORMAL) {
            prop_assert_eq!(key(a).cmp(&key(b)), a.total_cmp(&b));
            prop_assert_eq!(score(key(a)), a);
        }
    }
}
