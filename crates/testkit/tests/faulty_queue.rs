//! The decorator keeps every promise of the queue that it wraps, and breaks them as it is told.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::sync::Arc;
use std::time::Duration;

use kycc_proto::work::v1::{Task, TaskResult};
use kycc_queue::{InProcessQueue, TaskQueue};
use kycc_testkit::redis::Namespace;
use kycc_testkit::{Call, Fault, FaultyQueue};

async fn without_faults() -> (Arc<dyn TaskQueue>, ()) {
    let inner = Arc::new(InProcessQueue::default());
    (Arc::new(FaultyQueue::new(inner, |_, _| Fault::None)), ())
}

kycc_queue::conformance_tests!(without_faults);

mod over_redis {
    use super::{Arc, Fault, FaultyQueue, Namespace, TaskQueue};

    async fn without_faults() -> (Arc<dyn TaskQueue>, Namespace) {
        let namespace = Namespace::new();
        let inner = Arc::new(namespace.queue());
        (
            Arc::new(FaultyQueue::new(inner, |_, _| Fault::None)),
            namespace,
        )
    }

    kycc_queue::conformance_tests!(without_faults);
}

fn first(fault: Fault) -> FaultyQueue {
    let inner = Arc::new(InProcessQueue::default());
    FaultyQueue::new(inner, move |call, number| match (call, number) {
        (Call::PublishResult | Call::Push, 0) => fault,
        _ => Fault::None,
    })
}

async fn results(queue: &FaultyQueue) -> usize {
    queue.pull_results(10, Duration::ZERO).await.unwrap().len()
}

#[tokio::test]
async fn each_fault_does_what_its_name_says() {
    for (fault, told, happened) in [
        (Fault::FailBefore, false, 0),
        (Fault::FailAfter, false, 1),
        (Fault::Lose, true, 0),
        (Fault::Repeat, true, 2),
        (Fault::Delay(Duration::from_millis(1)), true, 1),
    ] {
        let queue = first(fault);
        let answer = queue.publish_result(&TaskResult::default()).await;
        assert_eq!(answer.is_ok(), told, "{fault:?}");
        assert_eq!(results(&queue).await, happened, "{fault:?}");
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_faults() {
    let outcomes = |seed| async move {
        let queue = FaultyQueue::seeded(Arc::new(InProcessQueue::default()), seed, 50);
        let mut seen = Vec::new();
        for _ in 0..50 {
            seen.push(queue.push("lane", &Task::default()).await.is_ok());
        }
        seen
    };
    let once = outcomes(7).await;
    assert_eq!(once, outcomes(7).await);
    assert!(once.contains(&true) && once.contains(&false));
}
