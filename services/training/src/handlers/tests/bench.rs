//! Labelled batches in a lake, the task that trains on them, and the service that answers for what it registers.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt32Array, new_null_array,
};
use chrono::{DateTime, TimeDelta, Utc};
use kycc_domain::catalogue::{FEATURE_COUNT, feature_index};
use kycc_domain::expert::expert_card;
use kycc_domain::ids::BatchId;
use kycc_lake::Manifest;
use kycc_lake::datasets::{FEATURE_VECTORS, LABELS};
use kycc_runtime::TaskError;
use kycc_store::sqlite::Store;
use kycc_testkit::{StillClock, TestBatch};
use serde_json::{Value, json};

use crate::handlers::service::Models;
use crate::handlers::train_model::TrainModel;
use crate::store::{MIGRATIONS, ModelStore};

/// One party of a batch.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) id: String,
    pub(super) features: [f64; FEATURE_COUNT],
    pub(super) bad: bool,
    pub(super) observed: bool,
}

impl Party {
    pub(super) fn set(&mut self, feature: &str, value: f64) {
        self.features[feature_index(feature).unwrap()] = value;
    }
}

/// Parties `P-<from>` on, of which the unverified and inactive go bad more often.
pub(super) fn parties(from: usize, count: usize) -> Vec<Party> {
    (from..from + count)
        .map(|index| {
            let mut party = Party {
                id: format!("P-{index:05}"),
                features: [0.0; FEATURE_COUNT],
                bad: false,
                observed: true,
            };
            let verified = f64::from(index % 3 != 0);
            let active = f64::from(index % 5 != 0);
            party.set("kyc_verified", verified);
            party.set("recent_activity_flag", active);
            party.set("company_age_years", (index % 11) as f64);
            party.set("network_size", (index % 17) as f64);
            let noise = (index * 7919 % 101) as f64 / 101.0;
            party.bad = noise < 0.45 - 0.2 * verified - 0.15 * active;
            party
        })
        .collect()
}

fn day(days: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(days)
}

pub(super) struct Bench {
    pub(super) batch: TestBatch,
    pub(super) task: TrainModel,
    pub(super) config: Value,
}

impl Bench {
    /// Runs for batch `batch`, by the expert's scorecard.
    pub(super) async fn new(batch: &str) -> Self {
        let store = Store::open("sqlite::memory:").await.unwrap();
        store.migrate("training", &MIGRATIONS).await.unwrap();
        let store: Arc<dyn ModelStore> = Arc::new(store);
        let mut test = TestBatch::new(batch, day(0)).await;
        test.source("active_scorecard", &json!({"card": expert_card()}));
        Self {
            batch: test,
            task: TrainModel {
                store,
                clock: Arc::new(StillClock(day(1_000))),
            },
            config: json!({
                "min_samples": 100, "penalty": "l2", "c": 1.0, "c_search": false, "balanced": false,
                "sign_constraints": false, "shrink_to_expert": "never", "seed": 42,
            }),
        }
    }

    pub(super) fn service(&self) -> Models {
        Models {
            store: Arc::clone(&self.task.store),
        }
    }

    /// Publishes labels and features of a batch that was scored on day `t0` and may have matured.
    pub(super) async fn labelled(
        &mut self,
        batch: &str,
        t0: i64,
        matured: bool,
        parties: &[Party],
    ) {
        self.labels(batch, t0, matured, parties).await;
        self.features(batch, parties).await;
    }

    pub(super) async fn labels(&mut self, batch: &str, t0: i64, matured: bool, parties: &[Party]) {
        let says = json!({"matured": matured, "policy": {"mix": "blended"}, "policy_version": "v"});
        let says = says.as_object().unwrap().clone();
        let own = std::mem::replace(&mut self.batch.batch, BatchId::new(batch).unwrap());
        let rows = label_rows(day(t0), parties);
        self.batch.publish_with(&LABELS, &rows, says).await;
        self.batch.batch = own;
    }

    pub(super) async fn features(&mut self, batch: &str, parties: &[Party]) {
        let own = std::mem::replace(&mut self.batch.batch, BatchId::new(batch).unwrap());
        let rows = feature_rows(parties);
        self.batch.publish(&FEATURE_VECTORS, &rows).await;
        self.batch.batch = own;
    }

    /// Model and training rows.
    pub(super) async fn train(&mut self, key: &str) -> Result<(Manifest, Manifest), TaskError> {
        self.batch.config(self.config.clone());
        let mut made = self.batch.run(&self.task, key, 1).await?;
        let rows = made.pop().unwrap();
        Ok((made.pop().unwrap(), rows))
    }

    pub(super) async fn document(&self, model: &Manifest) -> Value {
        self.batch.lake.document(&model.version()).await.unwrap()
    }

    /// Batch and part of every training row.
    pub(super) async fn parts(&self, rows: &Manifest) -> Vec<(String, String, String)> {
        let rows = self.batch.rows(rows).await;
        let text = |name: &str, row: usize| rows[name].as_string::<i32>().value(row).to_owned();
        (0..rows.num_rows())
            .map(|row| {
                (
                    text("batch_id", row),
                    text("part", row),
                    text("party_id", row),
                )
            })
            .collect()
    }
}

fn label_rows(t0: DateTime<Utc>, parties: &[Party]) -> RecordBatch {
    let texts = |of: fn(&Party) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(parties.iter().map(of)))
    };
    let t0 = TimestampMicrosecondArray::from(vec![t0.timestamp_micros(); parties.len()]);
    let mut columns = identity(parties);
    columns.extend([
        Arc::new(t0.with_timezone("UTC")) as ArrayRef,
        texts(|party| if party.bad { "bad" } else { "good" }),
        texts(|party| {
            if party.observed {
                "observed"
            } else {
                "scorecard"
            }
        }),
        Arc::new(Float64Array::from(vec![1.0; parties.len()])),
        texts(|_| "v"),
    ]);
    RecordBatch::try_new(LABELS.schema(), columns).unwrap()
}

fn feature_rows(parties: &[Party]) -> RecordBatch {
    let schema = FEATURE_VECTORS.schema();
    let mut columns = identity(parties);
    for feature in 0..FEATURE_COUNT {
        let values = parties.iter().map(|party| party.features[feature]);
        columns.push(Arc::new(Float64Array::from_iter_values(values)));
    }
    let months = schema.field_with_name("months_present").unwrap();
    columns.push(new_null_array(months.data_type(), parties.len()));
    RecordBatch::try_new(schema, columns).unwrap()
}

fn identity(parties: &[Party]) -> Vec<ArrayRef> {
    let ids: StringArray = parties
        .iter()
        .map(|party| Some(party.id.as_str()))
        .collect();
    let ordinals = UInt32Array::from_iter_values(0..ids.len() as u32);
    vec![Arc::new(ordinals), Arc::new(ids)]
}
