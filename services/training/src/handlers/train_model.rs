//! The `train_model_asset` task: labels and features of every batch in, a registered model out.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_domain::card::Scorecard;
use kycc_lake::Metadata;
use kycc_lake::datasets::{MODEL, TRAINING_ROWS};
use kycc_runtime::{Clock, Output, TaskContext, TaskError, TaskHandler};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reported::{log, metadata};
use super::{batches, labelled};
use crate::core::config::Config;
use crate::core::model::{BatchData, LeftOut, ModelDocument};
use crate::core::train::{Outcome, train};
use crate::core::warnings::warnings;
use crate::store::{ModelStore, Registered};

/// Of this code; part of every model, so that a figure can be traced to what worked it out.
const CODE_VERSION: &str = "2";

pub(crate) struct TrainModel {
    pub(crate) store: Arc<dyn ModelStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What the task needs of the source `active_scorecard`.
#[derive(Debug, Deserialize)]
struct ActiveScorecard {
    card: Scorecard,
}

#[async_trait]
impl TaskHandler for TrainModel {
    fn asset(&self) -> &'static str {
        "train_model_asset"
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let config: Config = cx.config()?;
        let source = &cx.source("active_scorecard")?.document_json;
        let source: ActiveScorecard = serde_json::from_str(source).map_err(|error| {
            TaskError::fatal(
                "SCORECARD_UNREADABLE",
                "the scorecard of the task is not a valid one",
            )
            .with_source(error)
        })?;
        let chosen = batches::choose(cx).await?;
        let mut rows = Vec::new();
        let mut data = Vec::new();
        for batch in &chosen.taken {
            cx.check_cancelled()?;
            let before = rows.len();
            labelled::read(cx.lake(), batch, &mut rows).await?;
            data.push(batch.data(rows.len() - before));
        }
        cx.check_cancelled()?;
        let outcome = train(&rows, &source.card, &config).map_err(|error| {
            TaskError::fatal(
                error.reason(),
                format!("training on {} rows failed", rows.len()),
            )
            .with_source(error)
        })?;
        let document = document(cx, &source.card, &config, &outcome, data, chosen.left_out);
        log(cx, &document);

        let dataset = labelled::dataset(&rows, outcome.split.as_ref()).map_err(|error| {
            TaskError::fatal("ROWS_INVALID", "the training rows do not fit their dataset")
                .with_source(error)
        })?;
        let mut writer = cx.writer(&TRAINING_ROWS);
        writer.write(&dataset).await?;
        let rows = writer.finish(Metadata::new(), |metadata| metadata).await?;
        let json = serde_json::to_value(&document).map_err(unwritable)?;
        // Before the manifest: once the version is there, nobody runs this again.
        self.register(cx, &document, &json).await?;
        let model = cx.put_document(&MODEL, &json, metadata(&document)).await?;
        Ok(Output {
            published: vec![model, rows],
            metadata: Metadata::new(),
        })
    }
}

impl TrainModel {
    async fn register(
        &self,
        cx: &TaskContext,
        document: &ModelDocument,
        json: &Value,
    ) -> Result<(), TaskError> {
        let entry = Registered {
            model_id: document.model_id.clone(),
            document: json.to_string(),
            run_id: cx.run_id().to_owned(),
            created_at_micros: self.clock.now_micros(),
        };
        self.store.register(&entry).await.map_err(|error| {
            TaskError::transient(
                "STORE_UNAVAILABLE",
                "the model could not be entered into the registry",
            )
            .with_source(error)
        })
    }
}

fn unwritable(error: serde_json::Error) -> TaskError {
    TaskError::fatal("MODEL_UNWRITABLE", "the model cannot be written as JSON").with_source(error)
}

fn document(
    cx: &TaskContext,
    card: &Scorecard,
    config: &Config,
    outcome: &Outcome,
    data: Vec<BatchData>,
    left_out: Vec<LeftOut>,
) -> ModelDocument {
    let features: Vec<String> = card
        .factors()
        .iter()
        .map(|factor| factor.feature.clone())
        .collect();
    ModelDocument {
        // The key is of inputs, config and code: same inputs, same id.
        model_id: format!(
            "m-{}",
            cx.version_key().get(..12).unwrap_or(cx.version_key())
        ),
        status: outcome.status,
        note: outcome.note.clone(),
        warnings: outcome
            .learned
            .as_ref()
            .map(|learned| warnings(&features, learned))
            .unwrap_or_default(),
        batches: data.iter().map(|data| data.batch.clone()).collect(),
        data,
        left_out,
        features,
        scorecard_version: card.version().to_owned(),
        scorecard_hash: card.hash().to_string(),
        train: outcome.train.clone(),
        holdout: outcome.holdout.clone(),
        learned: outcome.learned.clone(),
        config: json!(config),
        code_version: CODE_VERSION.to_owned(),
    }
}
