//! Percentile bootstrap intervals (Efron & Tibshirani 1993, ch. 13), stratified: each replicate draws as many bads from
//! the bads and goods from the goods as there are.
//!
//! Scores are sorted once; a replicate only counts how often each sorted row is drawn and walks over the counts, so it
//! costs O(n): some 0.9 ms per 100,000 rows and core. Replicate r draws from stream r of ChaCha8 keyed by the seed:
//! neither threads nor the order of rows change a bit.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::probability::{bad_loss, good_loss};
use super::{MetricError, Ranking};

/// Replicates unless configured otherwise.
pub const BOOTSTRAP_REPLICATES: usize = 1_000;

/// Sums are kept in this many lanes, combined at the end; part of the result's definition.
const LANES: usize = 4;

/// A metric on the sample itself, and the 2.5 % and 97.5 % points of its replicates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BootstrapIntervals {
    pub replicates: usize,
    pub seed: u64,
    pub auc: Interval,
    pub gini: Interval,
    pub ks: Interval,
    pub average_precision: Interval,
    /// `None` where the scores are no probabilities.
    pub brier: Option<Interval>,
    pub log_loss: Option<Interval>,
}

/// The metrics of one sample or replicate.
#[derive(Debug, Clone, Copy)]
struct Figures {
    auc: f64,
    ks: f64,
    average_precision: f64,
    brier: f64,
    log_loss: f64,
}

/// Intervals of 95 % from `replicates` stratified replicates. `score` is higher for bad; Brier and log-loss are given if
/// all of it lies in [0, 1].
pub fn bootstrap(
    score: &[f64],
    bad: &[bool],
    replicates: usize,
    seed: u64,
) -> Result<BootstrapIntervals, MetricError> {
    if replicates < 2 {
        return Err(MetricError::TooFewReplicates { replicates });
    }
    if u32::try_from(score.len()).is_err() {
        return Err(MetricError::TooManyRows {
            rows: score.len(),
            limit: u32::MAX as usize,
        });
    }
    let ranking = Ranking::new(score, bad)?;
    let probabilities = score.iter().all(|p| (0.0..=1.0).contains(p));
    let strata = Strata::of(&ranking, probabilities);
    let figures: Vec<Figures> = (0..replicates as u64)
        .into_par_iter()
        .map_init(
            || Counts::of(&strata),
            |counts, replicate| {
                counts.draw(seed, replicate);
                strata.figures(counts)
            },
        )
        .collect();
    let whole = strata.figures(&Counts::once(&strata));
    let interval = |of: fn(&Figures) -> f64| {
        let mut values: Vec<f64> = figures.iter().map(of).collect();
        values.sort_unstable_by(f64::total_cmp);
        Interval {
            value: of(&whole),
            lower: quantile(&values, 0.025),
            upper: quantile(&values, 0.975),
        }
    };
    Ok(BootstrapIntervals {
        replicates,
        seed,
        auc: interval(|f| f.auc),
        gini: interval(|f| 2.0 * f.auc - 1.0),
        ks: interval(|f| f.ks),
        average_precision: interval(|f| f.average_precision),
        brier: probabilities.then(|| interval(|f| f.brier)),
        log_loss: probabilities.then(|| interval(|f| f.log_loss)),
    })
}

/// The sample, worst first: how many rows of either class share each score, and what each row loses.
struct Strata {
    /// (goods, bads) of each distinct score.
    groups: Vec<(u32, u32)>,
    goods: u32,
    bads: u32,
    /// (squared error, log-loss) of the good rows in order, then of the bad ones; empty without probabilities.
    good_losses: Vec<(f64, f64)>,
    bad_losses: Vec<(f64, f64)>,
}

/// How often each row of either class is drawn, in the order of `Strata`.
struct Counts {
    goods: Vec<u32>,
    bads: Vec<u32>,
}

impl Strata {
    fn of(ranking: &Ranking, probabilities: bool) -> Self {
        let groups = ranking.groups();
        let (mut good_losses, mut bad_losses) = (Vec::new(), Vec::new());
        if probabilities {
            for group in groups {
                let p = group.score;
                let good = (p * p, good_loss(p));
                let bad = ((1.0 - p) * (1.0 - p), bad_loss(p));
                good_losses.extend(std::iter::repeat_n(good, group.goods as usize));
                bad_losses.extend(std::iter::repeat_n(bad, group.bads as usize));
            }
        }
        Self {
            groups: groups
                .iter()
                .map(|group| (group.goods as u32, group.bads as u32))
                .collect(),
            goods: ranking.goods() as u32,
            bads: ranking.bads() as u32,
            good_losses,
            bad_losses,
        }
    }

