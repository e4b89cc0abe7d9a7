//! The expert card with the default decision rules over columns of features, in chunks cut by position alone.

use anyhow::Context;
use kycc_domain::card::CompiledCard;
use kycc_domain::catalogue::FEATURE_COUNT;
use kycc_domain::expert::expert_card;
use kycc_domain::reasons::{MAX_REASONS, ReferenceMeans, Shortfall, greatest_shortfalls};
use kycc_domain::rules::{Decision, RuleError, RuleSet, default_rules};
use rayon::prelude::*;
use serde_json::json;

use crate::Kernel;
use crate::arrays::Folder;

const CHUNK: usize = 8_192;
const CUTOFF: i32 = 600;

/// One column per feature of the catalogue, one behind the other.
struct Columns {
    values: Vec<f64>,
    parties: usize,
}

impl Columns {
    fn read(folder: &Folder) -> anyhow::Result<Self> {
        let values = folder.floats("features")?;
        let parties = values.len() / FEATURE_COUNT;
        Ok(Self { values, parties })
    }

    fn row(&self, at: usize) -> [f64; FEATURE_COUNT] {
        std::array::from_fn(|feature| self.values[feature * self.parties + at])
    }
}

/// A party's decision, with what explains it.
#[derive(Clone, Copy, Default)]
struct Reasons {
    population: [Shortfall; MAX_REASONS],
    near_cutoff: [Shortfall; MAX_REASONS],
    filled: (usize, usize),
}

/// Raw score and decision of every party.
pub(crate) fn score(folder: &Folder) -> anyhow::Result<Kernel> {
    let columns = Columns::read(folder)?;
    let (card, rules) = (expert_card().compile(), RuleSet::compile(&default_rules())?);
    let factors = card.factor_count();
    Ok(Box::new(move || {
        let chunks: Vec<Vec<(f64, Decision)>> = (0..columns.parties.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let mut points = vec![0.0; factors];
                rows(&columns, chunk)
                    .map(|at| {
                        let row = columns.row(at);
                        let raw = card.score_into(&row, &mut points);
                        Ok((raw, rules.apply(&card, &row, raw)?))
                    })
                    .collect::<Result<_, RuleError>>()
            })
            .collect::<Result<_, _>>()?;
        let scored = chunks.iter().flatten();
        let total: i64 = scored.map(|(_, d)| i64::from(d.final_score)).sum();
        Ok(json!({"parties": columns.parties, "sum": total}))
    }))
}

/// The same with points kept, the reference means, and up to four reasons of either kind for every party.
pub(crate) fn explain(folder: &Folder) -> anyhow::Result<Kernel> {
    let columns = Columns::read(folder)?;
    let (card, rules) = (expert_card().compile(), RuleSet::compile(&default_rules())?);
    let factors = card.factor_count();
    Ok(Box::new(move || {
        let mut points = vec![0.0; columns.parties * factors];
        let mut final_scores = vec![0; columns.parties];
        points
            .par_chunks_mut(CHUNK * factors)
            .zip(final_scores.par_chunks_mut(CHUNK))
            .enumerate()
            .try_for_each(|(chunk, (points, scores))| {
                decide(&card, &rules, &columns, chunk, points, scores)
            })?;
        let means = ReferenceMeans::of_population(&points, &final_scores, CUTOFF)
            .context("there is no party")?;
        let reasons: Vec<Reasons> = points
            .par_chunks(factors)
            .with_min_len(CHUNK)
            .map(|own| {
                let mut reasons = Reasons::default();
                let population =
                    greatest_shortfalls(own, &means.population, &mut reasons.population);
                let near = greatest_shortfalls(own, &means.near_cutoff, &mut reasons.near_cutoff);
                reasons.filled = (population, near);
                reasons
            })
            .collect();
        let total: i64 = final_scores.iter().map(|score| i64::from(*score)).sum();
        let given: usize = reasons.iter().map(|r| r.filled.0 + r.filled.1).sum();
        Ok(json!({"parties": columns.parties, "sum": total, "reasons": given}))
    }))
}

fn decide(
    card: &CompiledCard,
    rules: &RuleSet,
    columns: &Columns,
    chunk: usize,
    points: &mut [f64],
    scores: &mut [i32],
) -> Result<(), RuleError> {
    let slots = points.chunks_exact_mut(card.factor_count()).zip(scores);
    for (at, (points, score)) in rows(columns, chunk).zip(slots) {
        let row = columns.row(at);
        let raw = card.score_into(&row, points);
        *score = rules.apply(card, &row, raw)?.final_score;
    }
    Ok(())
}

fn rows(columns: &Columns, chunk: usize) -> std::ops::Range<usize> {
    chunk * CHUNK..((chunk + 1) * CHUNK).min(columns.parties)
}
