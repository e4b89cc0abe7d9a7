//! A checked column, sorted into runs of equal values, with missing and special rows apart.

use super::BinningError;
use super::evidence::Counts;

/// All rows of one value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) value: f64,
    pub(super) counts: Counts,
}

/// What binning needs to know of a column. It does not depend on the order of the rows, not even in the last bits.
#[derive(Debug)]
pub(super) struct Column {
    /// Rising in value; infinite values stand at the greatest finite ones, so that every edge is finite.
    pub(super) runs: Vec<Run>,
    pub(super) missing: Counts,
    pub(super) special: Vec<(f64, Counts)>,
    /// Of all rows, missing and special ones included.
    pub(super) totals: Counts,
}

impl Column {
    pub(super) fn read(
        values: &[f64],
        bad: &[bool],
        weights: Option<&[f64]>,
        special: &[f64],
    ) -> Result<Self, BinningError> {
        check(values, bad, weights, special)?;
        let column = match weights {
            None => Self::unweighted(values, bad, special),
            Some(weights) => Self::weighted(values, bad, weights, special),
        };
        if !column.totals.weight().is_finite() {
            return Err(BinningError::WeightsOverflow);
        }
        if column.totals.goods <= 0.0 || column.totals.bads <= 0.0 {
            return Err(BinningError::SingleClass);
        }
        Ok(column)
    }

    /// Each class is sorted by itself: plain numbers sort faster than rows.
    fn unweighted(values: &[f64], bad: &[bool], special: &[f64]) -> Self {
        let mut classes = [Vec::with_capacity(values.len()), Vec::new()];
        let mut missing = Counts::default();
        let mut apart = without_rows(special);
        for (&value, &is_bad) in values.iter().zip(bad) {
            if value.is_nan() {
                missing.count(is_bad, 1.0);
            } else if let Some((_, counts)) = apart.iter_mut().find(|(v, _)| *v == value) {
                counts.count(is_bad, 1.0);
            } else {
                classes[usize::from(is_bad)].push(key(value));
            }
        }
        for class in &mut classes {
            class.sort_unstable();
        }
        let [goods, bads] = classes.map(|class| class.into_iter().map(|key| (key, 1.0)));
        Self::of(merge(goods, bads), missing, apart)
    }

    /// Weights are added in the order of their value and size, whatever the order of the rows.
    fn weighted(values: &[f64], bad: &[bool], weights: &[f64], special: &[f64]) -> Self {
        let mut rows: Vec<(u64, u64, bool)> = Vec::with_capacity(values.len());
        let mut missing: Vec<(u64, bool)> = Vec::new();
        let mut apart: Vec<Vec<(u64, bool)>> = vec![Vec::new(); special.len()];
        for ((&value, &is_bad), &weight) in values.iter().zip(bad).zip(weights) {
            if weight == 0.0 {
                continue;
            }
            // Bits of positive numbers are in the order of the numbers.
            let weight = weight.to_bits();
            if value.is_nan() {
                missing.push((weight, is_bad));
            } else if let Some(at) = special.iter().position(|v| *v == value) {
                apart[at].push((weight, is_bad));
            } else {
                rows.push((key(value), weight, is_bad));
            }
        }
        rows.sort_unstable();
        let of_class = |class: bool| {
            rows.iter()
                .filter(move |(_, _, is_bad)| *is_bad == class)
                .map(|&(key, weight, _)| (key, f64::from_bits(weight)))
        };
        let runs = merge(of_class(false), of_class(true));
        let apart = special
            .iter()
            .zip(apart)
            .map(|(&value, rows)| (value, total(rows)))
            .collect();
        Self::of(runs, total(missing), apart)
    }

    fn of(runs: Vec<Run>, missing: Counts, special: Vec<(f64, Counts)>) -> Self {
        let totals = runs
            .iter()
            .map(|run| run.counts)
            .chain([missing])
            .chain(special.iter().map(|(_, counts)| *counts))
            .fold(Counts::default(), Counts::plus);
        Self {
            runs,
            missing,
            special,
            totals,
        }
    }
}

impl Counts {
    fn count(&mut self, is_bad: bool, weight: f64) {
        self.rows += 1;
        if is_bad {
            self.bads += weight;
        } else {
            self.goods += weight;
        }
    }
}

fn without_rows(special: &[f64]) -> Vec<(f64, Counts)> {
    special
        .iter()
        .map(|&value| (value, Counts::default()))
        .collect()
}

fn total(mut rows: Vec<(u64, bool)>) -> Counts {
    rows.sort_unstable();
    let mut counts = Counts::default();
    for (weight, is_bad) in rows {
        counts.count(is_bad, f64::from_bits(weight));
    }
    counts
}

/// Joins two classes, each sorted by key, into runs of equal values.
fn merge(
    goods: impl Iterator<Item = (u64, f64)>,
    bads: impl Iterator<Item = (u64, f64)>,
) -> Vec<Run> {
    let (mut goods, mut bads) = (goods.peekable(), bads.peekable());
    let mut runs = Vec::new();
    loop {
        let key = match (goods.peek(), bads.peek()) {
            (Some((good, _)), Some((bad, _))) => *good.min(bad),
            (Some((key, _)), None) | (None, Some((key, _))) => *key,
            (None, None) => return runs,
        };
        let mut counts = Counts::default();
        while let Some((_, weight)) = goods.next_if(|(k, _)| *k == key) {
            counts.count(false, weight);
        }
        while let Some((_, weight)) = bads.next_if(|(k, _)| *k == key) {
            counts.count(true, weight);
        }
        runs.push(Run {
            value: value_of(key),
            counts,
        });
    }
}

/// An integer in the order of the values: the bits, with the negative half turned round. Both zeros are one value.
fn key(value: f64) -> u64 {
    let bits = (value.clamp(f64::MIN, f64::MAX) + 0.0).to_bits();
    bits ^ (if bits >> 63 == 1 { u64::MAX } else { 1 << 63 })
}

fn value_of(key: u64) -> f64 {
    f64::from_bits(key ^ (if key >> 63 == 1 { 1 << 63 } else { u64::MAX }))
}

fn check(
    values: &[f64],
    bad: &[bool],
    weights: Option<&[f64]>,
    special: &[f64],
) -> Result<(), BinningError> {
    let n = values.len();
    if n == 0 {
        return Err(BinningError::Empty);
    }
    let length = |what, got| {
        let expected = n;
        (got == n).then_some(()).ok_or(BinningError::Length {
            what,
            got,
            expected,
        })
    };
    length("labels", bad.len())?;
    if let Some(weights) = weights {
        length("weights", weights.len())?;
        if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(BinningError::BadWeight {
                row,
                weight: weights[row],
            });
        }
    }
    for (at, &value) in special.iter().enumerate() {
        if !value.is_finite() || special[..at].contains(&value) {
            return Err(BinningError::BadSpecial { value });
        }
    }
    Ok(())
}
