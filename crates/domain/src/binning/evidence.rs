//! From the counts of a bin to its weight of evidence and its part of the information value.

use super::{Bin, Binning, SpecialBin, Trend};

/// What a set of rows adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) goods: f64,
    pub(super) bads: f64,
}

impl Counts {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            goods: self.goods + other.goods,
            bads: self.bads + other.bads,
        }
    }

    pub(super) fn weight(self) -> f64 {
        self.goods + self.bads
    }

    pub(super) fn bad_rate(self) -> f64 {
        if self.rows == 0 {
            0.0
        } else {
            self.bads / self.weight()
        }
    }

    /// Weight of evidence and information value against the totals of both classes, which are positive.
    pub(super) fn evidence(self, totals: Self) -> (f64, f64) {
        if self.rows == 0 {
            return (0.0, 0.0);
        }
        let add = if self.goods == 0.0 || self.bads == 0.0 {
            0.5
        } else {
            0.0
        };
        // Weights of very different size could underflow a share to 0, whose logarithm is not a number to show.
        let share = |part: f64, whole: f64| ((part + add) / whole).max(f64::MIN_POSITIVE);
        let good = share(self.goods, totals.goods);
        let bad = share(self.bads, totals.bads);
        let woe = (good / bad).ln();
        (woe, (good - bad) * woe)
    }

    fn bin(self, totals: Self, low: Option<f64>, high: Option<f64>) -> Bin {
        let (woe, iv) = self.evidence(totals);
        Bin {
            low,
            high,
            rows: self.rows,
            goods: self.goods,
            bads: self.bads,
            share: self.weight() / totals.weight(),
            bad_rate: self.bad_rate(),
            woe,
            iv,
        }
    }
}

/// The table of bins between `cuts`, one more than those; `special` pairs values with their counts.
pub(super) fn table(
    cuts: &[f64],
    counts: &[Counts],
    missing: Counts,
    special: &[(f64, Counts)],
    totals: Counts,
) -> Binning {
    let bins: Vec<Bin> = counts
        .iter()
        .enumerate()
        .map(|(at, counts)| {
            let low = at.checked_sub(1).map(|below| cuts[below]);
            counts.bin(totals, low, cuts.get(at).copied())
        })
        .collect();
    let missing = (missing.rows > 0).then(|| missing.bin(totals, None, None));
    let special: Vec<SpecialBin> = special
        .iter()
        .map(|&(value, counts)| SpecialBin {
            value,
            bin: counts.bin(totals, None, None),
        })
        .collect();
    let information_value = bins
        .iter()
        .chain(&missing)
        .chain(special.iter().map(|special| &special.bin))
        .map(|bin| bin.iv)
        .sum();
    Binning {
        trend: trend_of(&bins),
        bins,
        missing,
        special,
        information_value,
    }
}

/// The strict trend of the bad rates; `None` for a single bin, for equal neighbours and for more than one turn.
fn trend_of(bins: &[Bin]) -> Trend {
    let mut turns = 0;
    let mut first = None;
    let mut last = None;
    for pair in bins.windows(2) {
        if pair[0].bad_rate == pair[1].bad_rate {
            return Trend::None;
        }
        let rises = pair[0].bad_rate < pair[1].bad_rate;
        turns += usize::from(last.is_some_and(|before| before != rises));
        first = first.or(Some(rises));
        last = Some(rises);
    }
    match (first, turns) {
        (Some(true), 0) => Trend::Ascending,
        (Some(false), 0) => Trend::Descending,
        (Some(true), 1) => Trend::Peak,
        (Some(false), 1) => Trend::Valley,
        _ => Trend::None,
    }
}
