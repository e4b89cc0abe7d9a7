//! Which batches train, and which of their rows.

use std::collections::BTreeSet;

use serde_json::json;

use super::bench::{Bench, parties};

/// The older batch has parties 0 to 399, the newer one 300 to 449: a hundred in both.
async fn two_times() -> Bench {
    let mut bench = Bench::new("B2").await;
    bench.labelled("B1", 0, true, &parties(0, 400)).await;
    bench.labelled("B2", 200, true, &parties(300, 150)).await;
    bench
}

#[tokio::test]
async fn two_times_hold_out_the_newer_batch_and_train_on_none_of_its_parties() {
    let mut bench = two_times().await;
    let (model, rows) = bench.train("k").await.unwrap();
    assert_eq!(model.metadata["batches"], json!(["B1", "B2"]));
    let document = bench.document(&model).await;
    assert_eq!(
        document["learned"]["split"],
        json!({"kind": "out_of_time", "holdout_from_micros": 200 * 86_400_000_000_i64, "removed": 100})
    );
    assert_eq!(document["status"], "trained");

    let parts = bench.parts(&rows).await;
    let of = |part: &str| -> (BTreeSet<&str>, BTreeSet<&str>) {
        let rows = parts.iter().filter(|(_, of, _)| of == part);
        rows.map(|(batch, _, party)| (batch.as_str(), party.as_str()))
            .unzip()
    };
    let (train_batches, train) = of("train");
    let (holdout_batches, holdout) = of("holdout");
    assert_eq!((train.len(), holdout.len()), (300, 150));
    assert_eq!(train_batches, BTreeSet::from(["B1"]));
    assert_eq!(holdout_batches, BTreeSet::from(["B2"]));
    assert!(train.is_disjoint(&holdout));
}

#[tokio::test]
async fn a_model_says_where_its_rows_come_from() {
    let mut bench = two_times().await;
    let (model, _) = bench.train("k").await.unwrap();
    let document = bench.document(&model).await;
    let data = document["data"].as_array().unwrap();
    let of_labels: Vec<_> = data
        .iter()
        .map(|data| {
            (
                data["batch"].as_str().unwrap(),
                data["rows"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(of_labels, [("B1", 400), ("B2", 150)]);
    assert_eq!(data[0]["policy"], json!({"mix": "blended"}));
    assert_eq!(data[0]["policy_version"], "v");
    assert_ne!(data[0]["labels"]["digest"], data[1]["labels"]["digest"]);
}

#[tokio::test]
async fn a_batch_that_has_not_matured_does_not_train_and_is_named() {
    let mut bench = Bench::new("B2").await;
    bench.labelled("B1", 0, true, &parties(0, 400)).await;
    let mut open = parties(400, 300);
    open.iter_mut().for_each(|party| party.observed = false);
    bench.labelled("B2", 200, false, &open).await;
    let (model, rows) = bench.train("k").await.unwrap();
    assert_eq!(model.metadata["batches"], json!(["B1"]));
    assert_eq!(model.metadata["left_out"][0]["batch"], "B2");
    let reason = model.metadata["left_out"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("data_cut"), "{reason}");
    let document = bench.document(&model).await;
    assert_eq!(document["learned"]["split"]["kind"], "stratified");
    assert_eq!(document["status"], "trained");
    assert_eq!(rows.rows, 400);
}

#[tokio::test]
async fn where_no_batch_has_matured_the_scorecards_labels_train() {
    let mut bench = Bench::new("B1").await;
    let mut open = parties(0, 400);
    open.iter_mut().for_each(|party| party.observed = false);
    bench.labelled("B1", 0, false, &open).await;
    let (model, rows) = bench.train("k").await.unwrap();
    assert_eq!(model.metadata["status"], "bootstrap");
    assert_eq!(model.metadata.get("left_out"), None);
    assert_eq!(rows.rows, 400);
}

#[tokio::test]
async fn labels_and_features_of_other_parties_are_refused() {
    let mut bench = Bench::new("B1").await;
    bench.labels("B1", 0, true, &parties(0, 200)).await;
    bench.features("B1", &parties(1, 200)).await;
    let refused = bench.train("k").await.unwrap_err();
    assert_eq!(refused.reason(), "LABELS_AND_FEATURES_DIFFER");
}
