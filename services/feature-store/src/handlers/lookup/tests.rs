//! The calls, with a stand-in for the orchestrator's word on what is current.

use super::*;
use crate::handlers::extract::ExtractFeatures;
use crate::handlers::extract::tests::batch;

/// One version, whatever the batch; or none.
struct Says(Option<VersionId>);

#[async_trait]
impl CurrentFeatures for Says {
    async fn current(&self, _: &BatchId) -> Result<Option<VersionId>, ApiError> {
        Ok(self.0.clone())
    }
}

async fn lookup(ids: &[&str], change: Option<(&str, usize, f64)>) -> FeatureLookup<Says> {
    let batch = batch(ids, change).await;
    let made = batch.run(&ExtractFeatures, "k", 1).await.unwrap();
    let tables = PartyTables::new(batch.lake.clone(), 1);
    FeatureLookup::new(batch.lake.clone(), tables, Says(Some(made[0].version())))
}

fn request(batch: &str, ids: &[&str]) -> GetFeaturesRequest {
    GetFeaturesRequest {
        batch_id: batch.to_owned(),
        party_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
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
    let lookup = FeatureLookup::new(
        batch.lake.clone(),
        PartyTables::new(batch.lake.clone(), 1),
        Says(None),
    );
    let error = lookup.features(&request("B", &["A"])).await.unwrap_err();
    assert_eq!(error.reason(), "NO_FEATURES");
    assert!(error.to_string().contains("feature_job"), "{error}");
}

#[tokio::test]
async fn features_that_the_lake_has_lost_are_told_by_their_place_there() {
    let batch = batch(&["A"], None).await;
    let gone = FEATURE_VECTORS.version(BatchId::new("B").unwrap(), "gone");
    let lookup = FeatureLookup::new(
        batch.lake.clone(),
        PartyTables::new(batch.lake.clone(), 1),
        Says(Some(gone)),
    );
    let error = lookup.features(&request("B", &["A"])).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(error.reason(), "VERSION_NOT_FOUND");
    assert!(error.to_string().contains("\"features/B/gone\""), "{error}");
}
