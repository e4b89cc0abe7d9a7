//! What comes back from workers: results and log lines, read from the queue and put into the leader's terms.

use std::sync::Arc;
use std::time::Duration;

use kycc_domain::ids::{RunId, TaskId};
use kycc_proto::work::v1::TaskResult;
use kycc_proto::work::v1::task_result::Outcome;
use kycc_queue::{Delivery, QueueError, TaskQueue};
use tokio::sync::{mpsc, oneshot};

use super::handle::Message;
use super::turn::Input;
use crate::core::{Event, Failure};
use crate::store::AttemptEnd;
use crate::wire;

const WAIT: Duration = Duration::from_secs(5);
pub(super) const RESULTS: usize = 500;
const LOGS: usize = 5_000;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Hands results over batch by batch; the next one is read when the last has been applied and acknowledged.
pub(super) async fn results(queue: Arc<dyn TaskQueue>, leader: mpsc::Sender<Message>) {
    let mut trouble = Trouble::default();
    loop {
        match queue.pull_results(RESULTS, trouble.wait()).await {
            Ok(entries) => {
                if trouble.is_over() && leader.send(Message::QueueBack).await.is_err() {
                    return;
                }
                if entries.is_empty() {
                    continue;
                }
                let (done, applied) = oneshot::channel();
                let batch = Message::Results { entries, done };
                if leader.send(batch).await.is_err() {
                    return;
                }
                let _ = applied.await;
            }
            Err(error) => trouble.wait_out("results", &error).await,
        }
    }
}

pub(super) async fn logs(queue: Arc<dyn TaskQueue>, leader: mpsc::Sender<Message>) {
    let mut trouble = Trouble::default();
    loop {
        match queue.pull_logs(LOGS, trouble.wait()).await {
            Ok(logs) => {
                let _ = trouble.is_over();
                if !logs.is_empty() && leader.send(Message::Logs(logs)).await.is_err() {
                    return;
                }
            }
            Err(error) => trouble.wait_out("log lines", &error).await,
        }
    }
}

/// A queue that does not answer.
#[derive(Default)]
struct Trouble {
    pause: Option<Duration>,
}

impl Trouble {
    /// After an error the next question is one that is answered at once.
    fn wait(&self) -> Duration {
        match self.pause {
            Some(_) => Duration::ZERO,
            None => WAIT,
        }
    }

    async fn wait_out(&mut self, what: &str, error: &QueueError) {
        let pause = self.pause.unwrap_or(FIRST_PAUSE);
        tracing::warn!(error = %kycc_telemetry::chain(error), "cannot read {what}; trying again");
        tokio::time::sleep(pause).await;
        self.pause = Some((pause * 2).min(LONGEST_PAUSE));
    }

    /// Whether there was trouble until now.
    fn is_over(&mut self) -> bool {
        self.pause.take().is_some()
    }
}

/// None for a result that names no run or task: nobody can be told.
pub(super) fn input(result: TaskResult) -> Option<Input> {
    let (Ok(run_id), Ok(task)) = (
        result.run_id.parse::<RunId>(),
        result.task_id.parse::<TaskId>(),
    ) else {
        tracing::error!(
            run_id = result.run_id,
            task_id = result.task_id,
            "a result names no run or task"
        );
        return None;
    };
    let attempt = result.attempt;
    let failed = |failure, retryable| Event::TaskFailed {
        task: task.clone(),
        attempt,
        failure,
        retryable,
    };
    let event = match result.outcome {
        Some(Outcome::Succeeded(succeeded)) => {
            let outputs: Result<Vec<_>, _> = succeeded
                .outputs
                .into_iter()
                .map(wire::version_from_wire)
                .collect();
            match outputs {
                Ok(outputs) => Event::TaskSucceeded {
                    task: task.clone(),
                    attempt,
                    outputs,
                    metadata: wire::metadata_from_wire(succeeded.metadata),
                    reused: succeeded.reused,
                },
                Err(error) => failed(Failure::new("RESULT_INVALID", error.to_string()), false),
            }
        }
        Some(Outcome::Failed(told)) => {
            let failure = Failure {
                record: told.record,
                ..Failure::new(told.reason, told.message)
            };
            failed(failure, told.retryable)
        }
        Some(Outcome::Cancelled(_)) => Event::TaskCancelled {
            task: task.clone(),
            attempt,
        },
        None => failed(
            Failure::new(
                "RESULT_INVALID",
                "the worker's result has no outcome that this kycc knows",
            ),
            false,
        ),
    };
    let outcome = match &event {
        Event::TaskFailed { failure, .. } => failure.reason.clone(),
        Event::TaskCancelled { .. } => "CANCELLED".to_owned(),
        _ => "SUCCEEDED".to_owned(),
    };
    let end = AttemptEnd {
        task,
        attempt,
        worker: result.worker_id,
        started_at: result.start_time.as_ref().map(wire::micros),
        ended_at: result.end_time.as_ref().map_or(0, wire::micros),
        outcome,
    };
    Some(Input::Event {
        run_id,
        event,
        attempt: Some(end),
    })
}

/// The lease of this delivery has run out.
pub(super) fn expired(delivery: &Delivery, now: i64) -> Option<Input> {
    let task = &delivery.task;
    let (Ok(run_id), Ok(task_id)) = (task.run_id.parse::<RunId>(), task.task_id.parse::<TaskId>())
    else {
        return None;
    };
    let event = Event::LeaseExpired {
        task: task_id.clone(),
        attempt: task.attempt,
    };
    let end = AttemptEnd {
        task: task_id,
        attempt: task.attempt,
        worker: delivery.consumer.clone(),
        started_at: None,
        ended_at: now,
        outcome: "LEASE_EXPIRED".to_owned(),
    };
    Some(Input::Event {
        run_id,
        event,
        attempt: Some(end),
    })
}
