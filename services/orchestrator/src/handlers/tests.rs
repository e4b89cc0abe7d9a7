//! The service as callers see it.

mod feed;
mod forwarding;
mod overviews;

use futures::StreamExt;
use kycc_proto::orchestrator::v1 as api;
use kycc_proto::orchestrator::v1::orchestrator_service_server::OrchestratorService;
use kycc_rpc::ClientError;
use tonic::{Code, Request};

use crate::core::{RunStatus, StepStatus};
use crate::engine::EngineHandle;
use crate::testing::{Act, TestFleet};

fn request(job: &str, config: &str, request_id: &str) -> api::LaunchRunRequest {
    api::LaunchRunRequest {
        job: job.to_owned(),
        run_config_json: config.to_owned(),
        request_id: request_id.to_owned(),
        ..api::LaunchRunRequest::default()
    }
}

const B1: &str = r#"{"ops": {"ingest": {"config": {"batch_id": "B1"}}}}"#;

async fn launch(fleet: &TestFleet, of: api::LaunchRunRequest) -> Result<api::Run, ClientError> {
    let answer = fleet.api.launch_run(Request::new(of)).await?;
    Ok(answer.into_inner().run.unwrap())
}

async fn retry(
    fleet: &TestFleet,
    run_id: &str,
    strategy: api::RetryStrategy,
) -> Result<api::Run, ClientError> {
    let request = api::RetryRunRequest {
        run_id: run_id.to_owned(),
        strategy: strategy.into(),
        request_id: String::new(),
    };
    let answer = fleet.api.retry_run(Request::new(request)).await?;
    Ok(answer.into_inner().run.unwrap())
}

