//! Runs that take too long, and work that does not stop.

use std::sync::Arc;

use kycc_proto::orchestrator::v1 as api;
use kycc_proto::work::v1::task_result::Outcome;
use kycc_queue::TaskQueue as _;

use crate::core::{FailureKind, RunStatus, StepStatus, TaskStatus};
use crate::store::StoredRun;
use crate::testing::{Act, PIPELINE, TestFleet, is, open_store, result_of, success};

async fn fleet(monitoring: &str) -> TestFleet {
    let pipeline = format!("{PIPELINE}run_monitoring: {monitoring}\n");
    TestFleet::on(Arc::new(open_store().await), &pipeline).await
}

fn tagged(max_runtime: &str) -> api::LaunchRunRequest {
    api::LaunchRunRequest {
        job: "first".to_owned(),
        batch_id: "B1".to_owned(),
        tags: [("dagster/max_runtime".to_owned(), max_runtime.to_owned())].into(),
        ..api::LaunchRunRequest::default()
    }
}

fn ended_as(run: &StoredRun) -> (RunStatus, Option<FailureKind>) {
    let failure = run.state.failure.as_ref();
    (run.state.status, failure.map(|failure| failure.kind))
}

#[tokio::test]
async fn a_run_is_stopped_when_its_own_tag_says_so() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Hang);
    let run = fleet.api.launch_as(tagged("1")).await.unwrap();
    let run = fleet.ended(run.state.run_id.as_str()).await;
    let expected = (RunStatus::Failure, Some(FailureKind::MaxRuntimeExceeded));
    assert_eq!(ended_as(&run), expected);
    let failure = run.state.failure.unwrap();
    assert!(
        failure.message.contains("dagster/max_runtime"),
        "{failure:?}"
    );
    // The worker heard of it and stopped.
    assert_eq!(run.state.steps[0].tasks[0].status, TaskStatus::Cancelled);
    assert_eq!(fleet.queue.outstanding("a").await.unwrap(), []);
}

#[tokio::test]
async fn a_tag_that_is_no_time_is_refused_with_its_name() {
    let fleet = TestFleet::start().await;
    let refused = fleet.api.launch_as(tagged("soon")).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("tags.dagster/max_runtime: "),
        "{refused}"
    );
}

#[tokio::test]
async fn a_run_whose_sources_do_not_answer_in_time_fails_for_its_start() {
    let patient = PIPELINE.replace(
        "max_attempts: 3, delay_seconds: 0.01, max_delay_seconds: 0.05",
        "max_attempts: 99, delay_seconds: 60",
    );
    assert_ne!(patient, PIPELINE);
    let pipeline = format!("{patient}run_monitoring: {{ start_timeout_seconds: 1 }}\n");
    let fleet = TestFleet::on(Arc::new(open_store().await), &pipeline).await;
    fleet.outside.refuse("UNAVAILABLE", true);
    let run_id = fleet.launch("first", "B1").await;
    let run = fleet.ended(&run_id).await;
    let expected = (RunStatus::Failure, Some(FailureKind::StartTimeout));
    assert_eq!(ended_as(&run), expected);
    assert_eq!(run.state.steps[0].status, StepStatus::Canceled);
}

#[tokio::test]
async fn work_that_does_not_stop_is_given_up_and_what_it_still_answers_is_refused() {
    let fleet = fleet("{ max_runtime_seconds: 1, cancel_timeout_seconds: 1 }").await;
    let run_id = fleet.launch("first", "B1").await;
    let wait = std::time::Duration::from_secs(10);
    let pulled = fleet.queue.pull("a", "deaf", 1, wait).await.unwrap();
    let run = fleet.ended(&run_id).await;
    let expected = (RunStatus::Failure, Some(FailureKind::MaxRuntimeExceeded));
    assert_eq!(ended_as(&run), expected);
    let task = &pulled[0].task;
    let late: Outcome = success(task);
    fleet
        .queue
        .publish_result(&result_of(task, late))
        .await
        .unwrap();
    fleet.queue.ack("a", &pulled[0].entry).await.unwrap();
    // A second run ends: what came before its results has been read.
    let _workers = fleet.work(|_| Act::Succeed);
    let second = fleet.launch("first", "B2").await;
    assert_eq!(fleet.ended(&second).await.state.status, RunStatus::Success);
    assert_eq!(fleet.run(&run_id).await, run);
}

#[tokio::test]
async fn a_canceled_run_says_that_its_tasks_were_given_up() {
    let fleet = fleet("{ cancel_timeout_seconds: 1 }").await;
    let run_id = fleet.launch("first", "B1").await;
    fleet.until(&run_id, is(RunStatus::Started)).await;
    let deed = crate::store::conformance::deed("cancel", &run_id, "");
    assert!(fleet.api.engine.cancel(run_id.parse().unwrap(), deed).await);
    let run = fleet.ended(&run_id).await;
    let expected = (RunStatus::Canceled, Some(FailureKind::CancelTimeout));
    assert_eq!(ended_as(&run), expected);
}
