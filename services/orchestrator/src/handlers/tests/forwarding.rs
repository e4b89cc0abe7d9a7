//! Calls that reach a process which does not lead, over the wire.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kycc_proto::orchestrator::v1 as api;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::orchestrator_service_server::OrchestratorServiceServer;
use kycc_rpc::{
    Bound, ChannelOptions, ClientError, Principal, RunningServer, ServerOptions, Services,
};
use tonic::transport::Channel;
use tonic::{Code, Request};

use super::{B1, request};
use crate::testing::{Act, Leases, PIPELINE, TestFleet, open_store};

const LEASES: Leases = Leases {
    worker: Duration::from_secs(30),
    leader: Some(Duration::from_millis(700)),
};

struct Pair {
    leader: TestFleet,
    follower: TestFleet,
    leading: RunningServer,
    /// Of the follower.
    client: OrchestratorServiceClient<Channel>,
    _following: RunningServer,
}

async fn bind() -> (Bound, String) {
    let bound = kycc_rpc::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = bound.addr().to_string();
    (bound, address)
}

async fn serve(bound: Bound, fleet: &TestFleet, principal: &str) -> RunningServer {
    let mut services = Services::default();
    services.add(OrchestratorServiceServer::new(fleet.api.clone()));
    let options = ServerOptions {
        local_principal: Principal::new(principal),
        ..ServerOptions::default()
    };
    bound.serve(services, options).await.unwrap()
}

async fn pair() -> Pair {
    let store = Arc::new(open_store().await);
    let ((bound_a, a), (bound_b, b)) = (bind().await, bind().await);
    let leader = TestFleet::at(Arc::clone(&store) as _, PIPELINE, LEASES, &a).await;
    leader.leads().await;
    let follower = leader.join(store, &b).await;
    let leading = serve(bound_a, &leader, "of the leader").await;
    let _following = serve(bound_b, &follower, "of the follower").await;
    let channel = kycc_rpc::connect_lazy(&b, &ChannelOptions::default()).unwrap();
    Pair {
        leader,
        follower,
        leading,
        client: OrchestratorServiceClient::new(channel),
        _following,
    }
}

#[tokio::test]
async fn a_follower_passes_on_what_moves_runs_and_shows_the_leaders_answers() {
    let mut fleet = pair().await;
    let client = &mut fleet.client;
    let launched = client.launch_run(request("first", B1, "q1")).await.unwrap();
    let run = launched.into_inner().run.unwrap();
    // The leader asked for itself who calls.
    assert_eq!(run.principal, "of the leader");
    let again = client.launch_run(request("first", B1, "q1")).await.unwrap();
    assert_eq!(again.into_inner().run.unwrap().run_id, run.run_id);
    let wrong = client
        .launch_run(request("frist", B1, ""))
        .await
        .unwrap_err();
    assert_eq!(
        ClientError::from(wrong).message(),
        "there is no job \"frist\""
    );

    let watch = api::WatchRunRequest {
        run_id: run.run_id.clone(),
        after_sequence: 0,
    };
    let watched = client.watch_run(watch).await.unwrap().into_inner();
    let cancel = api::CancelRunRequest {
        run_id: run.run_id.clone(),
        ..Default::default()
    };
    let workers = fleet.leader.work(|_| Act::Hang);
    client.cancel_run(cancel).await.unwrap();
    let answers: Vec<_> = watched.map(Result::unwrap).collect().await;
    let last = answers.last().unwrap().run.as_ref().unwrap();
    assert_eq!(last.status(), api::RunStatus::Canceled);
    drop(workers);

    let retry = api::RetryRunRequest {
        run_id: run.run_id.clone(),
        strategy: api::RetryStrategy::FromFailure.into(),
        request_id: String::new(),
    };
    let _workers = fleet.leader.work(|_| Act::Succeed);
    let retried = client
        .retry_run(retry)
        .await
        .unwrap()
        .into_inner()
        .run
        .unwrap();
    fleet.follower.ended(&retried.run_id).await;
    let reload = client.reload_definitions(api::ReloadDefinitionsRequest::default());
    assert!(!reload.await.unwrap().into_inner().changed);
}

#[tokio::test]
async fn a_call_is_passed_on_once_at_most() {
    let mut fleet = pair().await;
    let mut passed_on = Request::new(request("first", B1, ""));
    let flag = tonic::metadata::MetadataValue::from_static("1");
    passed_on.metadata_mut().insert("kycc-forwarded", flag);
    let error = ClientError::from(fleet.client.launch_run(passed_on).await.unwrap_err());
    assert_eq!(
        (error.code(), error.reason()),
        (Code::Unavailable, "NO_LEADER")
    );
    assert!(error.retry_after().is_some());
}

#[tokio::test]
async fn a_call_during_a_change_of_leaders_makes_one_run() {
    let mut fleet = pair().await;
    let client = &mut fleet.client;
    let launched = client.launch_run(request("first", B1, "q1")).await.unwrap();
    let run_id = launched.into_inner().run.unwrap().run_id;
    fleet.leader.kill().await;
    fleet.leading.stop(Duration::ZERO).await;
    let error = client
        .launch_run(request("first", B1, "q1"))
        .await
        .unwrap_err();
    let error = ClientError::from(error);
    assert_eq!(
        (error.code(), error.reason()),
        (Code::Unavailable, "LEADER_UNREACHABLE")
    );
    assert!(error.retry_after().is_some());
    fleet.follower.leads().await;
    let again = client.launch_run(request("first", B1, "q1")).await.unwrap();
    assert_eq!(again.into_inner().run.unwrap().run_id, run_id);
    let all = crate::store::RunFilter::default();
    assert_eq!(
        fleet
            .follower
            .store
            .runs(&all, None, 9)
            .await
            .unwrap()
            .len(),
        1
    );
}
