//! A population scored by a card: raw scores, points per factor, decisions.

use kycc_domain::bands::Bands;
use kycc_domain::card::{CompiledCard, MAX_FACTORS};
use kycc_domain::catalogue::FEATURE_COUNT;
use kycc_domain::drift::ScoredPopulation;
use kycc_domain::rules::{Decision, RuleError, RuleSet};
use rayon::prelude::*;

/// Parties scored between two looks at the cancel flag. Chunks are cut by position alone, so threads change nothing.
const CHUNK: usize = 8_192;

/// One slice per feature, in catalogue order, all of one length.
pub(crate) type Columns<'a> = [&'a [f64]; FEATURE_COUNT];

/// Why scoring stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("scoring was cancelled")]
    Cancelled,
    #[error("a decision rule failed on the party in row {row}")]
    Rule { row: usize, source: RuleError },
}

/// What was decided of parties, in row order.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) raw: Vec<f64>,
    pub(crate) decisions: Vec<Decision>,
}

/// The same with what every factor awarded.
#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) decided: Decided,
    /// Row-major: one number per party and factor of the card.
    pub(crate) points: Vec<f64>,
}

/// Scores every row and keeps the points.
pub(crate) fn score(
    card: &CompiledCard,
    rules: &RuleSet,
    columns: &Columns<'_>,
    cancelled: impl Fn() -> bool + Sync,
) -> Result<Population, Stopped> {
    let (parties, factors) = (columns[0].len(), card.factor_count());
    let mut raw = vec![0.0; parties];
    let mut points = vec![0.0; parties * factors];
    let decisions = raw
        .par_chunks_mut(CHUNK)
        .zip(points.par_chunks_mut(CHUNK * factors))
        .enumerate()
        .map(|(chunk, (raw, points))| {
            let first = chunk * CHUNK;
            let points = points.chunks_mut(factors);
            let decide = |(at, (raw, points)): (usize, (&mut f64, &mut [f64]))| {
                let row = row(columns, first + at);
                *raw = card.score_into(&row, points);
                decide(card, rules, &row, *raw, first + at)
            };
            let decided = raw.iter_mut().zip(points).enumerate().map(decide);
            unless(&cancelled)?;
            decided.collect::<Result<Vec<_>, _>>()
        })
        .collect::<Vec<_>>();
    Ok(Population {
        decided: Decided {
            raw,
            decisions: joined(decisions)?,
        },
        points,
    })
}

/// Scores every row where nobody asks what made the score.
pub(crate) fn decide_all(
    card: &CompiledCard,
    rules: &RuleSet,
    columns: &Columns<'_>,
    cancelled: impl Fn() -> bool + Sync,
) -> Result<Decided, Stopped> {
    let mut raw = vec![0.0; columns[0].len()];
    let decisions = raw
        .par_chunks_mut(CHUNK)
        .enumerate()
        .map(|(chunk, raw)| {
            let first = chunk * CHUNK;
            let mut points = [0.0; MAX_FACTORS];
            unless(&cancelled)?;
            let decided = raw.iter_mut().enumerate().map(|(at, raw)| {
                let row = row(columns, first + at);
                *raw = card.score_into(&row, &mut points);
                decide(card, rules, &row, *raw, first + at)
            });
            decided.collect::<Result<Vec<_>, _>>()
        })
        .collect::<Vec<_>>();
    Ok(Decided {
        raw,
        decisions: joined(decisions)?,
    })
}

impl Decided {
    pub(crate) fn final_scores(&self) -> Vec<i32> {
        let decisions = self.decisions.iter();
        decisions.map(|decision| decision.final_score).collect()
    }

    /// Positions of the bands.
    pub(crate) fn bands(&self) -> Vec<usize> {
        let decisions = self.decisions.iter();
        decisions.map(|decision| decision.band).collect()
    }
}

/// As drift counts it.
pub(crate) fn countable<'a>(
    columns: &Columns<'a>,
    raws: &'a [f64],
    bands: &'a [usize],
    names: &'a Bands,
) -> ScoredPopulation<'a> {
    ScoredPopulation {
        columns: *columns,
        raws,
        bands,
        names,
    }
}

fn unless(cancelled: &impl Fn() -> bool) -> Result<(), Stopped> {
    if cancelled() {
        return Err(Stopped::Cancelled);
    }
    Ok(())
}

fn decide(
    card: &CompiledCard,
    rules: &RuleSet,
    row: &[f64],
    raw: f64,
    at: usize,
) -> Result<Decision, Stopped> {
    let decided = rules.apply(card, row, raw);
    decided.map_err(|source| Stopped::Rule { row: at, source })
}

/// Of several failures the one in the first row, whichever thread came to it first.
fn joined(chunks: Vec<Result<Vec<Decision>, Stopped>>) -> Result<Vec<Decision>, Stopped> {
    let mut all = Vec::with_capacity(chunks.len() * CHUNK);
    for chunk in chunks {
        all.extend(chunk?);
    }
    Ok(all)
}

/// The features of one party, gathered from the columns.
pub(crate) fn row(columns: &Columns<'_>, at: usize) -> [f64; FEATURE_COUNT] {
    std::array::from_fn(|feature| columns[feature][at])
}
