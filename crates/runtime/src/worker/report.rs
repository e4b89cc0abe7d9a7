//! Tells the orchestrator how a task ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kycc_proto::work::v1::task_result::Outcome;
use kycc_proto::work::v1::{Task, TaskResult};
use kycc_queue::Delivery;

use super::Worker;
use crate::clock::timestamp;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

pub(super) fn result(
    task: &Task,
    worker_id: &str,
    outcome: Outcome,
    started: DateTime<Utc>,
    ended: DateTime<Utc>,
) -> TaskResult {
    TaskResult {
        task_id: task.task_id.clone(),
        run_id: task.run_id.clone(),
        asset: task.asset.clone(),
        attempt: task.attempt,
        worker_id: worker_id.to_owned(),
        traceparent: task.traceparent.clone(),
        start_time: Some(timestamp(started)),
        end_time: Some(timestamp(ended)),
        outcome: Some(outcome),
    }
}

impl Worker {
    /// Publishes, trying again while the queue does not answer, and beating so that the task stays this worker's. Gives
    /// up after a lease: by then the task is somebody else's, who finds the version in the lake.
    pub(super) async fn publish(&self, delivery: &Delivery, result: &TaskResult) -> bool {
        let publishing = async {
            let mut pause = FIRST_PAUSE;
            // The same result twice is harmless: the first of an attempt counts.
            while let Err(error) = self.queue.publish_result(result).await {
                tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot publish a result; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        let published = self.keep_beating(delivery, publishing);
        match tokio::time::timeout(self.options.lease, published).await {
            Ok(()) => true,
            Err(_) => {
                tracing::error!(
                    asset = result.asset,
                    "a result could not be published; its task will be delivered again"
                );
                false
            }
        }
    }
}
