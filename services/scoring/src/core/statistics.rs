//! What a batch's scores look like as a whole. Every number is a count or an exact sum, so order cannot change it.

use kycc_domain::bands::Bands;
use kycc_domain::rules::{Decision, RuleSet};
use serde::{Deserialize, Serialize};

/// Final scores per bucket of the histogram.
const BUCKET: i32 = 25;

/// Kept as metadata of the `scores` version; `GetStatistics` answers from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Statistics {
    pub(crate) parties_scored: u64,
    pub(crate) avg_score: f64,
    pub(crate) min_score: i32,
    pub(crate) max_score: i32,
    pub(crate) bands: Vec<BandCount>,
    pub(crate) histogram: Vec<Bucket>,
    /// Parties with at least one review flag.
    pub(crate) flagged: u64,
    pub(crate) rules_fired: Vec<RuleCount>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BandCount {
    pub(crate) band: String,
    pub(crate) min_score: i32,
    pub(crate) parties: u64,
}

/// Final scores from `lower` to just below `upper`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) lower: i32,
    pub(crate) upper: i32,
    pub(crate) parties: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RuleCount {
    pub(crate) rule: String,
    pub(crate) parties: u64,
}

impl Statistics {
    /// Counts `decisions`; `None` where there are none.
    pub(crate) fn of(bands: &Bands, rules: &RuleSet, decisions: &[Decision]) -> Option<Self> {
        if decisions.is_empty() {
            return None;
        }
        let (least, greatest) = bands.range();
        let mut band_counts = vec![0u64; bands.as_slice().len()];
        let mut buckets = vec![0u64; ((greatest - least) / BUCKET) as usize + 1];
        let mut rule_counts = vec![0u64; rules.rules().len()];
        let (mut sum, mut flagged) = (0i64, 0u64);
        let (mut min_score, mut max_score) = (i32::MAX, i32::MIN);
        for decision in decisions {
            let score = decision.final_score;
            sum += i64::from(score);
            min_score = min_score.min(score);
            max_score = max_score.max(score);
            band_counts[decision.band] += 1;
            buckets[((score - least) / BUCKET) as usize] += 1;
            flagged += u64::from(rules.flags(decision).next().is_some());
            for (index, count) in rule_counts.iter_mut().enumerate() {
                *count += decision.fired_bits() >> index & 1;
            }
        }
        // The greatest score of all belongs to the last full bucket, which thereby is closed.
        let top = buckets.pop().unwrap_or_default();
        if let Some(last) = buckets.last_mut() {
            *last += top;
        }
        Some(Self {
            parties_scored: decisions.len() as u64,
            avg_score: sum as f64 / decisions.len() as f64,
            min_score,
            max_score,
            bands: bands
                .as_slice()
                .iter()
                .zip(band_counts)
                .map(|(band, parties)| BandCount {
                    band: band.name.clone(),
                    min_score: band.min,
                    parties,
                })
                .collect(),
            histogram: (least..)
                .step_by(BUCKET as usize)
                .zip(buckets)
                .map(|(lower, parties)| Bucket {
                    lower,
                    upper: lower + BUCKET,
                    parties,
                })
                .collect(),
            flagged,
            rules_fired: rules
                .rules()
                .iter()
                .zip(rule_counts)
                .map(|(rule, parties)| RuleCount {
                    rule: rule.name.clone(),
                    parties,
                })
                .collect(),
        })
    }
}
