//! Features of a fleet: current at once, by batch and by time.

use kycc_proto::features::v1::{
    CompareFeaturesRequest, GetFeaturesRequest, ListFeatureHistoryRequest, ListFeaturesRequest,
};

use crate::place::{Place, refused};

#[tokio::test]
async fn features_are_read_by_batch_by_time_and_side_by_side() {
    let mut place = Place::new().await;
    let mut features = place.features();
    let nothing = GetFeaturesRequest {
        party_ids: vec!["P".to_owned()],
        ..GetFeaturesRequest::default()
    };
    assert_eq!(
        refused(features.get_features(nothing).await).reason(),
        "NO_FEATURES"
    );
    place.score("B1", 40, 1, "2026-01-31T00:00:00Z").await;
    place.score("B2", 30, 2, "2026-02-28T00:00:00Z").await;
    let page = features
        .list_features(ListFeaturesRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((page.total_size, page.vectors.len()), (30, 30));
    let party = page.vectors[4].party_id.clone();

    let request = GetFeaturesRequest {
        party_ids: vec![party.clone(), "no'; --body".to_owned()],
        ..GetFeaturesRequest::default()
    };
    let newest = features
        .get_features(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(newest.vectors, [page.vectors[4].clone()]);
    assert_eq!(newest.missing_party_ids, ["no'; --body"]);
    let in_february = GetFeaturesRequest {
        as_of_time: Some(kycc_rpc::timestamp(1_770_000_000_000_000)),
        ..request
    };
    let then = features
        .get_features(in_february)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(then.vectors[0].batch_id, "B1");

    let request = ListFeatureHistoryRequest {
        party_id: party.clone(),
        ..ListFeatureHistoryRequest::default()
    };
    let history = features
        .list_feature_history(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        history.vectors,
        [newest.vectors[0].clone(), then.vectors[0].clone()]
    );
    let request = CompareFeaturesRequest {
        party_id: party,
        ..CompareFeaturesRequest::default()
    };
    let beside = features
        .compare_features(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (beside.batch_id.as_str(), beside.base_batch_id.as_str()),
        ("B2", "B1")
    );
    for (difference, (new, old)) in beside
        .differences
        .iter()
        .zip(newest.vectors[0].values.iter().zip(&then.vectors[0].values))
    {
        assert_eq!(
            (difference.value, difference.base_value),
            (new.value, old.value)
        );
        assert_eq!(difference.difference, new.value - old.value);
    }
    place.stop().await;
}
