//! The order of work: future first, then references, then duplicates.

use serde_json::json;

use super::harness::{Bench, batch, push, transaction};

#[tokio::test]
async fn a_batch_becomes_sorted_tables_with_ordinals() {
    let bench = Bench::new();
    let ingested = bench.document(&batch()).await.unwrap();
    assert_eq!(
        ingested
            .rows(
                "parties",
                &[
                    "party_ord",
                    "party_id",
                    "kyc_verified",
                    "phone",
                    "created_at"
                ]
            )
            .await,
        [
            "0|P1|true|-|2011-03-04T05:06:07.891011Z",
            "1|P2|false|-|2012-03-04T05:06:07.891011Z",
            "2|P3|true|-|2013-03-04T05:06:07.891011Z",
            "3|P4|false|-|2014-03-04T05:06:07.891011Z",
        ]
    );
    let transactions = ingested
        .rows(
            "transactions",
            &[
                "party_ord",
                "ts",
                "txn_id",
                "counterparty_ord",
                "amount",
                "days_past_due",
            ],
        )
        .await;
    assert_eq!(transactions.len(), 24);
    assert_eq!(transactions[0], "0|2025-01-11T12:00:00Z|T000|-|-20.0000|0");
    assert_eq!(transactions[1], "0|2025-01-11T12:00:00Z|T012|-|127.0000|-");
    assert_eq!(
        ingested
            .rows(
                "relationships",
                &["from_ord", "to_ord", "relationship_type", "relationship_id"]
            )
            .await,
        ["0|1|sells_to|R2", "0|1|supplies_to|R1", "2|0|supplies_to|-"]
    );
    assert_eq!(
        ingested
            .rows("accounts", &["party_ord", "account_id", "balance"])
            .await[3],
        "3|A4|4.0000"
    );
    assert!(ingested.rows("rejected", &["code"]).await.is_empty());
    assert!(ingested.rows("outcomes", &["kind"]).await.is_empty());
    let document = ingested.lake.document(&ingested.id("batch")).await.unwrap();
    assert_eq!(
        document,
        json!({"batch_id": "B1", "as_of": 1_767_139_200_000_000_i64})
    );
    let metadata = &ingested.output.metadata;
    assert_eq!(metadata["as_of"], "2025-12-31T00:00:00+00:00");
    assert_eq!(metadata["currency"], "EUR");
    assert_eq!(metadata["unknown_party_types"], 1);
    assert_eq!(metadata["records_accepted"], 35);
}

#[tokio::test]
async fn the_same_batch_has_the_same_digests_on_any_number_of_threads() {
    let mut bench = Bench::new();
    let first = bench.document(&batch()).await.unwrap().digests();
    bench.threads = 1;
    assert_eq!(bench.document(&batch()).await.unwrap().digests(), first);
    bench.threads = 5;
    assert_eq!(bench.document(&batch()).await.unwrap().digests(), first);
}

#[tokio::test]
async fn the_order_of_the_input_does_not_matter() {
    let bench = Bench::new();
    let ordered = bench.document(&batch()).await.unwrap().digests();
    let mut turned = batch();
    for table in ["parties", "accounts", "transactions", "relationships"] {
        turned[table].as_array_mut().unwrap().reverse();
    }
    assert_eq!(bench.document(&turned).await.unwrap().digests(), ordered);
}

#[tokio::test]
async fn a_record_after_the_as_of_changes_nothing() {
    let bench = Bench::new();
    let before = bench.document(&batch()).await.unwrap();
    let mut later = batch();
    let new_year = "2025-12-31T00:00:00.000001Z";
    // Each of them would replace an earlier record of its id if it were not set aside first.
    push(
        &mut later,
        "transactions",
        transaction("T001", json!({"ts": new_year, "currency": "USD"})),
    );
    push(
        &mut later,
        "transactions",
        transaction("T002", json!({"ts": new_year, "party_id": "P9"})),
    );
    let mut party = later["parties"][0].clone();
    party["created_at"] = json!(new_year);
    push(&mut later, "parties", party);
    let mut edge = later["relationships"][0].clone();
    edge["established_date"] = json!(new_year);
    push(&mut later, "relationships", edge);
    let after = bench.document(&later).await.unwrap();
    assert_eq!(after.data_digests(), before.data_digests());
    assert_eq!(after.counts("transactions"), (26, 24, 0, 0, 2));
    assert_eq!(after.counts("parties"), (5, 4, 0, 0, 1));
    assert_eq!(after.counts("relationships"), (4, 3, 0, 0, 1));
    assert_eq!(
        after
            .rows(
                "rejected",
                &["table_name", "row", "field", "code", "reason"]
            )
            .await,
        [
            "parties|5|created_at|FUTURE|later than the as-of time 2025-12-31T00:00:00+00:00",
            "relationships|4|established_date|FUTURE|later than the as-of time 2025-12-31T00:00:00+00:00",
            "transactions|25|ts|FUTURE|later than the as-of time 2025-12-31T00:00:00+00:00",
            "transactions|26|ts|FUTURE|later than the as-of time 2025-12-31T00:00:00+00:00",
        ]
    );
}

