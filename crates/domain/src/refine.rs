//! From a fitted model to a draft scorecard: coefficients become weights, blended with the expert's, and the card's
//! points become a probability again through its link.

mod link;
mod pdo;
mod weights;

use thiserror::Error;

use crate::card::{
    CardError, Factor, MinMax, PdLink, PdoAnchor, Provenance, Scaling, Scorecard, ScoringContent,
};
use crate::logistic::{LineError, RawModel};
use crate::matrix::Matrix;

pub use link::{fit_link, raw_scores};

/// Share of the model in a draft, unless configured otherwise.
pub const DEFAULT_LAMBDA: f64 = 0.5;

/// How a draft's weights become points.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum WantedScaling {
    /// From the least to the greatest score that the expert card's bands cover.
    #[default]
    MinMax,
    /// So many points to double the odds. Needs a link, since the odds come from it.
    Pdo(PdoAnchor),
}

/// What a draft is made of.
#[derive(Debug, Clone, Copy)]
pub struct RefineInput<'a> {
    /// The card whose factors the model was trained on and whose weights are blended in.
    pub expert: &'a Scorecard,
    /// In the expert's scaled factors, one slope per factor, card order.
    pub model: &'a RawModel,
    /// 0 is the expert alone, 1 the model alone.
    pub lambda: f64,
    pub scaling: WantedScaling,
    /// Training rows: scaled factors in card order, outcomes, and weights (`None`: all 1).
    pub rows: Matrix<'a>,
    pub bad: &'a [bool],
    pub weights: Option<&'a [f64]>,
}

/// A draft. It decides nothing until gates and a person have passed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Refined {
    pub card: Scorecard,
    /// The draft's raw scores of the training rows.
    pub train_raw: Vec<f64>,
    /// Why the card carries no PD link, when it does not.
    pub missing_link: Option<LineError>,
}

#[derive(Debug, Clone, PartialEq, Error)]
pub enum RefineError {
    #[error("lambda must lie between 0 and 1, not at {lambda}")]
    BadLambda { lambda: f64 },
    #[error("{what} has {got} entries where {expected} are needed")]
    Length {
        what: &'static str,
        got: usize,
        expected: usize,
    },
    #[error(
        "the model has no coefficient other than 0, so it shares out no points; train on other rows or features"
    )]
    ModelWithoutWeights,
    #[error(
        "points by odds need the odds that the training rows give, and they give none; take the min-max scaling"
    )]
    NoOdds(#[source] LineError),
    #[error(
        "training rows with more points are bad more often, so the points would turn round; take the min-max scaling"
    )]
    OddsReversed,
    #[error("the refined weights make no valid card")]
    Card(#[from] CardError),
}

impl RefineError {
    /// Stable name for callers; never derived from the text.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::BadLambda { .. } => "BAD_LAMBDA",
            Self::Length { .. } => "REFINE_LENGTH",
            Self::ModelWithoutWeights => "DEGENERATE_CARD",
            Self::NoOdds(_) => "PDO_WITHOUT_ODDS",
            Self::OddsReversed => "PDO_ODDS_REVERSED",
            Self::Card(error) => error.reason(),
        }
    }
}

/// Makes the draft. Bands, cutoff and methods are the expert card's; the reference population is not set.
///
/// Bands and cutoff stay where they are under either scaling: they, like the decision rules, are statements about scores
/// that people made, and a PDO anchor is chosen to suit them. IMPACT shows what a change of scale does to them.
pub fn refine(
    input: &RefineInput<'_>,
    version: &str,
    provenance: Provenance,
) -> Result<Refined, RefineError> {
    check(input)?;
    let blend = weights::blend(input.expert, input.model, input.lambda)?;
    let factors: Vec<Factor> = input
        .expert
        .factors()
        .iter()
        .zip(&blend.weights)
        .map(|(factor, weight)| Factor {
            weight: *weight,
            ..factor.clone()
        })
        .collect();
    let (base, max) = input.expert.bands().range();
    let content = ScoringContent {
        scaling: Scaling::MinMax(MinMax { base, max }),
        factors,
        link: None,
        reference: None,
        training_population: None,
        ..input.expert.content().clone()
    };
    let unlinked = Scorecard::new(version, content, provenance)?;
    let train_raw = raw_scores(&unlinked, input.rows);
    let link = if input.lambda == 1.0 {
        Ok(link::exact(&unlinked, input.model, blend.model_factor))
    } else {
        fit_link(&train_raw, base, input.bad, input.weights)
    };
    if let WantedScaling::Pdo(anchor) = input.scaling {
        let card = pdo::rescaled(&unlinked, link.map_err(RefineError::NoOdds)?, anchor)?;
        return Ok(Refined {
            train_raw: raw_scores(&card, input.rows),
            card,
            missing_link: None,
        });
    }
    let (card, missing_link) = match link {
        Ok(link) => (with_link(&unlinked, link)?, None),
        Err(error) => (unlinked, Some(error)),
    };
    Ok(Refined {
        card,
        train_raw,
        missing_link,
    })
}

fn with_link(card: &Scorecard, link: PdLink) -> Result<Scorecard, CardError> {
    let content = ScoringContent {
        link: Some(link),
        ..card.content().clone()
    };
    Scorecard::new(card.version(), content, card.provenance().clone())
}

fn check(input: &RefineInput<'_>) -> Result<(), RefineError> {
    if !(0.0..=1.0).contains(&input.lambda) {
        return Err(RefineError::BadLambda {
            lambda: input.lambda,
        });
    }
    let factors = input.expert.factors().len();
    let rows = input.rows.rows();
    let weights = input.weights.map_or(rows, <[f64]>::len);
    for (what, got, expected) in [
        ("the model", input.model.slopes.len(), factors),
        ("a training row", input.rows.columns(), factors),
        ("the labels", input.bad.len(), rows),
        ("the weights", weights, rows),
    ] {
        if got != expected {
            return Err(RefineError::Length {
                what,
                got,
                expected,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