#[tokio::test]
async fn launching_twice_with_one_request_id_is_one_run() {
    let fleet = TestFleet::start().await;
    let first = launch(&fleet, request("first", B1, "q1")).await.unwrap();
    let again = launch(&fleet, request("first", B1, "q1")).await.unwrap();
    assert_eq!(first.run_id, again.run_id);
    assert_eq!(first.batch_id, "B1");
    let other = launch(&fleet, request("all", B1, "q1")).await.unwrap_err();
    assert_eq!(other.reason(), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn a_wrong_config_is_refused_with_the_path_of_the_key_and_writes_nothing() {
    let fleet = TestFleet::start().await;
    let config = r#"{"ops": {"ingest": {"config": {"batch_idd": "B1", "batch_id": "B1"}}}}"#;
    let error = launch(&fleet, request("first", config, ""))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.violations()[0].field, "ops.ingest.config.batch_idd");
    assert_eq!(
        error.message(),
        "ops.ingest.config.batch_idd: unknown key; did you mean batch_id?"
    );
    let broken = launch(&fleet, request("first", "{", "")).await.unwrap_err();
    assert_eq!(broken.violations()[0].field, "run_config_json");
    let unknown = launch(&fleet, request("frist", B1, "")).await.unwrap_err();
    assert_eq!(unknown.message(), "there is no job \"frist\"");
    let all = crate::store::RunFilter::default();
    assert_eq!(fleet.store.runs(&all, None, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_retry_from_failure_does_only_what_had_not_succeeded() {
    let fleet = TestFleet::start().await;
    let workers = fleet.work(|task| match task.asset == "right" {
        true => Act::Fail { retryable: false },
        false => Act::Succeed,
    });
    let run_id = fleet.launch("all", "B1").await;
    assert_eq!(fleet.ended(&run_id).await.state.status, RunStatus::Failure);
    drop(workers);
    let workers = fleet.work(|_| Act::Succeed);
    let retried = retry(&fleet, &run_id, api::RetryStrategy::FromFailure)
        .await
        .unwrap();
    assert_eq!(retried.parent_run_id, run_id);
    let run = fleet.ended(&retried.run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    assert!(
        run.state
            .steps
            .iter()
            .all(|s| s.status == StepStatus::Success)
    );
    let delivered = ["ingest", "left", "right", "join"].map(|asset| workers.deliveries(asset));
    assert_eq!(delivered, [0, 0, 1, 1]);
    let error = retry(&fleet, &retried.run_id, api::RetryStrategy::FromFailure)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "NOTHING_TO_RETRY");
    let all = retry(&fleet, &retried.run_id, api::RetryStrategy::AllSteps)
        .await
        .unwrap();
    assert_eq!(
        fleet.ended(&all.run_id).await.state.status,
        RunStatus::Success
    );
}

#[tokio::test]
async fn a_run_that_has_not_ended_cannot_be_retried_and_is_canceled_on_request() {
    let fleet = TestFleet::start().await;
    let run_id = fleet.launch("first", "B1").await;
    let error = retry(&fleet, &run_id, api::RetryStrategy::FromFailure)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "RUN_NOT_ENDED");
    let cancel = || {
        Request::new(api::CancelRunRequest {
            run_id: run_id.clone(),
            ..Default::default()
        })
    };
    let _workers = fleet.work(|_| Act::Hang);
    fleet.api.cancel_run(cancel()).await.unwrap();
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Canceled);
    let again = fleet
        .api
        .cancel_run(cancel())
        .await
        .unwrap()
        .into_inner()
        .run
        .unwrap();
    assert_eq!(again.status(), api::RunStatus::Canceled);
    assert_eq!(fleet.run(&run_id).await, run);
}

#[tokio::test]
async fn a_watch_resumes_after_the_event_it_saw_last_and_ends_with_the_run() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    let run_id = fleet.launch("all", "B1").await;
    fleet.ended(&run_id).await;
    let request = |after_sequence| {
        Request::new(api::WatchRunRequest {
            run_id: run_id.clone(),
            after_sequence,
        })
    };
    let stream = fleet.api.watch_run(request(2)).await.unwrap().into_inner();
    let answers: Vec<_> = stream.map(Result::unwrap).collect().await;
    let numbers = answers
        .iter()
        .filter_map(|a| Some(a.event.as_ref()?.sequence));
    let total = fleet.run(&run_id).await.last_sequence;
    assert_eq!(numbers.collect::<Vec<_>>(), (3..=total).collect::<Vec<_>>());
    let last = answers.last().unwrap().run.as_ref().unwrap();
    assert_eq!(last.status(), api::RunStatus::Success);
    let nothing_more = fleet
        .api
        .watch_run(request(total))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(nothing_more.count().await, 1);
}

#[tokio::test]
async fn lists_come_in_pages_that_lead_on() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    let mut launched = Vec::new();
    for n in 0..5 {
        launched.push(fleet.launch("first", &format!("B{n}")).await);
        fleet.ended(launched.last().unwrap()).await;
    }
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let request = api::ListRunsRequest {
            page_size: 2,
            page_token: token,
            ..api::ListRunsRequest::default()
        };
        let page = OrchestratorService::list_runs(&fleet.api, Request::new(request)).await;
        let page = page.unwrap().into_inner();
        seen.extend(page.runs.into_iter().map(|run| run.run_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    launched.reverse();
    assert_eq!(seen, launched);
    let request = api::ListMaterializationsRequest {
        asset: "ingest".to_owned(),
        page_size: 3,
        ..api::ListMaterializationsRequest::default()
    };
    let page = OrchestratorService::list_materializations(&fleet.api, Request::new(request)).await;
    let page = page.unwrap().into_inner();
    assert_eq!(page.materializations.len(), 3);
    assert_eq!(page.materializations[0].batch_id, "B4");
    assert!(!page.next_page_token.is_empty());
}

#[tokio::test]
async fn materializations_are_found_by_asset_and_batch() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    let run_id = fleet.launch("first", "B1").await;
    fleet.ended(&run_id).await;
    let get = |batch: &str| {
        let request = api::GetMaterializationRequest {
            asset: "ingest".to_owned(),
            batch_id: batch.to_owned(),
        };
        let api = fleet.api.clone();
        async move { OrchestratorService::get_materialization(&api, Request::new(request)).await }
    };
    let found = get("B1")
        .await
        .unwrap()
        .into_inner()
        .materialization
        .unwrap();
    assert_eq!(
        (found.run_id, found.outputs[0].dataset.as_str()),
        (run_id, "parties")
    );
    let newest = get("").await.unwrap().into_inner().materialization.unwrap();
    assert_eq!(newest.batch_id, "B1");
    assert_eq!(get("B2").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn one_asset_runs_alone_on_a_file_of_ones_own() {
    let fleet = TestFleet::start().await;
    let workers = fleet.work(|_| Act::Succeed);
    let alone = |asset: &str, input: &str| api::LaunchRunRequest {
        assets: vec![asset.to_owned()],
        batch_id: "MINE".to_owned(),
        inputs: [(input.to_owned(), "file:///f.csv".to_owned())].into(),
        ..api::LaunchRunRequest::default()
    };
    let run = launch(&fleet, alone("right", "parties")).await.unwrap();
    let run = fleet.ended(&run.run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    assert_eq!(
        run.state.steps.len(),
        2,
        "a file of an ingested dataset is ingested"
    );
    assert_eq!(
        run.facts.config["ops"]["ingest"]["config"]["source_files"]["parties"],
        "file:///f.csv"
    );
    let run = launch(&fleet, alone("learn", "features")).await.unwrap();
    let run = fleet.ended(&run.run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    let inputs = &run.state.steps[0].resolution.as_ref().unwrap().inputs;
    assert!(inputs[0].key.starts_with("imported-"));
    assert_eq!(workers.deliveries("learn"), 1);
}

#[tokio::test]
async fn a_process_that_only_reads_refuses_to_launch_and_watches_what_there_is() {
    let fleet = TestFleet::start().await;
    let run_id = fleet.launch("first", "B1").await;
    let mut reader = fleet.api.clone();
    reader.engine = EngineHandle::reading_only();
    let error = reader
        .launch_run(Request::new(request("first", B1, "")))
        .await
        .unwrap_err();
    assert_eq!(ClientError::from(error).reason(), "READ_ONLY_PROCESS");
    let watch = api::WatchRunRequest {
        run_id,
        after_sequence: 0,
    };
    let stream = reader
        .watch_run(Request::new(watch))
        .await
        .unwrap()
        .into_inner();
    let answers: Vec<_> = stream.map(Result::unwrap).collect().await;
    assert!(answers.last().unwrap().run.is_some());
}

#[tokio::test]
async fn the_catalogue_is_served_and_reloaded() {
    let fleet = TestFleet::start().await;
    let jobs = fleet
        .api
        .list_jobs(Request::new(api::ListJobsRequest {}))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((jobs.location_name.as_str(), jobs.jobs.len()), ("test", 3));
    let assets = fleet
        .api
        .list_assets(Request::new(api::ListAssetsRequest {}))
        .await
        .unwrap();
    assert_eq!(
        assets.into_inner().assets[3].dependencies,
        ["left", "right"]
    );
    let reload = || {
        fleet
            .api
            .reload_definitions(Request::new(api::ReloadDefinitionsRequest::default()))
    };
    assert!(!reload().await.unwrap().into_inner().changed);
    let key = api::GetAssetRequest {
        key: "nothing".to_owned(),
    };
    let missing = OrchestratorService::get_asset(&fleet.api, Request::new(key))
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

#[tokio::test]
async fn a_materialization_that_is_not_there_yet_is_told_with_the_jobs_that_make_it() {
    let fleet = TestFleet::start().await;
    let asked = async |asset: &str| {
        let request = api::GetMaterializationRequest {
            asset: asset.to_owned(),
            batch_id: "Z1".to_owned(),
        };
        let answer = OrchestratorService::get_materialization(&fleet.api, Request::new(request));
        ClientError::from(answer.await.unwrap_err())
    };
    let ingest = asked("ingest").await;
    assert_eq!(ingest.code(), Code::NotFound);
    assert_eq!(
        ingest.message(),
        "there is no materialization \"ingest of batch Z1\"; run all or first for it"
    );
    let unknown = asked("inges").await;
    assert!(unknown.message().contains("kycc asset list"), "{unknown}");
}
