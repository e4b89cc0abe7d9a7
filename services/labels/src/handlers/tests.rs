//! The task on hand-made batches: which word on a party stands, and what is said of it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, ListArray, RecordBatch,
    StringArray, TimestampMicrosecondArray, UInt32Array, new_empty_array, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Float64Type};
use chrono::{DateTime, TimeDelta, Utc};
use kycc_domain::labels::OutcomeKind;
use kycc_lake::datasets::{OUTCOMES, SCORES, TRANSACTIONS};
use kycc_lake::{Manifest, Metadata};
use kycc_runtime::TaskError;
use kycc_store::sqlite::Store;
use kycc_testkit::TestBatch;
use serde_json::{Value, json};

use super::generate::GenerateLabels;
use super::source::SOURCE;
use crate::core::outcome::Outcome;
use crate::store::{MIGRATIONS, Recording};

const PARTIES: [&str; 4] = ["A", "B", "C", "D"];

fn t0() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn after(days: i64) -> i64 {
    (t0() + TimeDelta::days(days)).timestamp_micros()
}

/// Four parties; A has the lowest score.
fn scores() -> RecordBatch {
    let rows = PARTIES.len();
    let schema = SCORES.schema();
    let column = |name: &str, kind: &DataType, nullable: bool| -> ArrayRef {
        match (name, kind) {
            ("party_id", _) => Arc::new(StringArray::from(PARTIES.to_vec())),
            ("raw", _) => Arc::new(Float64Array::from(vec![400.0, 500.0, 600.0, 700.0])),
            _ if nullable => new_null_array(kind, rows),
            (_, DataType::UInt32) => Arc::new(UInt32Array::from_iter_values(0..rows as u32)),
            (_, DataType::Int32) => Arc::new(Int32Array::from(vec![500; rows])),
            (_, DataType::Utf8) => Arc::new(StringArray::from(vec!["fair"; rows])),
            (_, DataType::List(item)) => Arc::new(ListArray::new(
                Arc::clone(item),
                OffsetBuffer::from_lengths(vec![0; rows]),
                new_empty_array(item.data_type()),
                None,
            )),
            (name, kind) => panic!("no value for {name} of {kind}"),
        }
    };
    let columns = schema
        .fields()
        .iter()
        .map(|field| column(field.name(), field.data_type(), field.is_nullable()))
        .collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

/// Rows of a labels file: a value, or an event so many days after t0.
#[derive(Clone, Copy)]
enum Row {
    Value(&'static str, bool),
    Event(&'static str, &'static str, i32, i64),
}

fn outcomes(rows: &[Row]) -> RecordBatch {
    let (mut ids, mut kinds, mut values, mut days, mut times) = (
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::<Option<i64>>::new(),
    );
    for row in rows {
        let (id, kind, value, late, at) = match *row {
            Row::Value(id, value) => (id, "will_default", Some(value), None, None),
            Row::Event(id, kind, late, day) => (id, kind, None, Some(late), Some(after(day))),
        };
        ids.push(id);
        kinds.push(kind);
        values.push(value);
        days.push(late);
        times.push(at);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(ids)),
        Arc::new(StringArray::from(kinds)),
        Arc::new(BooleanArray::from(values)),
        Arc::new(Int32Array::from(days)),
        Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")),
    ];
    RecordBatch::try_new(OUTCOMES.schema(), columns).unwrap()
}

struct Bench {
    batch: TestBatch,
    task: GenerateLabels,
}

impl Bench {
    async fn new(rows: &[Row]) -> Self {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let log = store
            .migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS)
            .await;
        log.unwrap();
        store.migrate("labels", &MIGRATIONS).await.unwrap();
        let mut batch = TestBatch::new("B", t0()).await;
        let mut card = Metadata::new();
        card.insert("card".into(), json!({"factors": [{}, {}]}));
        batch.publish_with(&SCORES, &scores(), card).await;
        batch.publish(&OUTCOMES, &outcomes(rows)).await;
        let none = RecordBatch::new_empty(TRANSACTIONS.schema());
        batch.publish(&TRANSACTIONS, &none).await;
        batch.source(SOURCE, &json!({"through_id": 0}));
        Self {
            batch,
            task: GenerateLabels {
                store: Arc::new(store),
            },
        }
    }

    /// Outcomes of parties, so many days after t0.
    async fn record(&mut self, outcomes: &[(&str, OutcomeKind, i64)]) {
        let outcomes: Vec<_> = outcomes
            .iter()
            .map(|(party, kind, day)| Outcome {
                party_id: (*party).into(),
                kind: *kind,
                days_past_due: 0,
                occurred_at_micros: after(*day),
            })
            .collect();
        let recording = Recording {
            source: "feed",
            recorded_by: "ann",
            recorded_at_micros: 0,
        };
        self.task.store.append(&outcomes, recording).await.unwrap();
        let through_id = self.task.store.newest().await.unwrap();
        self.batch
            .source(SOURCE, &json!({"through_id": through_id}));
    }

    async fn run(&mut self, config: Value) -> Result<Manifest, TaskError> {
        let mut whole = json!({"policy": "observed", "window_days": 180, "rate_ppm": 500_000});
        for (key, value) in config.as_object().unwrap() {
            whole[key] = value.clone();
        }
        self.batch.config(whole);
        let made = self.batch.run(&self.task, "k", 1).await;
        Ok(made?.remove(0))
    }

    /// Label and source of every party.
    async fn labels(&mut self, config: Value) -> Vec<String> {
        let made = self.run(config).await.unwrap();
        let rows = self.batch.rows(&made).await;
        let label = rows["label"].as_string::<i32>();
        let source = rows["source"].as_string::<i32>();
        (0..rows.num_rows())
            .map(|row| {
                let by = source.is_valid(row).then(|| source.value(row));
                format!("{} {}", label.value(row), by.unwrap_or("-"))
            })
            .collect()
    }
}

