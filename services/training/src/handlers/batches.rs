//! Which batches train: those with labels and features whose outcomes are known.

use std::collections::BTreeMap;

use kycc_domain::labels::LabelStatistics;
use kycc_lake::datasets::{FEATURE_VECTORS, LABELS};
use kycc_lake::{LakeError, Manifest, VersionId};
use kycc_runtime::{TaskContext, TaskError};
use serde_json::Value;

use crate::core::model::{BatchData, DataVersion, LeftOut};

const NO_FEATURES: &str = "it has labels but no features";

const NOT_MATURED: &str =
    "its outcome window had not passed when it was labelled; label it again with a later data_cut";

const OUTDATED: &str = "its labels are of an older kind; label it again";

/// One batch's labels and features.
#[derive(Debug)]
pub(crate) struct Labelled {
    pub(crate) labels: Manifest,
    pub(crate) features: Manifest,
}

#[derive(Debug)]
pub(crate) struct Chosen {
    /// In the order of batches.
    pub(crate) taken: Vec<Labelled>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// Chooses among the inputs of the task, and says in its log who is left out. Where no batch has matured all of them
/// train: their labels are then the scorecard's, and the model will say so.
pub(crate) async fn choose(cx: &TaskContext) -> Result<Chosen, TaskError> {
    let features: BTreeMap<_, _> = cx
        .inputs(FEATURE_VECTORS.name)
        .into_iter()
        .map(|version| (version.batch.clone(), version))
        .collect();
    let mut taken = Vec::new();
    let mut left_out = Vec::new();
    let mut leave = |labels: &VersionId, reason: &str| {
        cx.warning(format!("batch {} is left out: {reason}", labels.batch));
        left_out.push(LeftOut {
            batch: labels.batch.to_string(),
            reason: reason.to_owned(),
        });
    };
    for labels in cx.inputs(LABELS.name) {
        cx.check_cancelled()?;
        let Some(features) = features.get(&labels.batch) else {
            leave(&labels, NO_FEATURES);
            continue;
        };
        let made = match cx.lake().existing(&labels).await {
            Err(LakeError::SchemaVersion { .. }) => {
                leave(&labels, OUTDATED);
                continue;
            }
            made => made?,
        };
        taken.push(Labelled {
            labels: made,
            features: cx.lake().existing(features).await?,
        });
    }
    if taken.iter().any(Labelled::has_matured) {
        let (matured, open): (Vec<_>, Vec<_>) = taken.into_iter().partition(Labelled::has_matured);
        for batch in &open {
            leave(&batch.labels.version(), NOT_MATURED);
        }
        taken = matured;
    }
    left_out.sort_by(|a, b| a.batch.cmp(&b.batch));
    Ok(Chosen { taken, left_out })
}

impl Labelled {
    /// Labels of whatever kind that do not say so were given, and stand for what they are.
    fn has_matured(&self) -> bool {
        self.labels.metadata.get("matured") != Some(&Value::Bool(false))
    }

    /// What a model keeps of where its rows come from.
    pub(crate) fn data(&self, rows: usize) -> BatchData {
        let said = &self.labels.metadata;
        let statistics: Result<LabelStatistics, _> =
            serde_json::from_value(Value::Object(said.clone()));
        BatchData {
            batch: self.labels.batch.to_string(),
            labels: version(&self.labels),
            features: version(&self.features),
            policy: said.get("policy").cloned(),
            policy_version: said
                .get("policy_version")
                .and_then(Value::as_str)
                .map(str::to_owned),
            // Labels that were given say nothing of that.
            labelled: statistics.ok(),
            rows,
        }
    }
}

fn version(manifest: &Manifest) -> DataVersion {
    DataVersion {
        key: manifest.key.clone(),
        digest: manifest.digest.to_string(),
    }
}
