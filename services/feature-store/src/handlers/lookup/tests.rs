//! The calls, with a stand-in for the orchestrator's word on what is current.

use super::*;
use crate::handlers::extract::ExtractFeatures;
use crate::handlers::extract::tests::{batch, batch_of};
use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_lake::datasets::FEATURE_VECTORS;
use kycc_lake::{PartyTables, VersionId};
use kycc_testkit::TestBatch;
use prost_types::Timestamp;
use tonic::Code;

/// These are current; of one batch there is one.
struct Says(Vec<VersionId>);

#[async_trait]
impl CurrentFeatures for Says {
    async fn current(&self, batch: Option<&BatchId>) -> Result<Option<VersionId>, ApiError> {
        let mut all = self.0.iter().rev();
        let found = all.find(|version| batch.is_none_or(|batch| version.batch == *batch));
        Ok(found.cloned())
    }

    async fn every(&self) -> Result<Vec<VersionId>, ApiError> {
        Ok(self.0.clone())
    }
}

fn on(batch: &TestBatch, current: Vec<VersionId>) -> FeatureLookup<Says> {
    let tables = PartyTables::new(batch.lake.clone(), 1);
    FeatureLookup::new(Held::new(batch.lake.clone(), tables, Says(current)))
}

async fn lookup(ids: &[&str], change: Option<(&str, usize, f64)>) -> FeatureLookup<Says> {
    let batch = batch(ids, change).await;
    let made = batch.run(&ExtractFeatures, "k", 1).await.unwrap();
    on(&batch, vec![made[0].version()])
}

fn request(batch: &str, ids: &[&str]) -> GetFeaturesRequest {
    GetFeaturesRequest {
        batch_id: batch.to_owned(),
        party_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        as_of_time: None,
    }
}

#[tokio::test]
async fn vectors_come_in_the_order_asked_for_and_missing_parties_are_named() {
    let lookup = lookup(&["A", "B", "C"], Some(("network_size", 1, 9.0))).await;
    let answer = lookup
        .features(&request("B", &["C", "X", "B"]))
        .await
        .unwrap();
    let ids: Vec<_> = answer.vectors.iter().map(|v| v.party_id.as_str()).collect();
    assert_eq!(ids, ["C", "B"]);
    assert_eq!(answer.missing_party_ids, ["X"]);
    assert_eq!(answer.vectors[0].as_of_time.unwrap().seconds, 1_772_366_400);
    let size = answer.vectors[1]
        .values
        .iter()
        .find(|v| v.name == "network_size")
        .unwrap();
    assert_eq!((size.value, size.confidence), (9.0, 0.9));
}

#[tokio::test]
async fn confidence_follows_the_partys_own_transactions() {
    let lookup = lookup(&["A", "B"], Some(("transaction_count_6m", 1, 4.0))).await;
    let answer = lookup.features(&request("B", &["A", "B"])).await.unwrap();
    let of = |row: usize, name: &str| {
        let values = &answer.vectors[row].values;
        values.iter().find(|v| v.name == name).unwrap().confidence
    };
    assert_eq!(
        (of(0, "transaction_count_6m"), of(1, "transaction_count_6m")),
        (0.3, 1.0)
    );
    // The rows say eight months are present.
    assert_eq!(
        (
            of(0, "transaction_regularity_score"),
            of(1, "transaction_regularity_score")
        ),
        (0.3, 0.8)
    );
    assert_eq!(of(0, "recent_activity_flag"), 1.0);
}

#[tokio::test]
async fn requests_without_parties_or_with_too_many_are_refused() {
    let lookup = lookup(&["A"], None).await;
    for ids in [vec![], vec!["A"; 1_001]] {
        let error = lookup.features(&request("B", &ids)).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
    assert_eq!(
        lookup
            .features(&request("B", &["A"; 1_000]))
            .await
            .unwrap()
            .vectors
            .len(),
        1_000
    );
    let error = lookup
        .features(&request("no/batch", &["A"]))
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("batch_id: "), "{error}");
}

#[tokio::test]
async fn a_batch_without_features_says_what_to_run() {
    let batch = batch(&["A"], None).await;
    let lookup = on(&batch, Vec::new());
    let error = lookup.features(&request("B", &["A"])).await.unwrap_err();
    assert_eq!(error.reason(), "NO_FEATURES");
    assert!(error.to_string().contains("feature_job"), "{error}");
}

#[tokio::test]
async fn features_that_the_lake_has_lost_are_told_by_their_place_there() {
    let batch = batch(&["A"], None).await;
    let gone = FEATURE_VECTORS.version(BatchId::new("B").unwrap(), "gone");
    let lookup = on(&batch, vec![gone]);
    let error = lookup.features(&request("B", &["A"])).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(error.reason(), "VERSION_NOT_FOUND");
    assert!(error.to_string().contains("\"features/B/gone\""), "{error}");
}

