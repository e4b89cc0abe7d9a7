//! Binning from end to end: read the column, choose the cuts or take given ones, fill the table.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::column::Column;
use super::evidence::{Counts, table};
use super::moves::Moves;
use super::prebins::{counts_between, counts_from, quantile_prebins, readable_cut};
use super::segments::{Segments, Solution};
use super::{Binning, BinningError, BinningOptions, MAX_PREBINS, Trend};

/// Bins of the greatest information value that keep the options' rules: the best division of quantile pre-bins, then,
/// unless `refine` is off, of those and of cuts moved row by row.
///
/// `bad` and `weights` are one per value. NaN is missing; infinite values belong to the first or last bin; a row of
/// weight 0 counts as absent. Where no division keeps the rules, one bin holds all values. The result does not depend
/// on the order of the rows by a bit.
pub fn optimal_bins(
    values: &[f64],
    bad: &[bool],
    weights: Option<&[f64]>,
    options: &BinningOptions,
) -> Result<Binning, BinningError> {
    options.validate()?;
    let column = Column::read(values, bad, weights, &options.special)?;
    let quantiles = quantile_prebins(&column.runs, options.max_prebins);
    let counts = counts_from(&column.runs, &quantiles);
    let (mut chosen, trend) = choose(&counts, &column, options, options.trend);
    let (mut prebins, mut counts) = (quantiles.clone(), counts);
    if options.refine {
        let moves = Moves::new(&column, options.min_share, trend);
        for _ in 0..REFINEMENTS {
            let starts: Vec<usize> = chosen.iter().map(|&at| prebins[at]).collect();
            prebins = union(&quantiles, &moves.improve(starts));
            counts = counts_from(&column.runs, &prebins);
            (chosen, _) = choose(&counts, &column, options, trend);
        }
    }
    let cut = |&at: &usize| {
        let start = prebins[at];
        readable_cut(column.runs[start - 1].value, column.runs[start].value)
    };
    let cuts: Vec<f64> = chosen[1..].iter().map(cut).collect();
    Ok(filled(&column, &cuts, &joined(&counts, &chosen)))
}

/// Rounds of moving the cuts and searching again; later ones gain next to nothing.
const REFINEMENTS: usize = 2;

