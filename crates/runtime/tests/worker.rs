//! A worker with a real queue and lake, and a handler that does what its config says.

#[path = "worker/fixture.rs"]
mod fixture;

use std::sync::Arc;
use std::time::Duration;

use fixture::{ASSET, Fixture, LANE, SOON, failure, success, value};
use kycc_proto::work::v1::Task;
use kycc_proto::work::v1::metadata_entry::Value as Wire;
use kycc_proto::work::v1::task_result::Outcome;
use kycc_queue::InProcessQueue;
use kycc_testkit::{Call, Fault, FaultyQueue};

#[tokio::test]
async fn a_finished_task_is_published_with_its_versions_and_metadata_then_acknowledged() {
    let fixture = Fixture::new();
    let result = fixture.run("t1", "publish").await;
    let done = success(&result);
    assert!(!done.reused);
    assert_eq!(done.outputs[0].dataset, "batch");
    assert_eq!(done.outputs[0].key, "t1");
    assert_eq!(result.worker_id, "w1");
    assert!(result.start_time.is_some() && result.end_time.is_some());
    assert!(matches!(
        value(done, "processing_time_seconds"),
        Some(Wire::FloatValue(_))
    ));
    assert_eq!(
        value(done, "said"),
        Some(Wire::IntValue(7)),
        "of the handler"
    );
    assert_eq!(
        value(done, "parties"),
        Some(Wire::IntValue(3)),
        "of the manifest"
    );
    let digest = Wire::TextValue(done.outputs[0].digest.clone());
    assert_eq!(value(done, "batch.digest"), Some(digest));
    assert!(fixture.nothing_is_pending().await);
}

#[tokio::test]
async fn what_a_handler_says_arrives_apart_from_the_result() {
    let fixture = Fixture::new();
    fixture.run("t1", "talk").await;
    let lines = fixture.queue.pull_logs(10, SOON).await.unwrap();
    let texts: Vec<_> = lines
        .iter()
        .map(|l| (l.sequence, l.message.as_str()))
        .collect();
    assert_eq!(texts[..2], [(1, "first"), (2, "second")]);
    assert_eq!((lines[2].progress_done, lines[2].progress_total), (5, 10));
}

#[tokio::test]
async fn a_failure_keeps_reason_record_and_whether_to_try_again() {
    let fixture = Fixture::new();
    let result = fixture.run("t1", "fail").await;
    let failed = failure(&result);
    assert_eq!(failed.reason, "BAD_INPUT");
    assert_eq!(failed.message, "line 3 is broken: the disk said no");
    assert_eq!(failed.record, "x.json:3");
    assert!(!failed.retryable);
    let result = fixture.run("t2", "fail for now").await;
    assert!(failure(&result).retryable);
    assert!(fixture.nothing_is_pending().await);
}

#[tokio::test]
async fn a_panic_is_the_tasks_failure_and_the_worker_goes_on() {
    let fixture = Fixture::new();
    let result = fixture.run("t1", "panic").await;
    let failed = failure(&result);
    assert_eq!(failed.reason, "PANIC");
    assert!(
        failed.message.contains("index out of luck"),
        "{}",
        failed.message
    );
    assert!(!failed.retryable);
    success(&fixture.run("t2", "publish").await);
}

#[tokio::test]
async fn a_cancel_reaches_a_kernel_that_looks_at_its_token() {
    let fixture = Fixture::new();
    fixture.start("t1", "spin until cancelled").await;
    fixture.queue.cancel("t1").await.unwrap();
    let result = fixture.result().await;
    assert!(
        matches!(result.outcome, Some(Outcome::Cancelled(_))),
        "{result:?}"
    );
    assert!(fixture.nothing_is_pending().await);
}

#[tokio::test]
async fn a_task_that_was_cancelled_while_it_waited_is_not_begun() {
    let fixture = Fixture::new();
    fixture.queue.cancel("t1").await.unwrap();
    let result = fixture.run("t1", "publish").await;
    assert!(matches!(result.outcome, Some(Outcome::Cancelled(_))));
    assert_eq!(fixture.times_run(), 0);
}

