//! The scorecard: weights over scaled features, turned into points by its scaling.
//!
//! A `Scorecard` value has passed validation and holds its factors in catalogue order, so equal content always has an
//! equal hash and sums in the same order. `CompiledCard` is what scores.

mod compiled;
mod document;
mod error;
mod scaling;
mod validate;

pub use compiled::{CompiledCard, Scored, nearest_half_up, round_half_up};
pub use error::CardError;
pub use scaling::{LogOdds, MinMax, Pdo, PdoAnchor, Scaling};

use crate::bands::Bands;
use crate::canonical::{canonical_json, sha256_hex};
use crate::catalogue::{FEATURE_COUNT, FEATURES, FeatureSpec};
use crate::drift::PopulationBaseline;
use crate::ids::Digest;
use crate::scaling::Method;
use serde::{Deserialize, Serialize};

/// A card names each feature at most once, so it has no more factors than there are features.
pub const MAX_FACTORS: usize = FEATURE_COUNT;

/// One feature's part in a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    pub feature: String,
    pub weight: f64,
    pub method: Method,
}

/// From points to a probability of default: `logit PD = intercept + slope · (raw − base)`, `base` the scaling's.
///
/// A min-max card that is the model itself has `intercept = a0 − Gmin` and `slope = −1/k`; a blended one has the
/// one-dimensional fit, expressed over `raw − base`. A PDO card has `−ln(odds)` and `−ln 2/pdo`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PdLink {
    pub intercept: f64,
    pub slope: f64,
}

/// Mean points of one factor in a reference population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferencePoints {
    pub feature: String,
    /// Mean over the whole population.
    pub population_mean: f64,
    /// Mean over those who scored just at or above the cutoff.
    pub near_cutoff_mean: f64,
}

/// The population that reasons compare a party with, frozen with a refined card (its training rows).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferencePopulation {
    pub parties: u64,
    pub near_cutoff_parties: u64,
    /// One entry per factor of the card.
    pub factors: Vec<ReferencePoints>,
}

/// Everything that decides a score, its band, its reasons and its PD. The hash covers all of it and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoringContent {
    #[serde(default)]
    pub scaling: Scaling,
    pub factors: Vec<Factor>,
    #[serde(default)]
    pub bands: Bands,
    /// The score that reasons (b) look just above of.
    #[serde(default = "default_cutoff")]
    pub cutoff: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<PdLink>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferencePopulation>,
    /// The training rows as this card scores them: what drift of later batches is measured against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_population: Option<PopulationBaseline>,
}

fn default_cutoff() -> i32 {
    600
}

impl ScoringContent {
    /// The factors under the default range, bands and cutoff, without link or reference.
    pub fn of(factors: Vec<Factor>) -> Self {
        Self {
            scaling: Scaling::default(),
            factors,
            bands: Bands::default(),
            cutoff: default_cutoff(),
            link: None,
            reference: None,
            training_population: None,
        }
    }
}

/// Where a card comes from. Not part of the hash.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Hash of the card that this one was derived from.
    #[serde(default)]
    pub parent: Option<Digest>,
    #[serde(default)]
    pub author: Option<String>,
    /// The registered model that proposed the weights.
    #[serde(default)]
    pub model_id: Option<String>,
}

/// A validated card. Immutable: a change is another card with another hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "document::CardDocument", into = "document::CardDocument")]
pub struct Scorecard {
    version: String,
    content: ScoringContent,
    provenance: Provenance,
}

impl Scorecard {
    pub fn new(
        version: impl Into<String>,
        mut content: ScoringContent,
        provenance: Provenance,
    ) -> Result<Self, CardError> {
        let version = version.into();
        validate::check(&version, &mut content)?;
        Ok(Self {
            version,
            content,
            provenance,
        })
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn content(&self) -> &ScoringContent {
        &self.content
    }

    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// In catalogue order; every per-factor array (points, means) has this order.
    pub fn factors(&self) -> &[Factor] {
        &self.content.factors
    }

    pub fn bands(&self) -> &Bands {
        &self.content.bands
    }

    pub fn scaling(&self) -> Scaling {
        self.content.scaling
    }

    /// SHA-256 of the scoring content: version, author and parent do not change what a card decides.
    pub fn hash(&self) -> Digest {
        Digest::new(sha256_hex(&canonical_json(&self.content)))
            .expect("a SHA-256 in lower-case hex is a digest")
    }

    /// Catalogue entries of the factors, in their order.
    pub fn specs(&self) -> impl Iterator<Item = &'static FeatureSpec> + '_ {
        let named = |factor: &Factor| {
            FEATURES
                .iter()
                .find(|spec| spec.name == factor.feature)
                .expect("a validated card names known features")
        };
        self.content.factors.iter().map(named)
    }

    pub fn compile(&self) -> CompiledCard {
        CompiledCard::new(self)
    }
}

impl PdLink {
    /// Probability of default of a raw score under a card whose scores start at `base`.
    pub fn probability(&self, raw: f64, base: i32) -> f64 {
        let logit = self.intercept + self.slope * (raw - f64::from(base));
        if logit >= 0.0 {
            1.0 / (1.0 + (-logit).exp())
        } else {
            let odds = logit.exp();
            odds / (1.0 + odds)
        }
    }
}

#[cfg(test)]
mod scaling_tests;
#[cfg(test)]
mod tests;
