//! Document, NDJSON, CSV and Parquet are four ways to write one batch.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, TimestampNanosecondArray,
};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use super::harness::{Bench, Ingested, batch, write};
use crate::core::table::PROFILES;
use crate::core::{amount, time};

fn records<'a>(batch: &'a Value, table: &str) -> &'a Vec<Value> {
    batch[table].as_array().unwrap()
}

fn header(bench: &Bench) {
    bench.put(
        "in/B1_batch.json",
        r#"{"batch_id": "B1", "generated_at": "2025-12-31T00:00:00Z"}"#,
    );
}

async fn folder(bench: &Bench) -> Ingested {
    bench.run(json!({"source_uri": "in"})).await.unwrap()
}

fn csv_field(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => format!("\"{}\"", text.replace('"', "\"\"")),
        Some(other) => other.to_string(),
    }
}

#[tokio::test]
async fn lines_are_the_document() {
    let bench = Bench::new();
    let document = bench.document(&batch()).await.unwrap();
    header(&bench);
    for table in PROFILES {
        let batch = batch();
        let (first, second) = records(&batch, table.name()).split_at(2);
        let lines = |of: &[Value]| of.iter().map(Value::to_string).collect::<Vec<_>>();
        write(
            &bench.path("in"),
            &format!("B1_{table}_1.ndjson"),
            lines(first),
        );
        write(
            &bench.path("in"),
            &format!("B1_{table}_2.ndjson"),
            lines(second),
        );
    }
    assert_eq!(folder(&bench).await.digests(), document.digests());
}

#[tokio::test]
async fn csv_is_the_document() {
    let bench = Bench::new();
    let document = bench.document(&batch()).await.unwrap();
    header(&bench);
    for table in PROFILES {
        let batch = batch();
        let names: Vec<_> = table.fields().iter().rev().copied().collect();
        let line = |record: &Value| {
            names
                .iter()
                .map(|n| csv_field(record.get(n)))
                .collect::<Vec<_>>()
                .join(",")
        };
        let lines =
            std::iter::once(names.join(",")).chain(records(&batch, table.name()).iter().map(line));
        write(
            &bench.path("in"),
            &format!("B1_{table}.csv"),
            lines.collect::<Vec<_>>(),
        );
    }
    assert_eq!(folder(&bench).await.digests(), document.digests());
}

fn text_column(records: &[Value], name: &str) -> ArrayRef {
    Arc::new(
        records
            .iter()
            .map(|record| record[name].as_str())
            .collect::<StringArray>(),
    )
}

/// A column of a type that such a column has in practice.
fn column(records: &[Value], name: &str) -> ArrayRef {
    let micros = |record: &Value| record[name].as_str().map(|text| time::parse(text).unwrap());
    match name {
        "kyc_verified" => Arc::new(
            records
                .iter()
                .map(|r| Some(r[name] == 1))
                .collect::<BooleanArray>(),
        ),
        "days_past_due" => Arc::new(
            records
                .iter()
                .map(|r| r[name].as_i64())
                .collect::<Int64Array>(),
        ),
        "balance" => Arc::new(
            records
                .iter()
                .map(|r| r[name].as_f64())
                .collect::<Float64Array>(),
        ),
        "amount" => {
            let exact =
                |r: &Value| Some(i128::from(amount::parse(&r[name].to_string()).unwrap()) * 100);
            let values: Decimal128Array = records.iter().map(exact).collect();
            Arc::new(values.with_precision_and_scale(20, 6).unwrap())
        }
        "ts" => Arc::new(
            records
                .iter()
                .map(|r| micros(r).map(|t| t / 1_000))
                .collect::<TimestampMillisecondArray>(),
        ),
        "created_at" => Arc::new(
            records
                .iter()
                .map(|r| micros(r).map(|t| t * 1_000))
                .collect::<TimestampNanosecondArray>(),
        ),
        _ => text_column(records, name),
    }
}

