//! What a refined version would change for whom, as its gate report keeps it.

use kycc_domain::gates::Impact;
use kycc_proto::scorecards::v1::{GetImpactResponse, MigrationRow, SwapCell, SwapSet};

use crate::core::version::Version;

pub(super) fn answer(version: &Version, impact: &Impact) -> GetImpactResponse {
    let migration = impact.champion_bands.iter().zip(&impact.migration);
    let cell = |parties: usize| SwapCell {
        parties: parties as u64,
        bads: 0,
    };
    GetImpactResponse {
        champion_version: version.parent.clone().unwrap_or_default(),
        challenger_version: version.name().to_owned(),
        parties: impact.parties as u64,
        psi: impact.psi,
        champion_bands: impact.champion_bands.clone(),
        challenger_bands: impact.challenger_bands.clone(),
        migration: migration
            .map(|(band, parties)| MigrationRow {
                champion_band: band.clone(),
                parties: parties.iter().map(|count| *count as u64).collect(),
                bads: Vec::new(),
            })
            .collect(),
        champion_cutoffs: Vec::new(),
        challenger_cutoffs: Vec::new(),
        swap_set: Some(SwapSet {
            both_accepted: None,
            swapped_in: Some(cell(impact.swapped_in)),
            swapped_out: Some(cell(impact.swapped_out)),
            both_rejected: None,
        }),
    }
}
