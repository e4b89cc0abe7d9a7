//! Why a card is refused.

use crate::drift::BaselineError;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CardError {
    #[error("scorecard version {version:?} is not valid: use 1 to 64 of [A-Za-z0-9._-]")]
    Version { version: String },
    #[error("scorecard has no factors: name at least one feature")]
    NoFactors,
    #[error(
        "factor {feature:?} is not a feature of the catalogue: see the list of features for their names"
    )]
    UnknownFeature { feature: String },
    #[error("factor {feature:?} is listed twice: a feature has one weight")]
    DuplicateFactor { feature: String },
    #[error("weight of factor {feature:?} is {weight}: it must be a finite number")]
    NonFiniteWeight { feature: String, weight: f64 },
    #[error(
        "scaling method of factor {feature:?} has a limit of {limit}: it must be finite and above 0"
    )]
    MethodLimit { feature: String, limit: f64 },
    #[error(
        "scorecard cannot tell parties apart: its weights share out no points (greatest and least sum are both {sum})"
    )]
    Degenerate { sum: f64 },
    #[error("scores from {base} to {max} are no range: base must be below max")]
    Range { base: i32, max: i32 },
    #[error(
        "scaling is neither of the two kinds: give base and max, or base, pdo, odds and log_odds"
    )]
    ScalingKind,
    #[error(
        "{pdo} points to double the odds, odds of {odds}:1 at a base of {base} cannot anchor a scale: \
         pdo must lie between 1 and 1000, odds between 0.001 and 1000000, base between 0 and 5000"
    )]
    PdoAnchor { pdo: f64, odds: f64, base: i32 },
    #[error(
        "log-odds of {intercept} + {per_weight} per weight make no scores: the second must be above 0, and the scores \
         within a million of 0"
    )]
    LogOdds { intercept: f64, per_weight: f64 },
    #[error(
        "bands cover {low} to {high}, but scores run from {base} to {max}: they must cover exactly that"
    )]
    BandsRange {
        low: i32,
        high: i32,
        base: i32,
        max: i32,
    },
    #[error("cutoff {cutoff} lies outside the bands from {low} to {high}")]
    Cutoff { cutoff: i32, low: i32, high: i32 },
    #[error("PD link has an intercept or slope that is not a finite number")]
    Link,
    #[error(
        "reference population does not fit the factors: it must give finite mean points for each, once ({feature:?})"
    )]
    Reference { feature: String },
    #[error("training population of the card is not the baseline of a scored population")]
    TrainingPopulation(#[from] BaselineError),
}

impl CardError {
    /// Stable name for callers; never derived from the text.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Version { .. } => "CARD_VERSION",
            Self::NoFactors => "CARD_NO_FACTORS",
            Self::UnknownFeature { .. } => "UNKNOWN_FEATURE",
            Self::DuplicateFactor { .. } => "DUPLICATE_FACTOR",
            Self::NonFiniteWeight { .. } => "NON_FINITE_WEIGHT",
            Self::MethodLimit { .. } => "METHOD_LIMIT",
            Self::Degenerate { .. } => "DEGENERATE_CARD",
            Self::Range { .. } => "CARD_RANGE",
            Self::ScalingKind => "CARD_SCALING",
            Self::PdoAnchor { .. } => "PDO_ANCHOR",
            Self::LogOdds { .. } => "PDO_LOG_ODDS",
            Self::BandsRange { .. } => "CARD_BANDS",
            Self::Cutoff { .. } => "CARD_CUTOFF",
            Self::Link => "CARD_LINK",
            Self::Reference { .. } => "CARD_REFERENCE",
            Self::TrainingPopulation(_) => "CARD_TRAINING_POPULATION",
        }
    }
}
