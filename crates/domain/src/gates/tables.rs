//! What each cut-off would have done to the parties of the holdout, and what the change of card does at the cut-off.

use serde::{Deserialize, Serialize};

use crate::card::{Scorecard, round_half_up};

/// Points between the cut-offs of the table.
pub const CUTOFF_STEP: usize = 20;

/// Some of the parties, with the bads among them where outcomes are observed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Group {
    pub parties: usize,
    /// `None` where no outcome is observed.
    pub bads: Option<usize>,
    /// `None` also for a group of nobody.
    pub bad_rate: Option<f64>,
}

/// Who is accepted, at or above, when the line is drawn here.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CutoffRow {
    pub cutoff: i32,
    /// Whether this is the card's own cutoff.
    pub own: bool,
    pub accepted: Group,
    /// Of all parties.
    pub accepted_share: f64,
    pub rejected: Group,
    /// Share of all bads that are rejected; `None` without any.
    pub bads_caught: Option<f64>,
}

/// The same parties at each card's own cutoff.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SwapSet {
    pub champion_cutoff: i32,
    pub challenger_cutoff: i32,
    /// Rejected by the champion, accepted by the challenger.
    pub swapped_in: Group,
    /// Accepted by the champion, rejected by the challenger.
    pub swapped_out: Group,
    pub both_accepted: Group,
    pub both_rejected: Group,
}

impl Group {
    /// Counts the chosen rows; `bad` is empty where no outcome is observed.
    pub(super) fn of(rows: impl Iterator<Item = usize>, bad: &[bool]) -> Self {
        let (mut parties, mut bads) = (0usize, 0usize);
        for row in rows {
            parties += 1;
            bads += usize::from(bad.get(row).copied().unwrap_or_default());
        }
        let known = !bad.is_empty();
        Self {
            parties,
            bads: known.then_some(bads),
            bad_rate: (known && parties > 0).then(|| bads as f64 / parties as f64),
        }
    }
}

/// Whole scores as they are decided on: within what the card's bands cover.
pub(super) fn scores(card: &Scorecard, raw: &[f64]) -> Vec<i32> {
    let (low, high) = card.bands().range();
    raw.iter()
        .map(|raw| round_half_up(*raw).clamp(low, high))
        .collect()
}

/// Every 20 points across the card's range, and its own cutoff.
pub(super) fn cutoffs(card: &Scorecard, scores: &[i32], bad: &[bool]) -> Vec<CutoffRow> {
    let (low, high) = card.bands().range();
    let own = card.content().cutoff;
    let mut lines: Vec<i32> = (low..=high).step_by(CUTOFF_STEP).collect();
    if let Err(place) = lines.binary_search(&own) {
        lines.insert(place, own);
    }
    let all = Group::of(0..scores.len(), bad);
    lines
        .into_iter()
        .map(|cutoff| {
            let chosen =
                |accept: bool| (0..scores.len()).filter(move |&i| (scores[i] >= cutoff) == accept);
            let rejected = Group::of(chosen(false), bad);
            let accepted = Group::of(chosen(true), bad);
            CutoffRow {
                cutoff,
                own: cutoff == own,
                accepted,
                accepted_share: accepted.parties as f64 / all.parties.max(1) as f64,
                rejected,
                bads_caught: rejected
                    .bads
                    .zip(all.bads)
                    .filter(|(_, all)| *all > 0)
                    .map(|(caught, all)| caught as f64 / all as f64),
            }
        })
        .collect()
}

pub(super) fn swap_set(
    (champion, old): (&Scorecard, &[i32]),
    (challenger, new): (&Scorecard, &[i32]),
    bad: &[bool],
) -> SwapSet {
    let (before, after) = (champion.content().cutoff, challenger.content().cutoff);
    let group = |was: bool, is: bool| {
        let rows = (0..old.len()).filter(|&i| (old[i] >= before) == was && (new[i] >= after) == is);
        Group::of(rows, bad)
    };
    SwapSet {
        champion_cutoff: before,
        challenger_cutoff: after,
        swapped_in: group(false, true),
        swapped_out: group(true, false),
        both_accepted: group(true, true),
        both_rejected: group(false, false),
    }
}
