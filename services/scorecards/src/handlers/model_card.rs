//! The model card of a version: written when it is refined, read with what people decided since.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat};
use kycc_audit::Entry;
use kycc_domain::card::Scorecard;
use kycc_domain::gates::Gate;
use kycc_domain::labels::{LabelPolicy, LabelStatistics};
use kycc_domain::logistic::LogisticFit;
use kycc_domain::metrics::{BootstrapIntervals, HoldoutMetrics};
use kycc_domain::model_card::{
    Approval, DataFacts, GateNote, LabelCount, LabelFacts, ModelCard, ModelCardInput, ModelFacts,
    PartFacts, holdout_metrics,
};
use kycc_domain::split::SplitKind;
use kycc_domain::vif::Vif;
use serde::Deserialize;
use serde_json::Value;

use crate::core::audit::OfVersion as _;
use crate::core::draft::{Draft, Rows};
use crate::core::version::Version;

/// What the card tells of the `model` document.
#[derive(Debug, Deserialize)]
pub(super) struct Trained {
    note: String,
    batches: Vec<String>,
    features: Vec<String>,
    #[serde(default)]
    data: Vec<BatchData>,
    train: PartFacts,
    holdout: PartFacts,
    code_version: String,
    learned: Learned,
}

/// How a batch was labelled; absent where its labels do not say.
#[derive(Debug, Deserialize)]
struct BatchData {
    policy: Option<LabelPolicy>,
    policy_version: Option<String>,
    labelled: Option<LabelStatistics>,
}

#[derive(Debug, Deserialize)]
struct Learned {
    fit: LogisticFit,
    split: SplitKind,
    metrics: Option<HoldoutMetrics>,
    bootstrap: Option<BootstrapIntervals>,
    #[serde(default)]
    factors: Vec<FactorReport>,
}

#[derive(Debug, Deserialize)]
struct FactorReport {
    variance_inflation: Vif,
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
    let metrics = learned
        .metrics
        .as_ref()
        .map(|metrics| holdout_metrics(metrics, learned.bootstrap.as_ref()));
    let inflation: Vec<Option<f64>> = learned
        .factors
        .iter()
        .map(|factor| match factor.variance_inflation {
            Vif::Value(value) => Some(value),
            Vif::Collinear | Vif::Constant => None,
        })
        .collect();
    let times = || {
        refined
            .train
            .t0_micros
            .iter()
            .chain(&refined.holdout.t0_micros)
    };
    ModelCard::new(&ModelCardInput {
        card: &refined.draft.card,
        champion: Some(refined.champion),
        blend: Some(refined.blend),
        created_at: None,
        data: DataFacts {
            batches: trained.batches.clone(),
            as_of_from: times().min().copied().and_then(rfc3339),
            as_of_to: times().max().copied().and_then(rfc3339),
            split: Some(learned.split),
            train: trained.train,
            holdout: trained.holdout,
            dataset_digest: Some(refined.dataset_digest.to_owned()),
            code_version: Some(trained.code_version.clone()),
        },
        labels: LabelFacts {
            mix: mix(&[refined.train, refined.holdout]),
            ..labels(&trained.data)
        },
        model: Some(ModelFacts::of(
            &trained.features,
            &learned.fit,
            &inflation,
            &trained.note,
        )),
        metrics: metrics.unwrap_or_default(),
        gates: Some(&refined.draft.report),
        missing_link: refined.draft.missing_link.clone(),
        drift_baseline: refined.draft.card.content().training_population.is_some(),
        approvals: Vec::new(),
    })
}

/// The policies that labelled the batches, and whom they left out. `mix` is filled in from the rows.
fn labels(data: &[BatchData]) -> LabelFacts {
    let mut named = BTreeSet::new();
    let mut windows = BTreeSet::new();
    for batch in data {
        if let (Some(policy), Some(version)) = (&batch.policy, &batch.policy_version) {
            let short = version.get(..12).unwrap_or(version);
            named.insert(format!("{}, version {short}", policy.mix.as_str()));
            windows.insert(policy.window_days);
        }
    }
    let counts = || data.iter().filter_map(|batch| batch.labelled.as_ref());
    let without = [
        ("unlabelled", counts().map(|of| of.unlabelled).sum()),
        ("indeterminate", counts().map(|of| of.indeterminate).sum()),
        ("excluded", counts().map(|of| of.excluded).sum::<usize>()),
    ];
    LabelFacts {
        policy: (!named.is_empty()).then(|| Vec::from_iter(named).join("; ")),
        window_days: windows.first().copied().filter(|_| windows.len() == 1),
        unlabelled: without
            .into_iter()
            .filter(|(_, parties)| *parties > 0)
            .map(|(why, parties)| (why.to_owned(), parties))
            .collect(),
        ..LabelFacts::default()
    }
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