fn cut(day: i64) -> Value {
    json!({"data_cut": DateTime::from_timestamp_micros(after(day)).unwrap().to_rfc3339()})
}

#[tokio::test]
async fn every_row_carries_the_version_of_its_policy() {
    let mut bench = Bench::new(&[]).await;
    let made = bench.run(json!({"policy": "blended"})).await.unwrap();
    let rows = bench.batch.rows(&made).await;
    let policy = made.metadata["policy_version"].as_str().unwrap();
    let column = rows["policy_version"].as_string::<i32>();
    assert!(column.iter().all(|version| version == Some(policy)));
    let mut other = Bench::new(&[]).await;
    let other = other.run(json!({"policy": "scorecard"})).await.unwrap();
    assert_ne!(other.metadata["policy_version"], policy);
}

#[tokio::test]
async fn auto_is_another_name_of_blended() {
    let mut digests = Vec::new();
    for policy in ["auto", "blended"] {
        let mut bench = Bench::new(&[Row::Value("A", true)]).await;
        let made = bench.run(json!({"policy": policy})).await.unwrap();
        assert_eq!(made.metadata["policy"]["mix"], "blended");
        let weights = bench.batch.rows(&made).await;
        let weights = weights["weight"].as_primitive::<Float64Type>().clone();
        // One observed bad for two factors.
        assert_eq!(weights.values().to_vec(), [1.0, 0.95, 0.95, 0.95]);
        digests.push(made.digest);
    }
    assert_eq!(digests[0], digests[1]);
}

#[tokio::test]
async fn the_scorecard_fills_in_but_never_overwrites() {
    let mut bench = Bench::new(&[Row::Value("A", false), Row::Value("D", true)]).await;
    let found = bench.labels(json!({"policy": "scorecard"})).await;
    assert_eq!(
        found,
        [
            "good observed",
            "bad scorecard",
            "good scorecard",
            "bad observed"
        ]
    );
}

#[tokio::test]
async fn a_value_stands_and_events_speak_for_the_others() {
    let rows = [
        Row::Value("A", false),
        Row::Event("A", "write_off", 0, 10),
        Row::Event("B", "write_off", 0, 10),
        Row::Event("C", "paid", 31, 10),
    ];
    let mut bench = Bench::new(&rows).await;
    assert_eq!(
        bench.labels(cut(180)).await,
        [
            "good observed",
            "bad observed",
            "indeterminate observed",
            "unlabelled -"
        ]
    );
}

#[tokio::test]
async fn events_need_a_data_cut() {
    let mut bench = Bench::new(&[Row::Event("B", "write_off", 0, 10)]).await;
    let refused = bench.run(json!({})).await.unwrap_err();
    assert_eq!(refused.reason(), "DATA_CUT_REQUIRED");
}

#[tokio::test]
async fn recorded_outcomes_count_up_to_the_cut_and_the_end_of_the_window() {
    let mut bench = Bench::new(&[]).await;
    let recorded = [
        ("A", OutcomeKind::WriteOff, 180),
        ("B", OutcomeKind::WriteOff, 181),
        ("C", OutcomeKind::Paid, -1000),
        ("D", OutcomeKind::Insolvency, -180),
        ("Z", OutcomeKind::Insolvency, 5),
    ];
    bench.record(&recorded).await;
    assert_eq!(
        bench.labels(cut(400)).await,
        [
            "bad observed",
            "unlabelled -",
            "good observed",
            "excluded observed"
        ]
    );
}

#[tokio::test]
async fn nothing_is_good_or_bad_before_the_window_has_passed() {
    let mut bench = Bench::new(&[Row::Event("A", "write_off", 0, 10)]).await;
    let mut config = cut(179);
    config["complete"] = json!(true);
    assert_eq!(bench.labels(config).await, ["unlabelled -"; 4]);
}

#[tokio::test]
async fn a_party_called_both_good_and_bad_is_named() {
    let rows = [Row::Value("B", false), Row::Value("B", true)];
    let refused = Bench::new(&rows).await.run(json!({})).await.unwrap_err();
    assert_eq!(refused.reason(), "LABEL_CONTRADICTION");
    let told = refused.to_string();
    assert!(told.contains("party B both good and bad"), "{told}");
}
