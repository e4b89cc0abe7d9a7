//! The asset on hand-made relationships, and the independence of its result from threads and shards.

use super::*;
use arrow::array::{
    BooleanArray, StringArray, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use chrono::{DateTime, TimeDelta, Utc};
use kycc_testkit::TestBatch;

/// Ordinals from and to, type, date.
type Relationship = (u32, u32, &'static str, Option<DateTime<Utc>>);

fn as_of() -> DateTime<Utc> {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

fn parties(count: u32) -> RecordBatch {
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..count).map(|i| format!("P{i:06}")),
    ));
    let created = TimestampMicrosecondArray::from(vec![0; count as usize]).with_timezone("UTC");
    let schema = PARTIES.schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "party_ord" => Arc::new(UInt32Array::from_iter_values(0..count)) as ArrayRef,
            "kyc_verified" => Arc::new(BooleanArray::from(vec![false; count as usize])),
            "created_at" => Arc::new(created.clone()),
            _ => Arc::clone(&ids),
        });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

fn relationships(rows: &[Relationship]) -> RecordBatch {
    let mut rows = rows.to_vec();
    rows.sort();
    let schema = RELATIONSHIPS.schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "from_ord" => {
                Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.0))) as ArrayRef
            }
            "to_ord" => Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.1))),
            "relationship_type" => {
                Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.2)))
            }
            "established_date" => Arc::new(
                TimestampMicrosecondArray::from_iter(
                    rows.iter().map(|r| r.3.map(|t| t.timestamp_micros())),
                )
                .with_timezone("UTC"),
            ),
            _ => new_null_array(field.data_type(), rows.len()),
        });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

async fn batch(count: u32, rows: &[Relationship]) -> TestBatch {
    let mut batch = TestBatch::new("B", as_of()).await;
    batch.publish(&PARTIES, &parties(count)).await;
    batch.publish(&RELATIONSHIPS, &relationships(rows)).await;
    batch
}

/// Features of each party in catalogue order: counterparties, depth, size, suppliers, customers, balance.
async fn features(count: u32, rows: &[Relationship]) -> Vec<[f64; 6]> {
    let batch = batch(count, rows).await;
    let made = batch.run(&ExtractNetworkFeatures, "k", 1).await.unwrap();
    let rows = batch.rows(&made[0]).await;
    let value =
        |row: usize, column: usize| rows.column(column).as_primitive::<Float64Type>().value(row);
    (0..rows.num_rows())
        .map(|row| std::array::from_fn(|i| value(row, i + 2)))
        .collect()
}

#[tokio::test]
async fn relationships_count_from_the_instant_they_are_established() {
    let tick = TimeDelta::microseconds(1);
    let rows = [
        (0, 1, "supplies_to", Some(as_of())),
        (1, 2, "supplies_to", None),
        (2, 3, "supplies_to", Some(as_of() + tick)),
    ];
    assert_eq!(
        features(4, &rows).await,
        [
            [1.0, 2.0, 3.0, 0.0, 1.0, 1.0],
            [2.0, 1.0, 2.0, 1.0, 1.0, 0.5],
            [1.0, 0.0, 1.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        ]
    );
}

#[tokio::test]
async fn two_types_between_one_pair_count_twice_in_degrees_and_once_in_reach() {
    let rows = [(0, 1, "sells_to", None), (0, 1, "supplies_to", None)];
    assert_eq!(
        features(2, &rows).await,
        [
            [2.0, 1.0, 2.0, 0.0, 2.0, 2.0],
            [2.0, 0.0, 1.0, 2.0, 0.0, 0.0]
        ]
    );
}

#[tokio::test]
async fn a_relationship_to_a_party_beyond_the_batch_is_an_error_that_names_it() {
    let batch = batch(2, &[(0, 1, "sells_to", None), (1, 7, "sells_to", None)]).await;
    let error = batch
        .run(&ExtractNetworkFeatures, "k", 1)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "RELATIONSHIP_UNKNOWN_PARTY");
    assert_eq!(error.record(), Some("relationships: ordinals 1 to 7"));
}

#[tokio::test]
async fn threads_and_shards_leave_digest_and_metadata_as_they_are() {
    let mut state = 5_u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut rows: Vec<Relationship> = (0..25_000)
        .map(|_| {
            let (from, to) = (draw(10_000) as u32, draw(10_000) as u32);
            let date = (draw(3) > 0).then(|| as_of() + TimeDelta::hours(draw(2000) as i64 - 1800));
            (
                from,
                to,
                ["supplies_to", "sells_to"][draw(2) as usize],
                date,
            )
        })
        .filter(|row| row.0 != row.1)
        .collect();
    rows.sort();
    rows.dedup_by_key(|row| (row.0, row.1, row.2));
    let mut batch = batch(10_500, &rows).await;
    let mut versions = Vec::new();
    for (threads, shards) in [(1, 1), (2, 1), (1, 7), (2, 7)] {
        batch.threads = threads;
        let key = format!("t{threads}s{shards}");
        versions.extend(
            batch
                .run(&ExtractNetworkFeatures, &key, shards)
                .await
                .unwrap(),
        );
    }
    assert_eq!(versions.len(), 4);
    for version in &versions {
        assert_eq!(version.rows, 10_500);
        assert_eq!(version.digest, versions[0].digest);
        assert_eq!(version.metadata, versions[0].metadata);
    }
}

#[tokio::test]
async fn a_batch_without_parties_has_an_empty_version() {
    assert!(features(0, &[]).await.is_empty());
}
