//! What strangers send: every case ends in an error or a rejected record that names file, place, field and reason.

use serde_json::{Value, json};

use super::harness::{Bench, batch, push, transaction};

#[tokio::test]
async fn one_bad_record_is_rejected_with_its_place_field_and_reason() {
    let cases: [(Value, &str, &str, &str); 14] = [
        (
            json!({"amount": "12.50"}),
            "amount",
            "WRONG_TYPE",
            "expected a number, found the text \"12.50\"",
        ),
        (
            json!({"amount": true}),
            "amount",
            "WRONG_TYPE",
            "expected a number, found a boolean",
        ),
        (
            json!({"amount": null}),
            "amount",
            "MISSING_FIELD",
            "the field is required and null",
        ),
        (
            json!({"amount": 0.00001}),
            "amount",
            "TOO_MANY_DECIMALS",
            "0.00001 has more than 4 decimals",
        ),
        (
            json!({"amount": 1e14}),
            "amount",
            "AMOUNT_OUT_OF_RANGE",
            "100000000000000.0 is 10^14 or more in size",
        ),
        (
            json!({"txn_id": " "}),
            "txn_id",
            "MISSING_FIELD",
            "the field is required and blank",
        ),
        (
            json!({"txn_id": 7}),
            "txn_id",
            "WRONG_TYPE",
            "expected text, found the number 7",
        ),
        (
            json!({"txn_type": "loan"}),
            "txn_type",
            "UNKNOWN_VALUE",
            "\"loan\" is none of invoice, payment, credit_note",
        ),
        (
            json!({"ts": "yesterday"}),
            "ts",
            "BAD_TIME",
            "\"yesterday\" is no time such as 2025-12-31T23:59:59Z",
        ),
        (
            json!({"ts": 1_750_000_000}),
            "ts",
            "WRONG_TYPE",
            "expected a time such as 2025-12-31T23:59:59Z, found the number 1750000000",
        ),
        (
            json!({"ts": "0025-06-01"}),
            "ts",
            "TIME_OUT_OF_RANGE",
            "\"0025-06-01\" lies outside the years 1600 to 2999",
        ),
        (
            json!({"days_past_due": 1.5}),
            "days_past_due",
            "WRONG_TYPE",
            "expected a whole number, found the number 1.5",
        ),
        (
            json!({"party_id": ["P1"]}),
            "party_id",
            "WRONG_TYPE",
            "expected text, found an array",
        ),
        (
            json!({"party_id": "x".repeat(513)}),
            "party_id",
            "BAD_ID",
            &format!("\"{}\"… is longer than 512 bytes", "x".repeat(60)),
        ),
    ];
    let bench = Bench::new();
    let clean = bench.document(&batch()).await.unwrap().data_digests();
    for (changes, field, code, reason) in cases {
        let mut document = batch();
        push(
            &mut document,
            "transactions",
            transaction("X1", changes.clone()),
        );
        let ingested = bench.document(&document).await.unwrap();
        assert_eq!(ingested.data_digests(), clean, "{changes}");
        let rows = ingested
            .rows(
                "rejected",
                &["table_name", "file", "row", "field", "code", "reason"],
            )
            .await;
        assert_eq!(
            rows,
            [format!(
                "transactions|B1_profiles.json|25|{field}|{code}|{reason}"
            )]
        );
        let record = &ingested.rows("rejected", &["record"]).await[0];
        assert!(
            record.starts_with("{\"") && record.chars().count() <= 1_000,
            "{record}"
        );
    }
}

/// Text that no JSON writer would write, put in the place of one amount.
#[tokio::test]
async fn tokens_that_are_no_json_reject_their_record_alone() {
    let bench = Bench::new();
    let clean = bench.document(&batch()).await.unwrap().data_digests();
    for (token, code, reason) in [
        ("NaN", "NOT_FINITE", "NaN is not a finite number"),
        ("-Infinity", "NOT_FINITE", "Infinity is not a finite number"),
        (
            "01",
            "INVALID_JSON",
            "a number that JSON does not know at byte",
        ),
        ("", "INVALID_JSON", "expected a value at byte"),
    ] {
        let mut document = batch();
        push(
            &mut document,
            "transactions",
            transaction("X1", json!({"amount": 987_654})),
        );
        let text = document.to_string().replace("987654", token);
        bench.put("B1_profiles.json", text);
        let ingested = bench.run(json!({})).await.unwrap();
        assert_eq!(ingested.data_digests(), clean);
        let rows = ingested
            .rows("rejected", &["row", "field", "code", "reason"])
            .await;
        assert!(
            rows[0].starts_with(&format!("25|amount|{code}|{reason}")),
            "{rows:?}"
        );
    }
}

#[tokio::test]
async fn invalid_utf8_rejects_its_record_and_names_the_field() {
    let bench = Bench::new();
    let mut document = batch();
    push(
        &mut document,
        "transactions",
        transaction("X1", json!({"reference": "MARK"})),
    );
    let text = document.to_string();
    let at = text.find("MARK").unwrap();
    let mut bytes = text.into_bytes();
    bytes[at] = 0xFF;
    bench.put("B1_profiles.json", bytes);
    let ingested = bench.run(json!({})).await.unwrap();
    let rows = ingested
        .rows("rejected", &["table_name", "row", "field", "code"])
        .await;
    assert_eq!(rows, ["transactions|25|reference|INVALID_UTF8"]);
}

