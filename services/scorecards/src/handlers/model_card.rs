//! The model card of a version: written when it is refined, read with what people decided since.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use kycc_domain::card::Scorecard;
use kycc_domain::gates::Gate;
use kycc_domain::logistic::LogisticFit;
use kycc_domain::metrics::HoldoutMetrics;
use kycc_domain::model_card::{
    Approval, DataFacts, GateNote, LabelCount, LabelFacts, ModelCard, ModelCardInput, ModelFacts,
    PartFacts, holdout_metrics,
};
use kycc_domain::split::SplitKind;
use serde::Deserialize;
use serde_json::Value;

use crate::core::audit::Entry;
use crate::core::draft::{Draft, Rows};
use crate::core::version::Version;

/// What the card tells of the `model` document.
#[derive(Debug, Deserialize)]
pub(super) struct Trained {
    note: String,
    batches: Vec<String>,
    features: Vec<String>,
    train: PartFacts,
    holdout: PartFacts,
    code_version: String,
    learned: Learned,
}

#[derive(Debug, Deserialize)]
struct Learned {
    fit: LogisticFit,
    split: SplitKind,
    metrics: Option<HoldoutMetrics>,
}

/// What it tells of the run.
pub(super) struct Refined<'a> {
    pub(super) champion: &'a Scorecard,
    pub(super) draft: &'a Draft,
    pub(super) blend: f64,
    /// Of the rows that the model was trained and judged on.
    pub(super) dataset_digest: &'a str,
    pub(super) train: &'a Rows,
    pub(super) holdout: &'a Rows,
}

/// Without times and approvals: the same inputs give the same card.
pub(super) fn write(trained: &Trained, refined: &Refined<'_>) -> ModelCard {
    let learned = &trained.learned;
    let metrics = learned.metrics.as_ref().map(holdout_metrics);
    ModelCard::new(&ModelCardInput {
        card: &refined.draft.card,
        champion: Some(refined.champion),
        blend: Some(refined.blend),
        created_at: None,
        data: DataFacts {
            batches: trained.batches.clone(),
            split: Some(learned.split),
            train: trained.train,
            holdout: trained.holdout,
            dataset_digest: Some(refined.dataset_digest.to_owned()),
            code_version: Some(trained.code_version.clone()),
            ..DataFacts::default()
        },
        labels: LabelFacts {
            mix: mix(&[refined.train, refined.holdout]),
            ..LabelFacts::default()
        },
        model: Some(ModelFacts::of(
            &trained.features,
            &learned.fit,
            &[],
            &trained.note,
        )),
        metrics: metrics.unwrap_or_default(),
        gates: Some(&refined.draft.report),
        missing_link: refined.draft.missing_link.clone(),
        drift_baseline: refined.draft.card.content().reference.is_some(),
        approvals: Vec::new(),
    })
}

/// Labels by source, over both sides of the split.
fn mix(parts: &[&Rows]) -> Vec<LabelCount> {
    let mut counts: BTreeMap<bool, LabelCount> = BTreeMap::new();
    for part in parts {
        let rows = part.observed.iter().zip(&part.bad).zip(&part.weights);
        for ((observed, bad), weight) in rows {
            let source = if *observed { "observed" } else { "scorecard" };
            let count = counts.entry(!observed).or_insert_with(|| LabelCount {
                source: source.to_owned(),
                rows: 0,
                bads: 0,
                weight: Some(*weight),
            });
            count.rows += 1;
            count.bads += usize::from(*bad);
            count.weight = count.weight.filter(|common| common == weight);
        }
    }
    counts.into_values().collect()
}

/// The card as it was written, with when its version was entered and who approved it since.
pub(super) fn served(
    written: &str,
    version: &Version,
    approval: Option<&Entry>,
) -> Result<ModelCard, serde_json::Error> {
    let mut card: ModelCard = serde_json::from_str(written)?;
    card.identity.created_at = rfc3339(version.created_at_micros);
    card.approvals = approval.map(approved).into_iter().collect();
    Ok(card)
}

fn approved(entry: &Entry) -> Approval {
    let details = entry.details().unwrap_or_default();
    let note = |(gate, note): (String, String)| {
        let gate: Gate = serde_json::from_value(Value::from(gate)).ok()?;
        Some(GateNote { gate, note })
    };
    Approval {
        by: entry.principal.clone(),
        at: rfc3339(entry.at_micros).unwrap_or_default(),
        reason: entry.reason.clone(),
        notes: details.gate_notes.into_iter().filter_map(note).collect(),
        self_approved: details.self_approved,
    }
}

fn rfc3339(micros: i64) -> Option<String> {
    let at = DateTime::from_timestamp_micros(micros)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}
