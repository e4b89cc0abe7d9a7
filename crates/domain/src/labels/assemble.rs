//! One label row per party: observed where it is, the scorecard's where the policy lets it fill in, with weights.

use super::observed::Observed;
use super::scorecard::{bad_count, lowest_scored};
use super::{Label, LabelError, LabelMix, LabelPolicy, LabelSource};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LabelRow {
    /// Position of the party in `party_id` order.
    pub party: usize,
    pub label: Label,
    /// Absent for an unlabelled row.
    pub source: Option<LabelSource>,
    /// Training weight; 0 for rows that are never trained on.
    pub weight: f64,
}

/// How many rows of each kind, for a person to judge what a model would learn from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LabelStatistics {
    pub parties: usize,
    pub observed_good: usize,
    pub observed_bad: usize,
    pub scorecard_good: usize,
    pub scorecard_bad: usize,
    pub indeterminate: usize,
    pub excluded: usize,
    pub unlabelled: usize,
    /// Parties that the outcome feed covers.
    pub covered: usize,
    pub matured: bool,
    /// Weight of each scorecard row.
    pub scorecard_weight: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    pub rows: Vec<LabelRow>,
    pub statistics: LabelStatistics,
}

/// Weight of a scorecard row in a blend: `max(0, 1 − observed_bads / (10·p))` for a card of p factors.
pub fn scorecard_weight(observed_bads: usize, factors: usize) -> f64 {
    (1.0 - observed_bads as f64 / (10.0 * factors.max(1) as f64)).max(0.0)
}

/// Labels a batch whose parties scored `raw` (both in `party_id` order) under a card of `factors` factors.
///
/// Whoever is indeterminate or excluded has been observed, and gets no scorecard label.
pub fn label_batch(
    policy: &LabelPolicy,
    observed: &Observed,
    raw: &[f64],
    factors: usize,
) -> Result<Labelled, LabelError> {
    policy.validate()?;
    let parties = observed.labels.len();
    if raw.len() != parties {
        let raws = raw.len();
        return Err(LabelError::Lengths { raws, parties });
    }
    let bads = observed.labels.iter().filter(|l| **l == Label::Bad).count();
    let weight = match policy.mix {
        LabelMix::Observed => 0.0,
        LabelMix::Scorecard => 1.0,
        LabelMix::Blended => scorecard_weight(bads, factors),
    };
    let mut rows: Vec<LabelRow> = observed
        .labels
        .iter()
        .enumerate()
        .map(|(party, label)| observed_row(party, *label))
        .collect();
    if policy.mix != LabelMix::Observed {
        fill_from_scorecard(&mut rows, raw, policy.bad_rate_ppm, weight);
    }
    let mut statistics = LabelStatistics {
        parties,
        covered: observed.covered,
        matured: observed.matured,
        scorecard_weight: weight,
        ..LabelStatistics::default()
    };
    for row in &rows {
        statistics.count(row);
    }
    Ok(Labelled { rows, statistics })
}

fn observed_row(party: usize, label: Label) -> LabelRow {
    let (source, weight) = match label {
        Label::Good | Label::Bad => (Some(LabelSource::Observed), 1.0),
        Label::Indeterminate | Label::Excluded => (Some(LabelSource::Observed), 0.0),
        Label::Unlabelled => (None, 0.0),
    };
    LabelRow {
        party,
        label,
        source,
        weight,
    }
}

fn fill_from_scorecard(rows: &mut [LabelRow], raw: &[f64], rate_ppm: u32, weight: f64) {
    let unlabelled = |row: &&LabelRow| row.label == Label::Unlabelled;
    let open: Vec<usize> = rows
        .iter()
        .filter(unlabelled)
        .map(|row| row.party)
        .collect();
    for party in &open {
        rows[*party] = LabelRow {
            party: *party,
            label: Label::Good,
            source: Some(LabelSource::Scorecard),
            weight,
        };
    }
    for party in lowest_scored(raw, &open, bad_count(open.len(), rate_ppm)) {
        rows[party].label = Label::Bad;
    }
}

impl LabelStatistics {
    fn count(&mut self, row: &LabelRow) {
        let counter = match (row.label, row.source) {
            (Label::Good, Some(LabelSource::Scorecard)) => &mut self.scorecard_good,
            (Label::Bad, Some(LabelSource::Scorecard)) => &mut self.scorecard_bad,
            (Label::Good, _) => &mut self.observed_good,
            (Label::Bad, _) => &mut self.observed_bad,
            (Label::Indeterminate, _) => &mut self.indeterminate,
            (Label::Excluded, _) => &mut self.excluded,
            (Label::Unlabelled, _) => &mut self.unlabelled,
        };
        *counter += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Bad, Excluded, Good, Indeterminate, Unlabelled};
    use proptest::prelude::*;

    fn observed(labels: &[Label]) -> Observed {
        Observed {
            labels: labels.to_vec(),
            matured: true,
            covered: 0,
        }
    }

