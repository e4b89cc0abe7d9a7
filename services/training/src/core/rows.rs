//! The labelled rows of all batches, in order of batch and party.

use kycc_domain::card::CompiledCard;
use kycc_domain::catalogue::FEATURE_COUNT;
use kycc_domain::split::SplitRow;

/// One labelled party of one batch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LabelledRow {
    pub(crate) batch: String,
    pub(crate) party_id: String,
    pub(crate) t0_micros: i64,
    pub(crate) bad: bool,
    pub(crate) observed: bool,
    /// Positive.
    pub(crate) weight: f64,
    pub(crate) features: [f64; FEATURE_COUNT],
}

/// Rows as the split looks at them.
pub(crate) fn split_rows(rows: &[LabelledRow]) -> Vec<SplitRow<'_>> {
    rows.iter()
        .map(|row| SplitRow {
            party_id: &row.party_id,
            t0_micros: row.t0_micros,
            bad: row.bad,
        })
        .collect()
}

/// What a fit takes: scaled factors row by row (card order), outcomes, weights.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    pub(crate) factors: Vec<f64>,
    pub(crate) bad: Vec<bool>,
    pub(crate) observed: Vec<bool>,
    pub(crate) weights: Vec<f64>,
}

impl Sample {
    /// The rows at `which`, scaled by the card.
    pub(crate) fn of(
        rows: &[LabelledRow],
        which: impl Iterator<Item = usize>,
        card: &CompiledCard,
    ) -> Self {
        let count = card.factor_count();
        let mut sample = Self::default();
        let mut scaled = vec![0.0; count];
        for index in which {
            let row = &rows[index];
            card.scale_into(&row.features, &mut scaled);
            sample.factors.extend_from_slice(&scaled);
            sample.bad.push(row.bad);
            sample.observed.push(row.observed);
            sample.weights.push(row.weight);
        }
        sample
    }

    pub(crate) fn rows(&self) -> usize {
        self.bad.len()
    }

    pub(crate) fn bads(&self) -> usize {
        self.bad.iter().filter(|bad| **bad).count()
    }

    /// Share of the weight that observed labels carry; 0 without rows.
    pub(crate) fn observed_share(&self) -> f64 {
        let total: f64 = self.weights.iter().sum();
        let pairs = self.weights.iter().zip(&self.observed);
        let observed: f64 = pairs
            .filter(|(_, observed)| **observed)
            .map(|(weight, _)| weight)
            .sum();
        // An empty sum is −0.
        if total > 0.0 && observed > 0.0 {
            observed / total
        } else {
            0.0
        }
    }
}
