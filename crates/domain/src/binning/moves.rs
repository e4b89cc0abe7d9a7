//! Moving cuts row by row: each to the best place between its neighbours, until none gains by moving.
//!
//! The pre-bins place a cut to within two hundredths of the rows; a step in the bad rate sits anywhere between.

use super::Trend;
use super::column::Column;
use super::evidence::Counts;

/// Passes over all cuts; a pass visits only cuts whose neighbours moved, so the later ones are short.
const PASSES: usize = 8;

/// Below this share of its class a difference of sums is rounding, not rows.
const ROUNDING: f64 = 1e-12;

#[derive(Debug)]
pub(super) struct Moves {
    /// Weight of all runs before each, by class; one entry more than runs.
    goods: Vec<f64>,
    bads: Vec<f64>,
    totals: Counts,
    least: f64,
    /// Whether neighbouring bins keep the direction they have.
    directed: bool,
}

impl Moves {
    pub(super) fn new(column: &Column, min_share: f64, trend: Trend) -> Self {
        let before = |of: fn(&Counts) -> f64| {
            let mut sums = Vec::with_capacity(column.runs.len() + 1);
            let mut sum = 0.0;
            sums.push(sum);
            for run in &column.runs {
                sum += of(&run.counts);
                sums.push(sum);
            }
            sums
        };
        Self {
            goods: before(|counts| counts.goods),
            bads: before(|counts| counts.bads),
            totals: column.totals,
            least: min_share * column.totals.weight(),
            directed: trend != Trend::None,
        }
    }

    /// From where the bins begin among the runs, 0 first, to where they are better to begin.
    pub(super) fn improve(&self, mut starts: Vec<usize>) -> Vec<usize> {
        let mut due = vec![true; starts.len()];
        for _ in 0..PASSES {
            let mut moved = false;
            for at in 1..starts.len() {
                if !std::mem::take(&mut due[at]) {
                    continue;
                }
                let best = self.best_place(&starts, at);
                if best != starts[at] {
                    starts[at] = best;
                    moved = true;
                    for neighbour in [at - 1, at + 1] {
                        if let Some(due) = due.get_mut(neighbour) {
                            *due = true;
                        }
                    }
                }
            }
            if !moved {
                break;
            }
        }
        starts
    }

    fn best_place(&self, starts: &[usize], at: usize) -> usize {
        let (low, now) = (starts[at - 1], starts[at]);
        let high = starts.get(at + 1).copied().unwrap_or(self.goods.len() - 1);
        let rate = |from, to| self.between(from, to).bad_rate();
        let before = at.checked_sub(2).map(|below| rate(starts[below], low));
        let after = (at + 1 < starts.len()).then(|| {
            let end = starts.get(at + 2).copied();
            rate(high, end.unwrap_or(self.goods.len() - 1))
        });
        let (left, right) = (self.between(low, now), self.between(now, high));
        let (from, to) = (left.bad_rate(), right.bad_rate());
        let keeps = |l: f64, r: f64| {
            !self.directed
                || (same_way(from, to, l, r)
                    && before.is_none_or(|rate| same_way(rate, from, rate, l))
                    && after.is_none_or(|rate| same_way(to, rate, r, rate)))
        };
        let mut best = (self.gain(left, right), now);
        for place in low + 1..high {
            let (left, right) = (self.between(low, place), self.between(place, high));
            if left.weight() < self.least {
                continue;
            }
            if right.weight() < self.least {
                break;
            }
            if keeps(left.bad_rate(), right.bad_rate()) {
                let gain = self.gain(left, right);
                // A gain within rounding is none: without this two equal places could take turns.
                if gain > best.0 * (1.0 + ROUNDING) {
                    best = (gain, place);
                }
            }
        }
        best.1
    }

    fn gain(&self, left: Counts, right: Counts) -> f64 {
        left.evidence(self.totals).1 + right.evidence(self.totals).1
    }

    fn between(&self, from: usize, to: usize) -> Counts {
        let part = |sums: &[f64], whole: f64| {
            let sum = sums[to] - sums[from];
            if sum > ROUNDING * whole { sum } else { 0.0 }
        };
        let goods = part(&self.goods, self.totals.goods);
        let bads = part(&self.bads, self.totals.bads);
        // Only whether there are rows matters here.
        let rows = u64::from(goods + bads > 0.0);
        Counts { rows, goods, bads }
    }
}

/// Whether the second pair runs in the direction of the first.
fn same_way(a: f64, b: f64, c: f64, d: f64) -> bool {
    if a < b { c < d } else { c > d }
}
