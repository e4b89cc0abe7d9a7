//! A poisoned task, from its third worker to the run that does it again.

use std::sync::Arc;
use std::time::Duration;

use kycc_proto::orchestrator::v1 as api;
use kycc_proto::orchestrator::v1::orchestrator_service_server::OrchestratorService;
use kycc_queue::TaskQueue as _;
use kycc_rpc::ClientError;
use tonic::{Code, Request};

use crate::core::{EventKind, RunStatus, StepStatus};
use crate::testing::{Act, PIPELINE, TestFleet, open_store};

/// Workers die of `right`; everything else succeeds.
async fn poisoned(pipeline: &str) -> (TestFleet, String) {
    let store = Arc::new(open_store().await);
    let fleet = TestFleet::with_lease(store, pipeline, Duration::from_millis(40)).await;
    let workers: Vec<_> = (0..3)
        .map(|_| {
            fleet.work(|task| match task.asset == "right" {
                true => Act::Die,
                false => Act::Succeed,
            })
        })
        .collect();
    let run_id = fleet.launch("all", "B1").await;
    fleet.ended(&run_id).await;
    drop(workers);
    (fleet, run_id)
}

async fn letters(fleet: &TestFleet, of: api::ListDeadLettersRequest) -> Vec<api::DeadLetter> {
    let answer = fleet.api.list_dead_letters(of).await.unwrap();
    assert_eq!(answer.next_page_token, "");
    answer.dead_letters
}

async fn replay(fleet: &TestFleet, id: &str, request_id: &str) -> Result<api::Run, ClientError> {
    let request = api::ReplayDeadLetterRequest {
        dead_letter_id: id.to_owned(),
        request_id: request_id.to_owned(),
    };
    let answer = fleet.api.replay_dead_letter(Request::new(request)).await?;
    Ok(answer.into_inner().run.unwrap())
}

#[tokio::test]
async fn a_task_that_workers_die_of_is_kept_and_fails_its_run_naming_the_step() {
    let (fleet, run_id) = poisoned(PIPELINE).await;
    let request = api::GetRunRequest {
        run_id: run_id.clone(),
    };
    let answer = fleet.api.get_run(Request::new(request)).await.unwrap();
    let run = answer.into_inner().run.unwrap();
    let failure = run.failure.as_ref().unwrap();
    assert_eq!(failure.kind(), api::FailureKind::TaskDeadLettered);
    assert_eq!(failure.reason, "TASK_DEAD_LETTERED");
    assert!(failure.message.starts_with("step right failed: 3 worker"));
    let events = fleet.events(&run_id).await;
    let failed = events.iter().find(|e| e.kind == EventKind::StepFailure);
    assert_eq!(failed.unwrap().details["kind"], "TASK_DEAD_LETTERED");

    let with_tasks = api::ListDeadLettersRequest {
        run_id: run_id.clone(),
        include_tasks: true,
        ..api::ListDeadLettersRequest::default()
    };
    let found = letters(&fleet, with_tasks).await;
    let [letter] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert_eq!(letter.run_id, run_id);
    assert_eq!(
        (letter.asset.as_str(), letter.lane.as_str()),
        ("right", "b")
    );
    assert_eq!(letter.deliveries, 3);
    assert!(letter.worker_id.starts_with("b-"), "{}", letter.worker_id);
    assert!(letter.last_error.contains("stopped answering"));
    let task = letter.task.as_ref().unwrap();
    assert_eq!((&task.task_id, task.attempt), (&letter.task_id, 3));
    // Nothing is left in anybody's hands.
    let pending = fleet.queue.outstanding("b").await.unwrap();
    assert_eq!(pending, []);
}

#[tokio::test]
async fn a_dead_letter_is_replayed_once_and_names_who_did_it() {
    let (fleet, run_id) = poisoned(PIPELINE).await;
    let open = || api::ListDeadLettersRequest {
        only_open: true,
        ..api::ListDeadLettersRequest::default()
    };
    let id = letters(&fleet, open()).await[0].dead_letter_id.clone();
    let workers = fleet.work(|_| Act::Succeed);
    let run = replay(&fleet, &id, "q1").await.unwrap();
    assert_eq!(run.parent_run_id, run_id);
    let ended = fleet.ended(&run.run_id).await;
    assert_eq!(ended.state.status, RunStatus::Success);
    let delivered = ["ingest", "left", "right", "join"].map(|asset| workers.deliveries(asset));
    assert_eq!(delivered, [0, 0, 1, 1]);
    assert!(
        ended
            .state
            .steps
            .iter()
            .all(|s| s.status == StepStatus::Success)
    );

    assert_eq!(replay(&fleet, &id, "q1").await.unwrap().run_id, run.run_id);
    let twice = replay(&fleet, &id, "q2").await.unwrap_err();
    assert_eq!(twice.reason(), "ALREADY_REPLAYED");
    assert!(twice.message().contains(&run.run_id), "{}", twice.message());
    let unknown = replay(&fleet, "nobody", "q3").await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    assert_eq!(letters(&fleet, open()).await, []);
    let all = letters(&fleet, api::ListDeadLettersRequest::default()).await;
    assert_eq!(all[0].replay_run_id, run.run_id);
    assert!(!all[0].replayed_by.is_empty() && all[0].replay_time.is_some());
    assert_eq!(all[0].task, None);
}

#[tokio::test]
async fn how_many_workers_a_task_may_cost_is_a_setting() {
    let pipeline = format!("{PIPELINE}run_monitoring: {{ max_deliveries: 1 }}\n");
    let (fleet, _) = poisoned(&pipeline).await;
    let found = letters(&fleet, api::ListDeadLettersRequest::default()).await;
    assert_eq!(found[0].deliveries, 1);
}

#[tokio::test]
async fn letters_are_listed_page_by_page() {
    let (fleet, _) = poisoned(&format!(
        "{PIPELINE}run_monitoring: {{ max_deliveries: 1 }}\n"
    ))
    .await;
    let _worker = fleet.work(|_| Act::Die);
    let second = fleet.launch("first", "B2").await;
    fleet.ended(&second).await;
    let page = |token: &str| api::ListDeadLettersRequest {
        page_size: 1,
        page_token: token.to_owned(),
        ..api::ListDeadLettersRequest::default()
    };
    let first = fleet.api.list_dead_letters(page("")).await.unwrap();
    assert_eq!(first.dead_letters[0].run_id, second);
    let rest = page(&first.next_page_token);
    let rest = fleet.api.list_dead_letters(rest).await.unwrap();
    assert_eq!(rest.dead_letters[0].asset, "right");
    assert_eq!(rest.next_page_token, "");
}