fn union(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut all = [a, b].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// As [`optimal_bins`], but cutting only at some of `cuts`: finite, rising, fewer than [`MAX_PREBINS`].
pub fn optimal_bins_among(
    values: &[f64],
    bad: &[bool],
    weights: Option<&[f64]>,
    cuts: &[f64],
    options: &BinningOptions,
) -> Result<Binning, BinningError> {
    options.validate()?;
    check_cuts(cuts)?;
    if cuts.len() >= MAX_PREBINS {
        return Err(BinningError::TooManyCuts {
            got: cuts.len(),
            limit: MAX_PREBINS - 1,
        });
    }
    let column = Column::read(values, bad, weights, &options.special)?;
    let counts = counts_between(&column.runs, cuts);
    let (starts, _) = choose(&counts, &column, options, options.trend);
    let chosen: Vec<f64> = starts[1..].iter().map(|start| cuts[start - 1]).collect();
    Ok(filled(&column, &chosen, &joined(&counts, &starts)))
}

/// The table for cuts given by hand, finite and rising: `[−∞, c₁), [c₁, c₂), …, [cₙ, ∞)`. Bins may be empty.
pub fn bins_at(
    values: &[f64],
    bad: &[bool],
    weights: Option<&[f64]>,
    cuts: &[f64],
    special: &[f64],
) -> Result<Binning, BinningError> {
    check_cuts(cuts)?;
    let column = Column::read(values, bad, weights, special)?;
    Ok(filled(&column, cuts, &counts_between(&column.runs, cuts)))
}

impl BinningOptions {
    /// Special values are checked with the column.
    fn validate(&self) -> Result<(), BinningError> {
        if !(0.0..=0.5).contains(&self.min_share) {
            return Err(BinningError::BadMinShare {
                min_share: self.min_share,
            });
        }
        if !(2..=MAX_PREBINS).contains(&self.max_prebins) {
            return Err(BinningError::BadPrebins {
                max_prebins: self.max_prebins,
            });
        }
        if self.max_bins == Some(0) {
            return Err(BinningError::NoBins);
        }
        Ok(())
    }
}

fn check_cuts(cuts: &[f64]) -> Result<(), BinningError> {
    let mut before = f64::NEG_INFINITY;
    for &value in cuts {
        if !value.is_finite() || value <= before {
            return Err(BinningError::BadCut { value });
        }
        before = value;
    }
    Ok(())
}

/// Where the bins begin among the pre-bins, and the trend that was searched for when `Auto` was asked. A single bin
/// where none other keeps the rules.
fn choose(
    prebins: &[Counts],
    column: &Column,
    options: &BinningOptions,
    trend: Trend,
) -> (Vec<usize>, Trend) {
    let segments = Segments::new(prebins, options.min_share, column.totals);
    let best = |trend| {
        segments
            .best(trend, options.max_bins)
            .map(|found| (found, trend))
    };
    let found = match trend {
        Trend::Auto => auto(best, prebins.len(), column.totals),
        trend => best(trend),
    };
    found.map_or((vec![0], trend), |(found, trend)| (found.starts, trend))
}

/// The better of the monotone trends, unless a turn gains more than chance would give and more than a trifle.
fn auto(
    best: impl Fn(Trend) -> Option<(Solution, Trend)>,
    prebins: usize,
    totals: Counts,
) -> Option<(Solution, Trend)> {
    let greater = |a: (Solution, Trend), b: (Solution, Trend)| if b.0.iv > a.0.iv { b } else { a };
    let monotone = greater(best(Trend::Ascending)?, best(Trend::Descending)?);
    let turning = greater(best(Trend::Peak)?, best(Trend::Valley)?);
    let gain = turning.0.iv - monotone.0.iv;
    let cuts = turning
        .0
        .starts
        .len()
        .saturating_sub(monotone.0.starts.len());
    let turns =
        gain > TRIFLE * turning.0.iv && chance_of(gain, cuts.max(1), prebins, totals) < CHANCE;
    Some(if turns { turning } else { monotone })
}

/// A gain that a column without any effect reaches more often than this is no reason to turn.
const CHANCE: f64 = 0.001;

/// How often a column without any effect gains as much by so many further cuts, at most: IV over (1/goods + 1/bads)
/// is then a χ² statistic, and the search takes the luckiest of all choices among the borders of the pre-bins
/// (Bonferroni).
fn chance_of(gain: f64, cuts: usize, prebins: usize, totals: Counts) -> f64 {
    let borders = prebins.saturating_sub(1).max(cuts);
    let choices: f64 = (0..cuts)
        .map(|cut| (borders - cut) as f64 / (cut + 1) as f64)
        .product();
    let statistic = gain / (1.0 / totals.goods + 1.0 / totals.bads);
    let chi_squared = ChiSquared::new(cuts as f64)
        .expect("at least one cut is a valid number of degrees of freedom");
    choices * chi_squared.sf(statistic)
}

/// The share of the information value that nobody would give up a monotone trend for.
const TRIFLE: f64 = 0.01;

/// The counts of the bins that begin at `starts`, added up as the search did, so that its strict order still holds.
fn joined(prebins: &[Counts], starts: &[usize]) -> Vec<Counts> {
    starts
        .iter()
        .enumerate()
        .map(|(at, &start)| {
            let end = starts.get(at + 1).copied().unwrap_or(prebins.len());
            prebins[start..end]
                .iter()
                .fold(Counts::default(), |sum, counts| sum.plus(*counts))
        })
        .collect()
}

fn filled(column: &Column, cuts: &[f64], counts: &[Counts]) -> Binning {
    table(cuts, counts, column.missing, &column.special, column.totals)
}
