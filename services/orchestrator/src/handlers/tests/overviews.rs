//! Lineage, run queue and lanes, as callers see them.

use kycc_proto::orchestrator::v1 as api;
use kycc_proto::orchestrator::v1::orchestrator_service_server::OrchestratorService;
use kycc_rpc::ClientError;
use tonic::Request;

use super::{B1, launch, request};
use crate::testing::{Act, PIPELINE, TestFleet, open_store};

async fn lineage(
    fleet: &TestFleet,
    asset: &str,
    direction: api::LineageDirection,
    depth: u32,
) -> Vec<api::LineageNode> {
    let request = api::GetLineageRequest {
        asset: asset.to_owned(),
        batch_id: "B1".to_owned(),
        direction: direction.into(),
        depth,
    };
    let answer = fleet.api.get_lineage(Request::new(request)).await;
    answer.unwrap().into_inner().nodes
}

fn names(nodes: &[api::LineageNode]) -> Vec<&str> {
    nodes.iter().map(|node| node.asset.as_str()).collect()
}

#[tokio::test]
async fn lineage_shows_what_an_asset_hangs_on_and_what_is_out_of_date() {
    use api::LineageDirection::{Downstream, Unspecified, Upstream};
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    let run_id = fleet.launch("all", "B1").await;
    fleet.ended(&run_id).await;
    let nodes = lineage(&fleet, "join", Unspecified, 0).await;
    assert_eq!(names(&nodes), ["ingest", "left", "right", "join", "learn"]);
    let stale = |nodes: &[api::LineageNode]| -> Vec<String> {
        let stale = nodes.iter().filter(|node| !node.stale_because.is_empty());
        stale.map(|node| node.asset.clone()).collect()
    };
    assert_eq!(stale(&nodes), ["learn"], "never made");
    let join = nodes[3].materialization.as_ref().unwrap();
    let read: Vec<_> = join
        .inputs
        .iter()
        .map(|input| input.dataset.as_str())
        .collect();
    assert_eq!(read, ["kyc_features", "transaction_features"]);
    assert_eq!(nodes[3].upstream, ["left", "right"]);
    let near = lineage(&fleet, "join", Upstream, 1).await;
    assert_eq!(names(&near), ["left", "right", "join"]);
    let users = lineage(&fleet, "left", Downstream, 1).await;
    assert_eq!(names(&users), ["left", "join"]);
    // Made anew with another config: what was made of the old one does not follow any more.
    let config = r#"{"ops": {"ingest": {"config": {"batch_id": "B1", "level": 2}}}}"#;
    let again = launch(&fleet, request("first", config, "")).await.unwrap();
    fleet.ended(&again.run_id).await;
    let nodes = lineage(&fleet, "join", Upstream, 0).await;
    assert_eq!(stale(&nodes), ["left", "right"]);
    assert_eq!(
        nodes[1].stale_because,
        ["parties was made anew by ingest since it was read"]
    );
    let unknown = api::GetLineageRequest {
        asset: "x' OR 1=1 --".to_owned(),
        batch_id: "B1".to_owned(),
        ..api::GetLineageRequest::default()
    };
    let error = fleet
        .api
        .get_lineage(Request::new(unknown))
        .await
        .unwrap_err();
    assert_eq!(ClientError::from(error).code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn the_run_queue_says_what_each_run_waits_for() {
    let limits = "run_queue: { max_concurrent_runs: 2, tag_concurrency_limits: [{ key: team, value: risk, limit: 1 }] }";
    let pipeline = PIPELINE.replace("run_queue: { max_concurrent_runs: 5 }", limits);
    let store = std::sync::Arc::new(open_store().await);
    let fleet = TestFleet::on(store, &pipeline).await;
    let tagged = |priority| api::LaunchRunRequest {
        tags: [("team".to_owned(), "risk".to_owned())].into(),
        priority,
        ..request("first", B1, "")
    };
    let running = launch(&fleet, tagged(0)).await.unwrap().run_id;
    let held = launch(&fleet, tagged(0)).await.unwrap().run_id;
    let second = launch(&fleet, request("first", B1, ""))
        .await
        .unwrap()
        .run_id;
    let last = launch(&fleet, request("first", B1, ""))
        .await
        .unwrap()
        .run_id;
    let urgent = api::LaunchRunRequest {
        priority: 5,
        ..request("first", B1, "")
    };
    let first = launch(&fleet, urgent).await.unwrap().run_id;
    let ids = |runs: &[api::QueuedRun]| -> Vec<String> {
        runs.iter().map(|run| run.run_id.clone()).collect()
    };
    for run in [&running, &second] {
        fleet.until(run, |run| run.state.status.holds_slot()).await;
    }
    let queue = fleet
        .api
        .get_run_queue(Request::new(api::GetRunQueueRequest {}))
        .await;
    let queue = queue.unwrap().into_inner();
    assert_eq!(queue.max_concurrent_runs, 2);
    assert_eq!(ids(&queue.running), [running, second]);
    assert_eq!(ids(&queue.queued), [first, held, last]);
    assert_eq!(queue.queued_total, 3);
    let slot = "a slot: run_queue.max_concurrent_runs is 2";
    assert!(queue.queued.iter().all(|run| run.waits_for == slot));
    assert_eq!(
        (queue.tag_limits[0].limit, queue.tag_limits[0].running),
        (1, 1)
    );
}

#[tokio::test]
async fn lanes_tell_what_lies_there_and_who_takes_it() {
    let fleet = TestFleet::start().await;
    let run_id = fleet.launch("first", "B1").await;
    let lanes = async || {
        let answer = fleet
            .api
            .list_lanes(Request::new(api::ListLanesRequest {}))
            .await;
        answer.unwrap().into_inner().lanes
    };
    fleet
        .until(&run_id, |run| run.state.tasks().next().is_some())
        .await;
    // Written, and about to be pushed.
    let pushed = async {
        loop {
            let lanes = lanes().await;
            if lanes[0].waiting == 1 {
                return lanes;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(std::time::Duration::from_secs(30), pushed).await;
    let found = found.expect("the task is pushed");
    let names: Vec<_> = found.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!((found[1].waiting, found[1].oldest_age_ms), (0, 0));
    let _workers = fleet.work(|_| Act::Succeed);
    fleet.ended(&run_id).await;
    let ended = lanes().await;
    assert_eq!((ended[0].waiting, ended[0].pending), (0, 0));
    assert!(!ended[0].workers.is_empty());
}

#[tokio::test]
async fn what_is_kept_with_every_run_is_bounded() {
    let fleet = TestFleet::start().await;
    let long_id = request("first", B1, &"x".repeat(129));
    let many = api::LaunchRunRequest {
        tags: (0..65).map(|n| (format!("k{n}"), String::new())).collect(),
        ..request("first", B1, "")
    };
    let long_value = api::LaunchRunRequest {
        tags: [("k".to_owned(), "v".repeat(1_001))].into(),
        ..request("first", B1, "")
    };
    for (refused, field) in [
        (long_id, "request_id"),
        (many, "tags"),
        (long_value, "tags.k"),
    ] {
        let error = launch(&fleet, refused).await.unwrap_err();
        assert_eq!(error.violations()[0].field, field);
    }
    let most = request("first", B1, &"x".repeat(128));
    launch(&fleet, most).await.unwrap();
}
