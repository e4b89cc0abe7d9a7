//! What a refined version would change for whom, as its gate report keeps it.

use kycc_domain::gates::{CutoffRow, Group, Impact};
use kycc_proto::scorecards::v1::{
    CutoffRow as WireCutoff, GetImpactResponse, MigrationRow, SwapCell, SwapSet,
};

use crate::core::version::Version;

pub(super) fn answer(version: &Version, impact: &Impact) -> GetImpactResponse {
    let counts = |row: &Vec<usize>| row.iter().map(|count| *count as u64).collect();
    let migration = impact.champion_bands.iter().zip(&impact.migration);
    let migration = migration.enumerate().map(|(index, (band, parties))| {
        let bads = impact.migration_bads.get(index);
        MigrationRow {
            champion_band: band.clone(),
            parties: counts(parties),
            bads: bads.map(counts).unwrap_or_default(),
        }
    });
    GetImpactResponse {
        champion_version: version.parent.clone().unwrap_or_default(),
        challenger_version: version.name().to_owned(),
        parties: impact.parties as u64,
        psi: impact.psi,
        champion_bands: impact.champion_bands.clone(),
        challenger_bands: impact.challenger_bands.clone(),
        migration: migration.collect(),
        champion_cutoffs: impact.champion_cutoffs.iter().map(cutoff).collect(),
        challenger_cutoffs: impact.challenger_cutoffs.iter().map(cutoff).collect(),
        swap_set: Some(SwapSet {
            both_accepted: Some(cell(&impact.swap.both_accepted)),
            swapped_in: Some(cell(&impact.swap.swapped_in)),
            swapped_out: Some(cell(&impact.swap.swapped_out)),
            both_rejected: Some(cell(&impact.swap.both_rejected)),
        }),
    }
}

fn cutoff(row: &CutoffRow) -> WireCutoff {
    let (accepted, rejected) = (cell(&row.accepted), cell(&row.rejected));
    WireCutoff {
        cutoff: row.cutoff,
        accepted: accepted.parties,
        accepted_bads: accepted.bads,
        rejected: rejected.parties,
        rejected_bads: rejected.bads,
    }
}

fn cell(of: &Group) -> SwapCell {
    SwapCell {
        parties: of.parties as u64,
        bads: of.bads.map(|bads| bads as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bads_that_nobody_observed_are_absent_and_no_bads_are_0() {
        let group = |bads| Group {
            parties: 7,
            bads,
            ..Group::default()
        };
        let row = |bads| CutoffRow {
            cutoff: 500,
            own: false,
            accepted: group(bads),
            accepted_share: 0.5,
            rejected: group(bads),
            bads_caught: None,
        };
        let unknown = cutoff(&row(None));
        assert_eq!((unknown.accepted_bads, unknown.rejected_bads), (None, None));
        let none = cutoff(&row(Some(0)));
        assert_eq!((none.accepted_bads, none.rejected_bads), (Some(0), Some(0)));
    }
}
