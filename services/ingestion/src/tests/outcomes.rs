//! Labels: a file of their own, read with the same care.

use serde_json::{Value, json};

use super::harness::{Bench, Ingested, batch};

async fn with_labels(name: &str, labels: &str) -> Ingested {
    let bench = Bench::new();
    bench.put("B1_profiles.json", batch().to_string());
    bench.put(name, labels);
    bench
        .run(json!({"labels_uri": name, "max_rejected_share": 1.0}))
        .await
        .unwrap()
}

const COLUMNS: [&str; 5] = [
    "party_id",
    "kind",
    "will_default",
    "days_past_due",
    "occurred_at",
];

#[tokio::test]
async fn outcomes_come_as_values_or_as_events() {
    let labels = json!([
        {"party_id": "P2", "will_default": 1, "batch_id": "B1"},
        {"party_id": "P1", "will_default": false},
        {"party_id": "P2", "will_default": 0, "batch_id": "B1"},
        {"party_id": "P1", "kind": "late_payment", "days_past_due": 95, "occurred_at": "2026-03-01T00:00:00Z"},
        {"party_id": "P1", "kind": "paid", "occurred_at": "2026-02-01"},
    ]);
    let expected = [
        "P1|late_payment|-|95|2026-03-01T00:00:00Z",
        "P1|paid|-|-|2026-02-01T00:00:00Z",
        "P1|will_default|false|-|-",
        "P2|will_default|false|-|-",
    ];
    let from_json = with_labels("labels.json", &labels.to_string()).await;
    assert_eq!(from_json.rows("outcomes", &COLUMNS).await, expected);
    assert_eq!(from_json.counts("outcomes"), (5, 4, 0, 1, 0));
    let lines: String = labels
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    let from_lines = with_labels("labels.ndjson", &lines).await;
    assert_eq!(from_lines.digests(), from_json.digests());
}

#[tokio::test]
async fn outcomes_that_came_several_times_and_not_the_same_are_counted() {
    let event = |days: i32| json!({"party_id": "P1", "kind": "late_payment", "days_past_due": days, "occurred_at": "2026-03-01"});
    for (labels, contradicted) in [
        (
            json!([
                {"party_id": "P1", "will_default": 1},
                {"party_id": "P2", "will_default": 1},
                {"party_id": "P1", "will_default": 0},
            ]),
            1,
        ),
        (
            json!([
                {"party_id": "P1", "will_default": 1},
                {"party_id": "P1", "will_default": 1},
                {"party_id": "P1", "will_default": 0, "batch_id": "B2"},
            ]),
            0,
        ),
        (json!([event(95), event(5)]), 1),
        (json!([event(95), event(95)]), 0),
    ] {
        let ingested = with_labels("labels.json", &labels.to_string()).await;
        let found = &ingested.output.metadata["contradicted_outcomes"];
        assert_eq!(*found, contradicted, "{labels}");
    }
}

#[tokio::test]
async fn a_bad_outcome_is_rejected_with_its_reason() {
    let cases: [(Value, &str); 6] = [
        (
            json!({"party_id": "P9", "will_default": 1}),
            "party_id|UNKNOWN_PARTY|the batch has no party \"P9\"",
        ),
        (
            json!({"party_id": "P1", "will_default": 1, "batch_id": "B2"}),
            "batch_id|OTHER_BATCH|is not about batch B1",
        ),
        (
            json!({"party_id": "P1"}),
            "kind|MISSING_FIELD|the record has neither will_default nor the kind of an event",
        ),
        (
            json!({"party_id": "P1", "kind": "paid"}),
            "occurred_at|MISSING_FIELD|the field is missing",
        ),
        (
            json!({"party_id": "P1", "kind": "late_payment", "occurred_at": "2026-01-01"}),
            "days_past_due|MISSING_FIELD|a late_payment says how many days past due it is",
        ),
        (
            json!({"party_id": "P1", "will_default": "yes"}),
            "will_default|WRONG_TYPE|expected 0, 1, true or false, found the text \"yes\"",
        ),
    ];
    for (record, expected) in cases {
        let ingested = with_labels("labels.json", &json!([record]).to_string()).await;
        let rows = ingested
            .rows(
                "rejected",
                &["table_name", "row", "field", "code", "reason"],
            )
            .await;
        assert_eq!(rows, [format!("outcomes|1|{expected}")]);
    }
}

#[tokio::test]
async fn labels_beside_the_batch_are_taken_without_being_named() {
    let bench = Bench::new();
    bench.put(
        "B1_labels.json",
        r#"[{"party_id": "P1", "will_default": 1}]"#,
    );
    let ingested = bench.document(&batch()).await.unwrap();
    assert_eq!(
        ingested
            .rows("outcomes", &["party_id", "will_default"])
            .await,
        ["P1|true"]
    );
}
