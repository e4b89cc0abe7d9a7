//! Who changes band, and who passes the cutoff under one card alone.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

use crate::bands::Bands;

/// Parties by their bands under both cards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BandMigration {
    /// Band names of either card, best first.
    pub champion_bands: Vec<String>,
    pub challenger_bands: Vec<String>,
    /// `parties[i][j]`: those in the champion's band i and the challenger's band j.
    pub parties: Vec<Vec<usize>>,
    /// Shares of all parties whose band has a better, a worse or the same position under the challenger.
    pub moved_up: f64,
    pub moved_down: f64,
    pub stayed: f64,
}

/// The parties by whether each card accepts them, its cutoff and its final score deciding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SwapSet {
    pub champion_cutoff: i32,
    pub challenger_cutoff: i32,
    pub accepted_by_both: SwapCell,
    /// By the challenger alone.
    pub swapped_in: SwapCell,
    /// By the champion alone.
    pub swapped_out: SwapCell,
    pub rejected_by_both: SwapCell,
}

/// Some parties and how those turned out whose outcome is known.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SwapCell {
    pub parties: usize,
    pub matured: usize,
    pub bads: usize,
    /// Of the matured; `None` without any.
    pub bad_rate: Option<f64>,
}

impl BandMigration {
    /// Of pairs of whole scores: the champion's and the challenger's of each party.
    pub fn of(
        champion: &Bands,
        challenger: &Bands,
        scores: impl IntoIterator<Item = (i32, i32)>,
    ) -> Self {
        let (rows, columns) = (champion.as_slice().len(), challenger.as_slice().len());
        let mut parties = vec![vec![0; columns]; rows];
        for (old, new) in scores {
            parties[champion.index_of(old)][challenger.index_of(new)] += 1;
        }
        let (mut up, mut down, mut all) = (0, 0, 0usize);
        for (i, row) in parties.iter().enumerate() {
            for (j, count) in row.iter().enumerate() {
                all += count;
                match j.cmp(&i) {
                    Ordering::Less => up += count,
                    Ordering::Greater => down += count,
                    Ordering::Equal => {}
                }
            }
        }
        let share = |count: usize| count as f64 / all.max(1) as f64;
        Self {
            champion_bands: names(champion),
            challenger_bands: names(challenger),
            moved_up: share(up),
            moved_down: share(down),
            stayed: share(all - up - down),
            parties,
        }
    }
}

fn names(bands: &Bands) -> Vec<String> {
    let bands = bands.as_slice();
    bands.iter().map(|band| band.name.clone()).collect()
}

impl SwapSet {
    /// Of either card's cutoff and whole scores, and what is known of the same parties.
    pub fn of(
        (champion_cutoff, champion): (i32, &[i32]),
        (challenger_cutoff, challenger): (i32, &[i32]),
        outcomes: &[Option<bool>],
    ) -> Self {
        let mut cells = [SwapCell::default(); 4];
        for ((old, new), outcome) in champion.iter().zip(challenger).zip(outcomes) {
            let (before, after) = (*old >= champion_cutoff, *new >= challenger_cutoff);
            let cell = &mut cells[usize::from(before) * 2 + usize::from(after)];
            cell.parties += 1;
            cell.matured += usize::from(outcome.is_some());
            cell.bads += usize::from(*outcome == Some(true));
        }
        let [rejected_by_both, swapped_in, swapped_out, accepted_by_both] = cells.map(|cell| {
            let rate = cell.bads as f64 / cell.matured as f64;
            SwapCell {
                bad_rate: (cell.matured > 0).then_some(rate),
                ..cell
            }
        });
        Self {
            champion_cutoff,
            challenger_cutoff,
            accepted_by_both,
            swapped_in,
            swapped_out,
            rejected_by_both,
        }
    }
}
