//! A population scored by a card: raw scores, points per factor, decisions.

use kycc_domain::card::CompiledCard;
use kycc_domain::catalogue::FEATURE_COUNT;
use kycc_domain::rules::{Decision, RuleError, RuleSet};
use rayon::prelude::*;

/// Parties scored between two looks at the cancel flag. Chunks are cut by position alone, so threads change nothing.
const CHUNK: usize = 8_192;

/// Why scoring stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("scoring was cancelled")]
    Cancelled,
    #[error("a decision rule failed on the party in row {row}")]
    Rule { row: usize, source: RuleError },
}

/// Scores of parties in row order.
#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) raw: Vec<f64>,
    /// Row-major: one number per party and factor of the card.
    pub(crate) points: Vec<f64>,
    pub(crate) decisions: Vec<Decision>,
}

/// Scores every row of `columns` (one slice per feature in catalogue order, all of one length).
pub(crate) fn score(
    card: &CompiledCard,
    rules: &RuleSet,
    columns: &[&[f64]; FEATURE_COUNT],
    cancelled: impl Fn() -> bool + Sync,
) -> Result<Population, Stopped> {
    let parties = columns[0].len();
    let factors = card.factor_count();
    let mut raw = vec![0.0; parties];
    let mut points = vec![0.0; parties * factors];
    raw.par_chunks_mut(CHUNK)
        .zip(points.par_chunks_mut(CHUNK * factors))
        .enumerate()
        .try_for_each(|(chunk, (raw, points))| {
            if cancelled() {
                return Err(Stopped::Cancelled);
            }
            for (offset, raw) in raw.iter_mut().enumerate() {
                let row = row(columns, chunk * CHUNK + offset);
                *raw = card.score_into(&row, &mut points[offset * factors..][..factors]);
            }
            Ok(())
        })?;
    let decisions = raw
        .par_iter()
        .with_min_len(CHUNK)
        .enumerate()
        .map(|(at, &raw)| {
            if at % CHUNK == 0 && cancelled() {
                return Err(Stopped::Cancelled);
            }
            let decided = rules.apply(card, &row(columns, at), raw);
            decided.map_err(|source| Stopped::Rule { row: at, source })
        })
        .collect::<Result<_, _>>()?;
    Ok(Population {
        raw,
        points,
        decisions,
    })
}

/// The features of one party, gathered from the columns.
pub(crate) fn row(columns: &[&[f64]; FEATURE_COUNT], at: usize) -> [f64; FEATURE_COUNT] {
    std::array::from_fn(|feature| columns[feature][at])
}
