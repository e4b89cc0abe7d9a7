//! The query on hand-made transactions, and the independence of its result from threads and shards.

use super::*;
use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt32Array, new_null_array,
};
use arrow::datatypes::{DataType, Int64Type};
use chrono::TimeDelta;
use kycc_testkit::TestBatch;
use std::sync::Arc;

/// Ordinal of the party, instant, amount in ten-thousandths, type.
type Transaction = (u32, DateTime<Utc>, i128, &'static str);

const UNIT: i128 = 10_000;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn as_of() -> DateTime<Utc> {
    at("2026-06-15T12:00:00Z")
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

fn transactions(rows: &[Transaction]) -> RecordBatch {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| (row.0, row.1));
    let schema = TRANSACTIONS.schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "party_ord" => {
                Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.0))) as ArrayRef
            }
            "ts" => Arc::new(
                TimestampMicrosecondArray::from_iter_values(
                    rows.iter().map(|r| r.1.timestamp_micros()),
                )
                .with_timezone("UTC"),
            ),
            "txn_id" => Arc::new(StringArray::from_iter_values(
                (0..rows.len()).map(|i| format!("T{i:08}")),
            )),
            "amount" => Arc::new(
                Decimal128Array::from_iter_values(rows.iter().map(|r| r.2))
                    .with_data_type(DataType::Decimal128(18, 4)),
            ),
            "txn_type" => Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.3))),
            _ => new_null_array(field.data_type(), rows.len()),
        });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

async fn batch(count: u32, rows: &[Transaction]) -> TestBatch {
    let mut batch = TestBatch::new("B", as_of()).await;
    batch.publish(&PARTIES, &parties(count)).await;
    batch.publish(&TRANSACTIONS, &transactions(rows)).await;
    batch
}

/// Features of each party, in the order count, mean, volume, regularity, diversity, recent, months.
async fn features(count: u32, rows: &[Transaction]) -> Vec<[f64; 7]> {
    let batch = batch(count, rows).await;
    let made = batch.run(&ExtractTxnFeatures, "k", 1).await.unwrap();
    let rows = batch.rows(&made[0]).await;
    let value = |row: usize, column: usize| match column {
        8 => rows.column(column).as_primitive::<Int64Type>().value(row) as f64,
        _ => rows.column(column).as_primitive::<Float64Type>().value(row),
    };
    (0..rows.num_rows())
        .map(|row| std::array::from_fn(|i| value(row, i + 2)))
        .collect()
}

const NOTHING: [f64; 7] = [0.0; 7];

#[tokio::test]
async fn both_ends_of_the_window_belong_to_it_and_nothing_beyond() {
    let tick = TimeDelta::microseconds(1);
    let start = as_of() - TimeDelta::days(180);
    let one = |party, ts| (party, ts, 7 * UNIT, "invoice");
    let rows = [
        one(0, start - tick),
        one(1, start),
        one(2, as_of()),
        one(3, as_of() + tick),
    ];
    assert_eq!(
        features(5, &rows).await,
        [
            NOTHING,
            [1.0, 7.0, 7.0, 50.0, 1.0, 0.0, 1.0],
            [1.0, 7.0, 7.0, 50.0, 1.0, 1.0, 1.0],
            NOTHING,
            NOTHING,
        ]
    );
}

#[tokio::test]
async fn activity_is_recent_from_exactly_30_days_back() {
    let recent = as_of() - TimeDelta::days(30);
    let rows = [
        (0, recent, UNIT, "invoice"),
        (1, recent - TimeDelta::microseconds(1), UNIT, "invoice"),
    ];
    let flags: Vec<f64> = features(2, &rows).await.iter().map(|f| f[5]).collect();
    assert_eq!(flags, [1.0, 0.0]);
}

#[tokio::test]
async fn months_are_those_of_the_utc_calendar() {
    let rows = [
        // The last microsecond of April and the first of May are two months.
        (0, at("2026-04-30T23:59:59.999999Z"), 10 * UNIT, "invoice"),
        (0, at("2026-05-01T00:00:00Z"), 10 * UNIT, "invoice"),
        // The first and last instant of one month are one.
        (1, at("2026-04-01T00:00:00Z"), 10 * UNIT, "invoice"),
        (1, at("2026-04-30T23:59:59.999999Z"), 10 * UNIT, "invoice"),
    ];
    let found: Vec<_> = features(2, &rows)
        .await
        .iter()
        .map(|f| (f[3], f[6]))
        .collect();
    assert_eq!(found, [(100.0, 2.0), (50.0, 1.0)]);
}

