//! The feed as callers see it.

use futures::StreamExt as _;
use kycc_proto::orchestrator::v1 as api;
use kycc_proto::orchestrator::v1::orchestrator_service_server::OrchestratorService;
use kycc_rpc::ClientError;
use tonic::{Code, Request};

use crate::testing::{Act, TestFleet, open_store};

type Feed = <crate::handlers::Api as OrchestratorService>::WatchMaterializationsStream;

async fn watch(fleet: &TestFleet, asset: &str, after_position: u64) -> Feed {
    let request = api::WatchMaterializationsRequest {
        asset: asset.to_owned(),
        after_position,
        omit_metadata: true,
    };
    let answer = fleet
        .api
        .watch_materializations(Request::new(request))
        .await;
    answer.unwrap().into_inner()
}

async fn next(feed: &mut Feed) -> api::WatchMaterializationsResponse {
    feed.next().await.unwrap().unwrap()
}

/// The next publication: its position and batch.
async fn published(feed: &mut Feed) -> (u64, String) {
    loop {
        let said = next(feed).await;
        if let Some(made) = said.materialization {
            return (said.position, made.batch_id);
        }
    }
}

#[tokio::test]
async fn a_feed_says_how_far_it_is_tells_what_is_made_and_resumes() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    let mut feed = watch(&fleet, "join", 0).await;
    let first = next(&mut feed).await;
    assert_eq!(
        (first.up_to_date, first.position, first.materialization),
        (true, 0, None)
    );

    let run = fleet.launch("all", "B1").await;
    let (position, batch) = published(&mut feed).await;
    assert_eq!(batch, "B1");
    fleet.ended(&run).await;
    let run = fleet.launch("all", "B2").await;
    fleet.ended(&run).await;
    let mut resumed = watch(&fleet, "join", position).await;
    let said = next(&mut resumed).await;
    assert_eq!(said.materialization.unwrap().batch_id, "B2");
    let end = next(&mut resumed).await;
    assert!(end.up_to_date && end.position >= said.position);
    assert_eq!(published(&mut feed).await, (said.position, "B2".to_owned()));
}

#[tokio::test]
async fn before_a_run_is_told_to_have_ended_its_process_knows_what_it_published() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    for batch in ["B1", "B2", "B3"] {
        let run = fleet.launch("first", batch).await;
        fleet.ended(&run).await;
        let written = fleet.store.newest_position().await.unwrap();
        // While the write is still under way, nobody relies on a copy.
        let settled = fleet.published.settled();
        assert!(
            settled.is_none_or(|settled| settled == written),
            "{settled:?} {written}"
        );
    }
}

#[tokio::test]
async fn a_process_that_does_not_lead_finds_what_another_has_written() {
    let store = open_store().await;
    let fleet = TestFleet::on(std::sync::Arc::new(store), crate::testing::PIPELINE).await;
    let mut reader = TestFleet::start().await;
    reader.api.store = std::sync::Arc::clone(&fleet.store);
    let mut feed = watch(&reader, "ingest", 0).await;
    assert!(next(&mut feed).await.up_to_date);
    let _workers = fleet.work(|_| Act::Succeed);
    fleet.launch("first", "B1").await;
    assert_eq!(published(&mut feed).await.1, "B1");
}

#[tokio::test]
async fn a_feed_of_what_is_no_asset_is_refused() {
    let fleet = TestFleet::start().await;
    let request = api::WatchMaterializationsRequest {
        asset: "no asset; --".to_owned(),
        ..api::WatchMaterializationsRequest::default()
    };
    let refused = fleet
        .api
        .watch_materializations(Request::new(request))
        .await;
    let error = ClientError::from(refused.err().unwrap());
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.violations()[0].field, "asset");
}
