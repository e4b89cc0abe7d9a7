//! The `generate_scorecard_labels` task: one label per party of a scored batch, with its source and weight.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt32Array,
};
use arrow::datatypes::Float64Type;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kycc_domain::labels::{LabelMix, LabelPolicy, Labelled, label_batch};
use kycc_lake::Metadata;
use kycc_lake::datasets::{BATCH, LABELS, SCORES};
use kycc_runtime::{Output, TaskContext, TaskError, TaskHandler};
use serde::Deserialize;
use serde_json::{Value, json};

use super::observations::{Frame, observe};
use crate::core::parties::Parties;
use crate::store::OutcomeStore;

/// See the asset's config schema in the pipeline definitions.
#[derive(Debug, Deserialize)]
struct Config {
    policy: Policy,
    window_days: u32,
    rate_ppm: u32,
    data_cut: Option<DateTime<Utc>>,
    #[serde(default)]
    complete: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Policy {
    /// Observed wins; the scorecard fills in, the less the more bads are observed.
    #[serde(alias = "auto")]
    Blended,
    Observed,
    Scorecard,
}

pub(crate) const ASSET: &str = "generate_scorecard_labels";

pub(crate) struct GenerateLabels {
    pub(crate) store: Arc<dyn OutcomeStore>,
}

#[async_trait]
impl TaskHandler for GenerateLabels {
    fn asset(&self) -> &'static str {
        ASSET
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let config: Config = cx.config()?;
        let policy = LabelPolicy {
            mix: match config.policy {
                Policy::Blended => LabelMix::Blended,
                Policy::Observed => LabelMix::Observed,
                Policy::Scorecard => LabelMix::Scorecard,
            },
            window_days: config.window_days,
            bad_rate_ppm: config.rate_ppm,
        };
        let batch = cx.lake().document(&cx.input(BATCH.name)?).await?;
        let t0_micros = batch["as_of"].as_i64().ok_or_else(|| {
            TaskError::fatal(
                "BATCH_UNREADABLE",
                "the batch document does not say its as-of",
            )
        })?;
        let scored = cx.input(SCORES.name)?;
        let factors = factors(&cx.lake().existing(&scored).await?.metadata)?;
        let scores = cx
            .lake()
            .read(&scored, Some(&["party_id", "raw"]), None)
            .await?;
        let party_ids = scores.column(0).as_string::<i32>();
        let in_order: Vec<&str> = (0..scores.num_rows())
            .map(|row| party_ids.value(row))
            .collect();
        let frame = Frame {
            parties: Parties(&in_order),
            policy: &policy,
            t0_micros,
            data_cut_micros: config.data_cut.map(|cut| cut.timestamp_micros()),
            complete: config.complete,
        };
        let observed = observe(cx, &self.store, &frame).await?;
        let raw = scores.column(1).as_primitive::<Float64Type>().values();
        let labelled = label_batch(&policy, &observed, raw, factors)
            .map_err(|error| TaskError::fatal(error.reason(), error.to_string()))?;
        log(cx, &labelled);
        let rows = rows(&labelled, &policy, party_ids, t0_micros).map_err(|error| {
            TaskError::fatal("ROWS_INVALID", "the labels do not fit their dataset")
                .with_source(error)
        })?;
        let mut writer = cx.writer(&LABELS);
        writer.write(&rows).await?;
        let published = writer
            .finish(metadata(&policy, &labelled, t0_micros), |metadata| metadata)
            .await?;
        Ok(Output {
            published: vec![published],
            metadata: Metadata::new(),
        })
    }
}

/// How many factors the card has that made the scores.
fn factors(scores: &Metadata) -> Result<usize, TaskError> {
    let count = scores
        .get("card")
        .and_then(|card| card.get("factors"))
        .and_then(Value::as_array)
        .map(Vec::len);
    count.ok_or_else(|| {
        TaskError::fatal(
            "SCORES_UNREADABLE",
            "the scores do not say which card made them",
        )
    })
}

fn rows(
    labelled: &Labelled,
    policy: &LabelPolicy,
    party_ids: &StringArray,
    t0: i64,
) -> Result<RecordBatch, arrow::error::ArrowError> {
    let rows = &labelled.rows;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(
            rows.iter().map(|row| row.party as u32),
        )),
        Arc::new(party_ids.clone()),
        Arc::new(TimestampMicrosecondArray::from(vec![t0; rows.len()]).with_timezone("UTC")),
        Arc::new(StringArray::from_iter_values(
            rows.iter().map(|row| row.label.as_str()),
        )),
        Arc::new(StringArray::from_iter(
            rows.iter()
                .map(|row| row.source.map(|source| source.as_str())),
        )),
        Arc::new(Float64Array::from_iter_values(
            rows.iter().map(|row| row.weight),
        )),
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
            policy.version().as_str(),
            rows.len(),
        ))),
    ];
    RecordBatch::try_new(LABELS.schema(), columns)
}

fn log(cx: &TaskContext, labelled: &Labelled) {
    let found = &labelled.statistics;
    cx.info(format!(
        "{} parties labelled: {} observed bad, {} observed good, {} scorecard bad, {} scorecard good, {} without",
        found.parties,
        found.observed_bad,
        found.observed_good,
        found.scorecard_bad,
        found.scorecard_good,
        found.unlabelled,
    ));
    if found.observed_bad + found.observed_good == 0 {
        cx.warning("no outcome was observed: what a model learns from these labels is the scorecard's own opinion");
    }
}

fn metadata(policy: &LabelPolicy, labelled: &Labelled, t0_micros: i64) -> Metadata {
    let mut metadata = Metadata::new();
    if let Value::Object(numbers) = json!(labelled.statistics) {
        metadata.extend(numbers);
    }
    let more = [
        ("policy", json!(policy)),
        ("policy_version", json!(policy.version())),
        ("t0", json!(t0_micros)),
    ];
    metadata.extend(more.map(|(label, value)| (label.to_owned(), value)));
    metadata
}