#[tokio::test]
async fn all_seven_months_of_the_window_are_told_apart() {
    let months = [
        "2025-12-20",
        "2026-01-05",
        "2026-02-05",
        "2026-03-05",
        "2026-04-05",
        "2026-05-05",
        "2026-06-05",
    ];
    let rows: Vec<_> = (1..)
        .zip(months)
        .map(|(i, day)| (0, at(&format!("{day}T00:00:00Z")), i * UNIT, "payment"))
        .collect();
    // Sums 1 to 7: mean 4, population variance 4.
    assert_eq!(
        features(1, &rows).await,
        [[7.0, 4.0, 28.0, 50.0, 1.0, 1.0, 7.0]]
    );
}

#[tokio::test]
async fn regularity_uses_the_population_deviation_of_monthly_sums() {
    let rows = [
        // 100 + 200 in March, 500 in April: mean 400, deviation 100.
        (0, at("2026-03-02T00:00:00Z"), 100 * UNIT, "invoice"),
        (0, at("2026-03-09T00:00:00Z"), 200 * UNIT, "payment"),
        (0, at("2026-04-02T00:00:00Z"), 500 * UNIT, "invoice"),
    ];
    let found = features(1, &rows).await;
    assert_eq!(found, [[3.0, 800.0 / 3.0, 800.0, 75.0, 2.0, 0.0, 2.0]]);
}

#[tokio::test]
async fn regularity_of_uneven_negative_and_tiny_months_is_zero() {
    let (march, april, may) = (
        at("2026-03-02T00:00:00Z"),
        at("2026-04-02T00:00:00Z"),
        at("2026-05-02T00:00:00Z"),
    );
    let rows = [
        // Deviation above the mean is clamped: sums 1, 0, 11.
        (0, march, UNIT, "invoice"),
        (0, april, UNIT, "invoice"),
        (0, april, -UNIT, "credit_note"),
        (0, may, 11 * UNIT, "invoice"),
        // A negative mean.
        (1, march, -5 * UNIT, "credit_note"),
        (1, april, -5 * UNIT, "credit_note"),
        // A mean just below 0.01, and one of exactly 0.01.
        (2, march, 99, "payment"),
        (2, april, 99, "payment"),
        (3, march, 100, "payment"),
        (3, april, 100, "payment"),
        // One month counts as one, whatever its sum.
        (4, march, -3 * UNIT, "credit_note"),
    ];
    let found = features(5, &rows).await;
    let regularity: Vec<f64> = found.iter().map(|f| f[3]).collect();
    assert_eq!(regularity, [0.0, 0.0, 0.0, 100.0, 50.0]);
    assert_eq!(found[1], [2.0, -5.0, -10.0, 0.0, 1.0, 0.0, 2.0]);
    assert_eq!(found[0][6], 3.0, "a month whose sum is zero is present");
    assert_eq!(found[0][4], 2.0);
}

#[tokio::test]
async fn decimal_amounts_are_summed_exactly() {
    let ts = at("2026-06-01T00:00:00Z");
    let largest = 10_i128.pow(18) - 1;
    let rows = [
        (0, ts, 1000, "invoice"),
        (0, ts, 2000, "invoice"),
        (1, ts, largest, "payment"),
        (1, ts, largest, "invoice"),
        (1, ts, 1 - largest, "credit_note"),
        (1, ts, -largest, "invoice"),
    ];
    let found = features(2, &rows).await;
    assert_eq!(found[0][2], 0.3);
    assert_eq!(found[1], [4.0, 0.000_025, 0.000_1, 50.0, 3.0, 1.0, 1.0]);
}

#[tokio::test]
async fn threads_and_shards_leave_digest_and_metadata_as_they_are() {
    let (mut state, types) = (11_u64, ["invoice", "payment", "credit_note"]);
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let rows: Vec<Transaction> = (0..60_000)
        .map(|_| {
            let ts = as_of() - TimeDelta::seconds(draw(200 * 86_400) as i64);
            (
                draw(10_000) as u32,
                ts,
                i128::from(draw(90_000_000)) - 20_000_000,
                types[draw(3) as usize],
            )
        })
        .collect();
    let mut batch = batch(10_500, &rows).await;
    let mut versions = Vec::new();
    for (threads, shards) in [(1, 1), (2, 1), (1, 7), (2, 7)] {
        batch.threads = threads;
        let key = format!("t{threads}s{shards}");
        versions.extend(batch.run(&ExtractTxnFeatures, &key, shards).await.unwrap());
    }
    assert_eq!(versions.len(), 4);
    for version in &versions {
        assert_eq!(version.rows, 10_500);
        assert_eq!(version.digest, versions[0].digest);
        assert_eq!(version.metadata, versions[0].metadata);
    }
    assert_eq!(versions[0].metadata["parties"], 10_500);
}

#[tokio::test]
async fn batches_without_transactions_or_parties_have_zeros_or_nothing() {
    assert_eq!(features(2, &[]).await, [NOTHING, NOTHING]);
    assert_eq!(features(0, &[]).await, [NOTHING; 0]);
}
