//! What a person is told of a training: the step's log and the figures on the materialization.

use chrono::{DateTime, SecondsFormat};
use kycc_domain::metrics::BOOTSTRAP_REPLICATES;
use kycc_domain::split::SplitKind;
use kycc_lake::Metadata;
use kycc_runtime::TaskContext;
use serde_json::{Value, json};

use crate::core::model::{ModelDocument, ModelStatus};

/// In the step's log.
pub(super) fn log(cx: &TaskContext, document: &ModelDocument) {
    let Some(learned) = &document.learned else {
        cx.warning(document.note.clone());
        return;
    };
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
        document.train.rows,
        document.train.bads,
        learned.fit.iterations,
        document.holdout.rows,
        document.holdout.bads,
    ));
    if let SplitKind::OutOfTime {
        holdout_from_micros,
        removed,
    } = learned.split
    {
        cx.info(format!(
            "out of time: the holdout is every row from {} on; {removed} older rows of its parties do not train",
            day(holdout_from_micros)
        ));
    }
    if let Some(bootstrap) = &learned.bootstrap
        && bootstrap.replicates < BOOTSTRAP_REPLICATES
    {
        cx.info(format!(
            "the holdout is large: its bootstrap intervals are of {} replicates instead of {BOOTSTRAP_REPLICATES}",
            bootstrap.replicates
        ));
    }
    for warning in &document.warnings {
        cx.warning(warning.clone());
    }
    if document.status == ModelStatus::Bootstrap {
        cx.warning(document.note.clone());
    }
}

/// The figures that a person looks for on the materialization.
pub(super) fn metadata(document: &ModelDocument) -> Metadata {
    let mut metadata = Metadata::new();
    let mut put = |label: &str, value: Value| metadata.insert(label.to_owned(), value);
    put("model_id", json!(document.model_id));
    put("status", json!(document.status));
    put("batches", json!(document.batches));
    if !document.left_out.is_empty() {
        put("left_out", json!(document.left_out));
    }
    if !document.warnings.is_empty() {
        put("warnings", json!(document.warnings));
    }
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

/// Of the table's times, which are all within the years that have names.
fn day(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(
        || format!("{micros} µs"),
        |time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    )
}
