//! What would lift a party to a better band: for each factor of its card the smallest change of that feature alone.
//!
//! The whole decision is asked, card, decision rules and rounding, so a change that also ends a penalty counts for all it
//! does. A feature moves in the direction that earns points, over the values that the catalogue says it can take.

mod breakpoints;
mod search;
mod trial;

use serde::Serialize;
use std::cmp::Ordering;
use thiserror::Error;

use crate::bands::Bands;
use crate::card::Scorecard;
use crate::catalogue::FeatureVector;
use crate::rules::{RuleError, RuleSet};
use trial::Party;

/// What a party could change, and what that would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Improvements {
    /// Where the party stands, after the decision rules.
    pub final_score: i32,
    pub band: String,
    /// `None` for a party that has the best band already; it has no factors then.
    pub target: Option<Target>,
    /// One entry per factor of the card. First those that reach the target, by ascending [`Improvement::change`]; then
    /// those that alone do not, by descending final score. Within either, all the actionable stand before the others;
    /// equal ones stand in catalogue order.
    pub factors: Vec<Improvement>,
}

/// The band to be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    pub band: String,
    /// Least final score of the band.
    pub min: i32,
}

/// One factor changed, everything else as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Improvement {
    pub feature: &'static str,
    pub unit: &'static str,
    /// Whether a party can change the feature by what it does; the catalogue says so.
    pub actionable: bool,
    /// Whether this change alone reaches the target.
    pub reachable: bool,
    pub current: f64,
    /// The least change that reaches the target, or else that scores as high as this factor alone can; the current value
    /// where no change scores higher.
    pub needed: f64,
    /// The factor's own points; the final score may move by more, or less, where rules depend on it.
    pub points_gained: f64,
    pub final_score: i32,
    pub band: String,
    /// How far the feature moves: the share of its scaled range, in [0, 1]; 0 where only a rule depends on the change.
    pub change: f64,
}

#[derive(Debug, Clone, PartialEq, Error)]
pub enum ImprovementError {
    #[error("{feature} is not a finite number: a party is only scored from finite features")]
    NotFinite { feature: &'static str },
    #[error("the card has no band {band:?}: name one of its bands")]
    UnknownBand { band: String },
    #[error("band {band:?} is no better than the party's own, {current:?}: name a better one")]
    NotBetter { band: String, current: String },
    #[error("a decision rule could not be applied to the changed party")]
    Rule(#[from] RuleError),
}

impl ImprovementError {
    /// Stable name for callers; never derived from the text.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotFinite { .. } => "FEATURE_NOT_FINITE",
            Self::UnknownBand { .. } => "UNKNOWN_BAND",
            Self::NotBetter { .. } => "BAND_NOT_BETTER",
            Self::Rule(error) => error.reason(),
        }
    }
}

/// The smallest single-factor changes that lift a party to `target`, or to the band above its own where none is named.
///
/// Each answer holds as computed: the changed party is decided anew, and one step less does not do. No smaller change
/// does either where conditions compare features and `score` with numbers or with each other; one that computes with
/// the changed feature (`2.0 * network_size > 9.0`) may switch back and forth unseen between two steps.
pub fn improvements(
    card: &Scorecard,
    rules: &RuleSet,
    features: &FeatureVector,
    target: Option<&str>,
) -> Result<Improvements, ImprovementError> {
    if let Some(spec) = features.first_non_finite() {
        return Err(ImprovementError::NotFinite { feature: spec.name });
    }
    let party = Party::new(card, rules, features);
    let now = party.decide()?;
    let bands = card.bands();
    let band = |index: usize| bands.as_slice()[index].name.clone();
    let mut answer = Improvements {
        final_score: now.final_score,
        band: band(now.band),
        target: None,
        factors: Vec::new(),
    };
    let Some(wanted) = target_index(bands, now.band, target)? else {
        return Ok(answer);
    };
    answer.target = Some(Target {
        band: band(wanted),
        min: bands.as_slice()[wanted].min,
    });
    answer.factors = (0..card.factors().len())
        .map(|factor| search::least_change(&party, factor, wanted))
        .collect::<Result<_, _>>()?;
    answer.factors.sort_by(order);
    Ok(answer)
}

/// Position of the band to be reached; `None` where there is none above the party's own and none was asked for.
fn target_index(
    bands: &Bands,
    current: usize,
    target: Option<&str>,
) -> Result<Option<usize>, ImprovementError> {
    let Some(name) = target else {
        return Ok(current.checked_sub(1));
    };
    let named = bands.as_slice().iter().position(|band| band.name == name);
    match named {
        None => Err(ImprovementError::UnknownBand {
            band: name.to_owned(),
        }),
        Some(index) if index >= current => Err(ImprovementError::NotBetter {
            band: name.to_owned(),
            current: bands.as_slice()[current].name.clone(),
        }),
        better => Ok(better),
    }
}

fn order(a: &Improvement, b: &Improvement) -> Ordering {
    let by_effect = if a.reachable {
        a.change.total_cmp(&b.change)
    } else {
        b.final_score.cmp(&a.final_score)
    };
    (b.reachable.cmp(&a.reachable))
        .then(b.actionable.cmp(&a.actionable))
        .then(by_effect)
}

#[cfg(test)]
mod tests;
