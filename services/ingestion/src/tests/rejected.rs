//! What was left out, page by page.

use kycc_proto::ingestion::v1::{ListRejectedRecordsRequest, ListRejectedRecordsResponse};
use kycc_rpc::ApiError;
use serde_json::json;

use super::harness::{Bench, Ingested, batch, push, transaction};
use crate::handlers::rejected::page;

/// Two broken transactions, one in the future, and one of nobody.
async fn ingested() -> Ingested {
    let mut document = batch();
    for (id, changes) in [
        ("T900", json!({"amount": "12.50"})),
        ("T901", json!({"ts": "2026-06-01T00:00:00Z"})),
        ("T902", json!({"amount": null})),
        ("T903", json!({"party_id": "P9"})),
    ] {
        push(&mut document, "transactions", transaction(id, changes));
    }
    let bench = Bench::new();
    bench.put("B1_profiles.json", document.to_string());
    let config = json!({"max_rejected_share": 1.0});
    bench.run(config).await.unwrap()
}

async fn asked(
    ingested: &Ingested,
    page_size: i32,
    page_token: &str,
) -> Result<ListRejectedRecordsResponse, ApiError> {
    let request = ListRejectedRecordsRequest {
        batch_id: "B1".to_owned(),
        page_size,
        page_token: page_token.to_owned(),
    };
    page(&ingested.lake, &ingested.id("rejected"), &request).await
}

#[tokio::test]
async fn each_record_is_told_with_place_field_code_reason_and_text() {
    let ingested = ingested().await;
    let all = asked(&ingested, 0, "").await.unwrap();
    assert_eq!((all.total_records, all.next_page_token.as_str()), (4, ""));
    let told: Vec<_> = all
        .records
        .iter()
        .map(|r| (r.row, r.field.as_str(), r.code.as_str()))
        .collect();
    let expected = [
        (25, "amount", "WRONG_TYPE"),
        (26, "ts", "FUTURE"),
        (27, "amount", "MISSING_FIELD"),
        (28, "party_id", "UNKNOWN_PARTY"),
    ];
    assert_eq!(told, expected);
    let first = &all.records[0];
    assert_eq!(first.table, "transactions");
    assert_eq!(first.file, "B1_profiles.json");
    assert!(first.reason.contains("expected a number"), "{first:?}");
    assert!(first.record.contains("T900"), "{first:?}");
}

#[tokio::test]
async fn pages_together_are_the_whole() {
    let ingested = ingested().await;
    let whole = asked(&ingested, 0, "").await.unwrap().records;
    for size in 1..=4 {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let page = asked(&ingested, size, &token).await.unwrap();
            assert!(page.records.len() <= size as usize);
            assert_eq!(page.total_records, 4);
            found.extend(page.records);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, whole, "pages of {size}");
    }
}

#[tokio::test]
async fn a_page_of_another_version_of_the_batch_is_refused() {
    let (before, after) = (ingested().await, ingested().await);
    let token = asked(&before, 1, "").await.unwrap().next_page_token;
    let error = asked(&after, 1, &token).await.unwrap_err();
    assert_eq!(error.reason(), "BATCH_CHANGED");
    let error = asked(&after, 1, &kycc_rpc::page_token("x"))
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("page_token: "), "{error}");
}

#[tokio::test]
async fn a_batch_without_faults_has_an_empty_list() {
    let ingested = Bench::new().document(&batch()).await.unwrap();
    let page = asked(&ingested, 0, "").await.unwrap();
    assert_eq!(page, ListRejectedRecordsResponse::default());
}
