//! Rows of the `scores` dataset, and scores worked out on the spot, as answers of the API.

use arrow::array::Array as _;
use kycc_domain::bands::Bands;
use kycc_domain::card::{CompiledCard, round_half_up};
use kycc_domain::catalogue::FeatureVector;
use kycc_domain::reasons;
use kycc_domain::rules::RuleError;
use kycc_proto::scoring::v1::{Contribution, Reason, Score};
use kycc_rpc::timestamp;

use super::cards::{Ready, ReadyCard};
use super::columns::{FeatureColumns, NumberLists, ScoreColumns, TextLists};
use super::mask::Mask;
use super::published::BatchScores;

/// A row of published scores; with the features that it was made of where contributions are wanted.
pub(super) fn published(
    scores: &BatchScores,
    columns: &ScoreColumns,
    at: usize,
    party_id: &str,
    features: Option<(&FeatureColumns, usize)>,
    mask: Mask,
) -> Score {
    let text = |field, text: &str| {
        if mask.has(field) {
            text.to_owned()
        } else {
            String::new()
        }
    };
    let mut score = Score {
        party_id: text(Mask::PARTY_ID, party_id),
        batch_id: text(Mask::BATCH_ID, &scores.batch),
        scorecard_version: text(Mask::SCORECARD_VERSION, scores.card.version()),
        band: text(Mask::BAND, columns.band.value(at)),
        ..Score::default()
    };
    if mask.has(Mask::AS_OF_TIME) {
        score.as_of_time = scores.as_of().map(timestamp);
    }
    if mask.has(Mask::RAW) {
        score.raw = columns.raw.value(at);
    }
    if mask.has(Mask::SCORE) {
        score.score = columns.score.value(at);
    }
    if mask.has(Mask::FINAL_SCORE) {
        score.final_score = columns.final_score.value(at);
    }
    if mask.has(Mask::FLAGS) {
        score.flags = columns.flags.at(at).map(str::to_owned).collect();
    }
    if mask.has(Mask::RULES_FIRED) {
        score.rules_fired = columns.rules_fired.at(at).map(str::to_owned).collect();
    }
    let card = &scores.compiled;
    if mask.has(Mask::REASONS) {
        score.reasons = worded(card, &columns.reasons, &columns.reason_points, at);
    }
    if mask.has(Mask::CUTOFF_REASONS) {
        let (codes, lost) = (&columns.cutoff_reasons, &columns.cutoff_reason_points);
        score.cutoff_reasons = worded(card, codes, lost, at);
    }
    if mask.has(Mask::CONTRIBUTIONS) {
        score.contributions = contributions(scores, columns, at, features);
    }
    score
}

fn worded(card: &CompiledCard, codes: &TextLists, lost: &NumberLists, at: usize) -> Vec<Reason> {
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
    let pairs = codes.at(at).zip(lost.at(at));
    pairs
        .map(|(code, points_lost)| Reason {
            text: words(code).to_owned(),
            code: code.to_owned(),
            points_lost,
        })
        .collect()
}

/// What each factor of the card awarded, from the published points and the features they were awarded for.
fn contributions(
    scores: &BatchScores,
    columns: &ScoreColumns,
    at: usize,
    features: Option<(&FeatureColumns, usize)>,
) -> Vec<Contribution> {
    let factors = scores.card.factors().iter().zip(&scores.factors);
    let parts = factors.enumerate().map(|(index, (factor, &feature))| {
        let value = features.map_or(f64::NAN, |(columns, at)| columns.values[feature].value(at));
        let points = &columns.points[feature];
        Contribution {
            feature: factor.feature.clone(),
            value,
            scaled: factor.method.scale(value),
            weight: factor.weight,
            points: if points.is_valid(at) {
                points.value(at)
            } else {
                0.0
            },
            max_points: scores.compiled.max_points(index),
        }
    });
    parts.collect()
}

/// A vector that belongs to no batch, scored. Reasons need a reference population, which only a refined card brings.
pub(super) fn what_if(
    ready: &Ready,
    features: &FeatureVector,
    mask: Mask,
) -> Result<Score, RuleError> {
    let ReadyCard {
        card,
        compiled,
        reference,
    } = &*ready.card;
    let scored = compiled.score(features);
    let decision = ready
        .rules
        .apply(compiled, features.as_slice(), scored.raw)?;
    let against = |field, means: Option<&Vec<f64>>| -> Vec<Reason> {
        let means = means.filter(|_| mask.has(field));
        let found = means
            .map(|means| reasons::reasons(compiled, &scored.points, means))
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
    let means = reference.as_ref();
    let mut score = Score {
        reasons: against(Mask::REASONS, means.map(|means| &means.population)),
        cutoff_reasons: against(Mask::CUTOFF_REASONS, means.map(|means| &means.near_cutoff)),
        ..Score::default()
    };
    if mask.has(Mask::SCORECARD_VERSION) {
        score.scorecard_version = card.version().to_owned();
    }
    if mask.has(Mask::RAW) {
        score.raw = scored.raw;
    }
    if mask.has(Mask::SCORE) {
        score.score = round_half_up(scored.raw);
    }
    if mask.has(Mask::FINAL_SCORE) {
        score.final_score = decision.final_score;
    }
    if mask.has(Mask::BAND) {
        score.band = card.bands().as_slice()[decision.band].name.clone();
    }
    if mask.has(Mask::FLAGS) {
        score.flags = ready.rules.flags(&decision).map(str::to_owned).collect();
    }
    if mask.has(Mask::RULES_FIRED) {
        let fired = ready.rules.fired(&decision);
        score.rules_fired = fired.map(|rule| rule.name.clone()).collect();
    }
    if mask.has(Mask::CONTRIBUTIONS) {
        let factors = card.factors().iter().enumerate();
        score.contributions = factors
            .map(|(index, factor)| Contribution {
                feature: factor.feature.clone(),
                value: features.get(&factor.feature).unwrap_or_default(),
                scaled: scored.s[index],
                weight: factor.weight,
                points: scored.points[index],
                max_points: compiled.max_points(index),
            })
            .collect();
    }
    Ok(score)
}

/// Names of bands, for errors.
pub(crate) fn band_names(bands: &Bands) -> String {
    let bands = bands.as_slice().iter();
    let names: Vec<_> = bands.map(|band| band.name.as_str()).collect();
    names.join(", ")
}