    fn policy(mix: LabelMix) -> LabelPolicy {
        LabelPolicy {
            mix,
            bad_rate_ppm: 500_000,
            ..LabelPolicy::default()
        }
    }

    #[test]
    fn observed_outcomes_are_never_overwritten() {
        let labels = [Good, Bad, Indeterminate, Excluded, Unlabelled, Unlabelled];
        let raw = [300.0, 900.0, 300.0, 300.0, 700.0, 600.0];
        let labelled =
            label_batch(&policy(LabelMix::Scorecard), &observed(&labels), &raw, 13).unwrap();
        let found: Vec<_> = labelled.rows.iter().map(|row| row.label).collect();
        assert_eq!(found, [Good, Bad, Indeterminate, Excluded, Good, Bad]);
        let sources: Vec<_> = labelled.rows.iter().map(|row| row.source).collect();
        assert_eq!(sources[..4], [Some(LabelSource::Observed); 4]);
        assert_eq!(sources[4..], [Some(LabelSource::Scorecard); 2]);
        let weights: Vec<_> = labelled.rows.iter().map(|row| row.weight).collect();
        assert_eq!(weights, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn observed_policy_leaves_the_rest_unlabelled() {
        let labels = [Bad, Unlabelled];
        let labelled = label_batch(
            &policy(LabelMix::Observed),
            &observed(&labels),
            &[300.0, 300.0],
            13,
        )
        .unwrap();
        assert_eq!(labelled.rows[1].source, None);
        assert_eq!(labelled.statistics.unlabelled, 1);
        assert_eq!(labelled.statistics.observed_bad, 1);
    }

    #[test]
    fn scorecard_rows_fade_out_as_observed_bads_come_in() {
        assert_eq!(scorecard_weight(0, 13), 1.0);
        assert_eq!(scorecard_weight(65, 13), 0.5);
        assert_eq!(scorecard_weight(130, 13), 0.0);
        assert_eq!(scorecard_weight(500, 13), 0.0);
        let mut labels = vec![Bad; 13];
        labels.push(Unlabelled);
        let labelled = label_batch(
            &policy(LabelMix::Blended),
            &observed(&labels),
            &[500.0; 14],
            13,
        )
        .unwrap();
        assert_eq!(labelled.rows[0].weight, 1.0);
        assert_eq!(labelled.rows[13].weight, 0.9);
        assert_eq!(labelled.statistics.scorecard_weight, 0.9);
    }

    #[test]
    fn policy_version_names_every_setting() {
        let base = LabelPolicy::default();
        let mut other = base.clone();
        other.bad_rate_ppm += 1;
        assert_ne!(base.version(), other.version());
        assert_eq!(base.version(), LabelPolicy::default().version());
        other.bad_rate_ppm = 1_000_001;
        assert_eq!(other.validate().unwrap_err().reason(), "LABEL_BAD_RATE");
        other.window_days = 0;
        assert_eq!(other.validate().unwrap_err().reason(), "LABEL_WINDOW");
    }

    #[test]
    fn scores_must_fit_the_observations() {
        let refused = label_batch(&LabelPolicy::default(), &observed(&[Good]), &[], 13);
        assert_eq!(refused.unwrap_err().reason(), "LABEL_LENGTHS");
    }

    proptest! {
        #[test]
        fn exactly_the_share_of_open_parties_is_called_bad(
            labels in prop::collection::vec(
                prop::sample::select(&[Good, Bad, Indeterminate, Excluded, Unlabelled, Unlabelled][..]), 0..200,
            ),
            rate in 0u32..=1_000_000,
            salt in 1u64..1_000_000,
        ) {
            let raw: Vec<f64> = (0..labels.len() as u64).map(|i| (300 + i * salt % 37) as f64).collect();
            let policy = LabelPolicy { bad_rate_ppm: rate, ..LabelPolicy::default() };
            let labelled = label_batch(&policy, &observed(&labels), &raw, 13).unwrap();
            let open = labels.iter().filter(|l| **l == Unlabelled).count();
            let found = &labelled.statistics;
            prop_assert_eq!(found.scorecard_bad, bad_count(open, rate));
            prop_assert_eq!(found.scorecard_bad + found.scorecard_good, open);
            let total = open + found.observed_good + found.observed_bad + found.indeterminate + found.excluded;
            prop_assert_eq!(total, labels.len());
            for (row, label) in labelled.rows.iter().zip(&labels) {
                prop_assert!(*label == Unlabelled || row.label == *label);
            }
            let bads = labelled.rows.iter().filter(|r| r.source == Some(LabelSource::Scorecard) && r.label == Bad);
            let worst = bads.map(|r| (raw[r.party] as i64, r.party)).max();
            let goods = labelled.rows.iter().filter(|r| r.source == Some(LabelSource::Scorecard) && r.label == Good);
            let best = goods.map(|r| (raw[r.party] as i64, r.party)).min();
            if let (Some(worst), Some(best)) = (worst, best) {
                prop_assert!(worst < best);
            }
        }
    }
}