    /// As `Ranking` does, with each row counted as often as it is drawn.
    fn figures(&self, counts: &Counts) -> Figures {
        let (goods, bads) = (u64::from(self.goods), u64::from(self.bads));
        let (mut good_counts, mut bad_counts) = (&counts.goods[..], &counts.bads[..]);
        let (mut goods_above, mut bads_above) = (0, 0);
        // Rows are below 2³², so that products of two counts stay below 2⁶³.
        let (mut doubled, mut gap, mut precision) = (0u64, 0u64, 0.0);
        for &(group_goods, group_bads) in &self.groups {
            let drawn_goods = take(&mut good_counts, group_goods);
            let drawn_bads = take(&mut bad_counts, group_bads);
            doubled += drawn_goods * (2 * bads_above + drawn_bads);
            goods_above += drawn_goods;
            bads_above += drawn_bads;
            gap = gap.max((bads_above * goods).abs_diff(goods_above * bads));
            if drawn_bads > 0 {
                precision +=
                    drawn_bads as f64 * bads_above as f64 / (bads_above + goods_above) as f64;
            }
        }
        let (good_square, good_log) = weighted(&counts.goods, &self.good_losses);
        let (bad_square, bad_log) = weighted(&counts.bads, &self.bad_losses);
        let pairs = goods as f64 * bads as f64;
        let rows = (goods + bads) as f64;
        Figures {
            auc: doubled as f64 / (2.0 * pairs),
            ks: gap as f64 / pairs,
            average_precision: precision / bads as f64,
            brier: (good_square + bad_square) / rows,
            log_loss: (good_log + bad_log) / rows,
        }
    }
}

impl Counts {
    fn of(strata: &Strata) -> Self {
        Self {
            goods: vec![0; strata.goods as usize],
            bads: vec![0; strata.bads as usize],
        }
    }

    /// Every row once: the sample itself.
    fn once(strata: &Strata) -> Self {
        Self {
            goods: vec![1; strata.goods as usize],
            bads: vec![1; strata.bads as usize],
        }
    }

    fn draw(&mut self, seed: u64, replicate: u64) {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(replicate);
        for class in [&mut self.bads, &mut self.goods] {
            class.fill(0);
            let n = class.len() as u32;
            for _ in 0..n {
                class[below(&mut generator, n) as usize] += 1;
            }
        }
    }
}

/// Uniform over 0..n, without bias (Lemire 2019).
fn below(generator: &mut ChaCha8Rng, n: u32) -> u32 {
    let mut product = u64::from(generator.next_u32()) * u64::from(n);
    if (product as u32) < n {
        let least = n.wrapping_neg() % n;
        while (product as u32) < least {
            product = u64::from(generator.next_u32()) * u64::from(n);
        }
    }
    (product >> 32) as u32
}

/// Takes `rows` counts off the front and sums them.
fn take(counts: &mut &[u32], rows: u32) -> u64 {
    let (group, rest) = counts.split_at(rows as usize);
    *counts = rest;
    group.iter().map(|count| u64::from(*count)).sum()
}

/// Σ count·loss of both losses; 0 without losses.
fn weighted(counts: &[u32], losses: &[(f64, f64)]) -> (f64, f64) {
    let mut lanes = [(0.0, 0.0); LANES];
    for (counts, losses) in counts.chunks(LANES).zip(losses.chunks(LANES)) {
        for ((lane, count), loss) in lanes.iter_mut().zip(counts).zip(losses) {
            lane.0 += f64::from(*count) * loss.0;
            lane.1 += f64::from(*count) * loss.1;
        }
    }
    lanes
        .iter()
        .fold((0.0, 0.0), |sum, lane| (sum.0 + lane.0, sum.1 + lane.1))
}

/// Linear interpolation between order statistics.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let low = sorted[position as usize];
    let high = sorted[(position as usize + 1).min(sorted.len() - 1)];
    low + (high - low) * position.fract()
}

#[cfg(test)]
mod tests;
