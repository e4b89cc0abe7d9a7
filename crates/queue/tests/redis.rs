//! The queue on Redis: the promises of every queue, then what only it has. Most run on the server that TEST_REDIS_URL
//! names, each in a namespace of its own; those that hurt a server start their own.

#[path = "redis/outages.rs"]
mod outages;
#[path = "redis/streams.rs"]
mod streams;

use std::sync::Arc;
use std::time::Duration;

use kycc_proto::work::v1::{Task, TaskResult};
use kycc_queue::TaskQueue;
use kycc_queue::conformance::redis_server::Namespace;

const LANE: &str = "scoring";
const SOON: Duration = Duration::from_secs(10);
const NOW: Duration = Duration::ZERO;

async fn make() -> (Arc<dyn TaskQueue>, Namespace) {
    let namespace = Namespace::new();
    (Arc::new(namespace.queue()), namespace)
}

kycc_queue::conformance_tests!(make);

fn task(id: &str) -> Task {
    Task {
        task_id: id.to_owned(),
        attempt: 1,
        ..Task::default()
    }
}

fn result(id: &str) -> TaskResult {
    TaskResult {
        task_id: id.to_owned(),
        attempt: 1,
        ..TaskResult::default()
    }
}
