//! A batch scored a second time by the card in the shadow of the one that decides.

use kycc_domain::card::Scorecard;
use kycc_domain::comparison::{CardComparison, ComparisonError, ScoredBy};
use kycc_domain::psi::Shift;
use serde::{Deserialize, Serialize};

use super::population::Decided;

/// The card in the shadow with what it made of every party of the batch.
#[derive(Debug)]
pub(crate) struct Shadow {
    pub(crate) card: Scorecard,
    pub(crate) decided: Decided,
}

/// How two cards differ on one batch, as far as it is known when the batch is scored: outcomes come later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Numbers {
    pub(crate) parties: usize,
    pub(crate) champion_avg_score: f64,
    pub(crate) challenger_avg_score: f64,
    /// Of the raw scores.
    pub(crate) psi: f64,
    pub(crate) no_shift_bound: f64,
    pub(crate) status: Shift,
    pub(crate) moved_better: usize,
    pub(crate) moved_worse: usize,
    /// Accepted by the challenger alone, and by the champion alone, each at its own cut-off.
    pub(crate) swapped_in: usize,
    pub(crate) swapped_out: usize,
}

impl Shadow {
    /// Beside the card that decides.
    pub(crate) fn numbers(
        &self,
        champion: &Scorecard,
        decided: &Decided,
    ) -> Result<Numbers, ComparisonError> {
        let (old, new) = (decided.final_scores(), self.decided.final_scores());
        let unknown = vec![None; decided.raw.len()];
        let found = CardComparison::of(
            &scored_by(champion, &decided.raw, &old),
            &scored_by(&self.card, &self.decided.raw, &new),
            &unknown,
        )?;
        Ok(Numbers::of(&found))
    }
}

impl Numbers {
    pub(crate) fn of(found: &CardComparison) -> Self {
        let (moved_better, moved_worse) = moved(found);
        Self {
            parties: found.parties,
            champion_avg_score: found.champion.final_score.mean,
            challenger_avg_score: found.challenger.final_score.mean,
            psi: found.shift.psi.value,
            no_shift_bound: found.shift.psi.no_shift_bound,
            status: found.shift.status,
            moved_better,
            moved_worse,
            swapped_in: found.swap_set.swapped_in.parties,
            swapped_out: found.swap_set.swapped_out.parties,
        }
    }
}

pub(crate) fn scored_by<'a>(
    card: &'a Scorecard,
    raw: &'a [f64],
    final_scores: &'a [i32],
) -> ScoredBy<'a> {
    ScoredBy {
        card,
        link: None,
        raw,
        final_scores,
    }
}

/// Parties whose band has a better, and a worse, position under the challenger.
fn moved(found: &CardComparison) -> (usize, usize) {
    let (mut better, mut worse) = (0, 0);
    for (old, row) in found.migration.parties.iter().enumerate() {
        let split = old.min(row.len());
        better += row[..split].iter().sum::<usize>();
        worse += row.iter().skip(old + 1).sum::<usize>();
    }
    (better, worse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_domain::expert::expert_card;

    #[test]
    fn parties_are_counted_by_whether_their_band_got_better_or_worse() {
        let card = expert_card();
        let (old, new) = ([850, 650, 650, 400], [750, 750, 650, 500]);
        let raw = |scores: [i32; 4]| scores.map(f64::from);
        let found = CardComparison::of(
            &scored_by(&card, &raw(old), &old),
            &scored_by(&card, &raw(new), &new),
            &[None; 4],
        );
        let numbers = Numbers::of(&found.unwrap());
        assert_eq!((numbers.moved_better, numbers.moved_worse), (2, 1));
        assert_eq!((numbers.swapped_in, numbers.swapped_out), (0, 0));
        assert_eq!(numbers.parties, 4);
        assert_eq!(numbers.champion_avg_score, 637.5);
        assert_eq!(numbers.challenger_avg_score, 662.5);
    }
}
