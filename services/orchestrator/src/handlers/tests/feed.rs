//! WatchEvents, as those see it who follow it.

use futures::StreamExt;
use kycc_proto::orchestrator::v1 as api;
use kycc_proto::orchestrator::v1::orchestrator_service_server::OrchestratorService;
use kycc_rpc::ClientError;
use tonic::Request;

use crate::testing::{Act, TestFleet};

async fn follow(
    fleet: &TestFleet,
    request: api::WatchEventsRequest,
) -> impl futures::Stream<Item = api::WatchEventsResponse> + Unpin + use<> {
    let answer = fleet.api.watch_events(Request::new(request)).await;
    answer.unwrap().into_inner().map(Result::unwrap)
}

fn everything() -> api::WatchEventsRequest {
    api::WatchEventsRequest {
        from_beginning: true,
        ..api::WatchEventsRequest::default()
    }
}

/// The events of a whole run that has ended, as (sequence, kind).
async fn run(fleet: &TestFleet, job: &str, batch: &str) -> Vec<(u64, String)> {
    let run_id = fleet.launch(job, batch).await;
    fleet.ended(&run_id).await;
    let events = fleet.events(&run_id).await.into_iter();
    events
        .map(|event| (event.sequence, event.kind.as_str().to_owned()))
        .collect()
}

fn told(answers: &[api::WatchEventsResponse]) -> Vec<(u64, String)> {
    let events = answers.iter().filter_map(|answer| answer.event.as_ref());
    events
        .map(|event| (event.sequence, event.kind.clone()))
        .collect()
}

#[tokio::test]
async fn a_stream_that_is_taken_up_again_misses_nothing_and_goes_on_live() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    let expected = run(&fleet, "all", "B1").await;
    let cut = 4;
    let stream = follow(&fleet, everything()).await;
    let first: Vec<_> = stream.take(cut).collect().await;
    let again = api::WatchEventsRequest {
        cursor: first[cut - 1].cursor.clone(),
        ..api::WatchEventsRequest::default()
    };
    let mut stream = follow(&fleet, again).await;
    let rest: Vec<_> = stream.by_ref().take(expected.len() - cut).collect().await;
    let both: Vec<_> = first.into_iter().chain(rest).collect();
    assert_eq!(told(&both), expected);
    assert!(
        both.iter()
            .all(|answer| answer.job == "all" && answer.batch_id == "B1")
    );
    let expected = run(&fleet, "first", "B2").await;
    let live: Vec<_> = stream.take(expected.len()).collect().await;
    assert_eq!(told(&live), expected);
}

#[tokio::test]
async fn a_filtered_stream_tells_what_is_asked_for_and_how_far_it_has_come() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    run(&fleet, "all", "B1").await;
    run(&fleet, "all", "B2").await;
    let made = api::WatchEventsRequest {
        kinds: vec!["ASSET_MATERIALIZATION".to_owned()],
        batch_id: "B2".to_owned(),
        asset: "join".to_owned(),
        ..everything()
    };
    let mut stream = follow(&fleet, made.clone()).await;
    let found = stream.next().await.unwrap();
    assert_eq!(found.event.unwrap().asset, "join");
    assert_eq!(found.batch_id, "B2");
    // What comes after is left out, and the caller need not look at it again.
    let passed = stream.next().await.unwrap();
    assert!(passed.event.is_none());
    let resumed = api::WatchEventsRequest {
        cursor: passed.cursor,
        ..made
    };
    let mut stream = follow(&fleet, resumed).await;
    let start = stream.next().await.unwrap();
    assert!(
        start.event.is_none(),
        "an answer at once, though there is no event"
    );
    run(&fleet, "all", "B3").await;
    let mut ahead = stream.next().await.unwrap();
    assert!(ahead.event.take().is_none());
    let refused = api::WatchEventsRequest {
        kinds: vec!["RUN_SUCCESS".to_owned(), "RUN_EXPLODED".to_owned()],
        ..everything()
    };
    let error = fleet
        .api
        .watch_events(Request::new(refused))
        .await
        .err()
        .unwrap();
    assert_eq!(ClientError::from(error).violations()[0].field, "kinds[1]");
}

#[tokio::test]
async fn from_now_on_leaves_the_past_alone() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    run(&fleet, "first", "B1").await;
    let mut stream = follow(&fleet, api::WatchEventsRequest::default()).await;
    let start = stream.next().await.unwrap();
    assert!(start.event.is_none() && !start.cursor.is_empty());
    let expected = run(&fleet, "first", "B2").await;
    let live: Vec<_> = stream.take(expected.len()).collect().await;
    assert_eq!(told(&live), expected);
}
