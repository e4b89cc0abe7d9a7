//! From raw points to a probability of bad: exact for a card that is the model, fitted for any other.

use crate::card::{PdLink, Scorecard};
use crate::logistic::{LineError, RawModel, fit_line};
use crate::matrix::Matrix;

/// The link that recovers the model's own PD: `logit = a0 − ((raw−base)/k + Gmin)/factor`, where the card's weights are
/// the model's goodness times `factor`.
pub(super) fn exact(card: &Scorecard, model: &RawModel, factor: f64) -> PdLink {
    let least: f64 = card.factors().iter().map(|f| f.weight.min(0.0)).sum();
    PdLink {
        intercept: model.intercept - least / factor,
        slope: -1.0 / (card.compile().points_per_weight() * factor),
    }
}

/// The unpenalised logistic fit of the outcome on raw points.
pub fn fit_link(
    raw: &[f64],
    base: i32,
    bad: &[bool],
    weights: Option<&[f64]>,
) -> Result<PdLink, LineError> {
    let above: Vec<f64> = raw.iter().map(|raw| raw - f64::from(base)).collect();
    let line = fit_line(&above, bad, weights)?;
    Ok(PdLink {
        intercept: line.intercept,
        slope: line.slope,
    })
}

/// Raw scores of rows of scaled factors in card order, bit for bit those of [`crate::card::CompiledCard::score_into`].
///
/// # Panics
/// If the matrix has another number of columns than the card has factors.
pub fn raw_scores(card: &Scorecard, rows: Matrix<'_>) -> Vec<f64> {
    assert_eq!(
        rows.columns(),
        card.factors().len(),
        "one column per factor of the card"
    );
    let compiled = card.compile();
    let (least, greatest) = (compiled.least(), compiled.greatest());
    let factors: Vec<(f64, bool)> = (0..compiled.factor_count())
        .map(|j| (compiled.max_points(j), compiled.is_inverted(j)))
        .collect();
    rows.iter()
        .map(|row| {
            let raw = row
                .iter()
                .zip(&factors)
                .fold(least, |raw, (s, (points, inverted))| {
                    raw + points * if *inverted { 1.0 - s } else { *s }
                });
            raw.clamp(least, greatest)
        })
        .collect()
}
