//! The curves that a console or report draws, as data, each thinned to at most `CURVE_POINTS` points.

use serde::{Deserialize, Serialize};

use super::{CalibrationBin, MetricError, Ranking, RocPoint, calibration_bins};

/// More points than a screen resolves are of no use.
pub const CURVE_POINTS: usize = 200;

/// Steps of the lift curve: hundredths of the rows.
const LIFT_STEPS: u64 = 100;

/// All curves of one set of probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    pub roc: Vec<RocPoint>,
    /// Ascending by score.
    pub ks: Vec<KsPoint>,
    /// Where the two distributions are furthest apart; also a point of `ks`.
    pub ks_at: KsPoint,
    pub calibration: Vec<CalibrationBin>,
    pub lift: Vec<LiftPoint>,
}

/// Both classes' distributions at one score: the shares of bad and of good rows that score at most this.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KsPoint {
    pub score: f64,
    pub bad_share: f64,
    pub good_share: f64,
}

/// What taking the worst `share` of the rows yields. Rows tied at the border share its places in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LiftPoint {
    /// Of all rows: ⌈k n/100⌉ of n.
    pub share: f64,
    /// Share of all bad rows that are among them (gains).
    pub captured: f64,
    /// Their bad rate over the bad rate of all, `captured / share`.
    pub lift: f64,
}

impl Curves {
    /// The curves of probabilities of bad against outcomes.
    pub fn of(pd: &[f64], bad: &[bool]) -> Result<Self, MetricError> {
        let calibration = calibration_bins(pd, bad)?;
        let ranking = Ranking::new(pd, bad)?;
        let (ks, ks_at) = ranking.ks_curve(CURVE_POINTS);
        Ok(Self {
            roc: ranking.roc(CURVE_POINTS),
            ks,
            ks_at,
            calibration,
            lift: ranking.lift_curve(),
        })
    }
}

impl KsPoint {
    pub fn gap(&self) -> f64 {
        (self.bad_share - self.good_share).abs()
    }
}

impl Ranking {
    /// At most `limit` points (at least 3), evenly thinned over distinct scores, and the one of the greatest gap, which
    /// is always among them; of equal gaps, the one at the lowest score.
    pub fn ks_curve(&self, limit: usize) -> (Vec<KsPoint>, KsPoint) {
        let groups = self.groups();
        let point = |goods_below: u64, bads_below: u64, score: f64| KsPoint {
            score,
            bad_share: bads_below as f64 / self.bads() as f64,
            good_share: goods_below as f64 / self.goods() as f64,
        };
        let mut points = Vec::new();
        // The lowest score; a ranking has at least one.
        let lowest = &groups[groups.len() - 1];
        let mut furthest = point(lowest.goods, lowest.bads, lowest.score);
        // Two places are for the last point and the furthest one.
        let every = groups.len().div_ceil(limit.saturating_sub(2).max(1));
        let (mut goods, mut bads, mut furthest_at) = (0, 0, 0);
        for (at, group) in groups.iter().rev().enumerate() {
            goods += group.goods;
            bads += group.bads;
            let here = point(goods, bads, group.score);
            if here.gap() > furthest.gap() {
                (furthest, furthest_at) = (here, points.len());
            }
            if (at + 1) % every == 0 || at + 1 == groups.len() {
                points.push(here);
            }
        }
        if points.get(furthest_at) != Some(&furthest) {
            points.insert(furthest_at, furthest);
        }
        (points, furthest)
    }

    /// Lift and gains at every hundredth of the rows; fewer points for fewer rows than that.
    pub fn lift_curve(&self) -> Vec<LiftPoint> {
        let n = self.goods() + self.bads();
        let mut places: Vec<u64> = (1..=LIFT_STEPS)
            .map(|step| (step * n).div_ceil(LIFT_STEPS))
            .collect();
        places.dedup();
        let (mut rows, mut hits) = (0u64, 0u64);
        let mut groups = self.groups().iter().peekable();
        places
            .into_iter()
            .map(|places| {
                while let Some(group) =
                    groups.next_if(|group| rows + group.goods + group.bads <= places)
                {
                    rows += group.goods + group.bads;
                    hits += group.bads;
                }
                let shared = groups.peek().map_or(0.0, |group| {
                    let size = (group.goods + group.bads) as f64;
                    group.bads as f64 * (places - rows) as f64 / size
                });
                let captured = (hits as f64 + shared) / self.bads() as f64;
                let share = places as f64 / n as f64;
                LiftPoint {
                    share,
                    captured,
                    lift: captured / share,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
