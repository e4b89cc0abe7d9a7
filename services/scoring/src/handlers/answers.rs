//! Rows of the `scores` dataset, and scores worked out on the spot, as answers of the API.

use kycc_domain::bands::Bands;
use kycc_domain::card::{CompiledCard, Scorecard, round_half_up};
use kycc_domain::catalogue::FeatureVector;
use kycc_domain::reasons::{self, ReferenceMeans};
use kycc_domain::rules::{RuleError, RuleSet};
use kycc_proto::scoring::v1::{Contribution, Reason, Score};
use kycc_rpc::timestamp;

use super::published::BatchScores;
use super::row::Row;

/// One published score, without contributions.
pub(crate) fn published(scores: &BatchScores, card: &CompiledCard, row: Row<'_>) -> Score {
    Score {
        party_id: row.text("party_id").to_owned(),
        batch_id: scores.batch.clone(),
        scorecard_version: text(scores, "scorecard_version"),
        as_of_time: scores.as_of().map(timestamp),
        raw: row.number("raw"),
        score: row.whole("score"),
        final_score: row.whole("final_score"),
        band: row.text("band").to_owned(),
        flags: row.texts("flags"),
        rules_fired: row.texts("rules_fired"),
        reasons: worded(card, row.texts("reasons"), row.numbers("reason_points")),
        cutoff_reasons: worded(
            card,
            row.texts("cutoff_reasons"),
            row.numbers("cutoff_reason_points"),
        ),
        contributions: Vec::new(),
    }
}

fn text(scores: &BatchScores, label: &str) -> String {
    scores
        .metadata
        .get(label)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn worded(card: &CompiledCard, codes: Vec<String>, lost: Vec<f64>) -> Vec<Reason> {
    let words = |code: &str| {
        let factor = (0..card.factor_count()).find(|&factor| card.spec(factor).reason_code == code);
        factor.map_or("", |factor| {
            let spec = card.spec(factor);
            if card.is_inverted(factor) {
                spec.reason_when_high
            } else {
                spec.reason_when_low
            }
        })
    };
    let pairs = codes.into_iter().zip(lost);
    pairs
        .map(|(code, points_lost)| Reason {
            text: words(&code).to_owned(),
            code,
            points_lost,
        })
        .collect()
}

/// What each factor of the card awarded, from the published points and the features they were awarded for.
pub(crate) fn contributions(
    card: &Scorecard,
    scores: Row<'_>,
    features: Option<Row<'_>>,
) -> Vec<Contribution> {
    let compiled = card.compile();
    let parts = card.factors().iter().enumerate().map(|(index, factor)| {
        let value = features.map_or(f64::NAN, |row| row.number(&factor.feature));
        Contribution {
            feature: factor.feature.clone(),
            value,
            scaled: factor.method.scale(value),
            weight: factor.weight,
            points: scores
                .optional_number(&format!("points_{}", factor.feature))
                .unwrap_or_default(),
            max_points: compiled.max_points(index),
        }
    });
    parts.collect()
}

/// A vector that belongs to no batch, scored. Reasons need a reference population, which only a refined card brings.
pub(crate) fn what_if(
    card: &Scorecard,
    rules: &RuleSet,
    features: &FeatureVector,
) -> Result<Score, RuleError> {
    let compiled = card.compile();
    let scored = compiled.score(features);
    let decision = rules.apply(&compiled, features.as_slice(), scored.raw)?;
    let reference = ReferenceMeans::frozen(card);
    let against = |means: Option<&Vec<f64>>| -> Vec<Reason> {
        let found = means
            .map(|means| reasons::reasons(&compiled, &scored.points, means))
            .unwrap_or_default();
        found
            .into_iter()
            .map(|reason| Reason {
                code: reason.code.to_owned(),
                text: reason.text.to_owned(),
                points_lost: reason.points_lost,
            })
            .collect()
    };
    let contributions = card
        .factors()
        .iter()
        .enumerate()
        .map(|(index, factor)| Contribution {
            feature: factor.feature.clone(),
            value: features.get(&factor.feature).unwrap_or_default(),
            scaled: scored.s[index],
            weight: factor.weight,
            points: scored.points[index],
            max_points: compiled.max_points(index),
        });
    Ok(Score {
        scorecard_version: card.version().to_owned(),
        raw: scored.raw,
        score: round_half_up(scored.raw),
        final_score: decision.final_score,
        band: card.bands().as_slice()[decision.band].name.clone(),
        flags: rules.flags(&decision).map(str::to_owned).collect(),
        rules_fired: rules
            .fired(&decision)
            .map(|rule| rule.name.clone())
            .collect(),
        reasons: against(reference.as_ref().map(|means| &means.population)),
        cutoff_reasons: against(reference.as_ref().map(|means| &means.near_cutoff)),
        contributions: contributions.collect(),
        ..Score::default()
    })
}

/// Names of bands, for errors.
pub(crate) fn band_names(bands: &Bands) -> String {
    let bands = bands.as_slice().iter();
    let names: Vec<_> = bands.map(|band| band.name.as_str()).collect();
    names.join(", ")
}