#[tokio::test]
async fn a_kernel_that_ignores_the_cancel_is_dropped_after_the_patience() {
    let fixture = Fixture::new();
    fixture.start("t1", "never end").await;
    fixture.queue.cancel("t1").await.unwrap();
    let result = fixture.result().await;
    assert!(matches!(result.outcome, Some(Outcome::Cancelled(_))));
}

#[tokio::test]
async fn a_lost_lease_stops_the_handler_and_publishes_nothing() {
    let fixture = Fixture::new();
    fixture.start("t1", "spin until cancelled").await;
    // The leader ended the lease: the entry is gone.
    let held = fixture.queue.expired(LANE, Duration::ZERO).await.unwrap();
    fixture.queue.ack(LANE, &held[0].entry).await.unwrap();
    fixture.handler_stopped().await;
    success(&fixture.run("t2", "publish").await);
    let left = fixture
        .queue
        .pull_results(10, Duration::ZERO)
        .await
        .unwrap();
    assert!(left.is_empty(), "the lost attempt says nothing: {left:?}");
}

#[tokio::test]
async fn a_version_that_is_there_is_reused_and_nothing_is_computed() {
    let fixture = Fixture::new();
    let first = fixture.run("t1", "publish").await;
    let again = fixture.run("t1", "publish").await;
    assert_eq!(fixture.times_run(), 1);
    assert!(success(&again).reused);
    assert_eq!(success(&again).outputs, success(&first).outputs);
    let parties = value(success(&again), "parties");
    assert_eq!(
        parties,
        Some(Wire::IntValue(3)),
        "what the manifest says is said again"
    );
}

#[tokio::test]
async fn an_asset_that_nobody_makes_fails_with_its_lane() {
    let fixture = Fixture::new();
    let task = Task {
        asset: "unknown".to_owned(),
        ..fixture.task("t1", "publish")
    };
    fixture.queue.push(LANE, &task).await.unwrap();
    let result = fixture.result().await;
    assert_eq!(failure(&result).reason, "NO_HANDLER");
    assert!(failure(&result).message.contains(LANE));
}

#[tokio::test]
async fn a_malformed_task_fails_and_does_not_block_the_lane() {
    let fixture = Fixture::new();
    let task = Task {
        config_json: "{".to_owned(),
        ..fixture.task("t1", "publish")
    };
    fixture.queue.push(LANE, &task).await.unwrap();
    assert_eq!(failure(&fixture.result().await).reason, "TASK_MALFORMED");
    success(&fixture.run("t2", "publish").await);
}

#[tokio::test]
async fn a_stopping_worker_hands_a_long_task_back() {
    let fixture = Fixture::new();
    fixture.start("t1", "spin until cancelled").await;
    fixture.stop().await;
    let said = fixture.queue.pull_results(2, Duration::ZERO).await.unwrap();
    assert_eq!(said.len(), 1);
    assert!(matches!(
        said[0].result.outcome,
        Some(Outcome::Cancelled(_))
    ));
    let left = fixture.queue.expired(LANE, Duration::ZERO).await.unwrap();
    assert!(left.is_empty(), "acknowledged once it was said: {left:?}");
}

#[tokio::test]
async fn a_result_is_published_until_the_queue_takes_it_and_only_then_acknowledged() {
    let inner = Arc::new(InProcessQueue::default());
    let faulty = FaultyQueue::new(inner, |call, number| match call {
        // Every third call of any kind works, so all that is tried again comes through.
        Call::PublishResult | Call::Pull | Call::Beat if number % 3 != 0 => Fault::FailBefore,
        _ => Fault::None,
    });
    let fixture = Fixture::on(Arc::new(faulty));
    for n in 0..5 {
        success(&fixture.run(&format!("t{n}"), "publish").await);
    }
}

#[tokio::test]
async fn a_result_that_was_published_twice_is_the_same_twice() {
    let inner = Arc::new(InProcessQueue::default());
    let faulty = FaultyQueue::new(inner, |call, _| match call {
        Call::PublishResult => Fault::Repeat,
        _ => Fault::None,
    });
    let fixture = Fixture::on(Arc::new(faulty));
    let first = fixture.run("t1", "publish").await;
    let second = fixture.result().await;
    assert_eq!(first, second);
    assert_eq!(first.asset, ASSET);
}
