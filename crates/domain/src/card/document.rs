//! A card as it is written down: one flat object, in which an unknown field is an error.

use super::{
    CardError, Factor, PdLink, Provenance, ReferencePopulation, Scaling, Scorecard, ScoringContent,
    default_cutoff,
};
use crate::bands::Bands;
use crate::drift::PopulationBaseline;
use crate::ids::Digest;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardDocument {
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model_id: Option<String>,
    #[serde(default)]
    scaling: Scaling,
    factors: Vec<Factor>,
    #[serde(default)]
    bands: Bands,
    #[serde(default = "default_cutoff")]
    cutoff: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<PdLink>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<ReferencePopulation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    training_population: Option<PopulationBaseline>,
}

impl TryFrom<CardDocument> for Scorecard {
    type Error = CardError;
    fn try_from(document: CardDocument) -> Result<Self, CardError> {
        let content = ScoringContent {
            scaling: document.scaling,
            factors: document.factors,
            bands: document.bands,
            cutoff: document.cutoff,
            link: document.link,
            reference: document.reference,
            training_population: document.training_population,
        };
        let provenance = Provenance {
            parent: document.parent,
            author: document.author,
            model_id: document.model_id,
        };
        Self::new(document.version, content, provenance)
    }
}

impl From<Scorecard> for CardDocument {
    fn from(card: Scorecard) -> Self {
        let ScoringContent {
            scaling,
            factors,
            bands,
            cutoff,
            link,
            reference,
            training_population,
        } = card.content;
        let Provenance {
            parent,
            author,
            model_id,
        } = card.provenance;
        Self {
            version: card.version,
            parent,
            author,
            model_id,
            scaling,
            factors,
            bands,
            cutoff,
            link,
            reference,
            training_population,
        }
    }
}
