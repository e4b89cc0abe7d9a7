//! Variance of the AUC and of the difference of two AUCs on the same rows (DeLong, DeLong & Clarke-Pearson 1988), in
//! O(n log n) by counting in sorted order, as Sun & Xu 2014 do by midranks.

use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc;

use super::{MetricError, NORMAL_95, Ranking, check, order};

/// An AUC with its two-sided 95 % interval, cut to [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AucEstimate {
    pub auc: f64,
    pub variance: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Challenger minus champion on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedAuc {
    pub champion: f64,
    pub challenger: f64,
    pub delta: f64,
    pub variance: f64,
    /// Two-sided 95 % interval of `delta`.
    pub lower: f64,
    pub upper: f64,
    /// Two-sided p of "no difference".
    pub p_value: f64,
}

/// Each row's share of the other class that it is on the right side of, ties half: bad rows first, then good ones.
struct Placements {
    bad: Vec<f64>,
    good: Vec<f64>,
}

pub fn delong(score: &[f64], bad: &[bool]) -> Result<AucEstimate, MetricError> {
    Ranking::new(score, bad)?.delong()
}

impl Ranking {
    /// The AUC with DeLong's variance, summed over the groups of equal scores: the order of rows changes no bit.
    pub fn delong(&self) -> Result<AucEstimate, MetricError> {
        let (goods, bads) = (self.goods(), self.bads());
        if goods.min(bads) < 2 {
            return Err(MetricError::TooFewForVariance {
                goods: goods as usize,
                bads: bads as usize,
            });
        }
        let auc = self.auc();
        let (mut goods_above, mut bads_above) = (0, 0);
        let (mut of_bads, mut of_goods) = (0.0, 0.0);
        for group in self.groups() {
            let goods_below = goods - goods_above - group.goods;
            let bad = (goods_below as f64 + 0.5 * group.goods as f64) / goods as f64;
            let good = (bads_above as f64 + 0.5 * group.bads as f64) / bads as f64;
            of_bads += group.bads as f64 * (bad - auc) * (bad - auc);
            of_goods += group.goods as f64 * (good - auc) * (good - auc);
            goods_above += group.goods;
            bads_above += group.bads;
        }
        let share = |squares: f64, n: u64| squares / (n - 1) as f64 / n as f64;
        let variance = share(of_bads, bads) + share(of_goods, goods);
        let margin = NORMAL_95 * variance.sqrt();
        Ok(AucEstimate {
            auc,
            variance,
            lower: (auc - margin).max(0.0),
            upper: (auc + margin).min(1.0),
        })
    }
}

pub fn paired_delong(
    champion: &[f64],
    challenger: &[f64],
    bad: &[bool],
) -> Result<PairedAuc, MetricError> {
    let counts = check_two_of_each(champion, bad)?;
    check(challenger, bad)?;
    let first = place(champion, bad, counts);
    let second = place(challenger, bad, counts);
    // The variance of the difference is that of the differences of placements.
    let difference = Placements {
        bad: minus(&second.bad, &first.bad),
        good: minus(&second.good, &first.good),
    };
    let delta = mean(&difference.bad);
    let variance = difference.variance();
    let margin = NORMAL_95 * variance.sqrt();
    let p_value = if delta == 0.0 {
        1.0
    } else {
        // Without variance any difference is certain: the quotient is infinite and p is 0.
        erfc(delta.abs() / (2.0 * variance).sqrt())
    };
    Ok(PairedAuc {
        champion: mean(&first.bad),
        challenger: mean(&second.bad),
        delta,
        variance,
        lower: delta - margin,
        upper: delta + margin,
        p_value,
    })
}

fn check_two_of_each(score: &[f64], bad: &[bool]) -> Result<(usize, usize), MetricError> {
    let (goods, bads) = check(score, bad)?;
    if goods.min(bads) < 2 {
        return Err(MetricError::TooFewForVariance { goods, bads });
    }
    Ok((goods, bads))
}

fn place(score: &[f64], bad: &[bool], (goods, bads): (usize, usize)) -> Placements {
    let rows = order::ascending(score);
    let mut placement = vec![0.0; score.len()];
    let (mut goods_below, mut bads_below) = (0usize, 0usize);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let tied_bads = tied.iter().filter(|(_, row)| bad[*row]).count();
        let tied_goods = tied.len() - tied_bads;
        for &(_, row) in tied {
            placement[row] = if bad[row] {
                (goods_below as f64 + 0.5 * tied_goods as f64) / goods as f64
            } else {
                let above = bads - bads_below - tied_bads;
                (above as f64 + 0.5 * tied_bads as f64) / bads as f64
            };
        }
        goods_below += tied_goods;
        bads_below += tied_bads;
    }
    let of_class = |class: bool| {
        placement
            .iter()
            .zip(bad)
            .filter(|(_, b)| **b == class)
            .map(|(v, _)| *v)
            .collect()
    };
    Placements {
        bad: of_class(true),
        good: of_class(false),
    }
}

impl Placements {
    fn variance(&self) -> f64 {
        sample_variance(&self.bad) / self.bad.len() as f64
            + sample_variance(&self.good) / self.good.len() as f64
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn sample_variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    squares / (values.len() - 1) as f64
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
