//! A min-max draft under the PDO scaling: the same weights, its points moved to where the link's odds put them.

use super::RefineError;
use crate::card::{LogOdds, PdLink, Pdo, PdoAnchor, Scaling, Scorecard, ScoringContent};

/// Takes the log-odds from the min-max card's link, so that λ = 1 stays exact and a blend keeps its fitted odds.
///
/// With `raw − base = k(Σ w s − Gmin)`, the link reads `ln(good:bad) = −intercept − slope·k(Σ w s − Gmin)`.
pub(super) fn rescaled(
    card: &Scorecard,
    link: PdLink,
    anchor: PdoAnchor,
) -> Result<Scorecard, RefineError> {
    anchor.check()?;
    let per_weight = -link.slope * card.compile().points_per_weight();
    // A slope of 0 or NaN is no better than one that rises.
    if !matches!(
        per_weight.partial_cmp(&0.0),
        Some(std::cmp::Ordering::Greater)
    ) {
        return Err(RefineError::OddsReversed);
    }
    let g_min: f64 = card.factors().iter().map(|f| f.weight.min(0.0)).sum();
    let log_odds = LogOdds {
        intercept: -link.intercept - per_weight * g_min,
        per_weight,
    };
    let content = ScoringContent {
        scaling: Scaling::Pdo(Pdo { anchor, log_odds }),
        link: Some(anchor.link()),
        ..card.content().clone()
    };
    Ok(Scorecard::new(
        card.version(),
        content,
        card.provenance().clone(),
    )?)
}
