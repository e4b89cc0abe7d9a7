//! The `train_model_asset` task: labels and features of every batch in, a registered model out.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_domain::card::Scorecard;
use kycc_lake::Metadata;
use kycc_lake::datasets::{MODEL, TRAINING_ROWS};
use kycc_runtime::{Clock, Output, TaskContext, TaskError, TaskHandler};
use serde::Deserialize;
use serde_json::{Value, json};

use super::labelled;
use crate::core::model::{ModelDocument, ModelStatus};
use crate::core::train::{Config, Outcome, train};
use crate::store::{ModelStore, Registered};

/// Of this code; part of every model, so that a figure can be traced to what worked it out.
const CODE_VERSION: &str = "1";

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
        let (batches, rows) = labelled::collect(cx).await?;
        cx.check_cancelled()?;
        let outcome = train(&rows, &source.card, &config).map_err(|error| {
            TaskError::fatal(
                "TRAINING_FAILED",
                format!("training on {} rows failed", rows.len()),
            )
            .with_source(error)
        })?;
        log(cx, &outcome);
        let document = document(cx, &source.card, batches, &config, &outcome);

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
    batches: Vec<String>,
    config: &Config,
    outcome: &Outcome,
) -> ModelDocument {
    ModelDocument {
        // The key is of inputs, config and code: same inputs, same id.
        model_id: format!(
            "m-{}",
            cx.version_key().get(..12).unwrap_or(cx.version_key())
        ),
        status: outcome.status,
        note: outcome.note.clone(),
        batches,
        features: card
            .factors()
            .iter()
            .map(|factor| factor.feature.clone())
            .collect(),
        scorecard_version: card.version().to_owned(),
        scorecard_hash: card.hash().to_string(),
        train: outcome.train.clone(),
        holdout: outcome.holdout.clone(),
        learned: outcome.learned.clone(),
        config: json!(config),
        code_version: CODE_VERSION.to_owned(),
    }
}

fn log(cx: &TaskContext, outcome: &Outcome) {
    match &outcome.learned {
        None => cx.warning(outcome.note.clone()),
        Some(learned) => {
            let figures = learned
                .metrics
                .as_ref()
                .map_or_else(String::new, |metrics| {
                    format!(
                        ": AUC {:.4}, KS {:.4}, Brier {:.4}",
                        metrics.auc, metrics.ks, metrics.brier
                    )
                });
            cx.info(format!(
                "trained on {} rows ({} bad) in {} steps; {} held out ({} bad){figures}",
                outcome.train.rows,
                outcome.train.bads,
                learned.fit.iterations,
                outcome.holdout.rows,
                outcome.holdout.bads,
            ));
            if !learned.fit.converged {
                cx.warning(format!(
                    "the fit did not converge in {} steps",
                    learned.fit.iterations
                ));
            }
            if outcome.status == ModelStatus::Bootstrap {
                cx.warning(outcome.note.clone());
            }
        }
    }
}

/// The figures that a person looks for on the materialization.
fn metadata(document: &ModelDocument) -> Metadata {
    let mut metadata = Metadata::new();
    let mut put = |label: &str, value: Value| metadata.insert(label.to_owned(), value);
    put("model_id", json!(document.model_id));
    put("status", json!(document.status));
    put("batches", json!(document.batches));
    put("train_rows", json!(document.train.rows));
    put("holdout_rows", json!(document.holdout.rows));
    put("observed_share", json!(document.train.observed_share));
    if let Some(metrics) = document
        .learned
        .as_ref()
        .and_then(|learned| learned.metrics.as_ref())
    {
        put("auc", json!(metrics.auc));
        put("ks", json!(metrics.ks));
        put("brier", json!(metrics.brier));
        put("log_loss", json!(metrics.log_loss));
    }
    metadata
}