#[tokio::test]
async fn of_two_records_with_one_id_the_last_wins() {
    let bench = Bench::new();
    let mut twice = batch();
    push(
        &mut twice,
        "transactions",
        transaction("T003", json!({"amount": 1, "party_id": "P4"})),
    );
    push(
        &mut twice,
        "transactions",
        transaction("T003", json!({"amount": 2, "party_id": "P2"})),
    );
    let mut party = twice["parties"][3].clone();
    party["name"] = json!("Renamed");
    push(&mut twice, "parties", party);
    push(
        &mut twice,
        "accounts",
        json!({"account_id": "A1", "party_id": "P4"}),
    );
    push(
        &mut twice,
        "relationships",
        json!({"relationship_id": "R9", "from_party_id": "P1", "to_party_id": "P2",
        "relationship_type": "sells_to"}),
    );
    let ingested = bench.document(&twice).await.unwrap();
    assert_eq!(ingested.counts("transactions"), (26, 24, 0, 2, 0));
    assert_eq!(ingested.counts("parties"), (5, 4, 0, 1, 0));
    assert_eq!(ingested.counts("accounts"), (5, 4, 0, 1, 0));
    assert_eq!(ingested.counts("relationships"), (4, 3, 0, 1, 0));
    let transactions = ingested
        .rows("transactions", &["txn_id", "party_ord", "amount"])
        .await;
    assert_eq!(
        transactions
            .iter()
            .filter(|row| row.starts_with("T003"))
            .collect::<Vec<_>>(),
        ["T003|1|2.0000"]
    );
    assert_eq!(ingested.rows("parties", &["name"]).await[3], "Renamed");
    assert_eq!(
        ingested
            .rows("accounts", &["party_ord", "account_id"])
            .await,
        ["1|A2", "2|A3", "3|A1", "3|A4"]
    );
    let edges = ingested.rows("relationships", &["relationship_id"]).await;
    assert_eq!(edges, ["R9", "R1", "-"]);
}

#[tokio::test]
async fn references_to_parties_that_are_not_there_reject_the_record() {
    let bench = Bench::new();
    let mut broken = batch();
    push(
        &mut broken,
        "transactions",
        transaction("X1", json!({"party_id": "P9"})),
    );
    // Rejected before duplicates are dropped: the earlier record of the id stands.
    push(
        &mut broken,
        "transactions",
        transaction("T001", json!({"counterparty_id": "P8"})),
    );
    push(
        &mut broken,
        "accounts",
        json!({"account_id": "A1", "party_id": "P9"}),
    );
    for (from, to) in [("P9", "P1"), ("P1", "P9"), ("P2", "P2")] {
        push(
            &mut broken,
            "relationships",
            json!({"from_party_id": from, "to_party_id": to, "relationship_type": "sells_to"}),
        );
    }
    bench.put("B1_profiles.json", broken.to_string());
    let ingested = bench.run(json!({"max_rejected_share": 0.5})).await.unwrap();
    assert_eq!(
        ingested.data_digests(),
        bench.document(&batch()).await.unwrap().data_digests()
    );
    assert_eq!(
        ingested
            .rows(
                "rejected",
                &["table_name", "file", "row", "field", "code", "reason"]
            )
            .await,
        [
            "accounts|B1_profiles.json|5|party_id|UNKNOWN_PARTY|the batch has no party \"P9\"",
            "relationships|B1_profiles.json|4|from_party_id|UNKNOWN_PARTY|the batch has no party \"P9\"",
            "relationships|B1_profiles.json|5|to_party_id|UNKNOWN_PARTY|the batch has no party \"P9\"",
            "relationships|B1_profiles.json|6|to_party_id|SELF_LOOP|leads from \"P2\" to itself",
            "transactions|B1_profiles.json|25|party_id|UNKNOWN_PARTY|the batch has no party \"P9\"",
            "transactions|B1_profiles.json|26|counterparty_id|UNKNOWN_PARTY|the batch has no party \"P8\"",
        ]
    );
}

#[tokio::test]
async fn several_currencies_are_an_error_unless_they_are_to_be_ignored() {
    let bench = Bench::new();
    let mut mixed = batch();
    push(
        &mut mixed,
        "transactions",
        transaction("X1", json!({"currency": "USD"})),
    );
    let error = bench.refused(mixed.to_string(), json!({})).await;
    assert_eq!(error.reason(), "SEVERAL_CURRENCIES");
    assert!(error.message().contains("(EUR, USD)") && error.message().contains("currency_policy"));
    let ingested = bench
        .run(json!({"currency_policy": "ignore"}))
        .await
        .unwrap();
    assert_eq!(ingested.output.metadata["currency"], "EUR, USD");
}

#[tokio::test]
async fn the_as_of_is_given_or_said_by_the_batch_and_never_guessed() {
    let bench = Bench::new();
    let mut silent = batch();
    silent.as_object_mut().unwrap().remove("generated_at");
    let error = bench.refused(silent.to_string(), json!({})).await;
    assert_eq!(error.reason(), "AS_OF_MISSING");
    let given = bench.run(json!({"as_of": "2025-12-31"})).await.unwrap();
    assert_eq!(
        given.digests(),
        bench.document(&batch()).await.unwrap().digests()
    );
    let earlier = bench.run(json!({"as_of": "2025-06-30"})).await.unwrap();
    assert_eq!(earlier.counts("transactions").4, 12);
    let error = bench
        .refused(batch().to_string(), json!({"as_of": "soon"}))
        .await;
    assert_eq!(error.reason(), "AS_OF_INVALID");
}

#[tokio::test]
async fn fields_that_no_table_has_are_left_out_and_counted() {
    let bench = Bench::new();
    let mut more = batch();
    for party in more["parties"].as_array_mut().unwrap() {
        party["profile"] = json!({"tier": "excellent"});
    }
    more["accounts"][0]["branch"] = json!(7);
    more["seeds"] = json!([1, 2, {"x": []}]);
    let ingested = bench.document(&more).await.unwrap();
    assert_eq!(
        ingested.digests(),
        bench.document(&batch()).await.unwrap().digests()
    );
    let metadata = &ingested.output.metadata;
    assert_eq!(
        metadata["parties"]["unknown_fields_by_name"],
        json!({"profile": 4})
    );
    assert_eq!(metadata["unknown_fields"], 5);
}
