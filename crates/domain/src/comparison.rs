//! Two cards on the same parties: a candidate in the shadow of the active card, or both on a batch of the past.
//!
//! What shifts, who changes band, who passes the cutoff, and, where outcomes have matured, which card ranked and
//! calibrated better. Whatever cannot be judged says why.

mod distribution;
mod migration;
mod performance;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::card::{PdLink, Scorecard};
use crate::ids::Digest;
use crate::psi::{Psi, Shift, psi};

pub use distribution::Distribution;
pub use migration::{BandMigration, SwapCell, SwapSet};
pub use performance::{Evaluated, Outcomes, Performance};

/// One card with its scores of every party, in the order of the parties that both sides share.
#[derive(Debug, Clone, Copy)]
pub struct ScoredBy<'a> {
    pub card: &'a Scorecard,
    /// For a card that stores no link of its own: the one fitted on its training rows, if there is any.
    pub link: Option<PdLink>,
    pub raw: &'a [f64],
    /// After the decision rules.
    pub final_scores: &'a [i32],
}

/// Champion and challenger beside each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardComparison {
    pub parties: usize,
    pub champion: CardSide,
    pub challenger: CardSide,
    pub shift: ScoreShift,
    /// Bands of the final scores.
    pub migration: BandMigration,
    /// Who passes the cards' cutoffs, by final score.
    pub swap_set: SwapSet,
    pub outcomes: Outcomes,
}

/// One card's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardSide {
    pub version: String,
    pub hash: Digest,
    pub raw: Distribution,
    pub final_score: Distribution,
}

/// How the scores move from champion to challenger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreShift {
    /// Challenger minus champion, party by party.
    pub mean_raw: f64,
    pub mean_final: f64,
    /// Mean distance of the two final scores, whichever way.
    pub mean_absolute_final: f64,
    /// Raw scores, the champion's expected.
    pub psi: Psi,
    /// As the STABILITY gate would judge the index.
    pub status: Shift,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ComparisonError {
    #[error("there are no parties to compare the cards on")]
    Empty,
    #[error("{what} has {got} entries for {expected} parties: give one to each")]
    Length {
        what: &'static str,
        got: usize,
        expected: usize,
    },
    #[error("raw score {row} of the {side} is not a finite number")]
    NotFinite { side: &'static str, row: usize },
}

impl ComparisonError {
    /// Stable name for callers; never derived from the text.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "COMPARISON_EMPTY",
            Self::Length { .. } => "COMPARISON_LENGTH",
            Self::NotFinite { .. } => "COMPARISON_NOT_FINITE",
        }
    }
}

impl CardComparison {
    /// Compares the cards; `outcomes` has one entry per party: bad or not as observed and matured, `None` where unknown.
    pub fn of(
        champion: &ScoredBy<'_>,
        challenger: &ScoredBy<'_>,
        outcomes: &[Option<bool>],
    ) -> Result<Self, ComparisonError> {
        check(champion, challenger, outcomes)?;
        let (old, new) = (champion.final_scores, challenger.final_scores);
        Ok(Self {
            parties: outcomes.len(),
            champion: CardSide::of(champion),
            challenger: CardSide::of(challenger),
            shift: ScoreShift::of(champion, challenger)?,
            migration: BandMigration::of(
                champion.card.bands(),
                challenger.card.bands(),
                old.iter().copied().zip(new.iter().copied()),
            ),
            swap_set: SwapSet::of(
                (champion.card.content().cutoff, old),
                (challenger.card.content().cutoff, new),
                outcomes,
            ),
            outcomes: Outcomes::of(champion, challenger, outcomes),
        })
    }
}

impl CardSide {
    fn of(scored: &ScoredBy<'_>) -> Self {
        let final_scores: Vec<f64> = scored.final_scores.iter().copied().map(f64::from).collect();
        Self {
            version: scored.card.version().to_owned(),
            hash: scored.card.hash(),
            raw: Distribution::of(scored.raw.to_vec()),
            final_score: Distribution::of(final_scores),
        }
    }
}

impl ScoreShift {
    fn of(champion: &ScoredBy<'_>, challenger: &ScoredBy<'_>) -> Result<Self, ComparisonError> {
        let parties = champion.raw.len() as f64;
        let raw = champion.raw.iter().zip(challenger.raw);
        let finals = champion.final_scores.iter().zip(challenger.final_scores);
        // Whole numbers: exact, so that their order does not matter.
        let (mut moved, mut distance) = (0i64, 0i64);
        for (old, new) in finals {
            let step = i64::from(*new) - i64::from(*old);
            moved += step;
            distance += step.abs();
        }
        // Both sides were checked to be finite and not empty.
        let index = psi(champion.raw, challenger.raw).map_err(|_| ComparisonError::Empty)?;
        Ok(Self {
            mean_raw: raw.map(|(old, new)| new - old).sum::<f64>() / parties,
            mean_final: moved as f64 / parties,
            mean_absolute_final: distance as f64 / parties,
            status: index.shift(),
            psi: index,
        })
    }
}

fn check(
    champion: &ScoredBy<'_>,
    challenger: &ScoredBy<'_>,
    outcomes: &[Option<bool>],
) -> Result<(), ComparisonError> {
    let expected = champion.raw.len();
    if expected == 0 {
        return Err(ComparisonError::Empty);
    }
    for (what, got) in [
        ("the champion's final score", champion.final_scores.len()),
        ("the challenger's raw score", challenger.raw.len()),
        (
            "the challenger's final score",
            challenger.final_scores.len(),
        ),
        ("the list of outcomes", outcomes.len()),
    ] {
        if got != expected {
            return Err(ComparisonError::Length {
                what,
                got,
                expected,
            });
        }
    }
    for (side, values) in [("champion", champion.raw), ("challenger", challenger.raw)] {
        if let Some(row) = values.iter().position(|raw| !raw.is_finite()) {
            return Err(ComparisonError::NotFinite { side, row });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
