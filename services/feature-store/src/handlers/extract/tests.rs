//! The asset on rows of three extractors, and the independence of its result from threads and shards.

use super::*;
use crate::core::join::tests::rows;
use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use kycc_lake::{DatasetSpec, Metadata};
use kycc_testkit::TestBatch;
use serde_json::json;
use std::sync::Arc;

/// Rows with valid values: every feature at the least value of its range or -1.5, but for one change.
fn valid(spec: &DatasetSpec, ids: &[&str], change: Option<(&str, usize, f64)>) -> RecordBatch {
    let plain = rows(spec, ids);
    let schema = plain.schema();
    let columns = schema
        .fields()
        .iter()
        .zip(plain.columns())
        .map(|(field, column)| {
            let Some(feature) = FEATURES.iter().find(|f| f.name == field.name()) else {
                return Arc::clone(column);
            };
            let mut values = vec![feature.min.unwrap_or(-1.5); ids.len()];
            if let Some((_, row, value)) = change.filter(|(name, ..)| name == field.name()) {
                values[row] = value;
            }
            Arc::new(Float64Array::from(values)) as ArrayRef
        });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

fn as_of(text: &str) -> Metadata {
    json!({"as_of": text}).as_object().unwrap().clone()
}

const INSTANT: &str = "2026-03-01T12:00:00+00:00";

pub(crate) async fn batch(ids: &[&str], change: Option<(&str, usize, f64)>) -> TestBatch {
    let batch = TestBatch::new("B", INSTANT.parse().unwrap()).await;
    published(batch, INSTANT, ids, change).await
}

/// Another batch, in a lake that others share.
pub(crate) async fn batch_of(
    name: &str,
    instant: &str,
    lake: Lake,
    ids: &[&str],
    change: Option<(&str, usize, f64)>,
) -> TestBatch {
    let batch = TestBatch::in_lake(lake, name, instant.parse().unwrap()).await;
    published(batch, instant, ids, change).await
}

async fn published(
    mut batch: TestBatch,
    instant: &str,
    ids: &[&str],
    change: Option<(&str, usize, f64)>,
) -> TestBatch {
    for spec in [&KYC_FEATURES, &TRANSACTION_FEATURES, &NETWORK_FEATURES] {
        batch
            .publish_with(spec, &valid(spec, ids, change), as_of(instant))
            .await;
    }
    batch
}

#[tokio::test]
async fn vectors_hold_every_feature_and_the_as_of_time_of_the_extractors() {
    let batch = batch(&["A", "B"], Some(("network_size", 1, 9.0))).await;
    let made = batch.run(&ExtractFeatures, "k", 1).await.unwrap();
    let vectors = batch.rows(&made[0]).await;
    assert_eq!(vectors.num_columns(), 2 + FEATURES.len() + 1);
    assert_eq!(
        vectors["network_size"]
            .as_primitive::<Float64Type>()
            .values()[..],
        [1.0, 9.0]
    );
    assert_eq!(made[0].metadata["as_of"], INSTANT);
    assert_eq!(made[0].metadata["parties"], 2);
    assert_eq!(made[0].metadata["feature_means"]["network_size"], 5.0);
    assert_eq!(
        made[0].metadata["feature_means"]["avg_transaction_amount"],
        -1.5
    );
}

#[tokio::test]
async fn a_value_out_of_range_fails_the_step_and_names_party_and_feature() {
    let batch = batch(&["A", "B"], Some(("recent_activity_flag", 1, 1.5))).await;
    let error = batch.run(&ExtractFeatures, "k", 1).await.unwrap_err();
    assert_eq!(error.reason(), "FEATURE_OUT_OF_RANGE");
    assert_eq!(error.record(), Some("party B, recent_activity_flag"));
}

#[tokio::test]
async fn extractors_that_disagree_about_parties_fail_the_step() {
    let mut batch = batch(&["A", "B"], None).await;
    let other = NETWORK_FEATURES.version(batch.batch.clone(), "other");
    let mut writer = batch.lake.writer(
        &NETWORK_FEATURES,
        other,
        kycc_lake::Shard::WHOLE,
        uuid::Uuid::nil(),
    );
    writer
        .write(&valid(&NETWORK_FEATURES, &["A", "C"], None))
        .await
        .unwrap();
    let published = writer
        .finish(as_of(INSTANT), |metadata| metadata)
        .await
        .unwrap();
    batch.input(published.manifest().unwrap());
    let error = batch.run(&ExtractFeatures, "k", 1).await.unwrap_err();
    assert_eq!(error.reason(), "FEATURES_DISAGREE");
    assert_eq!(error.record(), Some("network_features: party C"));
}

#[tokio::test]
async fn extractors_of_different_instants_fail_the_step() {
    let mut batch = TestBatch::new("B", INSTANT.parse().unwrap()).await;
    for (spec, time) in [
        (&KYC_FEATURES, INSTANT),
        (&TRANSACTION_FEATURES, INSTANT),
        (&NETWORK_FEATURES, "2026-03-02T12:00:00+00:00"),
    ] {
        batch
            .publish_with(spec, &valid(spec, &["A"], None), as_of(time))
            .await;
    }
    let error = batch.run(&ExtractFeatures, "k", 1).await.unwrap_err();
    assert_eq!(error.reason(), "AS_OF_DISAGREES");
}

#[tokio::test]
async fn threads_and_shards_leave_digest_and_metadata_as_they_are() {
    let ids: Vec<String> = (0..10_500).map(|i| format!("P{i:06}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut batch = batch(&ids, Some(("avg_transaction_amount", 5_000, 0.1))).await;
    let mut versions = Vec::new();
    for (threads, shards) in [(1, 1), (2, 1), (1, 7), (2, 7)] {
        batch.threads = threads;
        let key = format!("t{threads}s{shards}");
        versions.extend(batch.run(&ExtractFeatures, &key, shards).await.unwrap());
    }
    assert_eq!(versions.len(), 4);
    for version in &versions {
        assert_eq!(version.rows, 10_500);
        assert_eq!(version.digest, versions[0].digest);
        assert_eq!(version.metadata, versions[0].metadata);
    }
}
