//! A comparison of two cards as the API tells it.

use kycc_domain::comparison as core;
use kycc_domain::comparison::Evaluated;
use kycc_proto::scoring::v1::{BandMigration, CardComparison};
use kycc_rpc::timestamp;

use crate::core::shadow::Numbers;

/// `why_none` stands before what the metrics say of too few outcomes.
pub(super) fn comparison(
    batch_id: String,
    as_of: Option<i64>,
    found: &core::CardComparison,
    why_none: Option<String>,
) -> CardComparison {
    let numbers = Numbers::of(found);
    let rows = found.migration.champion_bands.iter();
    let migration = rows.zip(&found.migration.parties);
    let outcomes = &found.outcomes;
    let difference = outcomes.auc_difference.value();
    let why_none = match &outcomes.auc_difference {
        Evaluated::Value(_) => None,
        Evaluated::NotEvaluated { why } => Some(why_none.unwrap_or_else(|| why.clone())),
    };
    CardComparison {
        batch_id,
        as_of_time: as_of.map(timestamp),
        champion_version: found.champion.version.clone(),
        challenger_version: found.challenger.version.clone(),
        parties: found.parties as u64,
        champion_avg_score: numbers.champion_avg_score,
        challenger_avg_score: numbers.challenger_avg_score,
        psi: numbers.psi,
        no_shift_bound: numbers.no_shift_bound,
        champion_bands: found.migration.champion_bands.clone(),
        challenger_bands: found.migration.challenger_bands.clone(),
        migration: migration
            .map(|(band, parties)| BandMigration {
                champion_band: band.clone(),
                parties: parties.iter().map(|&count| count as u64).collect(),
            })
            .collect(),
        moved_better: numbers.moved_better as u64,
        moved_worse: numbers.moved_worse as u64,
        swapped_in: numbers.swapped_in as u64,
        swapped_out: numbers.swapped_out as u64,
        outcomes: outcomes.matured as u64,
        bads: outcomes.bads as u64,
        champion_auc: outcomes.champion.auc.value().copied(),
        challenger_auc: outcomes.challenger.auc.value().copied(),
        auc_difference: difference.map(|found| found.delta),
        auc_difference_lower: difference.map(|found| found.lower),
        auc_difference_upper: difference.map(|found| found.upper),
        auc_difference_p: difference.map(|found| found.p_value),
        not_evaluated: why_none.unwrap_or_default(),
    }
}