/// Batches B (March) and C (April) in one lake; C has no party A, and lets B's network grow.
async fn two_batches() -> FeatureLookup<Says> {
    let first = batch(&["A", "B"], Some(("network_size", 1, 4.0))).await;
    let april = "2026-04-01T00:00:00+00:00";
    let change = Some(("network_size", 0, 9.0));
    let second = batch_of("C", april, first.lake.clone(), &["B", "C d'; --"], change).await;
    let mut current = Vec::new();
    for batch in [&first, &second] {
        let made = batch.run(&ExtractFeatures, "k", 1).await.unwrap();
        current.push(made[0].version());
    }
    on(&first, current)
}

fn at(text: &str) -> Option<Timestamp> {
    let time = chrono::DateTime::parse_from_rfc3339(text).unwrap();
    Some(kycc_rpc::timestamp(time.timestamp_micros()))
}

#[tokio::test]
async fn as_of_an_instant_each_party_has_the_newest_vector_that_is_not_later() {
    let lookup = two_batches().await;
    let ask = async |instant: &str| {
        let asked = GetFeaturesRequest {
            as_of_time: at(instant),
            ..request("", &["B", "A", "C d'; --"])
        };
        let answer = lookup.features(&asked).await.unwrap();
        let found = answer.vectors.into_iter();
        let found: Vec<_> = found.map(|one| (one.party_id, one.batch_id)).collect();
        (found, answer.missing_party_ids)
    };
    let own = |party: &str, batch: &str| (party.to_owned(), batch.to_owned());
    let (found, missing) = ask("2026-04-01T00:00:00Z").await;
    assert_eq!(found, [own("B", "C"), own("A", "B"), own("C d'; --", "C")]);
    assert!(missing.is_empty());
    let (found, missing) = ask("2026-03-31T23:59:59.999999Z").await;
    assert_eq!(found, [own("B", "B"), own("A", "B")]);
    assert_eq!(missing, ["C d'; --"]);
    assert_eq!(ask("2026-01-01T00:00:00Z").await.1.len(), 3);

    let both = GetFeaturesRequest {
        as_of_time: at("2026-04-01T00:00:00Z"),
        ..request("B", &["A"])
    };
    let error = lookup.features(&both).await.unwrap_err().to_string();
    assert!(error.starts_with("batch_id: "), "{error}");
    let never = GetFeaturesRequest {
        as_of_time: Some(Timestamp {
            seconds: i64::MAX,
            nanos: -1,
        }),
        ..request("", &["A"])
    };
    let error = lookup.features(&never).await.unwrap_err().to_string();
    assert!(error.starts_with("as_of_time: "), "{error}");
}

#[tokio::test]
async fn the_history_of_a_party_comes_newest_first_in_pages() {
    let lookup = two_batches().await;
    let ask = async |party: &str, page_token: String| {
        let asked = ListFeatureHistoryRequest {
            party_id: party.to_owned(),
            page_size: 1,
            page_token,
        };
        lookup.history(&asked).await.unwrap()
    };
    let first = ask("B", String::new()).await;
    assert_eq!(first.vectors[0].batch_id, "C");
    let second = ask("B", first.next_page_token).await;
    assert_eq!(second.vectors[0].batch_id, "B");
    assert_eq!(second.next_page_token, "");
    assert_eq!(ask("nobody", String::new()).await.vectors, []);
}

#[tokio::test]
async fn a_party_is_compared_with_itself_in_the_batch_before() {
    let lookup = two_batches().await;
    let asked = CompareFeaturesRequest {
        party_id: "B".to_owned(),
        ..CompareFeaturesRequest::default()
    };
    let answer = lookup.compare(&asked).await.unwrap();
    assert_eq!(
        (answer.batch_id.as_str(), answer.base_batch_id.as_str()),
        ("C", "B")
    );
    let changed: Vec<_> = answer
        .differences
        .iter()
        .filter(|one| one.difference != 0.0)
        .collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    let size = changed[0];
    assert_eq!(
        (size.name.as_str(), size.base_value, size.value),
        ("network_size", 4.0, 9.0)
    );
    assert_eq!((size.difference, size.improvement), (5.0, 1));
    assert!(!size.unit.is_empty());

    let absent = CompareFeaturesRequest {
        party_id: "A".to_owned(),
        ..asked.clone()
    };
    let error = lookup.compare(&absent).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let earliest = CompareFeaturesRequest {
        batch_id: "B".to_owned(),
        ..asked
    };
    let error = lookup.compare(&earliest).await.unwrap_err();
    assert_eq!(error.reason(), "NO_EARLIER_BATCH");
}

#[tokio::test]
async fn a_batch_is_listed_in_pages_and_altered_tokens_are_refused() {
    let lookup = two_batches().await;
    let ask = async |page_token: &str| {
        let asked = ListFeaturesRequest {
            batch_id: String::new(),
            page_size: 1,
            page_token: page_token.to_owned(),
        };
        lookup.page(&asked).await
    };
    let first = ask("").await.unwrap();
    assert_eq!(
        (first.vectors[0].party_id.as_str(), first.total_size),
        ("B", 2)
    );
    let second = ask(&first.next_page_token).await.unwrap();
    assert_eq!(second.vectors[0].party_id, "C d'; --");
    assert_eq!(second.next_page_token, "");
    let error = ask(&first.next_page_token[1..])
        .await
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("page_token: "), "{error}");
}
