//! Metrics of order: one sort into groups of equal scores, everything else in one walk over the groups.

use serde::{Deserialize, Serialize};

use super::{MetricError, check, order};

/// A scored sample, worst score first, equal scores together.
#[derive(Debug, Clone)]
pub struct Ranking {
    groups: Vec<Group>,
    goods: u64,
    bads: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) score: f64,
    pub(super) goods: u64,
    pub(super) bads: u64,
}

/// One corner of the ROC curve: the rates when everything from `threshold` up is called bad. The first corner calls
/// nothing bad and has no threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    pub false_bad_rate: f64,
    pub true_bad_rate: f64,
    pub threshold: Option<f64>,
}

impl Ranking {
    pub fn new(score: &[f64], bad: &[bool]) -> Result<Self, MetricError> {
        let (goods, bads) = check(score, bad)?;
        let (good_keys, bad_keys) = order::sorted_by_class(score, bad, goods, bads);
        let mut groups: Vec<Group> = Vec::with_capacity(score.len());
        let (mut good_left, mut bad_left) = (&good_keys[..], &bad_keys[..]);
        while let Some(&key) = good_left.last().max(bad_left.last()) {
            let goods = order::take_equal(&mut good_left, key);
            let bads = order::take_equal(&mut bad_left, key);
            groups.push(Group {
                score: order::score(key),
                goods,
                bads,
            });
        }
        Ok(Self {
            groups,
            goods: goods as u64,
            bads: bads as u64,
        })
    }

    pub fn goods(&self) -> u64 {
        self.goods
    }

    pub fn bads(&self) -> u64 {
        self.bads
    }

    /// Equal scores together, worst first.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Probability that a random bad scores above a random good, ties counting half (Mann & Whitney).
    pub fn auc(&self) -> f64 {
        let (mut bads_above, mut doubled) = (0, 0);
        for group in &self.groups {
            doubled += group.goods * (2 * bads_above + group.bads);
            bads_above += group.bads;
        }
        doubled as f64 / (2.0 * self.goods as f64 * self.bads as f64)
    }

    pub fn gini(&self) -> f64 {
        2.0 * self.auc() - 1.0
    }

    /// The greatest distance between the two classes' distributions, over distinct scores.
    pub fn ks(&self) -> f64 {
        self.corners()
            .map(|(goods, bads, _)| (self.bad_share(bads) - self.good_share(goods)).abs())
            .fold(0.0, f64::max)
    }

    /// `Σ (R_k − R_{k−1}) P_k` over distinct scores, without interpolation.
    pub fn average_precision(&self) -> f64 {
        let (mut seen, mut hits, mut sum) = (0, 0, 0.0);
        for group in &self.groups {
            seen += group.goods + group.bads;
            hits += group.bads;
            sum += self.bad_share(group.bads) * (hits as f64 / seen as f64);
        }
        sum
    }

    /// Bad rate of the worst ⌈n/10⌉ over the bad rate of all; rows tied at the border share its places in proportion.
    pub fn lift_top_tenth(&self) -> f64 {
        let n = self.goods + self.bads;
        let places = n.div_ceil(10);
        let (mut left, mut hits) = (places, 0.0);
        for group in &self.groups {
            let size = group.goods + group.bads;
            let taken = size.min(left);
            hits += group.bads as f64 * taken as f64 / size as f64;
            left -= taken;
            if left == 0 {
                break;
            }
        }
        (hits / places as f64) / (self.bads as f64 / n as f64)
    }

    /// The ROC curve from (0, 0) to (1, 1), thinned evenly to about `limit` corners (at least both ends).
    pub fn roc(&self, limit: usize) -> Vec<RocPoint> {
        let every = self.groups.len().div_ceil(limit.saturating_sub(2).max(1));
        let last = self.groups.len() - 1;
        let start = RocPoint {
            false_bad_rate: 0.0,
            true_bad_rate: 0.0,
            threshold: None,
        };
        let corners = self.corners().enumerate();
        std::iter::once(start)
            .chain(
                corners
                    .filter(|(at, _)| (at + 1) % every == 0 || *at == last)
                    .map(|(_, (goods, bads, score))| RocPoint {
                        false_bad_rate: self.good_share(goods),
                        true_bad_rate: self.bad_share(bads),
                        threshold: Some(score),
                    }),
            )
            .collect()
    }

    /// Running (goods, bads, score) after each group.
    pub(super) fn corners(&self) -> impl Iterator<Item = (u64, u64, f64)> + '_ {
        self.groups.iter().scan((0, 0), |(goods, bads), group| {
            *goods += group.goods;
            *bads += group.bads;
            Some((*goods, *bads, group.score))
        })
    }

    fn good_share(&self, goods: u64) -> f64 {
        goods as f64 / self.goods as f64
    }

    fn bad_share(&self, bads: u64) -> f64 {
        bads as f64 / self.bads as f64
    }
}
