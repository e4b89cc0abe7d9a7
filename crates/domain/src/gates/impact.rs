//! IMPACT: what a change of card changes for whom. Always shown, whatever the labels are.

use serde::{Deserialize, Serialize};

use super::input::{GateInput, Observed};
use super::tables::{CutoffRow, Group, SwapSet, cutoffs, scores, swap_set};
use super::{Gate, GateResult, GateStatus};
use crate::card::Scorecard;
use crate::psi::psi;

/// A champion-to-challenger PSI above this wants a note.
const NOTED: f64 = 0.25;

/// The same parties under both cards.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Impact {
    pub parties: usize,
    /// `None` where no outcome is observed; then no table here counts bads.
    pub bads: Option<usize>,
    /// Of raw scores, over deciles of the champion's.
    pub psi: f64,
    /// The cards count points on different scales, which alone moves the PSI.
    pub rescaled: bool,
    /// Band names of either card, best first.
    pub champion_bands: Vec<String>,
    pub challenger_bands: Vec<String>,
    /// `migration[i][j]`: parties in the champion's band i and the challenger's band j.
    pub migration: Vec<Vec<usize>>,
    /// The bads among them, cell by cell; empty where no outcome is observed.
    pub migration_bads: Vec<Vec<usize>>,
    /// One per band, best first.
    pub champion_by_band: Vec<Group>,
    pub challenger_by_band: Vec<Group>,
    pub swap: SwapSet,
    pub champion_cutoffs: Vec<CutoffRow>,
    pub challenger_cutoffs: Vec<CutoffRow>,
}

impl Impact {
    /// On the observed holdout where there is one, else on all of it without outcomes: migration needs none.
    pub(super) fn of(input: &GateInput<'_>, observed: &Observed) -> Self {
        let (champion_raw, challenger_raw) = if observed.rows.is_empty() {
            (input.holdout_champion_raw, input.holdout_challenger_raw)
        } else {
            (&observed.champion_raw[..], &observed.challenger_raw[..])
        };
        let bad = &observed.bad[..];
        let (champion, challenger) = (input.champion, input.challenger);
        let (old, new) = (
            scores(champion, champion_raw),
            scores(challenger, challenger_raw),
        );
        let parties = 0..old.len();
        let cells = |counts: &dyn Fn(usize) -> bool| {
            let columns = challenger.bands().as_slice().len();
            let mut cells = vec![vec![0; columns]; champion.bands().as_slice().len()];
            for row in parties.clone().filter(|row| counts(*row)) {
                let (from, to) = (
                    champion.bands().index_of(old[row]),
                    challenger.bands().index_of(new[row]),
                );
                cells[from][to] += 1;
            }
            cells
        };
        let with_bads = !bad.is_empty();
        Self {
            parties: old.len(),
            bads: with_bads.then(|| observed.bads()),
            // Inputs were checked to be finite and not empty.
            psi: psi(champion_raw, challenger_raw).map_or(0.0, |index| index.value),
            rescaled: !champion.scaling().counts_like(&challenger.scaling()),
            champion_bands: band_names(champion),
            challenger_bands: band_names(challenger),
            migration: cells(&|_| true),
            migration_bads: if with_bads {
                cells(&|row| bad[row])
            } else {
                Vec::new()
            },
            champion_by_band: by_band(champion, &old, bad),
            challenger_by_band: by_band(challenger, &new, bad),
            swap: swap_set((champion, &old), (challenger, &new), bad),
            champion_cutoffs: cutoffs(champion, &old, bad),
            challenger_cutoffs: cutoffs(challenger, &new, bad),
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
    let SwapSet {
        swapped_in,
        swapped_out,
        ..
    } = &impact.swap;
    let scales = if impact.rescaled {
        ", which count points on different scales"
    } else {
        ""
    };
    let message = format!(
        "PSI {:.3} between the cards{scales}; of {} parties {better} move to a better band and {worse} to a worse; {} come in at the cutoff, {} drop out",
        impact.psi, impact.parties, swapped_in.parties, swapped_out.parties
    );
    let result = GateResult::new(Gate::Impact, status, message)
        .number("psi", impact.psi)
        .number("noted_above", NOTED)
        .number("parties", impact.parties as f64)
        .number("moved_better", better as f64)
        .number("moved_worse", worse as f64)
        .number("swapped_in", swapped_in.parties as f64)
        .number("swapped_out", swapped_out.parties as f64);
    [
        ("swapped_in_bads", swapped_in.bads),
        ("swapped_out_bads", swapped_out.bads),
    ]
    .into_iter()
    .fold(result, |result, (name, bads)| match bads {
        Some(bads) => result.number(name, bads as f64),
        None => result,
    })
}

/// Best first.
pub(super) fn by_band(card: &Scorecard, scores: &[i32], bad: &[bool]) -> Vec<Group> {
    let bands = card.bands();
    let of_band =
        |band: usize| (0..scores.len()).filter(move |&row| bands.index_of(scores[row]) == band);
    (0..bands.as_slice().len())
        .map(|band| Group::of(of_band(band), bad))
        .collect()
}

fn band_names(card: &Scorecard) -> Vec<String> {
    let bands = card.bands().as_slice();
    bands.iter().map(|band| band.name.clone()).collect()
}
