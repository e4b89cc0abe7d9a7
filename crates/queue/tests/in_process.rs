//! The in-process queue: the promises of every queue, then its bounds.

use std::sync::Arc;
use std::time::Duration;

use kycc_proto::work::v1::{Task, TaskLog, TaskResult};
use kycc_queue::{Capacity, InProcessQueue, QueueError, TaskQueue};

async fn make() -> (Arc<dyn TaskQueue>, ()) {
    (Arc::new(InProcessQueue::default()), ())
}

kycc_queue::conformance_tests!(make);

const SOON: Duration = Duration::from_secs(10);

fn small() -> Arc<InProcessQueue> {
    Arc::new(InProcessQueue::new(Capacity {
        tasks: 2,
        results: 1,
        logs: 2,
    }))
}

#[tokio::test]
async fn a_full_lane_refuses_at_once_and_has_room_after_an_acknowledgement() {
    let queue = small();
    let task = Task::default();
    queue.push("lane", &task).await.unwrap();
    queue.push("lane", &task).await.unwrap();
    let pulled = queue.pull("lane", "w", 1, SOON).await.unwrap();
    let error = queue.push("lane", &task).await.unwrap_err();
    assert!(matches!(error, QueueError::Full { capacity: 2, .. }));
    assert!(error.is_transient());
    queue
        .push("other", &task)
        .await
        .expect("lanes do not share their bounds");
    queue.ack("lane", &pulled[0].entry).await.unwrap();
    queue.push("lane", &task).await.unwrap();
}

#[tokio::test]
async fn a_full_lane_does_not_keep_results_from_being_read() {
    let queue = small();
    for _ in 0..2 {
        queue.push("lane", &Task::default()).await.unwrap();
    }
    queue.publish_result(&TaskResult::default()).await.unwrap();
    queue.push("lane", &Task::default()).await.unwrap_err();
    assert_eq!(queue.pull_results(1, SOON).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_result_waits_for_room_and_is_not_lost() {
    let queue = small();
    let named = |id: &str| TaskResult {
        task_id: id.to_owned(),
        ..TaskResult::default()
    };
    queue.publish_result(&named("a")).await.unwrap();
    let second = named("b");
    let read = async {
        for expected in ["a", "b"] {
            let entries = queue.pull_results(1, SOON).await.unwrap();
            assert_eq!(entries[0].result.task_id, expected);
            let read = entries[0].entry.clone();
            queue.ack_results(&[read]).await.unwrap();
        }
    };
    let (published, ()) = tokio::join!(queue.publish_result(&second), read);
    published.unwrap();
}

#[tokio::test]
async fn log_lines_without_room_are_refused_whole() {
    let queue = small();
    let lines = vec![TaskLog::default(); 3];
    let error = queue.publish_logs(&lines).await.unwrap_err();
    assert_eq!(error.reason(), "QUEUE_FULL");
    queue.publish_logs(&lines[..2]).await.unwrap();
}
