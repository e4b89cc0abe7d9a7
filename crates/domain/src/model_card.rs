//! The model card of a draft: everything that somebody needs who is to approve it, as JSON and as Markdown.
//!
//! It states facts and what follows from them; it judges nothing that the gates have not judged.

mod facts;
mod limits;
mod markdown;
mod scores;
mod table;
mod verdict;

use serde::{Deserialize, Serialize};

pub use facts::{
    Approval, Coefficient, DataFacts, GateNote, LabelCount, LabelFacts, Metric, ModelFacts,
    PartFacts, holdout_metrics,
};
pub use limits::Limit;

use crate::bands::Bands;
use crate::card::{PdLink, Scaling, Scorecard};
use crate::gates::GateReport;
use crate::ids::Digest;
use crate::scaling::Method;

/// What a model card is made of. Whatever is not known is left out of it and, where it matters, named among its limits.
#[derive(Debug, Clone)]
pub struct ModelCardInput<'a> {
    pub card: &'a Scorecard,
    /// The card that it would replace.
    pub champion: Option<&'a Scorecard>,
    /// Share of the model in the weights; absent for a card that people wrote.
    pub blend: Option<f64>,
    /// RFC 3339.
    pub created_at: Option<String>,
    pub data: DataFacts,
    pub labels: LabelFacts,
    pub model: Option<ModelFacts>,
    /// Of the model, on its holdout.
    pub metrics: Vec<Metric>,
    pub gates: Option<&'a GateReport>,
    /// Why the card gives no PD, where it does not.
    pub missing_link: Option<String>,
    /// Whether the card carries what later batches' drift is measured against.
    pub drift_baseline: bool,
    /// Empty until given.
    pub approvals: Vec<Approval>,
}

/// The document. Markdown is a view of it: nothing is shown that is not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    pub identity: Identity,
    pub data: DataFacts,
    pub labels: LabelFacts,
    pub model: Option<ModelFacts>,
    pub metrics: Vec<Metric>,
    pub scale: Scale,
    /// One per factor of the card, in its order, then the factors that only the champion has.
    pub points: Vec<PointsRow>,
    pub gates: Option<GateReport>,
    pub limits: Vec<Limit>,
    pub approvals: Vec<Approval>,
}

/// Which card this is and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    pub version: String,
    pub hash: Digest,
    pub author: Option<String>,
    pub created_at: Option<String>,
    pub model_id: Option<String>,
    pub blend: Option<f64>,
    pub champion_version: Option<String>,
    pub champion_hash: Option<Digest>,
}

/// How its weights become scores, bands and a PD.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    pub scaling: Scaling,
    /// Raw scores without any point and with all of them.
    pub least: f64,
    pub greatest: f64,
    pub bands: Bands,
    pub cutoff: i32,
    pub link: Option<PdLink>,
    pub missing_link: Option<String>,
}

/// One factor's part in either card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointsRow {
    pub feature: String,
    /// Absent for a factor that the card has dropped.
    pub method: Option<Method>,
    pub weight: f64,
    /// Of 100, with the weight's sign.
    pub share: f64,
    pub max_points: f64,
    pub champion_share: Option<f64>,
    pub champion_max_points: Option<f64>,
}

impl ModelCard {
    pub fn new(input: &ModelCardInput<'_>) -> Self {
        let provenance = input.card.provenance();
        let content = input.card.content();
        let compiled = input.card.compile();
        Self {
            identity: Identity {
                version: input.card.version().to_owned(),
                hash: input.card.hash(),
                author: provenance.author.clone(),
                created_at: input.created_at.clone(),
                model_id: provenance.model_id.clone(),
                blend: input.blend,
                champion_version: input.champion.map(|card| card.version().to_owned()),
                champion_hash: input.champion.map(Scorecard::hash),
            },
            data: input.data.clone(),
            labels: input.labels.clone(),
            model: input.model.clone(),
            metrics: input.metrics.clone(),
            scale: Scale {
                scaling: content.scaling,
                least: compiled.least(),
                greatest: compiled.greatest(),
                bands: content.bands.clone(),
                cutoff: content.cutoff,
                link: content.link,
                missing_link: input.missing_link.clone(),
            },
            points: points(input.card, input.champion),
            gates: input.gates.cloned(),
            limits: limits::of(input),
            approvals: input.approvals.clone(),
        }
    }

    /// For a person to read; tables align as plain text too.
    pub fn to_markdown(&self) -> String {
        markdown::render(self)
    }
}

fn points(card: &Scorecard, champion: Option<&Scorecard>) -> Vec<PointsRow> {
    let before = champion.map(shares).unwrap_or_default();
    let was = |feature: &str| before.iter().find(|(name, ..)| name == feature);
    let compiled = card.compile();
    let own = card.factors().iter().zip(shares(card)).enumerate();
    let mut rows: Vec<PointsRow> = own
        .map(|(index, (factor, (_, share, _)))| PointsRow {
            feature: factor.feature.clone(),
            method: Some(factor.method),
            weight: factor.weight,
            share,
            max_points: compiled.max_points(index),
            champion_share: was(&factor.feature).map(|(_, share, _)| *share),
            champion_max_points: was(&factor.feature).map(|(.., points)| *points),
        })
        .collect();
    for (feature, share, max_points) in &before {
        if rows.iter().all(|row| row.feature != *feature) {
            rows.push(PointsRow {
                feature: feature.clone(),
                method: None,
                weight: 0.0,
                share: 0.0,
                max_points: 0.0,
                champion_share: Some(*share),
                champion_max_points: Some(*max_points),
            });
        }
    }
    rows
}

/// Feature, signed share of 100, most points.
fn shares(card: &Scorecard) -> Vec<(String, f64, f64)> {
    let compiled = card.compile();
    let total: f64 = card.factors().iter().map(|f| f.weight.abs()).sum();
    card.factors()
        .iter()
        .enumerate()
        .map(|(index, factor)| {
            let share = 100.0 * factor.weight / total;
            (factor.feature.clone(), share, compiled.max_points(index))
        })
        .collect()
}

#[cfg(test)]
mod tests;