fn write_parquet(bench: &Bench, name: &str, columns: Vec<(&str, ArrayRef)>) {
    std::fs::create_dir_all(bench.path("in")).unwrap();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = File::create(bench.path("in").join(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[tokio::test]
async fn parquet_is_the_document() {
    let bench = Bench::new();
    let document = bench.document(&batch()).await.unwrap();
    header(&bench);
    for table in PROFILES {
        let batch = batch();
        let records = records(&batch, table.name());
        let columns = table
            .fields()
            .iter()
            .map(|name| (*name, column(records, name)));
        write_parquet(&bench, &format!("B1_{table}.parquet"), columns.collect());
    }
    assert_eq!(folder(&bench).await.digests(), document.digests());
}

#[tokio::test]
async fn of_two_files_the_later_name_wins() {
    let bench = Bench::new();
    let line = |name: &str| {
        json!({"party_id": "P1", "name": name, "party_type": "supplier", "created_at": "2020-01-01"}).to_string()
    };
    write(
        &bench.path("in"),
        "B1_parties_1.ndjson",
        [line("one"), line("two")],
    );
    write(&bench.path("in"), "B1_parties_2.ndjson", [line("three")]);
    let ingested = bench
        .run(json!({"source_uri": "in", "as_of": "2025-01-01"}))
        .await
        .unwrap();
    assert_eq!(ingested.rows("parties", &["name"]).await, ["three"]);
    assert_eq!(ingested.counts("parties"), (3, 1, 0, 2, 0));
}

#[tokio::test]
async fn single_tables_may_be_named_and_then_need_an_as_of() {
    let bench = Bench::new();
    bench.put(
        "mine.csv",
        "party_id,name,party_type,created_at\nP1,One,supplier,2020-01-01\n",
    );
    let config = json!({"source_files": {"parties": "mine.csv"}});
    assert_eq!(
        bench.run(config).await.err().unwrap().reason(),
        "AS_OF_MISSING"
    );
    let config = json!({"source_files": {"parties": "mine.csv"}, "as_of": "2025-01-01"});
    let ingested = bench.run(config).await.unwrap();
    assert_eq!(
        ingested
            .rows("parties", &["party_id", "kyc_verified"])
            .await,
        ["P1|false"]
    );
    assert!(ingested.rows("transactions", &["txn_id"]).await.is_empty());
}

#[tokio::test]
async fn faults_name_the_line_or_row_and_the_field() {
    let bench = Bench::new();
    let parties = "party_id,name,party_type,created_at\n\"P1\",\"two\nlines\",supplier,2020-01-01\nP2,Two,supplier,soon\n\
        P3,Three,supplier\nP4,\"Four\"x,supplier,2020-01-01\n";
    bench.put("in/B1_parties.csv", parties);
    let transactions = "{\"txn_id\": \"T1\", \"party_id\": \"P1\", \"amount\": NaN, \"txn_type\": \"payment\", \"ts\": \"2024-01-01\"}\n\n\
        {\"txn_id\": \"T2\", \"party_id\": \"P7\", \"amount\": 1, \"txn_type\": \"payment\", \"ts\": \"2024-01-01\"}\n";
    bench.put("in/B1_transactions.ndjson", transactions);
    write_parquet(
        &bench,
        "B1_accounts.parquet",
        vec![
            (
                "account_id",
                Arc::new(StringArray::from(vec!["A1", "A2"])) as ArrayRef,
            ),
            ("party_id", Arc::new(StringArray::from(vec!["P1", "P1"]))),
            (
                "balance",
                Arc::new(Float64Array::from(vec![1.5, f64::INFINITY])),
            ),
        ],
    );
    let config = json!({"source_uri": "in", "as_of": "2025-01-01", "max_rejected_share": 1.0});
    let ingested = bench.run(config).await.unwrap();
    assert_eq!(
        ingested
            .rows("rejected", &["file", "row", "field", "code", "reason"])
            .await,
        [
            "B1_accounts.parquet|2|balance|NOT_FINITE|inf is not a finite number",
            "B1_parties.csv|4|created_at|BAD_TIME|\"soon\" is no time such as 2025-12-31T23:59:59Z",
            "B1_parties.csv|5|-|INVALID_CSV|3 fields, but the header names 4",
            "B1_parties.csv|6|-|INVALID_CSV|text follows the closing quote of field 2",
            "B1_transactions.ndjson|1|amount|NOT_FINITE|NaN is not a finite number",
            "B1_transactions.ndjson|3|party_id|UNKNOWN_PARTY|the batch has no party \"P7\"",
        ]
    );
    let config = json!({"source_uri": "in", "as_of": "2025-01-01", "max_rejected_share": 0.0});
    let error = bench.run(config).await.err().unwrap();
    assert!(
        error
            .message()
            .contains("B1_parties.csv, line 4, created_at"),
        "{}",
        error.message()
    );
}

#[tokio::test]
async fn columns_that_do_not_fit_refuse_the_file() {
    let texts = |of: &[&str]| Arc::new(StringArray::from(of.to_vec())) as ArrayRef;
    let cases = [
        (
            vec![("party_id", texts(&["P1"]))],
            "MISSING_COLUMN",
            "has no column account_id, which accounts needs",
        ),
        (
            vec![
                ("account_id", texts(&["A1"])),
                ("party_id", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
            ],
            "WRONG_COLUMN",
            "column party_id has the type Int64; expected text",
        ),
        (
            vec![
                ("account_id", texts(&["A1"])),
                ("party_id", texts(&["P1"])),
                ("will_default", texts(&["0"])),
            ],
            "LABELS_IN_PROFILES",
            "the field will_default is an outcome",
        ),
    ];
    for (columns, reason, message) in cases {
        let bench = Bench::new();
        bench.put(
            "in/B1_parties.csv",
            "party_id,name,party_type,created_at\nP1,One,supplier,2020-01-01\n",
        );
        write_parquet(&bench, "B1_accounts.parquet", columns);
        let error = bench
            .run(json!({"source_uri": "in", "as_of": "2025-01-01"}))
            .await
            .err()
            .unwrap();
        assert_eq!(error.reason(), reason);
        assert!(error.message().contains(message), "{}", error.message());
    }
    let bench = Bench::new();
    bench.put("in/B1_parties.parquet", "this is not Parquet");
    let error = bench
        .run(json!({"source_uri": "in", "as_of": "2025-01-01"}))
        .await
        .err()
        .unwrap();
    assert_eq!(error.reason(), "PARQUET_INVALID");
}
