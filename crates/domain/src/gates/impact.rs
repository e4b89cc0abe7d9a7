//! IMPACT: what a change of card changes for whom. Always shown, whatever the labels are.

use serde::{Deserialize, Serialize};

use super::input::{GateInput, Observed};
use super::{Gate, GateResult, GateStatus};
use crate::card::{Scorecard, round_half_up};
use crate::psi::psi;

/// A champion-to-challenger PSI above this wants a note.
const NOTED: f64 = 0.25;

/// The same parties under both cards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    pub parties: usize,
    pub psi: f64,
    /// Band names of either card, best first.
    pub champion_bands: Vec<String>,
    pub challenger_bands: Vec<String>,
    /// `migration[i][j]`: parties in the champion's band i and the challenger's band j.
    pub migration: Vec<Vec<usize>>,
    /// The swap set at the cards' cutoffs: below for the champion, at or above for the challenger, and the reverse.
    pub swapped_in: usize,
    pub swapped_out: usize,
}

impl Impact {
    /// On the observed holdout where there is one, else on all of it: migration needs no labels.
    pub(super) fn of(input: &GateInput<'_>, observed: &Observed) -> Self {
        let (champion_raw, challenger_raw) = if observed.rows.is_empty() {
            (input.holdout_champion_raw, input.holdout_challenger_raw)
        } else {
            (&observed.champion_raw[..], &observed.challenger_raw[..])
        };
        let (champion, challenger) = (input.champion, input.challenger);
        let (rows, columns) = (band_names(champion), band_names(challenger));
        let mut migration = vec![vec![0; columns.len()]; rows.len()];
        let (mut swapped_in, mut swapped_out) = (0, 0);
        for (old, new) in champion_raw.iter().zip(challenger_raw) {
            let (old, new) = (round_half_up(*old), round_half_up(*new));
            migration[champion.bands().index_of(old)][challenger.bands().index_of(new)] += 1;
            match (accepts(champion, old), accepts(challenger, new)) {
                (false, true) => swapped_in += 1,
                (true, false) => swapped_out += 1,
                _ => {}
            }
        }
        Self {
            parties: champion_raw.len(),
            // Inputs were checked to be finite and not empty.
            psi: psi(champion_raw, challenger_raw).map_or(0.0, |index| index.value),
            champion_bands: rows,
            challenger_bands: columns,
            migration,
            swapped_in,
            swapped_out,
        }
    }

    /// Parties whose band has another position under the challenger: (better, worse).
    pub fn moved(&self) -> (usize, usize) {
        let (mut better, mut worse) = (0, 0);
        for (i, row) in self.migration.iter().enumerate() {
            for (j, count) in row.iter().enumerate() {
                match j.cmp(&i) {
                    std::cmp::Ordering::Less => better += count,
                    std::cmp::Ordering::Greater => worse += count,
                    std::cmp::Ordering::Equal => {}
                }
            }
        }
        (better, worse)
    }
}

pub(super) fn gate(impact: &Impact) -> GateResult {
    let (better, worse) = impact.moved();
    let status = if impact.psi > NOTED {
        GateStatus::NeedsNote
    } else {
        GateStatus::Pass
    };
    let message = format!(
        "PSI {:.3} between the cards; of {} parties {better} move to a better band and {worse} to a worse; {} come in at the cutoff, {} drop out",
        impact.psi, impact.parties, impact.swapped_in, impact.swapped_out
    );
    GateResult::new(Gate::Impact, status, message)
        .number("psi", impact.psi)
        .number("parties", impact.parties as f64)
        .number("moved_better", better as f64)
        .number("moved_worse", worse as f64)
        .number("swapped_in", impact.swapped_in as f64)
        .number("swapped_out", impact.swapped_out as f64)
}

fn band_names(card: &Scorecard) -> Vec<String> {
    let bands = card.bands().as_slice();
    bands.iter().map(|band| band.name.clone()).collect()
}

fn accepts(card: &Scorecard, score: i32) -> bool {
    score >= card.content().cutoff
}