#[tokio::test]
async fn an_input_that_cannot_be_meant_is_refused_whole() {
    let bench = Bench::new();
    let good = batch().to_string();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut document = batch();
        change(&mut document);
        document.to_string()
    };
    let long = "x".repeat(2 << 20);
    let cases: Vec<(String, &str, &str)> = vec![
        (
            good[..good.len() / 2].to_owned(),
            "DOCUMENT_TRUNCATED",
            "B1_profiles.json ends at byte",
        ),
        (
            String::new(),
            "DOCUMENT_TRUNCATED",
            "ends at byte 0, inside the document",
        ),
        (
            with(&|d| d["parties"] = json!([])),
            "EMPTY_BATCH",
            "the batch is empty: of 0 parties",
        ),
        (
            with(&|d| drop(d.as_object_mut().unwrap().remove("parties"))),
            "EMPTY_BATCH",
            "the batch is empty",
        ),
        (
            with(&|d| d["batch_id"] = json!("B2")),
            "WRONG_BATCH",
            "is batch \"B2\", but the run is for batch \"B1\"",
        ),
        (
            with(&|d| d["generated_at"] = json!("later")),
            "BAD_HEADER",
            "generated_at is \"later\"",
        ),
        (
            with(&|d| d["parties"][2]["will_default"] = json!(1)),
            "LABELS_IN_PROFILES",
            "B1_profiles.json, parties[2]: the field will_default",
        ),
        (
            with(&|d| d["accounts"][1]["x"] = json!({"ground_truth": 1})),
            "LABELS_IN_PROFILES",
            "accounts[1]: the field ground_truth",
        ),
        (
            with(&|d| d["labels"] = json!([{"party_id": "P1", "default_outcome": 0}])),
            "LABELS_IN_PROFILES",
            "labels[0]: the field default_outcome",
        ),
        (
            with(&|d| d["ground_truth"] = json!({})),
            "LABELS_IN_PROFILES",
            "the field ground_truth",
        ),
        (
            with(&|d| d["parties"][3]["name"] = json!(long)),
            "RECORD_TOO_LONG",
            "parties[3]: record longer than 1048576 bytes",
        ),
        (
            good.replacen("\"accounts\"", "\"parties\"", 1),
            "DUPLICATE_KEY",
            "the key \"parties\" appears twice",
        ),
        (
            format!("{good}x"),
            "DOCUMENT_INVALID",
            "something follows the document",
        ),
        (
            "[]".to_owned(),
            "DOCUMENT_INVALID",
            "the document must start with '{'",
        ),
        (
            with(&|d| d["transactions"] = json!({})),
            "DOCUMENT_INVALID",
            "transactions must be an array",
        ),
    ];
    for (text, reason, message) in cases {
        let error = bench.refused(&text, json!({})).await;
        assert_eq!(error.reason(), reason, "{}", error.message());
        assert!(error.message().contains(message), "{}", error.message());
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn too_many_rejected_records_fail_the_step_and_name_the_first() {
    let bench = Bench::new();
    let mut document = batch();
    for n in 0..8 {
        push(
            &mut document,
            "transactions",
            transaction(&format!("X{n}"), json!({"amount": "?"})),
        );
    }
    push(
        &mut document,
        "transactions",
        transaction("X8", json!({"party_id": "P9"})),
    );
    let error = bench
        .refused(document.to_string(), json!({"max_rejected_share": 0.25}))
        .await;
    assert_eq!(error.reason(), "TOO_MANY_REJECTED");
    let message = error.message();
    assert!(
        message
            .starts_with("9 of 33 transactions were rejected, more than max_rejected_share 0.25"),
        "{message}"
    );
    let first =
        "B1_profiles.json, transactions[24], amount: expected a number, found the text \"?\"";
    assert!(message.contains(first), "{message}");
    assert_eq!(error.record(), Some(first));
    let published = bench.run(json!({"max_rejected_share": 0.3})).await.unwrap();
    assert_eq!(published.counts("transactions"), (33, 24, 9, 0, 0));
}

#[tokio::test]
async fn a_party_that_is_rejected_takes_what_refers_to_it_along() {
    let bench = Bench::new();
    let mut document = batch();
    document["parties"][3]["created_at"] = json!("2025-02-30T00:00:00Z");
    bench.put("B1_profiles.json", document.to_string());
    let ingested = bench.run(json!({"max_rejected_share": 1.0})).await.unwrap();
    assert_eq!(ingested.counts("parties"), (4, 3, 1, 0, 0));
    assert_eq!(ingested.counts("accounts"), (4, 3, 1, 0, 0));
    let codes = ingested
        .rows("rejected", &["table_name", "field", "code"])
        .await;
    assert_eq!(codes[1], "parties|created_at|BAD_TIME");
}

#[tokio::test]
async fn a_source_that_changed_after_it_was_looked_at_is_refused() {
    use crate::handlers::observer::{BatchSource, check_unchanged};
    use crate::source::{Source, roots::Roots};
    use kycc_domain::ids::BatchId;
    use kycc_runtime::SourceObserver;

    let bench = Bench::new();
    bench.put("B1_profiles.json", "{}");
    let roots = Roots::new(bench.landing.path(), &[]);
    let batch = BatchId::new("B1").unwrap();
    let observer = BatchSource {
        roots: roots.clone(),
    };
    let observed = observer
        .observe(&batch, &json!({}), &json!({}))
        .await
        .unwrap();
    let source = Source::find(&roots, &batch, &serde_json::from_value(json!({})).unwrap()).unwrap();
    check_unchanged(&source, &observed).unwrap();
    bench.put("B1_profiles.json", "{ }");
    assert_eq!(
        check_unchanged(&source, &observed).unwrap_err().reason(),
        "SOURCE_CHANGED"
    );
    let error = bench
        .run(json!({"source_uri": "none.json"}))
        .await
        .err()
        .unwrap();
    assert_eq!(error.reason(), "SOURCE_NOT_FOUND");
}
